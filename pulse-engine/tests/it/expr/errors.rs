//! Errors: where they are, what they say, what they suggest.

use super::{eval, scope};
use pulse_engine::expr::{CompileError, EvalErrorKind, Expr};

fn refused(source: &str) -> CompileError {
    match Expr::compile(source) {
        Ok(_) => panic!("{source} compiles"),
        Err(error) => error,
    }
}

#[test]
fn offsets_are_those_of_the_source() {
    for (source, offset) in [
        ("state.x === 'a' && foo", 19),
        ("'ä' + 'ö' + foo", 14),
        ("state.x = 5", 8),
        ("state.x == ", 11),
        ("(1 + 2", 6),
        ("1 +* 2", 3),
        ("nosuch(1)", 0),
        ("state.x.nosuch()", 8),
        ("'open", 0),
        ("1 /* open", 2),
        ("\"a\\d\"", 2),
        ("99999999999999999999", 0),
    ] {
        assert_eq!(refused(source).offset, Some(offset), "{source}: {:?}", refused(source));
    }
}

#[test]
fn help_says_what_to_write() {
    for (source, help) in [
        ("stat.x", "`state`"),
        ("param.x", "`params`"),
        ("Clean", "texts stand in quotes"),
        ("state.x = 5", "=="),
        ("state.x & 1", "&&"),
        ("a | b", "||"),
        ("let x = 1", "`set` step"),
        ("state.x and true", "&&"),
        ("not true", "`!`"),
        ("state.list.some(x => x)", "functions cannot be defined"),
        ("state.list.some(1)", "contains"),
        ("state.list.map(|x| x)", "closures"),
        ("/^a/.test(state.x)", "matches"),
        ("state.x.match('a')", "matches"),
        ("state.x.indexOf('a')", "contains"),
        ("state.x.replace('a', 'b')", "in the command"),
        ("`${state.x}`", "+"),
        ("{a: 1}", "#{"),
        ("steps.step-1.success", "steps[\"step-…\"]"),
        ("state.list.0", "[0]"),
        ("1 < state.x < 5", "a < b && b < c"),
        ("contain(state.x, 'a')", "`contains`"),
        ("typeof state.x", "int()"),
        ("-2 ** 2", "(-a) ** b"),
        ("'\\d+'", "\\\\d"),
        ("“x”", "plain quotes"),
        ("80percent", "quotes"),
        ("state.größe", "state[\"…\"]"),
    ] {
        let error = refused(source);
        assert!(error.help.contains(help), "{source}: {error:?}");
    }
}

#[test]
fn wrong_patterns_and_arguments_are_found_when_compiling() {
    assert!(refused("matches(state.x, \"(\")").message.contains("unclosed group"));
    assert!(refused("matches(state.x)").message.contains("2 arguments"));
    assert!(refused("split('a', 'b', 'c')").message.contains("1 or 2"));
    assert!(refused("matches(state.x, '(\\\\w{500}){500}')").message.contains("not usable"));
    assert!(refused("#{a: 1, a: 2}").message.contains("twice"));
    assert!(refused("").message.contains("empty"));
}

#[test]
fn an_error_shows_what_was_seen() {
    let error = eval("state.name > params.limit && steps.check.exit_code == 0").unwrap_err();
    assert_eq!(error.expression, "state.name > params.limit && steps.check.exit_code == 0");
    assert_eq!(error.kind, EvalErrorKind::Type);
    let seen: Vec<_> = error.seen.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(seen, [("state.name", "\"web-01\""), ("params.limit", "80"), ("steps.check.exit_code", "0")]);
}

#[test]
fn seen_values_are_short() {
    let mut scope = scope();
    scope.set("state", serde_json::json!({"x": "ä".repeat(1_000_000), "m": {"a": 1}, "l": [1, 2]}));
    let error = Expr::compile("state.x + state.m + state.l + state.none").unwrap().eval(&scope).unwrap_err();
    let seen: Vec<_> = error.seen.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(seen[0].chars().count(), 200);
    assert_eq!(seen[1..], ["a map with a", "a list of 2 elements", "()"]);
}

#[test]
fn time_has_to_be_given() {
    let error = Expr::compile("now()").unwrap().eval(&pulse_engine::expr::Scope::new()).unwrap_err();
    assert_eq!(error.kind, EvalErrorKind::Missing);
}
