//! Holds the schema and the decoder against each other, and the examples against the schema.

use super::validator::errors;
use super::{Kind, kinds, schema};
use crate::diagnostic::Diagnostics;
use crate::workflow::parse;
use crate::yaml;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A document in which `field: null` stands in a mapping of a kind. Null counts as absent, so the decoder says of the
/// field only whether it knows it.
fn probe(kind: &Kind, field: &str) -> String {
    let step = |rest: &str| format!("steps: [{{{rest}}}]");
    let typed = |word: &str, rest: &str| match field {
        "type" => step(&format!("{rest}, {field}: null")),
        _ => step(&format!("type: {word}, {rest}, {field}: null").replace(&format!(", {field}: x, "), ", ")),
    };
    match kind.name {
        "workflow" => format!("{field}: null"),
        "defaults" | "concurrency" => format!("{}: {{{field}: null}}", kind.name),
        "param" => format!("params: [{{{field}: null}}]"),
        "param-body" => format!("params: {{a: {{{field}: null}}}}"),
        "strategy" => step(&format!("command: a, strategy: {{{field}: null}}")),
        "parse-format" => step(&format!("command: a, parse: {{{field}: null}}")),
        "condition" => step(&format!("type: route, conditions: [{{{field}: null}}]")),
        "option-body" => step(&format!("message: a, options: [{{{field}: null}}]")),
        "branch-body" => step(&format!("type: parallel, branches: [{{{field}: null}}]")),
        "step-execute" => typed("execute", "command: x"),
        "step-parse" => typed("parse", "format: x"),
        "step-route" => typed("route", "conditions: x"),
        "step-prompt" => typed("prompt", "message: x"),
        "step-wait" => typed("wait", "duration: x"),
        "step-set" => typed("set", "values: x"),
        "step-parallel" => typed("parallel", "branches: x"),
        "step-foreach" => typed("foreach", "items: x"),
        "step-workflow" => typed("workflow", "workflow: x"),
        other => panic!("write a probe for the kind {other}"),
    }
}

/// Whether the decoder knows a field of a kind.
fn decoder_knows(kind: &Kind, field: &str) -> bool {
    let document = probe(kind, field);
    let findings = parse(&document).diagnostics.into_sorted();
    assert!(findings.iter().all(|finding| finding.code != "E001"), "{document}: {findings:?}");
    !findings.iter().any(|finding| finding.code == "E005" && finding.message.contains(&format!("`{field}`")))
}

/// Every word in quotes in the decoder's source: the names it asks for are among them.
fn vocabulary() -> BTreeSet<String> {
    let literal = regex::Regex::new(r#""([A-Za-z_]+)""#).unwrap();
    let mut words = BTreeSet::new();
    let mut open = vec![repository("pulse-core/src/workflow")];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            words.extend(literal.captures_iter(&read(&path)).map(|found| found[1].to_owned()));
        }
    }
    assert!(words.len() > 60, "{words:?}");
    words
}

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

#[expect(clippy::disallowed_methods, reason = "a test that reads files of the repository")]
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn schema_and_decoder_know_the_same_fields() {
    let words = vocabulary();
    let mut apart = Vec::new();
    for kind in kinds() {
        let listed: BTreeSet<&str> = kind.fields.iter().copied().flatten().map(|field| field.name).collect();
        let count: usize = kind.fields.iter().map(|table| table.len()).sum();
        assert_eq!(listed.len(), count, "a field of {} stands twice", kind.name);
        for name in &listed {
            if !decoder_knows(kind, name) {
                apart.push(format!("{}: the schema has `{name}`, the decoder does not", kind.name));
            }
        }
        for word in words.iter().filter(|word| !listed.contains(word.as_str())) {
            if decoder_knows(kind, word) {
                apart.push(format!("{}: the decoder has `{word}`, the schema does not", kind.name));
            }
        }
        assert!(!decoder_knows(kind, "no_such_field"), "{}", probe(kind, "no_such_field"));
    }
    assert!(apart.is_empty(), "{}", apart.join("\n"));
}

#[test]
fn every_property_is_described() {
    fn walk(value: &Value, path: &str) {
        for (name, inner) in value.as_object().into_iter().flatten() {
            if name == "properties" {
                for (property, schema) in inner.as_object().unwrap() {
                    let text = schema["description"].as_str().unwrap_or_default();
                    assert!(text.ends_with('.'), "{path}.{property}: {text}");
                }
            }
            walk(inner, &format!("{path}.{name}"));
        }
        value.as_array().into_iter().flatten().for_each(|inner| walk(inner, path));
    }
    walk(&schema(), "");
    assert!(schema()["$defs"].as_object().unwrap().values().all(|kind| kind["description"].is_string()));
}

fn json_of(document: &str) -> Value {
    let mut diagnostics = Diagnostics::default();
    let node = yaml::read(document, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{document}: {diagnostics:?}");
    node.unwrap().to_json()
}

#[test]
fn examples_are_valid() {
    let mut count = 0;
    for entry in std::fs::read_dir(repository("examples")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if name.ends_with(".yaml") && !name.ends_with(".test.yaml") {
            assert_eq!(errors(&schema(), &json_of(&read(&path))), Vec::<String>::new(), "{name}");
            count += 1;
        }
    }
    assert!(count >= 3);
}

#[test]
fn every_form_is_valid() {
    for document in [
        "params: [a, b]\nsteps: [{command: x}]",
        "params: {a: , b: {type: integer, default: 1}}\nsteps: [{run: x}]",
        "params: [{name: a, type: secret}, b]\nsteps: [{type: run, command: x, timeout: 90, targets: all}]",
        "name: x\nconcurrency: {limit: 1, policy: skip}\ntimeout: 2h\nsteps: [{argv: [df, -h], retries: 2, jitter: true}]",
        "steps: [{command: x, strategy: {parallel: 25%, max_failures: 1}, success_codes: [0, 1], retry_on: 75}]",
        "steps: [{command: x, parse: kv}, {type: parse}, {format: lines, as: a}, {command: x, parse: {format: json}}]",
        "steps: [{conditions: [{if: state.x, goto: end}, {default: true, goto: fail, label: no}]}]",
        "steps: [{message: Go?, options: [1, {label: b, goto: end, style: danger}], fields: [why], allow: ops}]",
        "steps: [{duration: 1.5}, {until: now() + 5}, {values: {a: 1, b: 'x'}}]",
        "steps: [{branches: [{name: a, steps: [{run: x}]}, [{run: y}]]}, {workflow: other, params: {a: params.b}}]",
        "steps: [{items: [1, 2], as: n, parallel: 2, steps: [{run: x}]}, {items: params.list, steps: [{run: x}]}]",
        "steps: [{run: x}]\non_failure: [{run: y}]\nfinally: []\nlenient_conditions: true\nmax_steps: 5",
    ] {
        assert_eq!(errors(&schema(), &json_of(document)), Vec::<String>::new(), "{document}");
        let findings = parse(document).diagnostics.into_sorted();
        assert!(findings.iter().all(|f| f.code == "E017" || f.code.starts_with('W')), "{document}: {findings:?}");
    }
}

#[test]
fn mistakes_are_invalid() {
    for document in [
        "name: x",
        "steps: []",
        "steps: [{command: x, retrys: 3}]",
        "steps: [{type: excute, command: x}]",
        "steps: [{id: x}]",
        "steps: [{command: x, retries: 101}]",
        "steps: [{command: x, timeout: soon}]",
        "steps: [{command: x, strategy: {parallel: 0}}]",
        "steps: [{command: x, on_offline: never}]",
        "steps: [{conditions: [{goto: end}]}]",
        "steps: [{message: x, options: [{goto: end}]}]",
        "steps: [{branches: [{name: a}]}]",
        "params: [a-b]\nsteps: [{run: x}]",
        "params: {a: {name: a}}\nsteps: [{run: x}]",
        "concurrency: {}\nsteps: [{run: x}]",
    ] {
        assert!(!errors(&schema(), &json_of(document)).is_empty(), "{document}");
    }
    assert_eq!(errors(&schema(), &json!({"steps": [{"command": "x"}], "nme": 1})), [".nme: not allowed"]);
}
