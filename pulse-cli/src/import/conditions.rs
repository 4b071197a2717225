//! Conditions: JavaScript there, true or false here.

use super::Document;
use super::change::Notes;
use pulse_engine::expr::{Given, translate};
use serde_json::Value;
use std::collections::HashMap;

/// What the document's parameters are, by name.
pub(super) fn parameters(document: &Document) -> HashMap<String, Given> {
    let kind = |definition: &Value| match definition.get("type").and_then(Value::as_str) {
        Some("integer" | "number") => Given::Number,
        Some("boolean") => Given::Truth,
        // Nothing says of what type it was when it was given; its default was no text.
        None if definition.get("default").is_some_and(|default| default.is_number() || default.is_boolean()) => {
            Given::Unknown
        }
        _ => Given::Text,
    };
    match document.get("params") {
        Some(Value::Array(list)) => {
            let named = |param: &Value| Some((param.get("name")?.as_str()?.to_owned(), kind(param)));
            list.iter().filter_map(named).collect()
        }
        Some(Value::Object(map)) => map.iter().map(|(name, definition)| (name.clone(), kind(definition))).collect(),
        _ => HashMap::new(),
    }
}

/// Writes a condition so that it means what it did, and tells what it meant that cannot be written. One that is no
/// expression at all is left for the check of the whole document.
pub(super) fn condition(value: &mut Value, path: &str, params: &HashMap<String, Given>, notes: &mut Notes) {
    let Value::String(source) = value else { return };
    // A name alone declares a text.
    let param = |name: &str| params.get(name).copied().unwrap_or(Given::Text);
    let Ok(translated) = translate(source, &param) else { return };
    for look in translated.look {
        notes.look(path, format!("`{source}`: {look}"));
    }
    if let Some(text) = translated.text {
        notes.changed(path, format!("`{source}` is written `{text}`, so that it means the same here"));
        *value = Value::String(text);
    }
}
