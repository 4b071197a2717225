//! Every limit, reached. What exceeds one is an error of the kind `Limit`, soon, and without much memory.

#![expect(clippy::disallowed_methods, reason = "limits of time and memory are measured here")]

use super::scope;
use proptest::prelude::*;
use pulse_engine::expr::{EvalError, EvalErrorKind, Expr, Scope};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// The limit is 100 ms, and without it these would take for ever: far more than any machine needs to notice it.
const SOON: Duration = Duration::from_secs(30);

fn with_state(state: Value) -> Scope {
    let mut scope = scope();
    scope.set("state", state);
    scope
}

fn limited(source: &str, scope: &Scope) -> EvalError {
    let expr = Expr::compile(source).unwrap_or_else(|e| panic!("{e}"));
    let start = Instant::now();
    let error = expr.eval(scope).expect_err("a limit is reached");
    assert!(start.elapsed() < SOON, "took {:?}", start.elapsed());
    assert_eq!(error.kind, EvalErrorKind::Limit, "{error:?}");
    error
}

#[test]
fn source_of_4_kib() {
    let fits = format!("'{}'", "a".repeat(4094));
    assert!(Expr::compile(&fits).is_ok());
    let error = Expr::compile(&format!("{fits} ")).unwrap_err();
    assert!(error.message.contains("4097 bytes"), "{error}");
}

#[test]
fn depth_of_64() {
    let nested = |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("-state.x+(", ")"),
        ("int(", ")"),
        ("!", ""),
        ("- ", ""),
        ("state.x ? 1 : ", ""),
        ("[1][", "]"),
        ("#{a:", "}"),
    ] {
        let fits = nested(open, close, 30);
        assert!(Expr::compile(&fits).is_ok(), "{fits}: {:?}", Expr::compile(&fits));
        for times in [64, 65, 400] {
            let deep = nested(open, close, times);
            if deep.len() <= 4096 {
                let error = Expr::compile(&deep).unwrap_err();
                assert!(error.message.contains("deeper than 64"), "{deep}: {error}");
            }
        }
    }
    for chain in [
        format!("1{}", " + 1".repeat(64)),
        format!("state{}", ".x".repeat(300)),
        format!("state{}", "[now()]".repeat(64)),
    ] {
        assert!(Expr::compile(&chain).unwrap_err().message.contains("deeper than 64"), "{chain}");
    }
    assert!(Expr::compile(&format!("1{}", " + 1".repeat(62))).is_ok());
}

#[test]
fn long_chains_of_conditions_are_not_deep() {
    let chain = format!("state.x == 0{}", (1..200).map(|i| format!(" || state.x == {i}")).collect::<String>());
    let expr = Expr::compile(&chain).unwrap();
    // On a machine that has much else to do one evaluation can take longer than it may.
    let holds = || expr.eval(&with_state(json!({"x": "199"}))) == Ok(json!(true));
    assert!((0..50).any(|_| holds()));
}

#[test]
fn the_deepest_expressions_fit_a_small_stack() {
    let sources = [
        format!("1{}", " + 1".repeat(62)),
        format!("{}state.x{}", "int(".repeat(62), ")".repeat(62)),
        format!("{}1{}", "[".repeat(62), "]".repeat(62)),
        format!("{}true", "!".repeat(62)),
        format!("{}1", "state.x == 1 ? 1 : ".repeat(30)),
        format!("{}true{}", "(true && (false || ".repeat(30), "))".repeat(30)),
        format!("{}1{}", "if 1 == 2 { 1 } else { ".repeat(30), " }".repeat(30)),
    ];
    let run = move || {
        sources
            .iter()
            .all(|s| Expr::compile(s).unwrap_or_else(|e| panic!("{s} {e}")).eval(&with_state(json!({"x": 3}))).is_ok())
    };
    // Debug builds have frames several times as large.
    let stack = if cfg!(debug_assertions) { 2 << 20 } else { 512 << 10 };
    let thread = std::thread::Builder::new().stack_size(stack).spawn(run).unwrap();
    assert!(thread.join().unwrap());
}

#[test]
fn operations() {
    let list: Vec<u32> = (0..9_000).collect();
    let scope = with_state(json!({"list": list}));
    // The first element is it, so little is done; counted are all.
    let source = ["contains(state.list, 0)"; 12].join(" && ");
    assert!(limited(&source, &scope).message.contains("100000 operations"));
}

#[test]
fn texts_of_1_mib() {
    let half = "x".repeat(600 * 1024);
    let scope =
        with_state(json!({"a": half, "huge": "x".repeat(1024 * 1024 + 1), "list": vec!["y".repeat(1000); 2000]}));
    for source in [
        "state.a + state.a",
        "join([state.a, state.a], '')",
        "text([state.a, state.a])",
        "len(state.huge)",
        "state.huge",
        "join(state.list, ',')",
    ] {
        let error = limited(source, &scope);
        assert!(error.message.contains("1048576"), "{source}: {error}");
    }
    // What is not touched does no harm.
    assert_eq!(Expr::compile("state.b == ()").unwrap().eval(&scope), Ok(json!(true)));
}

#[test]
fn lists_and_maps_of_10000() {
    let map: serde_json::Map<String, Value> = (0..10_001).map(|i| (format!("k{i}"), json!(i))).collect();
    let scope = with_state(
        json!({"list": vec![0; 6_000], "long": vec![0; 10_001], "map": map, "commas": ",".repeat(10_000), "text": "x".repeat(1 << 20)}),
    );
    for source in [
        "state.list + state.list",
        "split(state.commas, ',')",
        "split(state.text, '')",
        "keys(state.map)",
        "values(state.map)",
        "state.long",
        "contains(state.long, 1)",
        "join(state.long, '')",
        "state.long == state.long",
        "[state.long]",
    ] {
        let error = limited(source, &scope);
        assert!(error.message.contains("10000"), "{source}: {error}");
    }
    assert_eq!(Expr::compile("state.map.k10000 + len(state.map)").unwrap().eval(&scope), Ok(json!(20_001)));
}

#[test]
fn wall_time() {
    // A pattern whose automaton never settles, on a long text: the states are built anew again and again.
    let text: String =
        (0..1 << 20).map(|i: u32| if i.wrapping_mul(2_654_435_761) >> 28 & 1 == 0 { 'a' } else { 'b' }).collect();
    let scope = with_state(json!({"text": text}));
    let source = ["matches(state.text, '[ab]*a[ab]{200}c')"; 8].join(" || ");
    assert!(limited(&source, &scope).message.contains("100 ms"));
}

#[test]
fn slow_patterns_are_bounded_too() {
    let scope = with_state(json!({"text": "ä ".repeat(200_000)}));
    assert!(limited("matches(state.text, '\\\\bfoo\\\\b')", &scope).message.contains("(?-u:\\b)"));
}

/// In a process of its own: what other tests take at the same time is not its business.
#[test]
#[expect(clippy::disallowed_types, reason = "the engine itself starts no processes")]
fn memory_of_all_values_together() {
    const ALONE: &str = "PULSE_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let mut alone = std::process::Command::new(std::env::current_exe().unwrap());
        alone.args(["--exact", "expr::limits::memory_of_all_values_together", "--nocapture"]).env(ALONE, "1");
        let ran = alone.output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&ran.stderr));
        return;
    }
    let scope = with_state(json!({"a": "x".repeat(1 << 19), "list": vec![json!({"k": "v".repeat(100)}); 5000]}));
    let before = resident();
    for source in [
        format!("[{}]", vec!["state.a + state.a"; 200].join(",")),
        format!("[{}]", vec!["state.a"; 400].join(",")),
        format!("[{}]", vec!["lower(state.a)"; 200].join(",")),
        format!("[{}]", vec!["split(state.a, '')"; 200].join(",")),
        format!("[{}]", vec!["state.list"; 200].join(",")),
        format!("[{}]", vec!["text(state.list)"; 200].join(",")),
        format!("[{}]", vec!["matches(state.a, '\\\\w{10}' + '')"; 100].join(",")),
    ] {
        limited(&source, &scope);
    }
    // Values that are thrown away again count, too.
    let thrown_away = format!("[{}]", vec!["len(state.a + state.a)"; 60].join(","));
    assert!(limited(&thrown_away, &scope).message.contains("16 MiB"));
    let grown = resident().saturating_sub(before);
    assert!(grown < 64 << 20, "resident memory grew by {} MiB", grown >> 20);
}

/// The highest resident memory so far, in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * 1024
}

#[test]
fn results_do_not_nest_without_end() {
    let wrap = Expr::compile("[state.x]").unwrap();
    let mut value = json!(1);
    for _ in 0..64 {
        value = match wrap.eval(&with_state(json!({"x": value}))) {
            Ok(value) => value,
            Err(error) => {
                assert_eq!(error.kind, EvalErrorKind::Limit);
                return;
            }
        };
    }
    let error = wrap.eval(&with_state(json!({"x": value}))).unwrap_err();
    assert!(error.message.contains("nested deeper"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// No text makes the compiler panic, and its offsets are inside of the source.
    #[test]
    fn any_text(source in "\\PC{0,60}") {
        for compiled in [Expr::compile(&source), Expr::compile_template(&source)] {
            match compiled {
                Ok(expr) => drop(expr.eval(&scope())),
                Err(error) => prop_assert!(error.offset.is_none_or(|at| at <= source.len() && source.is_char_boundary(at))),
            }
        }
    }

    /// Nor do words of the language in any order.
    #[test]
    fn any_words(words in prop::collection::vec(prop::sample::select(WORDS), 0..14), glue in prop::sample::select(&["", " "][..])) {
        let source = words.join(glue);
        if let Ok(expr) = Expr::compile(&source) {
            let start = Instant::now();
            let _ = expr.eval(&scope());
            prop_assert!(start.elapsed() < SOON);
        }
    }
}

const WORDS: &[&str] = &[
    "1", "2.5", "'a'", "\"b\"", "true", "null", "()", "state", "params", ".", "x", "list", "text", "(", ")", "[", "]",
    "#{", "}", ":", ",", "?", "?.", "??", "==", "!=", "<", ">", "&&", "||", "!", "+", "-", "*", "/", "%", "**", "in",
    "if", "else", "{", "int", "split", "join", "len", "contains", "matches", "now", "keys", "=", "|", "'", "\"", "\\",
    "//", "/*", "0x", "1e9",
];
