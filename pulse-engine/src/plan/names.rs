//! Checks the names that expressions and templates mention: parameters and steps must exist; a name that nothing sets
//! is worth a warning where nothing could set it.

use super::{Findings, Mention};
use crate::expr::{Reference, subtracted_worker};
use pulse_core::diagnostic::{Code, did_you_mean, listed, nearest};
use pulse_core::workflow::{ParseFormat, StepKind, Workflow};
use std::collections::HashSet;

/// Roots that expressions have besides bare names.
const ROOTS: &[&str] = &["params", "state", "steps", "execution", "prompt_response", "promptResponse", "last"];

/// What `last` holds; see `scope.rs`.
const LAST: &[&str] = &["stdout", "stderr", "exit_code", "worker", "success"];
/// What `execution` holds.
const EXECUTION: &[&str] = &["id", "workflow", "started_by", "started_at"];
/// What a step holds under `steps`.
const STEP: &[&str] = &[
    "status",
    "run",
    "error",
    "results",
    "response",
    "answered_by",
    "answered_at",
    "output_hash",
    "execution_id",
    "state",
];

/// Whether a name is a root and no bare name of a template.
pub(super) fn is_root(name: &str) -> bool {
    ROOTS.contains(&name)
}

/// Adds a finding for every name that cannot be meant.
pub(super) fn check(known: &Known<'_>, mentions: &[Mention], findings: &mut Findings<'_>) {
    for mention in mentions {
        if let Some((offset, instead)) = subtracted_worker(mention.expr.source()) {
            let message = format!("`{}`: the minus in the name of a worker reads as a subtraction", mention.shown());
            let offset = mention.offset + offset;
            findings.add(Code::UnknownName, &mention.source, offset, message, format!("write `{instead}`"));
        }
        for reference in mention.expr.references() {
            let full = |code| findings.diagnostics.is_full(code);
            if let Some((code, message, help)) = known.finding(reference, &mention.items, full) {
                let message = format!("`{}`: {message}", mention.shown());
                findings.add(code, &mention.source, mention.offset_of(reference), message, help);
            }
        }
    }
}

/// What a document declares.
pub(super) struct Known<'w> {
    params: HashSet<&'w str>,
    steps: HashSet<&'w str>,
    state: HashSet<String>,
    /// Whether there are steps that could not be read.
    incomplete: bool,
    /// Whether steps read names out of output that nobody can know beforehand.
    open: bool,
    /// Whether steps read `NAME=value` lines: these give any name that is written so, in lower case.
    pairs: bool,
}

impl<'w> Known<'w> {
    /// What a workflow declares; steps that could not be read are there all the same, and may set anything.
    pub(super) fn of(workflow: &'w Workflow, unread: &'w HashSet<String>) -> Self {
        let mut known = Self {
            params: workflow.params.iter().map(|param| param.name.as_str()).collect(),
            steps: workflow.all_steps().into_iter().map(|(step, _)| step.id.as_str()).collect(),
            state: HashSet::new(),
            incomplete: !unread.is_empty(),
            open: !unread.is_empty(),
            pairs: false,
        };
        known.steps.extend(unread.iter().map(String::as_str));
        for (step, _) in workflow.all_steps() {
            match &step.kind {
                StepKind::Set(set) => known.state.extend(set.values.keys().cloned()),
                StepKind::Prompt(prompt) => {
                    known.state.extend(["prompt_response", "promptResponse"].map(str::to_owned));
                    known.state.extend(prompt.fields.iter().map(|field| field.name.clone()));
                }
                StepKind::Parse(parse) => known.format(&parse.format),
                StepKind::Execute(execute) => execute.parse.iter().for_each(|format| known.format(format)),
                _ => {}
            }
        }
        known
    }

    /// Whether there are steps that could not be read.
    pub(super) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Whether a parameter is called so.
    pub(super) fn has_param(&self, name: &str) -> bool {
        self.params.contains(name)
    }

    /// Whether there is a step with that id.
    pub(super) fn has_step(&self, id: &str) -> bool {
        self.steps.contains(id)
    }

    /// Whether a step may set a name.
    pub(super) fn may_set(&self, name: &str) -> bool {
        self.open || self.state.contains(name) || (self.pairs && is_pair(name))
    }

    /// A name that stands without its root, with the root that it has.
    pub(super) fn qualified(&self, name: &str) -> Option<String> {
        let root = match () {
            () if self.params.contains(name) => "params",
            () if self.state.contains(name) => "state",
            () if self.steps.contains(name) => "steps",
            () => return None,
        };
        Some(format!("{root}.{name}"))
    }

    /// The parameter or value that a misspelt name without its root means.
    pub(super) fn near(&self, name: &str) -> Option<String> {
        let names = self.params.iter().copied().chain(self.state.iter().map(String::as_str));
        let close = |(apart, _): &(usize, &str)| *apart <= (name.len() / 3).max(1);
        nearest(name, names).filter(close).and_then(|(_, name)| self.qualified(name))
    }

    fn format(&mut self, format: &ParseFormat) {
        match format {
            ParseFormat::Lines { name } => {
                self.state.insert(name.clone());
            }
            ParseFormat::KeyValue => self.pairs = true,
            ParseFormat::Json => self.open = true,
            ParseFormat::Regex { pattern } => match regex::Regex::new(pattern) {
                Ok(regex) => self.state.extend(regex.capture_names().flatten().map(str::to_owned)),
                Err(_) => self.open = true,
            },
        }
    }

    /// What is wrong with a reference. Where `full` says that no more of a kind is listed, what it is like is not looked for.
    fn finding(
        &self,
        Reference { root, path, .. }: &Reference,
        items: &[String],
        full: impl Fn(Code) -> bool,
    ) -> Option<(Code, String, String)> {
        let counted = |code| (code, String::new(), String::new());
        let unknown = Code::UnknownReference;
        match (root.as_str(), path.first().map(String::as_str)) {
            ("params", Some(name)) if !self.params.contains(name) && full(unknown) => Some(counted(unknown)),
            ("params", Some(name)) if !self.params.contains(name) => {
                let help = did_you_mean(name, self.params.iter().copied())
                    .unwrap_or_else(|| format!("declare it under `params`{}", there_are(&self.params)));
                Some((Code::UnknownReference, format!("there is no parameter `{name}`"), help))
            }
            ("steps", Some(name)) if !self.steps.contains(name) && full(unknown) => Some(counted(unknown)),
            ("steps", Some(name)) if !self.steps.contains(name) => {
                let help = did_you_mean(name, self.steps.iter().copied())
                    .unwrap_or_else(|| format!("write the id of a step{}", there_are(&self.steps)));
                Some((Code::UnknownReference, format!("there is no step `{name}`"), help))
            }
            ("steps", Some(step)) => path.get(1).and_then(|field| field_of(&format!("steps.{step}"), field, STEP)),
            ("last", Some(field)) => field_of("last", field, LAST),
            ("execution", Some(field)) => field_of("execution", field, EXECUTION),
            ("state", Some(name)) => self.state(name, &full),
            (root, _) if is_root(root) || items.iter().any(|item| item == root) => None,
            (name, _) => self.state(name, &full),
        }
    }

    fn state(&self, name: &str, full: impl Fn(Code) -> bool) -> Option<(Code, String, String)> {
        if self.may_set(name) || self.params.contains(name) {
            return None;
        }
        if full(Code::UnknownName) {
            return Some((Code::UnknownName, String::new(), String::new()));
        }
        let names = self.params.iter().copied().chain(self.state.iter().map(String::as_str));
        let lower = name.to_lowercase();
        let help = if self.pairs && is_pair(&lower) {
            Some(format!("did you mean `{lower}`? What `kv` reads gets names in lower case"))
        } else {
            did_you_mean(name, names)
        };
        let help = help.unwrap_or_else(|| {
            "declare it under `params`, set it in a step, or put it in quotes if it is a text".to_owned()
        });
        Some((Code::UnknownName, format!("no parameter is called `{name}` and no step sets it"), help))
    }
}

/// Whether a line `NAME=value` can give a value of that name.
pub(super) fn is_pair(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && name != "prompt_response"
}

/// The names there are, for the end of a help line.
fn there_are(names: &HashSet<&str>) -> String {
    if names.is_empty() { String::new() } else { format!("; there are {}", listed(names.iter().copied())) }
}

/// The finding for a field that something never has.
fn field_of(of: &str, field: &str, known: &[&str]) -> Option<(Code, String, String)> {
    if known.contains(&field) {
        return None;
    }
    let help = did_you_mean(field, known.iter().copied()).unwrap_or_else(|| format!("it has {}", known.join(", ")));
    Some((Code::UnknownReference, format!("`{of}` has no field `{field}`"), help))
}
