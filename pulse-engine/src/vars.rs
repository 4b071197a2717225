//! The values that steps have set: putting them into the state, and how much room they may take there.

use crate::state::State;
use pulse_core::workflow::ANSWER_NAMES;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Bytes that the values of an execution may take together, as [`size`] counts: those of `state` and the final states of
/// children. Every change of the state is in memory, and its values in the journal.
pub(crate) const MAX_VALUES: usize = 8 * 1024 * 1024;
/// What a value takes beside its text, in bytes.
const VALUE_BYTES: usize = 32;

/// About how many bytes a value takes in memory.
pub(crate) fn size(value: &Value) -> usize {
    VALUE_BYTES
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(size).sum(),
            Value::Object(entries) => size_of(entries),
        }
}

/// The same of several values with their names.
pub(crate) fn size_of(values: &Map<String, Value>) -> usize {
    values.iter().map(|(name, value)| name.len() + size(value)).sum()
}

/// Sets values. The names of the answer are not theirs to set: what a command printed would pass for a person's answer.
pub(crate) fn set(state: &mut State, values: &Map<String, Value>) {
    let own = values.iter().filter(|(name, _)| !ANSWER_NAMES.contains(&name.as_str()));
    own.for_each(|(name, value)| put(state, name, value.clone()));
}

/// Keeps a person's answer; beside the values it is shown with them.
pub(crate) fn answer(state: &mut State, response: &str) {
    state.response = Some(response.into());
    put(state, ANSWER_NAMES[0], Value::String(response.to_owned()));
}

/// Keeps the final state of a child in place of what was kept before.
pub(crate) fn exchange(state: &mut State, before: Option<&Value>, after: Option<&Value>) {
    state.values_bytes = state.values_bytes.saturating_sub(before.map_or(0, size)) + after.map_or(0, size);
}

fn put(state: &mut State, name: &str, value: Value) {
    let Value::Object(vars) = Arc::make_mut(&mut state.vars) else { return };
    let added = name.len() + size(&value);
    let replaced = vars.insert(name.to_owned(), value).map_or(0, |old| name.len() + size(&old));
    state.values_bytes = (state.values_bytes + added).saturating_sub(replaced);
}

/// The room that values would take beyond what is taken, less what they replace.
pub(crate) fn growth<'v>(state: &State, values: impl Iterator<Item = (&'v String, &'v Value)>) -> isize {
    let replaced = |name: &str| state.vars.get(name).map_or(0, |old| name.len() + size(old));
    values.map(|(name, value)| (name.len() + size(value)) as isize - replaced(name) as isize).sum()
}
