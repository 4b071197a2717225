//! What expressions mean: a table of sources and values.

use super::{eval, fails, scope, table};
use pulse_engine::expr::{EvalErrorKind, Expr};
use serde_json::json;

#[test]
fn comparisons() {
    table(&[
        ("state.disk_pct > 80", json!(true)),
        ("state.disk_pct > params.limit", json!(true)),
        ("80 < state.disk_pct", json!(true)),
        ("\"85\" > 80", json!(true)),
        ("\"85\" == 85", json!(true)),
        ("85 == \"85.0\"", json!(true)),
        ("\"85\" != 85", json!(false)),
        ("\"abc\" == 85", json!(false)),
        ("\"abc\" != 85", json!(true)),
        ("\"\" == 0", json!(false)),
        ("state.padded == 42", json!(true)),
        ("state.load < 1", json!(true)),
        ("\"1e3\" == 1000", json!(true)),
        ("\"0x10\" == 16", json!(false)),
        ("\"9\" > \"80\"", json!(true)),
        ("\"a\" < \"b\"", json!(true)),
        ("\"Z\" < \"a\"", json!(true)),
        ("\"z\" < \"ä\"", json!(true)),
        ("1 == 1.0", json!(true)),
        ("state.big == 9223372036854775807.0", json!(false)),
        ("state.big > 9223372036854775806", json!(true)),
        ("9007199254740993 > 9007199254740992.0", json!(true)),
        ("1 < 1.5 && 2 > 1.5", json!(true)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("-9223372036854775808 + 1", json!(i64::MIN + 1)),
        ("[- 9223372036854775808][0] < -9223372036854775807", json!(true)),
        ("true == true", json!(true)),
        ("true == \"true\"", json!(false)),
        ("[1, \"2\"] == [1.0, 2]", json!(true)),
        ("[1] == [1, 2]", json!(false)),
        ("#{a: 1} == #{a: \"1\"}", json!(true)),
        ("#{a: 1} == #{b: 1}", json!(false)),
        ("state.list == [\"a\", \"b\", \"c\"]", json!(true)),
    ]);
    fails(&[
        ("\"abc\" > 80", "have no order"),
        ("true < false", "have no order"),
        ("[1] < [2]", "have no order"),
        ("\"a\" > true", "have no order"),
    ]);
}

#[test]
fn what_is_missing_is_nothing() {
    table(&[
        ("state.nope", json!(null)),
        ("state.a.b.c.d", json!(null)),
        ("state.nope == ()", json!(true)),
        ("state.nope == null", json!(true)),
        ("state.nothing == ()", json!(true)),
        ("() == state.nope", json!(true)),
        ("state.nope == 5", json!(false)),
        ("state.nope == \"\"", json!(false)),
        ("state.nope == false", json!(false)),
        ("state.nope != 5", json!(true)),
        ("state.nope != ()", json!(false)),
        ("state.name != ()", json!(true)),
        ("state.nope > 5", json!(false)),
        ("state.nope < 5", json!(false)),
        ("5 >= state.nope", json!(false)),
        ("() < ()", json!(false)),
        ("state.nope > \"a\"", json!(false)),
        ("state.list[7]", json!(null)),
        ("state.nope[0]", json!(null)),
        ("state.nope.x[0].y", json!(null)),
        ("state.nope ?? \"none\"", json!("none")),
        ("state.name ?? \"none\"", json!("web-01")),
        ("state.nope?.x?.[0] ?? 1", json!(1)),
        ("contains(state.nope, \"x\")", json!(false)),
        ("state.nope.starts_with(\"x\")", json!(false)),
        ("matches(state.nope, \"x\")", json!(false)),
        ("int(state.nope)", json!(null)),
        ("int(state.nope) > 5", json!(false)),
        ("len(state.nope)", json!(null)),
        ("is_empty(state.nope)", json!(true)),
        ("!state.nope", json!(true)),
        ("state.nope && true", json!(false)),
        ("state.nope || true", json!(true)),
        ("state.nope ? 1 : 2", json!(2)),
    ]);
    fails(&[
        ("state.nope + 1", "missing"),
        ("-state.nope", "missing"),
        ("state.nope * 2", "missing"),
        ("\"a\" + state.nope", "missing"),
    ]);
}

#[test]
fn roots_that_are_not_set_are_nothing() {
    let empty = pulse_engine::expr::Scope::new();
    assert_eq!(Expr::compile("last.stdout == ()").unwrap().eval(&empty).unwrap(), json!(true));
    assert_eq!(Expr::compile("state.x > 1").unwrap().eval(&empty).unwrap(), json!(false));
}

#[test]
fn arithmetic() {
    table(&[
        ("1 + 2 * 3", json!(7)),
        ("(1 + 2) * 3", json!(9)),
        ("10 - 2 - 3", json!(5)),
        ("7 / 2", json!(3.5)),
        ("6 / 2", json!(3)),
        ("7 % 3", json!(1)),
        ("-7 % 3", json!(-1)),
        ("7.5 % 2", json!(1.5)),
        ("2 ** 10", json!(1024)),
        ("2 ** 3 ** 2", json!(512)),
        ("2 ** -1", json!(0.5)),
        ("(-1) ** 9223372036854775807", json!(-1)),
        ("-state.count", json!(-3)),
        ("- -3", json!(3)),
        ("1.5 + 1", json!(2.5)),
        ("1e300 * 10", json!(1e301)),
        (".5 + 1_000", json!(1000.5)),
        ("0xff + 0b1 + 0o7", json!(263)),
        ("-9223372036854775807 - 1", json!(i64::MIN)),
        ("\"a\" + 1 + true", json!("a1true")),
        ("1 + \"a\"", json!("1a")),
        ("[1] + [2, 3]", json!([1, 2, 3])),
        ("state.list + [\"d\"]", json!(["a", "b", "c", "d"])),
        ("now()", json!(1_700_000_000.5)),
        ("now() + 60", json!(1_700_000_060.5)),
    ]);
    fails(&[
        ("1 / 0", "divided by zero"),
        ("1 % 0", "divided by zero"),
        ("1.0 / 0.0", "divided by zero"),
        ("0 ** -1", "too large"),
        ("state.big + 1", "too large"),
        ("-state.big - 2", "too large"),
        ("state.big * 2", "too large"),
        ("2 ** 63", "too large"),
        ("1e308 * 10", "too large"),
        ("state.disk_pct - 1", "int()"),
        ("true + 1", "needs numbers"),
        ("#{a: 1} + #{b: 2}", "needs numbers"),
        ("\"a\" + [1]", "text()"),
    ]);
}

#[test]
fn logic_is_lazy_and_strict() {
    table(&[
        ("true && false", json!(false)),
        ("true || 1 / 0 == 1", json!(true)),
        ("false && 1 / 0 == 1", json!(false)),
        ("true ? 1 : 1 / 0", json!(1)),
        ("false ? 1 / 0 : 2", json!(2)),
        ("1 ?? 1 / 0", json!(1)),
        ("!true || !false", json!(true)),
        ("true || false && false", json!(true)),
        ("if state.ok { \"y\" } else { \"n\" }", json!("y")),
        ("if false { 1 } else if true { 2 } else { 3 }", json!(2)),
        ("state.count == 3 ? \"three\" : state.count == 4 ? \"four\" : \"more\"", json!("three")),
        ("\"b\" in state.list", json!(true)),
        ("\"z\" !in state.list", json!(true)),
        ("\"disk\" in state.text", json!(true)),
        ("\"count\" in state", json!(true)),
        ("3 in [1, \"3\"]", json!(true)),
    ]);
    fails(&[
        ("\"true\" && true", "not true or false"),
        ("state.count || true", "not true or false"),
        ("!state.name", "not true or false"),
        ("1 ? 2 : 3", "not true or false"),
    ]);
}

#[test]
fn helpers_as_functions_and_methods() {
    table(&[
        ("int(\"42\")", json!(42)),
        ("state.disk_pct.int() + 1", json!(92)),
        ("int(3.9)", json!(3)),
        ("int(\"-3.9\")", json!(-3)),
        ("int(true)", json!(1)),
        ("float(\"0.5\")", json!(0.5)),
        ("float(2)", json!(2.0)),
        ("text(5)", json!("5")),
        ("text(1.5)", json!("1.5")),
        ("text([1, \"a\"])", json!("[1,\"a\"]")),
        ("state.nested.text()", json!("{\"a\":{\"b\":{\"c\":7}}}")),
        ("contains(last.stdout, \"DISK\")", json!(true)),
        ("last.stdout.contains(\"nope\")", json!(false)),
        ("contains(state.list, \"b\")", json!(true)),
        ("contains(state.nested, \"a\")", json!(true)),
        ("starts_with(state.name, \"web\")", json!(true)),
        ("state.name.ends_with(\"01\")", json!(true)),
        ("trim(\"  x \")", json!("x")),
        ("lower(\"ÄB\")", json!("äb")),
        ("\"straße\".upper()", json!("STRASSE")),
        ("split(\"a,b,,c\", \",\")", json!(["a", "b", "", "c"])),
        ("split(\" a  b \")", json!(["a", "b"])),
        ("split(\"äb\", \"\")", json!(["ä", "b"])),
        ("join(state.list, \"-\")", json!("a-b-c")),
        ("[1, true, (), \"x\"].join(\"+\")", json!("1+true++x")),
        ("matches(state.text, \"^error: .*full\")", json!(true)),
        ("matches(state.text, \"^retry\")", json!(false)),
        ("matches(state.text, \"(?m)^retry\")", json!(true)),
        ("matches(state.name, \"^web-\" + \"\\\\d+$\")", json!(true)),
        ("state.name.matches('^web-\\\\d{2}$')", json!(true)),
        ("matches(\"a foo b\", \"\\\\bfoo\\\\b\")", json!(true)),
        ("matches(\"größe\", \"\\\\bgröße\\\\b\")", json!(true)),
        ("matches(\"größer\", \"\\\\bgröße\\\\b\")", json!(false)),
        ("len(state.umlaut)", json!(5)),
        ("state.list.len()", json!(3)),
        ("len(state.nested)", json!(1)),
        ("keys(#{b: 1, a: 2})", json!(["a", "b"])),
        ("values(state.nested.a.b)", json!([7])),
        ("is_empty(last.stderr)", json!(true)),
        ("[].is_empty()", json!(true)),
        ("is_empty(#{})", json!(true)),
        ("is_empty(\" \")", json!(false)),
        ("state.list[0] + state.list[-1]", json!("ac")),
        ("\"größe\"[2]", json!("ö")),
        ("state[\"disk_pct\"]", json!("91")),
        ("state[\"disk\" + \"_pct\"]", json!("91")),
        ("steps[\"step-1\"].success", json!(true)),
        ("steps.check.results[\"web-01\"].vars.pct", json!("12")),
        ("steps.check.results[last.worker].vars.pct > 10", json!(true)),
        ("state.nested.a.b.c", json!(7)),
        ("state.nested", json!({"a": {"b": {"c": 7}}})),
        ("#{\"x y\": [1, {}]}".replace("{}]", "state.count]").leak(), json!({"x y": [1, 3]})),
    ]);
    fails(&[
        ("int(\"abc\")", "not an integer"),
        ("int(\"\")", "not an integer"),
        ("int([1])", "not an integer"),
        ("int(1e30)", "does not fit"),
        ("len(5)", "has no length"),
        ("keys([1])", "no map"),
        ("contains(5, 1)", "contains nothing"),
        ("contains(\"a\", ())", "missing"),
        ("join([[1]], \",\")", "cannot be part of a text"),
        ("matches(\"a\", \"(\" + \"\")", "unclosed group"),
        ("trim([1])", "needs a text"),
    ]);
}

#[test]
fn conditions() {
    let holds = |source: &str| Expr::compile(source).unwrap().eval_bool(&scope());
    assert_eq!(holds("state.ok"), Ok(true));
    assert_eq!(holds("state.nope"), Ok(false));
    let error = holds("state.name").unwrap_err();
    assert_eq!(error.kind, EvalErrorKind::Type);
    assert!(error.message.contains("the text \"web-01\""), "{}", error.message);
    assert!(holds("1").is_err() && holds("[]").is_err());
}

#[test]
fn what_came_out_of_a_command_stays_text() {
    assert_eq!(eval("state.disk_pct").unwrap(), json!("91"));
    assert_eq!(eval("[state.disk_pct]").unwrap(), json!(["91"]));
}

#[test]
fn a_missing_property_is_nothing_whatever_lacks_it() {
    table(&[
        ("state.name.foo", json!(null)),
        ("state.name.foo.bar", json!(null)),
        ("state.count.foo", json!(null)),
        ("state.count.length", json!(null)),
        ("state.ok.foo", json!(null)),
        ("state.list[\"a\"]", json!(null)),
        ("state.list[params.mode]", json!(null)),
        ("state.list.foo ?? 'none'", json!("none")),
        ("state.name.foo == 'x'", json!(false)),
        ("state.name.length", json!(6)),
        ("state.list.length", json!(3)),
        ("state.name.toUpperCase().length", json!(6)),
    ]);
    assert!(Expr::compile("state.name.foo()").is_err());
}

#[test]
fn a_line_end_behind_output_keeps_no_pattern_from_matching() {
    table(&[
        ("matches(last.stdout, '^DISK_PCT=[0-9]+$')", json!(true)),
        ("last.stdout.matches('^DISK_PCT=' + '[0-9]+$')", json!(true)),
        ("matches(last.stdout, '^DISK_PCT=91\\n$')", json!(true)),
        ("matches(last.stdout, '^DISK_PCT=9$')", json!(false)),
        ("matches(last.stderr, '^$')", json!(true)),
        // A value is matched as it is.
        ("matches('a\\n', '^a$')", json!(false)),
    ]);
}
