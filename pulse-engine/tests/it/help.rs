//! Every finding says what to do: over documents that are wrong in every way that a change of one place makes them wrong.
//!
//! What other tests load is looked at, too: `Diagnostics::add` asserts that there is help.

#![expect(clippy::disallowed_methods, reason = "tests read the repository's documents")]

use pulse_core::diagnostic::{Code, Diagnostic};
use pulse_core::yaml;
use pulse_engine::expr::Expr;
use pulse_engine::template::{ShellTemplate, Template};
use pulse_engine::{load, testing};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::Path;

/// The repository's files in a directory.
fn files(directory: &str) -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(directory);
    let paths = std::fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<String> =
        paths.filter(|path| path.is_file()).map(|path| std::fs::read_to_string(path).unwrap()).collect();
    assert!(!files.is_empty(), "{}", directory.display());
    files
}

fn look(findings: &[Diagnostic], source: &str, codes: &mut BTreeSet<String>) {
    for Diagnostic { code, message, help, line, column, .. } in findings {
        assert!(!help.trim().is_empty(), "{code} has no help: {message}\n{source}");
        assert!(!message.contains(help.as_str()), "{code} says twice: {message} ({help})\n{source}");
        assert!(*line > 0 && *column > 0, "{code} is nowhere: {message}\n{source}");
        codes.insert(code.clone());
    }
}

/// Calls a function with the document once for each change of one place of it.
fn changed(value: &Value, whole: &dyn Fn(Value) -> Value, each: &mut dyn FnMut(Value)) {
    for other in
        [json!(null), json!(true), json!(-1), json!(1.5), json!(""), json!("a: {{ b"), json!([]), json!({"zzz": []})]
    {
        each(whole(other));
    }
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let with = |item: Option<Value>| {
                    let mut items = items.clone();
                    items.splice(index..=index, item);
                    whole(Value::Array(items))
                };
                each(with(None));
                each(whole(items.iter().cloned().chain([item.clone()]).collect()));
                changed(item, &|item| with(Some(item)), each);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                let with = |new: &str, field: Option<Value>| {
                    let rest = fields.iter().filter(|(other, _)| *other != name);
                    let mut fields: Map<String, Value> =
                        rest.map(|(name, field)| (name.clone(), field.clone())).collect();
                    fields.extend(field.map(|field| (new.to_owned(), field)));
                    whole(Value::Object(fields))
                };
                each(with(name, None));
                for new in [format!("{name}s"), "qqqqqqqq".to_owned(), "{{ a }}".to_owned()] {
                    each(with(&new, Some(field.clone())));
                }
                changed(field, &|field| with(name, Some(field)), each);
            }
        }
        Value::String(text) => {
            each(whole(Value::String(format!("{text} == {{{{ a | b }}}}"))));
            each(whole(Value::String(text.replace('.', ".q_"))));
            each(whole(Value::String(text.chars().rev().collect())));
        }
        _ => {}
    }
}

fn tree(source: &str) -> Option<Value> {
    yaml::read(source, &mut Default::default()).map(|node| node.to_json())
}

#[test]
fn whatever_is_wrong_with_a_definition_has_help() {
    let examples = pulse_core::explain::entries().filter_map(|entry| entry.example);
    let mut codes = BTreeSet::new();
    for document in examples.flat_map(|example| [example.wrong, example.mended]) {
        look(&load(document).diagnostics, document, &mut codes);
        let Some(value) = tree(document) else { continue };
        changed(&value, &|value| value, &mut |value| {
            let source = value.to_string();
            look(&load(&source).diagnostics, &source, &mut codes);
        });
    }
    // What a version does not run, and targets, which need a server.
    let missing: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).filter(|code| !codes.contains(*code)).collect();
    assert_eq!(missing, ["E017", "W009"]);
}

#[test]
fn text_that_is_no_yaml_has_help() {
    let mut codes = BTreeSet::new();
    let document = files("examples").into_iter().min_by_key(String::len).unwrap();
    for (at, c) in document.char_indices().filter(|(_, c)| !c.is_alphanumeric()) {
        for other in ["", "{", "\"", "\t", ": "] {
            let source = format!("{}{other}{}", &document[..at], &document[at + c.len_utf8()..]);
            look(&load(&source).diagnostics, &source, &mut codes);
        }
    }
    assert!(codes.contains("E001"), "{codes:?}");
}

#[test]
fn whatever_is_wrong_with_a_test_file_has_help() {
    let mut codes = BTreeSet::new();
    for document in files("examples/tests").into_iter().filter(|document| document.len() < 2_000) {
        let value = tree(&document).unwrap();
        changed(&value, &|value| value, &mut |value| {
            let source = value.to_string();
            let ran = testing::test("x.test.yaml", &source, &|path| {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/tests").join(path);
                std::fs::read_to_string(path).map_err(|error| error.to_string())
            });
            if let Err(error) = ran {
                look(&error.diagnostics, &source, &mut codes);
            }
        });
    }
    for code in ["E005", "E006", "E007", "E008", "E010", "E015"] {
        assert!(codes.contains(code), "{code}: {codes:?}");
    }
}

#[test]
fn whatever_is_wrong_with_an_expression_or_a_template_has_help() {
    let mut seen = 0;
    for source in files("fuzz/seeds/expression") {
        for (at, c) in source.char_indices() {
            for other in ["", "(", "\\", "é", "=", "9z"] {
                let source = format!("{}{other}{}", &source[..at], &source[at + c.len_utf8()..]);
                if let Err(error) = Expr::compile(&source) {
                    assert!(!error.help.is_empty() && !error.message.contains(&error.help), "{source}: {error:?}");
                    seen += 1;
                }
            }
        }
    }
    for source in files("fuzz/seeds/template") {
        for (at, c) in source.char_indices().filter(|(_, c)| !c.is_alphanumeric()) {
            let source = format!("{}{}", &source[..at], &source[at + c.len_utf8()..]);
            let errors =
                Template::parse(&source).err().into_iter().chain(ShellTemplate::parse(&source).err()).flatten();
            for error in errors {
                assert!(!error.advice().is_empty() && !error.message.contains(error.advice()), "{source}: {error:?}");
                seen += 1;
            }
        }
    }
    assert!(seen > 1_000, "{seen}");
}
