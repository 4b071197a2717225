//! Random scripts that hand a value from variable to variable, and calculate with what arrives. No value runs.

use super::canary::leaves_a_canary;
use super::scope;
use proptest::prelude::*;
use pulse_engine::template::ShellTemplate;
use serde_json::json;

const VARIABLES: &[&str] = &["a", "b", "c", "m"];

fn variable() -> impl Strategy<Value = &'static str> {
    prop::sample::select(VARIABLES)
}

/// What a variable can be given.
fn source() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => Just("{{ x }}".to_owned()),
        1 => Just("5".to_owned()),
        3 => variable().prop_map(|v| format!("${v}")),
        1 => variable().prop_map(|v| v.to_owned()),
        1 => variable().prop_map(|v| format!("${{{v}//[!0-9]/}}")),
        1 => variable().prop_map(|v| format!("${{{v}#x}}")),
        1 => variable().prop_map(|v| format!("\"${{{v}:-{{{{ x }}}}}}\"")),
        1 => variable().prop_map(|v| format!("$(echo \"${v}\")")),
        1 => variable().prop_map(|v| format!("\"$(printf '%s\\n' \"${v}\" | cat)\"")),
        1 => variable().prop_map(|v| format!("$(echo ${v} | tr -dc 0-9)")),
        1 => Just("$(f {{ x }})".to_owned()),
        1 => Just("$1".to_owned()),
    ]
}

fn simple() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (variable(), source()).prop_map(|(v, source)| format!("{v}={source}")),
        1 => (variable(), source()).prop_map(|(v, source)| format!("{v}+={source}")),
        1 => (variable(), source()).prop_map(|(v, source)| format!("{v}=({source} 1)")),
        1 => (variable(), source()).prop_map(|(v, source)| format!("read -r {v} <<< {source}")),
        1 => (variable(), source()).prop_map(|(v, source)| format!("read -r q {v} <<< \"1 \"{source}")),
        1 => (variable(), source()).prop_map(|(v, source)| format!("printf -v {v} %s {source}")),
        1 => (variable(), source()).prop_map(|(v, source)| format!("export {v}={source}")),
        1 => (variable(), source()).prop_map(|(v, source)| format!("local {v}={source} 2>/dev/null")),
        1 => (variable(), source()).prop_map(|(v, source)| format!("declare -i {v}={source}")),
        1 => (variable(), variable()).prop_map(|(v, w)| format!("declare -n {v}={w}")),
        1 => source().prop_map(|source| format!("set -- {source}")),
        1 => source().prop_map(|source| format!("f {source}")),
        1 => Just("declare -A m".to_owned()),
        1 => source().prop_map(|source| format!("m[{source}]=1")),
        1 => source().prop_map(|source| format!("echo ${{m[{source}]}}")),
        6 => variable().prop_map(|v| format!("(( {v} ))")),
        2 => variable().prop_map(|v| format!("echo $(( ${v} + 1 ))")),
        2 => variable().prop_map(|v| format!("[[ ${v} -gt 3 ]]")),
        1 => variable().prop_map(|v| format!("[[ -v ${v} ]]")),
        1 => variable().prop_map(|v| format!("echo ${{a[{v}]}}")),
        1 => variable().prop_map(|v| format!("unset \"${v}\"")),
        1 => variable().prop_map(|v| format!("let {v}")),
        1 => variable().prop_map(|v| format!("bash -c '(( {v} ))'")),
        1 => variable().prop_map(|v| format!("bash -c '(( $1 ))' sh \"${v}\"")),
    ]
}

fn statement() -> impl Strategy<Value = String> {
    simple().prop_recursive(3, 12, 3, |inner| {
        let lines = prop::collection::vec(inner.clone(), 1..3).prop_map(|lines| lines.join("\n"));
        prop_oneof![
            3 => lines.clone(),
            1 => lines.clone().prop_map(|lines| format!("if true; then\n{lines}\nfi")),
            1 => lines.clone().prop_map(|lines| format!("if false; then\n{lines}\nfi")),
            1 => lines.clone().prop_map(|lines| format!("for i in 1 2; do\n{lines}\ndone")),
            1 => lines.clone().prop_map(|lines| format!("{{\n{lines}\n}}")),
            1 => lines.clone().prop_map(|lines| format!("(\n{lines}\n)")),
            1 => lines.clone().prop_map(|lines| format!("f() {{\n{lines}\n}}")),
            1 => lines.clone().prop_map(|lines| format!("{{\n{lines}\n}} | cat")),
            1 => inner.clone().prop_map(|line| format!("false && {line}")),
            1 => inner.clone().prop_map(|line| format!("{line} || true")),
            1 => inner.clone().prop_map(|line| format!("{line} &\nwait")),
            1 => simple().prop_map(|line| format!("eval '{}'", line.replace('\'', "'\\''").replace("{{ x }}", "5"))),
            1 => simple().prop_map(|line| format!("trap '{}' EXIT", line.replace('\'', "'\\''").replace("{{ x }}", "5"))),
        ]
    })
}

/// Set it to try more of them.
const CASES: &str = "PULSE_FLOW_CASES";

#[test]
fn no_value_runs_wherever_it_is_handed_to() {
    let cases = std::env::var(CASES).ok().and_then(|cases| cases.parse().ok()).unwrap_or(150);
    let config =
        ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 300, ..ProptestConfig::default() };
    let statements = prop::collection::vec(statement(), 2..7);
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let tried = std::cell::Cell::new(0);
    runner
        .run(&statements, |statements| {
            let source = statements.join("\n");
            let Ok((template, _)) = ShellTemplate::parse_for(&source, "bash") else { return Ok(()) };
            for value in ["a[$(touch canary)]", "x a[`touch canary`]", "m[$(touch canary)]"] {
                let Ok(rendered) = template.render(&scope(json!({"x": value}))) else { continue };
                tried.set(tried.get() + 1);
                let ran = leaves_a_canary("bash", &rendered.script, &rendered.env);
                prop_assert!(!ran, "bash ran {value} in\n{source}");
            }
            Ok(())
        })
        .unwrap_or_else(|error| panic!("{error}"));
    assert!(tried.get() > cases / 20, "only {} scripts took a value", tried.get());
}
