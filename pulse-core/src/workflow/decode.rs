//! From a document to a [`Workflow`], with all of its mistakes at once.

use super::decode_nested::StepReader;
use super::model::{Concurrency, ConcurrencyPolicy, Defaults, Source, Workflow};
use super::params::{PATTERN_HELP, Param, ParamType, compile};
use super::{hints, links};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Position};
use crate::text::shorten;
use crate::yaml::{self, Fields, Node, NodeKind};
use indexmap::IndexMap;
use serde_json::Value;
use std::collections::HashSet;
use std::time::Duration;

/// What reading a document gave.
#[derive(Debug)]
pub struct Parsed {
    /// The workflow as far as it could be read; `None` when the text is no mapping at all. Use it for running only
    /// when no finding is an error.
    pub workflow: Option<Workflow>,
    /// Everything found so far; the engine adds what it finds in expressions and templates.
    pub diagnostics: Diagnostics,
    /// The ids of steps that are there, but could not be read.
    pub unread: HashSet<String>,
}

impl Parsed {
    /// The workflow, or all findings when any is an error.
    ///
    /// # Errors
    /// The findings, in document order.
    pub fn into_result(self) -> Result<Workflow, Vec<Diagnostic>> {
        match self.workflow {
            Some(workflow) if !self.diagnostics.has_errors() => Ok(workflow),
            _ => Err(self.diagnostics.into_sorted()),
        }
    }
}

const DAY: Duration = Duration::from_secs(86_400);
/// Shortest time limit of an attempt.
pub(super) const MIN_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest time limit of an attempt.
pub(super) const MAX_TIMEOUT: Duration = DAY;
/// Longest time limit of an execution: a year.
pub(super) const MAX_EXECUTION: Duration = Duration::from_secs(365 * 86_400);
/// Steps an execution may start when the document does not say.
const DEFAULT_MAX_STEPS: u32 = 10_000;

/// Reads a document (YAML, of which JSON is a part).
pub fn parse(source: &str) -> Parsed {
    let mut diagnostics = Diagnostics::default();
    let read = yaml::read(source, &mut diagnostics).and_then(|root| document(&root, &mut diagnostics));
    let (workflow, unread) = read.map_or((None, HashSet::new()), |(workflow, unread)| (Some(workflow), unread));
    Parsed { workflow, diagnostics, unread }
}

/// The workflow, and the ids of steps that could not be read.
fn document(root: &Node, diagnostics: &mut Diagnostics) -> Option<(Workflow, HashSet<String>)> {
    let mut fields = Fields::open(root, "", "a workflow", diagnostics)?;
    let name = fields.text("name");
    let description = fields.text("description");
    let tags = fields.plain_texts("tags").unwrap_or_default();
    let params = fields.get("params").map(|node| params(node, "params", fields.diagnostics)).unwrap_or_default();
    for param in &params {
        let (path, at) = &param.concerning;
        check_reserved(&param.name, &format!("`params.{}`", param.name), path, *at, fields.diagnostics);
    }
    let targets = fields.targets();
    let defaults = fields.get("defaults").map(|node| defaults(node, fields.diagnostics)).unwrap_or_default();
    let env = fields.source_map("env").unwrap_or_default();
    check_env(&env, &mut fields);
    let lenient_conditions = fields.boolean("lenient_conditions").unwrap_or(false);
    let max_steps = fields.integer("max_steps", 1..=1_000_000).map_or(DEFAULT_MAX_STEPS, |n| n as u32);
    let webhook = webhook(&mut fields);
    let timeout = fields.duration_within("timeout", MIN_TIMEOUT, MAX_EXECUTION);
    let concurrency = fields.get("concurrency").and_then(|node| concurrency(node, fields.diagnostics));
    let mut reader = StepReader::new(&defaults);
    let steps = reader.list("steps", true, &mut fields);
    let on_failure = reader.list("on_failure", false, &mut fields);
    let finally = reader.list("finally", false, &mut fields);
    let StepReader { unread, unnamed, .. } = reader;
    if let Some(name) = &name {
        check_name(name, &mut fields);
        check_shown("a workflow", name, &mut fields);
    }
    fields.finish_with(hints::field_of_document);
    let workflow = Workflow {
        name,
        description,
        tags,
        params,
        targets,
        defaults,
        env,
        lenient_conditions,
        max_steps,
        webhook,
        timeout,
        concurrency,
        steps,
        on_failure,
        finally,
    };
    links::check(&workflow, &unread, &unnamed, diagnostics);
    Some((workflow, unread))
}

/// Whether a text is an address that a webhook can have.
pub fn is_webhook(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    !(host.is_empty() || host.starts_with(':') || text.contains(|c: char| c.is_whitespace() || c.is_control()))
}

/// An address that can be called.
fn webhook(fields: &mut Fields<'_, '_>) -> Option<String> {
    let (text, at) = fields.text_at("webhook")?;
    if !is_webhook(&text) {
        let message = format!("`webhook` must be an address of http or https, not `{}`", shorten(&text, 80));
        let help = "write it whole, like https://hooks.example/pulse";
        fields.add(Code::OutOfRange, "webhook", at, message, help);
        return None;
    }
    Some(text)
}

/// Names of environment variables; those that carry a script's values are the engine's own.
pub(super) fn check_env(env: &IndexMap<String, Source>, fields: &mut Fields<'_, '_>) {
    for (name, source) in env {
        if !is_name(name) || name.starts_with("PULSE_V") {
            let message = format!("`{name}` is no name for an environment variable");
            let help = match is_name(name) {
                true => "names that begin with PULSE_V are those of a script's own values: call it something else",
                false => "write letters, digits and _, not starting with a digit",
            };
            fields.diagnostics.add(Code::BadName, &source.path, source.at, message, help);
        }
    }
}

fn concurrency(node: &Node, diagnostics: &mut Diagnostics) -> Option<Concurrency> {
    let mut fields = Fields::open(node, "concurrency", "`concurrency`", diagnostics)?;
    if fields.get("limit").is_none() {
        let help = "add how many executions may run at once, as in `limit: 1`";
        fields.add(Code::MissingField, "limit", node.at, "`concurrency` needs `limit`", help);
    }
    let limit = fields.integer("limit", 1..=10_000).map(|n| n as u32);
    let words = [
        ("queue", ConcurrencyPolicy::Queue),
        ("skip", ConcurrencyPolicy::Skip),
        ("cancel_oldest", ConcurrencyPolicy::CancelOldest),
    ];
    let policy = fields.word("policy", &words).unwrap_or(ConcurrencyPolicy::Queue);
    fields.finish();
    Some(Concurrency { limit: limit?, policy })
}

fn check_name(name: &str, fields: &mut Fields<'_, '_>) {
    let length = name.trim().chars().count();
    if !(1..=120).contains(&length) || name.chars().any(char::is_control) {
        let at = fields.get("name").map_or(fields.at, |node| node.at);
        let message = "`name` must have 1 to 120 characters and no control characters";
        fields.add(Code::BadName, "name", at, message, "write a short name on one line, or leave it out");
    }
}

fn defaults(node: &Node, diagnostics: &mut Diagnostics) -> Defaults {
    let mut defaults = Defaults::default();
    if let Some(mut fields) = Fields::open(node, "defaults", "`defaults`", diagnostics) {
        if let Some(timeout) = fields.duration_within("timeout", MIN_TIMEOUT, MAX_TIMEOUT) {
            defaults.timeout = timeout;
        }
        if let Some(retries) = fields.integer("retries", 0..=100) {
            defaults.retries = retries as u32;
        }
        if let Some(shell) = fields.text("shell") {
            defaults.shell = shell;
        }
        fields.finish();
    }
    defaults
}

/// Parameters: a list of mappings, a list of names, or a mapping from name to mapping.
pub(super) fn params(node: &Node, base: &str, diagnostics: &mut Diagnostics) -> Vec<Param> {
    let mut params: Vec<Param> = Vec::new();
    match &node.kind {
        NodeKind::List(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = format!("{base}[{index}]");
                match item.scalar_text() {
                    Some(name) => params.push(bare_param(name, &path, item.at)),
                    None => params.extend(param(item, None, &path, diagnostics)),
                }
            }
        }
        NodeKind::Map(entries) => {
            for (key, item) in entries {
                let path = format!("{base}.{}", key.name);
                match &item.kind {
                    NodeKind::Null => params.push(bare_param(key.name.clone(), &path, key.at)),
                    _ => params.extend(param(item, Some(&key.name), &path, diagnostics)),
                }
            }
        }
        _ => {
            let message = format!("`{base}` must be a list or a mapping, not {}", node.type_name());
            let help = "write a list of names, or `- name: …` for each with its fields";
            diagnostics.add(Code::WrongType, base, node.at, message, help);
        }
    }
    let mut seen = HashSet::new();
    for param in &params {
        let (path, at) = &param.concerning;
        if !is_name(&param.name) {
            let message = format!("`{}` is no parameter name", param.name);
            let help = "write letters, digits and _, not starting with a digit";
            diagnostics.add(Code::BadName, path, *at, message, help);
        }
        if !seen.insert(&param.name) {
            let message = format!("parameter `{}` stands twice", param.name);
            diagnostics.add(Code::DuplicateId, path, *at, message, "keep one of them, or rename one");
        }
    }
    params
}

fn bare_param(name: String, path: &str, at: Position) -> Param {
    Param {
        name,
        kind: ParamType::String,
        description: None,
        default: None,
        required: true,
        pattern: None,
        min: None,
        max: None,
        options: Vec::new(),
        concerning: (path.to_owned(), at),
    }
}

fn param(node: &Node, key: Option<&str>, path: &str, diagnostics: &mut Diagnostics) -> Option<Param> {
    let mut fields = Fields::open(node, path, "a parameter", diagnostics)?;
    let name = match key {
        Some(key) => key.to_owned(),
        None => fields.required_source("name", "a parameter", "mount").map(|source| source.text).unwrap_or_default(),
    };
    let words = [
        ("string", ParamType::String),
        ("integer", ParamType::Integer),
        ("number", ParamType::Number),
        ("boolean", ParamType::Boolean),
        ("choice", ParamType::Choice),
        ("secret", ParamType::Secret),
    ];
    let kind = fields.word("type", &words).unwrap_or(ParamType::String);
    let default = fields.get("default");
    let mut param = Param {
        kind,
        description: fields.text("description"),
        required: fields.boolean("required").unwrap_or(default.is_none()),
        pattern: fields.text("pattern"),
        min: fields.number("min"),
        max: fields.number("max"),
        options: fields.plain_texts("options").unwrap_or_default(),
        ..bare_param(name, path, node.at)
    };
    let possible = check_param(&param, &mut fields);
    if let Some(default) = default.filter(|_| kind == ParamType::Secret) {
        param.required = true;
        let help = "leave it out: whoever starts the workflow gives it; a definition is stored and shown in clear";
        fields.add(Code::BadDefault, "default", default.at, "a secret has no default", help);
    } else if let Some(default) = default.filter(|_| possible) {
        let given = match kind {
            ParamType::String | ParamType::Choice => default.scalar_text().map(Value::from),
            ParamType::Integer | ParamType::Number => default.too_large().map(Value::from),
            _ => None,
        };
        match param.accept(&given.unwrap_or_else(|| default.to_json())) {
            Ok(value) => param.default = Some(value),
            Err(error) => {
                // Not one that may be missing: that would be a second finding about the same mistake.
                param.required = true;
                let help = "write a value that could be given for the parameter, or leave `default` out";
                fields.add(Code::BadDefault, "default", default.at, format!("default: {error}"), help);
            }
        }
    }
    fields.finish();
    Some(param)
}

/// Whether the rules of a parameter go together: any value can satisfy them.
fn check_param(param: &Param, fields: &mut Fields<'_, '_>) -> bool {
    let at = fields.at;
    let mut possible = true;
    let numeric = matches!(param.kind, ParamType::Integer | ParamType::Number);
    if param.kind == ParamType::Choice && param.options.is_empty() {
        let help = "add what there is to choose from, as in `options: [ask, auto]`";
        fields.add(Code::MissingField, "options", at, format!("choice `{}` needs `options`", param.name), help);
    }
    if param.kind != ParamType::Choice && !param.options.is_empty() {
        let message = "`options` belong to parameters of type choice";
        fields.add(Code::Conflict, "options", at, message, "write `type: choice`, or leave them out");
    }
    if !numeric && (param.min.is_some() || param.max.is_some()) {
        let help = "write `type: integer` or `type: number`, or leave them out";
        fields.add(Code::Conflict, "min", at, "`min` and `max` belong to numbers", help);
    }
    if let (true, Some(min), Some(max)) = (numeric, param.min, param.max) {
        let whole = param.kind == ParamType::Integer && min.ceil() > max.floor();
        if min > max || whole {
            let place = fields.place("min").1;
            let what = if min > max { "is larger than" } else { "leaves no whole number up to" };
            let message = format!("`min` ({min}) {what} `max` ({max}): no value satisfies `{}`", param.name);
            let help = if min > max { "exchange the two, or leave one out" } else { "write whole numbers for both" };
            fields.add(Code::OutOfRange, "min", place, message, help);
            possible = false;
        }
    }
    for (text, at) in twice(fields.texts("options").unwrap_or_default()) {
        let message = format!("option `{text}` of `{}` stands twice", param.name);
        fields.add(Code::DuplicateId, "options", at, message, "keep one of them");
    }
    match &param.pattern {
        Some(_) if !matches!(param.kind, ParamType::String | ParamType::Secret) => {
            let message = "`pattern` belongs to parameters of type string or secret";
            fields.add(Code::Conflict, "pattern", at, message, "leave it out, or make the parameter a string");
        }
        Some(pattern) => {
            if let Err(message) = compile(pattern) {
                possible = false;
                let at = fields.get("pattern").map_or(at, |node| node.at);
                fields.add(Code::BadPattern, "pattern", at, message, PATTERN_HELP);
            }
        }
        None => {}
    }
    possible
}

/// Texts that stood before.
fn twice(texts: Vec<(String, Position)>) -> Vec<(String, Position)> {
    let mut seen = HashSet::new();
    texts.into_iter().filter(|(text, _)| !seen.insert(text.clone())).collect()
}

/// What expressions call the last answer of a person. Nothing else may go by these names: what a command prints could pass for
/// an answer then.
pub const ANSWER_NAMES: [&str; 2] = ["prompt_response", "promptResponse"];

/// Adds a finding where a step would put a value of its own under a name of the answer.
pub(super) fn check_value_name(name: &str, path: &str, at: Position, diagnostics: &mut Diagnostics) {
    if ANSWER_NAMES.contains(&name) {
        let message = format!("`{name}` is what the last answer to a prompt is called: no step can set it");
        diagnostics.add(Code::BadName, path, at, message, "call it something else");
    } else {
        check_reserved(name, &format!("`state.{name}`"), path, at, diagnostics);
    }
}

/// What a bare name means before it means a parameter, a value of the state or an item.
const RESERVED: [&str; 14] = [
    "params",
    "state",
    "steps",
    "execution",
    "last",
    "prompt_response",
    "promptResponse",
    "true",
    "false",
    "null",
    "undefined",
    "if",
    "else",
    "in",
];

/// Whether a bare name means something else than a parameter, a value of the state or an item of that name.
pub fn is_reserved_name(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Adds a finding where something that is `meant` by a bare name has one that means something else.
pub(super) fn check_reserved(name: &str, meant: &str, path: &str, at: Position, diagnostics: &mut Diagnostics) {
    if is_reserved_name(name) {
        let message = format!("`{name}` is something else in expressions: `{{{{ {name} }}}}` would not be {meant}");
        diagnostics.add(Code::ReservedName, path, at, message, format!("call it something else, like `{name}_`"));
    }
}

/// Adds a finding where a name (of a step, a branch, the workflow) looks like a template.
pub(super) fn check_shown(what: &str, name: &str, fields: &mut Fields<'_, '_>) {
    if name.split_once("{{").is_some_and(|(_, rest)| rest.contains("}}")) {
        let (path, at) = fields.place("name");
        let message = format!("the name of {what} is no template: `{}` is shown as it stands", shorten(name, 80));
        let help = "leave the {{ }} out; messages, labels and commands are templates";
        fields.diagnostics.add(Code::NameNoTemplate, &path, at, message, help);
    }
}

/// Whether a text is a name for parameters and values: `[A-Za-z_][A-Za-z0-9_]*`.
pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
