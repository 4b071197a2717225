//! The guide to the language holds: its documents pass `pulse check` without a finding, its tests pass `pulse test`, its
//! expressions and commands give what stands beside them, and nothing that the language has is left out.

use pulse_core::schema::schema;
use pulse_core::yaml;
use pulse_engine::expr::{Expr, Scope};
use pulse_engine::load;
use pulse_engine::template::{Filter, ShellTemplate};
use serde_json::{Value, json};

const GUIDE: &str = include_str!("../../../docs/language.md");

/// A fenced block of the guide.
struct Block {
    /// What stands behind the opening fence.
    kind: String,
    text: String,
    /// The line of its fence, from 1.
    line: usize,
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (index, line) in GUIDE.lines().enumerate() {
        match line.strip_prefix("```") {
            Some(_) if open => open = false,
            Some(kind) => {
                open = true;
                blocks.push(Block { kind: kind.to_owned(), text: String::new(), line: index + 1 });
            }
            None if open => {
                let block = blocks.last_mut().expect("a block is open");
                block.text.push_str(line);
                block.text.push('\n');
            }
            None => {}
        }
    }
    assert!(!open, "a block of the guide is never closed");
    blocks
}

fn of_kind(kind: &str) -> Vec<Block> {
    let found: Vec<Block> = blocks().into_iter().filter(|block| block.kind == kind).collect();
    assert!(!found.is_empty(), "the guide has no {kind} block");
    found
}

#[test]
fn blocks_are_of_known_kinds() {
    for block in blocks() {
        let known = ["yaml", "yaml test", "yaml fragment", "json scope", "expressions", "templates"];
        assert!(known.contains(&block.kind.as_str()), "line {}: a block of kind {:?}", block.line, block.kind);
    }
}

#[test]
fn documents_have_no_findings() {
    let mut found = Vec::new();
    for block in of_kind("yaml") {
        let of_block = load(&block.text).diagnostics;
        found.extend(of_block.iter().map(|finding| format!("the document at line {}: {finding}", block.line)));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    for block in of_kind("yaml fragment") {
        // Fragments may show one field several times, but each line of them is YAML.
        let lines = block.text.lines().filter(|line| line.starts_with("command:"));
        let parts: Vec<&str> = if lines.clone().next().is_some() { lines.collect() } else { vec![&block.text] };
        for part in parts {
            let mut diagnostics = Default::default();
            assert!(yaml::read(part, &mut diagnostics).is_some(), "the fragment at line {}", block.line);
            assert!(!diagnostics.has_errors(), "the fragment at line {}", block.line);
        }
    }
}

#[test]
fn tests_pass() {
    let mut document: Option<(String, String)> = None;
    let (mut tested, mut found) = (0, Vec::new());
    for block in blocks() {
        match block.kind.as_str() {
            "yaml" => {
                let name = load(&block.text).workflow.and_then(|workflow| workflow.name);
                let name = name.unwrap_or_else(|| panic!("the document at line {} has no name", block.line));
                document = Some((format!("{name}.yaml"), block.text));
            }
            "yaml test" => {
                let (file, text) =
                    document.as_ref().unwrap_or_else(|| panic!("no document before line {}", block.line));
                let files = |path: &str| match path == file {
                    true => Ok(text.clone()),
                    false => Err(format!("the document before it is {file}")),
                };
                let report = pulse_engine::testing::test("guide", &block.text, &files)
                    .unwrap_or_else(|error| panic!("the test at line {}: {error}", block.line));
                let line = block.line;
                let failed = report.tests.iter().filter(|test| !test.passed);
                found.extend(failed.map(|test| format!("line {line}, `{}`: {:#?}", test.name, test.failures)));
                tested += report.tests.len();
            }
            _ => {}
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(tested >= 15, "the guide has only {tested} tests");
}

/// The two sides of each line with an arrow.
fn pairs(block: &Block) -> Vec<(String, String)> {
    let lines = block.text.lines().enumerate();
    lines
        .map(|(index, line)| {
            let (left, right) =
                line.split_once('⇒').unwrap_or_else(|| panic!("line {} has no ⇒", block.line + index + 1));
            (left.trim().to_owned(), right.trim().to_owned())
        })
        .collect()
}

#[test]
fn expressions_give_what_stands_beside_them() {
    let values: Value = serde_json::from_str(&of_kind("json scope")[0].text).unwrap();
    let mut scope = Scope::new();
    for (root, value) in values.as_object().unwrap() {
        scope.set(root, value.clone());
    }
    for (source, expected) in of_kind("expressions").iter().flat_map(pairs) {
        let expr = Expr::compile(&source).unwrap_or_else(|error| panic!("{source}: {error}"));
        match (expr.eval(&scope), expected.strip_prefix("error: ")) {
            (Ok(value), None) => {
                let expected: Value =
                    serde_json::from_str(&expected).unwrap_or_else(|_| panic!("{source}: {expected}"));
                assert_eq!(value, expected, "{source}");
            }
            (Err(error), Some(part)) => assert!(error.message.contains(part), "{source}: {error}"),
            (result, _) => panic!("{source}: {result:?}, where the guide has {expected}"),
        }
    }
}

#[test]
fn commands_become_what_stands_beside_them() {
    let values = std::sync::Arc::new(json!({"x": "'; $(reboot) #", "n": 7}));
    let mut scope = Scope::new();
    scope.bare(values);
    for (source, expected) in of_kind("templates").iter().flat_map(pairs) {
        let (template, _) = ShellTemplate::parse(&source).unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
        assert_eq!(template.render(&scope).unwrap().script, expected, "{source}");
    }
}

/// Whether the guide names something in code, alone or as the beginning of a form like `trim(text)` or `defaults: …`.
fn names(word: &str) -> bool {
    let code = GUIDE.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2));
    let mut words = code.flat_map(|code| code.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')));
    words.any(|found| found == word)
}

#[test]
fn every_step_type_has_an_example_and_every_field_is_named() {
    let schema = schema();
    let mut used = std::collections::HashSet::new();
    for block in of_kind("yaml") {
        let workflow = load(&block.text).workflow;
        let workflow = workflow.unwrap_or_else(|| panic!("the document at line {} cannot be read", block.line));
        used.extend(workflow.all_steps().into_iter().map(|(step, _)| step.kind.type_name()));
    }
    let missing = |what: &str, properties: &Value| {
        let fields = properties.as_object().unwrap().keys();
        let missing: Vec<&String> = fields.filter(|field| !names(field)).collect();
        assert!(missing.is_empty(), "fields of {what} that the guide does not name: {missing:?}");
    };
    missing("a document", &schema["properties"]);
    let mut types = 0;
    for (name, kind) in schema["$defs"].as_object().unwrap() {
        if let Some(properties) = kind.get("properties") {
            missing(name, properties);
        }
        if let Some(kind) = name.strip_prefix("step-") {
            assert!(used.contains(kind), "the guide has no document with a {kind} step");
            assert!(GUIDE.contains(&format!("\n### {kind}\n")), "the guide has no section on {kind} steps");
            types += 1;
        }
    }
    assert!(types >= 9, "the schema has only {types} types of steps");
}

#[test]
fn every_helper_root_and_filter_is_named() {
    // What is not known is answered with what is.
    let help = |source: &str| Expr::compile(source).unwrap_err().help;
    let helpers = help("qqqqqqqqqqqqqqqq(1)");
    let helpers: Vec<&str> = helpers.strip_prefix("helpers are ").expect(&helpers).split(", ").collect();
    let roots = help("qqqqqqqqqqqqqqqq");
    let roots = roots.strip_prefix("known here are ").and_then(|roots| roots.split_once(';')).expect(&roots).0;
    let roots: Vec<&str> = roots.split(", ").collect();
    assert!(helpers.len() >= 16 && roots.len() >= 6, "{helpers:?} {roots:?}");
    for name in helpers.into_iter().chain(roots).chain(Filter::ALL.iter().map(|(name, _)| *name)) {
        assert!(names(name), "the guide does not name `{name}`");
    }
}
