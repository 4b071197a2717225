//! Conditions that decide nothing, and names that lack their root.

use pulse_engine::load;

const PARAMS: &str = "\
params:
  - {name: mode, type: choice, options: [ask, auto, '5']}
  - {name: force, type: boolean, default: false}
  - {name: limit, type: integer, default: 1}
  - {name: host}
  - {name: note, type: choice, options: [x], required: false}
";

fn found(condition: &str) -> Vec<(String, u32, String, String)> {
    let condition = serde_json::to_string(condition).unwrap();
    let source = format!(
        "{PARAMS}steps:\n  - {{id: a, command: ls, parse: kv}}\n  - {{id: q, message: m}}\n  - command: ls\n    condition: {condition}\n"
    );
    load(&source).diagnostics.into_iter().map(|d| (d.code, d.column, d.message, d.help)).collect()
}

/// The codes found, with the place in the condition, from 0.
fn codes(condition: &str) -> Vec<String> {
    found(condition).into_iter().map(|(code, column, ..)| format!("{code}:{}", column - 17)).collect()
}

#[test]
fn what_is_neither_true_nor_false_is_found() {
    for (condition, expected) in [
        ("5", &["W011:0"][..]),
        ("'b'", &["W011:0"]),
        ("'a' || 'b'", &["W011:0", "W011:7"]),
        ("params.mode == 'ask' || 'auto'", &["W011:24"]),
        ("len(state.lines)", &["W011:0"]),
        ("state.lines.length", &["W011:0"]),
        ("!last.exit_code", &["W011:1"]),
        ("last.success && last.stdout", &["W011:16"]),
        ("params.host", &["W011:0"]),
        ("params.limit - 1", &["W011:0"]),
        ("params", &["W011:0"]),
        ("steps.a", &["W011:0"]),
        ("steps.a.error", &["W011:0"]),
        ("prompt_response", &["W011:0"]),
        ("state.x ?? 'no'", &["W011:11"]),
        ("last.success ? 'a' : true", &["W011:15"]),
        ("state.x == (last.stdout ? 1 : 2)", &["W011:12"]),
        ("[1, 2]", &["W011:0"]),
        ("now()", &["W011:0"]),
        // Nothing is known of these, or they are what they have to be.
        ("state.x", &[]),
        ("state.x || state.y", &[]),
        ("params.force", &[]),
        ("!params.force && is_empty(state.x)", &[]),
        ("last.success", &[]),
        ("steps.a.results[0]", &[]),
        ("state.x ?? false", &[]),
        ("last.success ? params.force : state.x", &[]),
        ("now() > 5", &[]),
        ("contains(last.stdout, 'x')", &[]),
    ] {
        assert_eq!(codes(condition), expected, "{condition}: {:?}", found(condition));
    }
    let (_, _, message, help) = found("len(state.lines)").remove(0);
    assert_eq!(message, "`len(state.lines)` is a number, neither true nor false");
    assert_eq!(help, "compare it, as in `len(state.lines) > 0`");
}

#[test]
fn what_is_always_the_same_is_found() {
    for (condition, expected) in [
        ("1 < 2", "the condition `1 < 2` is always true"),
        ("'a' == 'b'", "the condition `'a' == 'b'` is always false"),
        ("()", "the condition `()` is always false"),
        ("1 / 0 > 1", "the condition `1 / 0 > 1` always fails: the number 1 is divided by zero"),
        ("params.mode == 'fast'", "`params.mode == 'fast'` is never true: the parameter `mode` is one of ask, auto, 5"),
        (
            "last.success || 'fast' != params['mode']",
            "`'fast' != params['mode']` is always true: the parameter `mode` is one of ask, auto, 5",
        ),
        (
            "params.mode in ['a', 'b']",
            "`params.mode in ['a', 'b']` is never true: the parameter `mode` is one of ask, auto, 5",
        ),
        (
            "params.force == 'true'",
            "`params.force == 'true'` is never true: the parameter `force` is true or false, and no text or number",
        ),
        (
            "params.force == 1",
            "`params.force == 1` is never true: the parameter `force` is true or false, and no text or number",
        ),
        ("params.limit == 'many'", "`params.limit == 'many'` is never true: the parameter `limit` is a number"),
        (
            "params.host == true",
            "`params.host == true` is never true: the parameter `host` is a text, also where it reads true or false",
        ),
        ("params.note != 'y'", "`params.note != 'y'` is always true: the parameter `note` is one of x"),
    ] {
        let found = found(condition);
        assert_eq!(found.len(), 1, "{condition}: {found:?}");
        assert_eq!((found[0].0.as_str(), found[0].2.as_str()), ("W003", expected));
    }
    for fine in [
        "params.mode == 'ask'",
        "params.mode == 5",
        "params.mode == state.x",
        "params.mode in ['a', 'ask']",
        "params.mode != ()",
        "params.mode < 'b'",
        "params.force == false",
        "params.limit == '85'",
        "params.limit == 1.5",
        "params.host == 85",
        "state.mode == 'fast'",
    ] {
        assert_eq!(codes(fine), [""; 0], "{fine}: {:?}", found(fine));
    }
}

/// Not only conditions decide: so does what stands in templates and values.
#[test]
fn parts_of_other_expressions_decide_too() {
    let with = |step: &str| {
        let loaded = load(&format!("{PARAMS}steps:\n  - {step}\n"));
        loaded.diagnostics.iter().map(|d| format!("{}:{}", d.code, d.column)).collect::<Vec<_>>()
    };
    assert_eq!(with("command: echo {{ host || 'none' }}"), ["W011:22", "W011:30"]);
    assert_eq!(with("command: \"echo {{ mode == 'fast' ? 1 : 2 }}\""), ["W003:23"]);
    assert_eq!(with("{type: set, values: {a: 'params.limit && true'}}"), ["W011:30"]);
    assert_eq!(with("{type: set, values: {a: '5', b: \"'b'\", c: 'len(params.host)'}}"), [""; 0]);
    // What goes by the name here is the item, or can be a value that a step sets.
    let hidden = "{items: [a], as: mode, steps: [{command: \"echo {{ mode == 'fast' ? 1 : 2 }}\"}]}";
    assert_eq!(with(hidden), [""; 0]);
    let set = "{type: set, values: {note: '1'}}\n  - command: \"echo {{ note == 'y' ? 1 : 2 }}\"";
    assert_eq!(with(set), [""; 0]);
}

#[test]
fn names_without_their_root_and_braces_in_conditions_are_told_what_to_write() {
    let help = |condition: &str| {
        let found = found(condition);
        assert_eq!(found.len(), 1, "{condition}: {found:?}");
        assert_eq!(found[0].0, "E013");
        (found[0].2.clone(), found[0].3.clone())
    };
    assert_eq!(help("mode == 'ask'").1, "did you mean `params.mode`?");
    assert_eq!(help("hots == 'x'").1, "did you mean `params.host`?");
    assert_eq!(help("a.status == 'failed'").1, "did you mean `steps.a`?");
    assert_eq!(help("stat.x == 1").1, "did you mean `state`?");
    assert!(help("nothing_like_it == 1").1.starts_with("known here are params"));
    let (message, instead) = help("{{ mode }} == 'ask'");
    assert_eq!(message, "`{{ mode }} == 'ask'` is an expression already: it has no {{ }}");
    assert!(instead.starts_with("write `params.mode` as it is"), "{instead}");
    assert!(help("{{ state.x }} > 1").1.starts_with("write `state.x` as it is"));
}

#[test]
fn what_is_too_much_for_the_engine_is_said_in_our_words() {
    let found = found(&vec!["1"; 1_300].join("&&"));
    let complex: Vec<_> = found.iter().filter(|(code, ..)| code == "E013").collect();
    assert_eq!(complex.len(), 1, "{found:?}");
    assert!(complex[0].2.ends_with("the expression is too complex: it joins too many parts"), "{}", complex[0].2);
}

#[test]
fn what_is_always_the_same_whatever_names_stand_for_is_found() {
    for (condition, expected) in [
        ("params.force || true", &["W003:0"][..]),
        ("params.force && false", &["W003:0"]),
        ("params.force || (params.force && false)", &["W003:16"]),
        ("params.limit == params.limit", &["W003:0"]),
        ("params.limit != params[\"limit\"]", &["W003:0"]),
        ("params.limit < params.limit", &["W003:0"]),
        ("params.force || state.x > state.x", &["W003:16"]),
        // What is missing is not less or equal.
        ("state.x <= state.x", &[]),
        ("params.force || false", &[]),
        ("params.force && true", &[]),
        ("params.limit == state.limit", &[]),
        ("now() == now()", &[]),
        // Once is enough.
        ("1 == 1 || true", &["W003:0"]),
    ] {
        assert_eq!(codes(condition), *expected, "{condition}");
    }
}

#[test]
fn results_that_are_compared_with_what_they_never_are_are_found() {
    let with = |prompts: &str, condition: &str| {
        let condition = serde_json::to_string(condition).unwrap();
        let steps = format!("  - {{id: c, command: ls}}\n{prompts}  - {{command: ls, condition: {condition}}}\n");
        let loaded = load(&format!("steps:\n{steps}"));
        loaded.diagnostics.iter().map(|d| format!("{} {} => {}", d.code, d.message, d.help)).collect::<Vec<_>>()
    };
    let ask = "  - {id: ask, message: Go?, options: [{label: Go, value: go}, Stop, '1.0']}\n";
    let why = "the answer to `ask` is one of go, Stop, 1.0";
    for (condition, expected) in [
        ("prompt_response == 'C'", format!("`prompt_response == 'C'` is never true: {why}")),
        ("state.promptResponse != 'C'", format!("`state.promptResponse != 'C'` is always true: {why}")),
        ("promptResponse in ['A', 'B']", format!("`promptResponse in ['A', 'B']` is never true: {why}")),
        ("steps.ask.response == 'C'", format!("`steps.ask.response == 'C'` is never true: {why}")),
        (
            "last.success == 'true'",
            "`last.success == 'true'` is never true: `last.success` is true or false, and no text or number".to_owned(),
        ),
        ("last.exit_code == 'ok'", "`last.exit_code == 'ok'` is never true: `last.exit_code` is a number".to_owned()),
        (
            "steps.c.status == 'success'",
            "`steps.c.status == 'success'` is never true: the status of a step is one of running, waiting, completed, \
             failed, skipped, aborted"
                .to_owned(),
        ),
    ] {
        let found = with(ask, condition);
        assert!(found.len() == 1 && found[0].starts_with(&format!("W003 {expected} => ")), "{condition}: {found:#?}");
    }
    let label = with(ask, "prompt_response == 'Go'");
    assert!(label[0].ends_with("an answer counts as its option's `value`: compare it with \"go\""), "{label:?}");
    let two = format!("{ask}  - {{id: again, message: Again?, options: [C, D]}}\n");
    let labels = "  - {id: ask, message: Go?, options: [Go, 'to {{ steps.c.status }}']}\n";
    for (prompts, condition) in [
        (ask, "prompt_response == 'go'"),
        (ask, "steps.ask.response != 'Stop'"),
        (ask, "prompt_response == 1"),
        (ask, "prompt_response in ['C', 'Stop']"),
        (ask, "prompt_response == ()"),
        (ask, "last.success == true"),
        (ask, "last.exit_code == '2'"),
        (ask, "steps.c.status in ['failed', 'lost']"),
        // Either may have been answered last; what is in a label is not known before.
        (&two, "prompt_response == 'C'"),
        (labels, "prompt_response == 'C'"),
    ] {
        assert_eq!(with(prompts, condition), [""; 0], "{condition}");
    }
    assert_eq!(with(&two, "steps.ask.response == 'C'").len(), 1);
}
