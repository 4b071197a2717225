//! From the text of a test file to a [`Suite`], with all of its mistakes at once.

use super::read_given;
use super::suite::{Case, Definition, EXECUTION, Expect, START, Suite, TESTER, Texts};
use crate::fleet::FleetWorker;
use pulse_core::diagnostic::{Code, Diagnostics, Position};
use pulse_core::ids::{ExecutionId, StepId, WorkerId};
use pulse_core::status::{ExecutionStatus, StepStatus, WorkerStatus};
use pulse_core::time::Timestamp;
use pulse_core::yaml::{Fields, Key, Node, NodeKind};
use std::collections::{BTreeMap, HashSet};
use std::str::FromStr;
use uuid::Uuid;

/// Reads the root of a test file. `None` when it makes no test file at all; findings are added either way.
pub(super) fn suite(root: &Node, diagnostics: &mut Diagnostics) -> Option<Suite> {
    let mut fields = Fields::open(root, "", "a test file", diagnostics)?;
    let definition = definition(&mut fields);
    let workers = workers(&mut fields);
    let mut cases = Vec::new();
    if !fields.has("tests") {
        let at = fields.at;
        fields.add(
            Code::MissingField,
            "tests",
            at,
            "a test file needs `tests`",
            "add them: `- name: …` with `given` and `expect`",
        );
    }
    for (index, node) in fields.list("tests").unwrap_or_default().into_iter().enumerate() {
        cases.extend(case(node, index, fields.diagnostics));
    }
    fields.finish();
    let mut names = HashSet::new();
    for case in cases.iter().filter(|case| !names.insert(case.name.as_str())) {
        let message = format!("two tests are called `{}`", case.name);
        diagnostics.add(Code::DuplicateId, "tests", case.at, message, "give one of them another name");
    }
    Some(Suite { definition: definition?, workers, cases })
}

fn definition(fields: &mut Fields<'_, '_>) -> Option<Definition> {
    let file = fields.text_at("workflow");
    let inline = fields.text_at("definition");
    match (file, inline) {
        (Some((path, at)), None) => Some(Definition::File { path, at }),
        (None, Some((text, _))) => Some(Definition::Inline(text)),
        (Some(_), Some((_, at))) => {
            let help = "keep `workflow` for a file, `definition` for the text itself";
            fields.add(Code::Conflict, "definition", at, "`workflow` and `definition` say the same", help);
            None
        }
        // What is there and is no text has been found.
        (None, None) if fields.has("workflow") || fields.has("definition") => None,
        (None, None) => {
            let at = fields.at;
            let help = "add `workflow: FILE`, or the workflow itself as text under `definition`";
            fields.add(Code::MissingField, "workflow", at, "a test file needs `workflow`", help);
            None
        }
    }
}

/// The workers; one when the file names none.
fn workers(fields: &mut Fields<'_, '_>) -> Vec<FleetWorker> {
    let Some(items) = fields.list("workers") else { return vec![worker("worker", 1)] };
    let mut workers: Vec<FleetWorker> = Vec::new();
    for (index, node) in items.into_iter().enumerate() {
        let path = format!("workers[{index}]");
        let number = index as u128 + 1;
        let found = match node.scalar_text() {
            Some(name) => Some(worker(&name, number)),
            None => described_worker(node, &path, number, fields.diagnostics),
        };
        let Some(found) = found else { continue };
        if workers.iter().any(|known| known.name == found.name) {
            let message = format!("two workers are called `{}`", found.name);
            fields.diagnostics.add(Code::DuplicateId, &path, node.at, message, "give one of them another name");
        }
        workers.push(found);
    }
    workers
}

/// An online worker without labels; its id follows from its number.
pub(super) fn worker(name: &str, number: u128) -> FleetWorker {
    FleetWorker {
        id: WorkerId(Uuid::from_u128(0x019b_7700_0000_7000_9000_0000_0000_0000 + number)),
        name: name.into(),
        labels: BTreeMap::new(),
        status: WorkerStatus::Online,
        draining: false,
        active: 0,
        capacity: 1,
    }
}

fn described_worker(node: &Node, path: &str, number: u128, diagnostics: &mut Diagnostics) -> Option<FleetWorker> {
    let mut fields = Fields::open(node, path, "a worker", diagnostics)?;
    let (name, _) = fields.required("name", "a worker", "web-01")?;
    let mut found = worker(&name, number);
    let status = [
        ("online", (WorkerStatus::Online, false)),
        ("offline", (WorkerStatus::Offline, false)),
        ("unreachable", (WorkerStatus::Unreachable, false)),
        ("draining", (WorkerStatus::Online, true)),
    ];
    (found.status, found.draining) = fields.word("status", &status).unwrap_or((WorkerStatus::Online, false));
    for (key, value) in fields.entries("labels") {
        match value.scalar_text() {
            Some(text) => drop(found.labels.insert(key.name.clone(), text)),
            None => fields.no_text(&format!("labels.{}", key.name), value),
        }
    }
    fields.finish();
    Some(found)
}

fn case(node: &Node, index: usize, diagnostics: &mut Diagnostics) -> Option<Case> {
    let path = format!("tests[{index}]");
    let mut fields = Fields::open(node, &path, "a test", diagnostics)?;
    let name = fields.text("name").unwrap_or_else(|| format!("test {}", index + 1));
    let params_at = fields.get("params").map_or(node.at, |params| params.at);
    let params = fields.given("params");
    let targets = fields.texts("targets").map(|texts| texts.into_iter().map(|(text, _)| text).collect());
    let (id, started_by, start) = match fields.get("execution") {
        Some(node) => execution(node, &format!("{path}.execution"), fields.diagnostics),
        None => (EXECUTION, TESTER.to_owned(), START),
    };
    let mut given = Vec::new();
    for (index, node) in fields.list("given").unwrap_or_default().into_iter().enumerate() {
        given.extend(read_given::given(node, &format!("{path}.given[{index}]"), fields.diagnostics));
    }
    let expect = match fields.get("expect") {
        Some(node) => expect(node, &format!("{path}.expect"), fields.diagnostics).unwrap_or_default(),
        None => {
            let help = "add at least `expect: {status: completed}`";
            fields.add(Code::MissingField, "expect", node.at, format!("test `{name}` expects nothing"), help);
            Expect::default()
        }
    };
    fields.finish();
    Some(Case { name, params, params_at, targets, id, started_by, start, given, expect, at: node.at })
}

/// What expressions see of the execution itself.
fn execution(node: &Node, path: &str, diagnostics: &mut Diagnostics) -> (ExecutionId, String, Timestamp) {
    let Some(mut fields) = Fields::open(node, path, "`execution`", diagnostics) else {
        return (EXECUTION, TESTER.to_owned(), START);
    };
    let like = "019b7700-0000-7000-8000-000000000001";
    let id = parsed(&mut fields, "id", "a UUID", like).unwrap_or(EXECUTION);
    let started_by = fields.text("started_by").unwrap_or_else(|| TESTER.to_owned());
    let start = parsed(&mut fields, "at", "a time in RFC 3339", "2026-01-31T09:30:00Z").unwrap_or(START);
    fields.finish();
    (id, started_by, start)
}

/// A field whose text is read as what it stands for.
pub(super) fn parsed<T: FromStr>(fields: &mut Fields<'_, '_>, name: &'static str, what: &str, like: &str) -> Option<T> {
    let (text, at) = fields.text_at(name)?;
    let value = text.parse().ok();
    if value.is_none() {
        fields.add(Code::WrongType, name, at, format!("`{name}` must be {what}"), format!("write it like {like}"));
    }
    value
}

fn expect(node: &Node, path: &str, diagnostics: &mut Diagnostics) -> Option<Expect> {
    let mut fields = Fields::open(node, path, "`expect`", diagnostics)?;
    let all: Vec<(&str, ExecutionStatus)> = ExecutionStatus::ALL.iter().map(|s| (s.as_str(), *s)).collect();
    let status = fields.word("status", &all);
    let error = fields.text("error");
    let path = fields.texts("path").map(|texts| texts.into_iter().map(|(id, _)| id.as_str().into()).collect());
    let state = fields.values("state");
    let commands = texts(&mut fields, "commands");
    let prompt = texts(&mut fields, "prompt");
    let steps = steps(&mut fields);
    if node.kind == NodeKind::Map(Vec::new()) {
        fields.add(Code::MissingField, "status", node.at, "nothing is expected", "say at least `status`");
    }
    fields.finish();
    Some(Expect { status, error, path, state, commands, prompt, steps })
}

fn steps(fields: &mut Fields<'_, '_>) -> Vec<(StepId, StepStatus)> {
    let mut found = Vec::new();
    for (key, node) in fields.entries("steps") {
        match node.scalar_text().and_then(|text| text.parse::<StepStatus>().ok()) {
            Some(status) => found.push((key.name.as_str().into(), status)),
            None => {
                let known: Vec<&str> = StepStatus::ALL.iter().map(|status| status.as_str()).collect();
                let message = format!("a step's status is one of {}", known.join(", "));
                let help = "write one of these words";
                fields.add(Code::OutOfRange, &format!("steps.{}", key.name), node.at, message, help);
            }
        }
    }
    found
}

/// A mapping from steps to a text, or to a list of texts.
fn texts(fields: &mut Fields<'_, '_>, name: &'static str) -> Vec<(StepId, Texts)> {
    let mut found = Vec::new();
    for (key, node) in fields.entries(name) {
        let texts = match (&node.kind, node.scalar_text()) {
            (_, Some(text)) => Some(Texts::Always(text)),
            (NodeKind::List(items), None) => {
                items.iter().map(Node::scalar_text).collect::<Option<Vec<_>>>().map(Texts::InOrder)
            }
            _ => None,
        };
        match texts {
            Some(texts) => found.push((key.name.as_str().into(), texts)),
            None => {
                let help = "write the text that it always is, or a list with one text for each time";
                fields.wrong(&format!("{name}.{}", key.name), node, "a text or a list of texts", help);
            }
        }
    }
    found
}

/// Every place of a test file that names a step, with whether it is a `given`.
pub(super) fn mentions(root: &Node) -> Vec<(String, Position)> {
    let mut found = Vec::new();
    let items = |node: Option<&Node>| match node.map(|node| &node.kind) {
        Some(NodeKind::List(items)) => items.clone(),
        _ => node.cloned().into_iter().collect(),
    };
    let keys = |node: Option<&Node>| match node.map(|node| &node.kind) {
        Some(NodeKind::Map(entries)) => entries.iter().map(|(Key { name, at }, _)| (name.clone(), *at)).collect(),
        _ => Vec::new(),
    };
    let scalar = |node: &Node| node.scalar_text().map(|text| (text, node.at));
    for test in items(root.get("tests")) {
        found.extend(items(test.get("given")).iter().filter_map(|given| given.get("step").and_then(scalar)));
        let Some(expect) = test.get("expect") else { continue };
        found.extend(items(expect.get("path")).iter().filter_map(scalar));
        for name in ["commands", "prompt", "steps"] {
            found.extend(keys(expect.get(name)));
        }
    }
    found
}
