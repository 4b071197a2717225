//! What means something else here than it did in the first PULSE, so that an imported workflow does what it did.

use super::{Document, Remark, conditions, params, steps};
use serde_json::{Map, Value};
use std::collections::HashMap;

/// What is told about a definition.
#[derive(Debug, Default)]
pub(super) struct Notes {
    pub(super) changed: Vec<Remark>,
    pub(super) look: Vec<Remark>,
}

impl Notes {
    /// Something is written differently now.
    pub(super) fn changed(&mut self, path: &str, text: impl Into<String>) {
        self.changed.push(Remark { path: path.to_owned(), text: text.into() });
    }

    /// A person should look at something.
    pub(super) fn look(&mut self, path: &str, text: impl Into<String>) {
        self.look.push(Remark { path: path.to_owned(), text: text.into() });
    }
}

/// The document as this PULSE needs it to do what it did.
pub(super) fn changed(document: Document, notes: &mut Notes) -> Document {
    let mut document = params::renamed(document, notes);
    let known = steps::Known { ids: step_ids(&document, notes), params: conditions::parameters(&document) };
    if let Some(Value::Array(list)) = document.get_mut("steps") {
        for (index, step) in list.iter_mut().enumerate() {
            if let Value::Object(fields) = step {
                *fields = steps::step(std::mem::take(fields), &format!("steps[{index}]"), &known, notes);
            }
        }
    }
    if let Some(targets) = document.get("targets") {
        steps::targets(targets, "targets", notes);
    }
    let conditions = document.get("steps").is_some_and(has_condition);
    if conditions && !document.contains_key("lenient_conditions") {
        let path = "lenient_conditions";
        notes.changed(path, "true: a condition that fails counts as false, as it did in the first PULSE");
        document = with_lenient(document);
    }
    document
}

/// With `lenient_conditions` before what belongs to the steps.
fn with_lenient(document: Document) -> Document {
    let mut out = Map::new();
    for (name, value) in document {
        if !matches!(name.as_str(), "name" | "description" | "webhook") {
            out.entry("lenient_conditions").or_insert(Value::Bool(true));
        }
        out.insert(name, value);
    }
    out
}

fn has_condition(steps: &Value) -> bool {
    let said = |value: Option<&Value>| value.and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    steps.as_array().into_iter().flatten().any(|step| {
        let ways = step.get("conditions").and_then(Value::as_array);
        said(step.get("condition"))
            || ways.into_iter().flatten().any(|way| said(way.get("if")) || said(way.get("condition")))
    })
}

/// New ids for steps whose ids are no ids here, like `1` or `check disk`.
fn step_ids(document: &Document, notes: &mut Notes) -> HashMap<String, String> {
    let steps = document.get("steps").and_then(Value::as_array);
    let old: Vec<(usize, String)> = steps
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(index, step)| match step.get("id")? {
            Value::String(id) => Some((index, id.clone())),
            Value::Number(id) => Some((index, id.to_string())),
            _ => None,
        })
        .collect();
    let mut ids = HashMap::new();
    for (index, id) in &old {
        let mut new = fit(id);
        while new != *id && (old.iter().any(|(_, other)| *other == new) || ids.values().any(|other| *other == new)) {
            new.push('_');
        }
        if new != *id && !id.is_empty() && !ids.contains_key(id) {
            notes.changed(&format!("steps[{index}].id"), format!("`{id}` is written `{new}`, as are ways to it"));
            ids.insert(id.clone(), new);
        }
    }
    ids
}

/// The nearest text that is a step id here.
fn fit(id: &str) -> String {
    let mut out: String =
        id.trim().chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') { c } else { '_' }).collect();
    if !out.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        || matches!(out.as_str(), "end" | "fail" | "continue")
    {
        out.insert_str(0, "step_");
    }
    out
}
