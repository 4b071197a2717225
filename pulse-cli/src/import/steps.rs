//! What is different about single steps.

use super::change::Notes;
use super::conditions::condition;
use pulse_core::duration;
use pulse_engine::expr::Given;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// What the first PULSE held times and retries to, whatever a definition said.
const TIMEOUT_SECONDS: (f64, f64) = (5.0, 600.0);
const RETRIES: (i64, i64) = (0, 5);
const RETRY_DELAY_MS: (f64, f64) = (0.0, 30_000.0);
/// Fields that name a step.
const WAYS: &[&str] = &["id", "goto", "on_error", "on_timeout", "from"];

/// What of the whole document counts for its steps.
pub(super) struct Known {
    /// New ids of steps.
    pub(super) ids: HashMap<String, String>,
    /// What the parameters are.
    pub(super) params: HashMap<String, Given>,
}

/// A step as it must be written here.
pub(super) fn step(fields: Map<String, Value>, path: &str, known: &Known, notes: &mut Notes) -> Map<String, Value> {
    let ids = &known.ids;
    let word = fields.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let runs = matches!(word.as_str(), "execute" | "command" | "run") || fields.contains_key("command");
    let mut out = Map::new();
    for (name, mut value) in fields {
        let place = format!("{path}.{name}");
        if empty(&name, &value) {
            if !value.is_null() {
                notes.changed(&place, "it was empty and said nothing: it is left out");
            }
            continue;
        }
        match name.as_str() {
            "timeout" if runs => value = timeout(value, &place, notes),
            "timeout" if word == "prompt" => {
                notes.look(&place, "the first PULSE waited 60 minutes whatever this said; here it counts");
            }
            "retries" => value = retries(value, &place, notes),
            "retryDelayMs" => {
                if let Some(delay) = retry_delay(&value, &place, notes) {
                    out.insert("retry_delay".to_owned(), json!(delay));
                    continue;
                }
            }
            "targets" => targets(&value, &place, notes),
            "command" if value.as_str().is_some_and(|command| command.contains("{{")) => notes.look(
                &place,
                "values reach the shell as data: one with blanks is one word, and none can add to the command",
            ),
            "routes" => {
                value.as_object_mut().into_iter().flat_map(|map| map.values_mut()).for_each(|to| renamed(to, ids));
            }
            "condition" => condition(&mut value, &place, &known.params, notes),
            "conditions" | "options" => {
                for (index, inner) in value.as_array_mut().into_iter().flatten().enumerate() {
                    if let Some(to) = inner.get_mut("goto") {
                        renamed(to, ids);
                    }
                    for field in ["if", "condition"] {
                        if let Some(when) = inner.get_mut(field) {
                            condition(when, &format!("{place}[{index}].{field}"), &known.params, notes);
                        }
                    }
                }
            }
            name if WAYS.contains(&name) => renamed(&mut value, ids),
            _ => {}
        }
        out.insert(name, value);
    }
    out
}

/// Whether a field says nothing: JavaScript took an empty text, and nothing at all, for "not given".
fn empty(name: &str, value: &Value) -> bool {
    let optional = matches!(name, "id" | "name" | "goto" | "condition" | "on_error" | "targets" | "description");
    value.is_null() || (optional && value.as_str().is_some_and(|text| text.trim().is_empty()))
}

fn renamed(value: &mut Value, ids: &HashMap<String, String>) {
    let text = match &*value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    if let Some(new) = ids.get(&text) {
        *value = Value::String(new.clone());
    }
}

/// A number, also where it was stored as text.
fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

fn timeout(value: Value, path: &str, notes: &mut Notes) -> Value {
    let Some(seconds) = number(&value) else { return value };
    let held = seconds.clamp(TIMEOUT_SECONDS.0, TIMEOUT_SECONDS.1);
    if held == seconds {
        return value;
    }
    let text =
        format!("{seconds} s was held to {held} s by the first PULSE, and is written so; 1s to 24h can be said here");
    notes.changed(path, text);
    json!(held as i64)
}

fn retries(value: Value, path: &str, notes: &mut Notes) -> Value {
    let Some(count) = number(&value).map(|count| count.trunc() as i64) else { return value };
    let held = count.clamp(RETRIES.0, RETRIES.1);
    if held != count {
        let text =
            format!("{count} was held to {held} by the first PULSE, and is written so; up to 100 can be said here");
        notes.changed(path, text);
    }
    json!(held)
}

fn retry_delay(value: &Value, path: &str, notes: &mut Notes) -> Option<String> {
    let millis = number(value)?;
    let held = millis.clamp(RETRY_DELAY_MS.0, RETRY_DELAY_MS.1);
    let delay = match held as u64 {
        millis if millis.is_multiple_of(1_000) => duration::display(Duration::from_millis(millis)),
        millis => format!("{millis}ms"),
    };
    let held = if held == millis { "" } else { ", to which the first PULSE held it" };
    notes.changed(path, format!("{millis} is written `retry_delay: {delay}`{held}"));
    Some(delay)
}

/// Tells about targets that are ids of workers: they have other ids here.
pub(super) fn targets(value: &Value, path: &str, notes: &mut Notes) {
    let one = std::slice::from_ref(value);
    let list = value.as_array().map_or(one, Vec::as_slice);
    let texts = list.iter().filter_map(Value::as_str).flat_map(|text| text.split(','));
    let ids: Vec<&str> = texts.map(str::trim).filter(|text| uuid::Uuid::try_parse(text).is_ok()).collect();
    if !ids.is_empty() {
        let what = if ids.len() == 1 { "an id of a worker" } else { "ids of workers" };
        let text =
            format!("{} is {what} of the first PULSE, which nothing here has: write names instead", ids.join(", "));
        notes.look(path, text);
    }
}
