//! What a field may hold, as JSON Schema.

use super::reference;
use serde_json::{Map, Value, json};

/// What a field may hold.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape {
    /// Text; numbers and booleans count as the text they are written as.
    Text,
    /// Text that matches a pattern.
    Pattern(&'static str),
    /// `true` or `false`.
    Boolean,
    /// A whole number within bounds.
    Integer(i64, i64),
    /// Any number.
    Number,
    /// Seconds as a number, or like `5m`.
    Duration,
    /// One of several words.
    Words(&'static [&'static str]),
    /// A list of texts, or one.
    Texts,
    /// A list of exit codes, or one.
    ExitCodes,
    /// A mapping of names to texts.
    TextMap,
    /// A mapping of a kind.
    Is(&'static str),
    /// A list of a kind, or one of it.
    Many(&'static str),
    /// A list of a kind.
    List(&'static str),
    /// A list of a kind, at least one.
    Some(&'static str),
    /// One of several shapes.
    Either(&'static [Shape]),
    /// Declarations: a list of names or mappings, or a mapping by name.
    Params,
}

/// A name of a parameter or value.
pub(super) const NAME: &str = "^[A-Za-z_][A-Za-z0-9_]*$";

impl Shape {
    /// Its schema, without a description.
    pub(super) fn schema(self) -> Map<String, Value> {
        match self.value() {
            Value::Object(map) => map,
            other => Map::from_iter([("const".to_owned(), other)]),
        }
    }

    fn value(self) -> Value {
        match self {
            Self::Text => reference("text"),
            Self::Pattern(pattern) => json!({"type": "string", "pattern": pattern}),
            Self::Boolean => json!({"type": "boolean"}),
            Self::Integer(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
            Self::Number => json!({"type": "number"}),
            Self::Duration => reference("duration"),
            Self::Words(words) => json!({"enum": words}),
            Self::Texts => reference("texts"),
            Self::ExitCodes => reference("exit-codes"),
            Self::TextMap => reference("text-map"),
            Self::Is(kind) => reference(kind),
            Self::Many(kind) => {
                json!({"anyOf": [{"type": "array", "items": reference(kind)}, reference(kind)]})
            }
            Self::List(kind) => json!({"type": "array", "items": reference(kind)}),
            Self::Some(kind) => json!({"type": "array", "minItems": 1, "items": reference(kind)}),
            Self::Either(shapes) => json!({"anyOf": shapes.iter().map(|shape| shape.value()).collect::<Vec<_>>()}),
            Self::Params => reference("params"),
        }
    }
}

/// The definitions that shapes refer to.
pub(super) fn definitions() -> impl Iterator<Item = (String, Value)> {
    let name = json!({"type": "string", "pattern": NAME});
    let body = json!({"anyOf": [{"type": "null"}, reference("param-body")]});
    let exit_code = json!({"type": "integer", "minimum": 0, "maximum": 255});
    [
        ("option", json!({"description": "An answer: its label, or more about it.", "anyOf": [reference("text"), reference("option-body")]})),
        ("branch", json!({"description": "A branch: its steps, or more about it.", "anyOf": [{"type": "array", "items": reference("step")}, reference("branch-body")]})),
        (
            "text",
            json!({
                "description": "Text. Numbers and booleans count as the text they are written as.",
                "type": ["string", "number", "boolean"],
            }),
        ),
        (
            "duration",
            json!({
                "description": "A duration: seconds as a number, or like 500ms, 30s, 5m, 2h, 1d.",
                "anyOf": [
                    {"type": "number", "minimum": 0},
                    {"type": "string", "pattern": r"^\s*[0-9]*\.?[0-9]+\.?\s*(ms|s|m|h|d)?\s*$"},
                ],
            }),
        ),
        (
            "texts",
            json!({
                "description": "A list of texts, or one text.",
                "anyOf": [{"type": "array", "items": reference("text")}, reference("text")],
            }),
        ),
        (
            "exit-codes",
            json!({
                "description": "A list of exit codes from 0 to 255, or one.",
                "anyOf": [{"type": "array", "items": exit_code}, exit_code],
            }),
        ),
        (
            "text-map",
            json!({
                "description": "Names with a text for each.",
                "type": "object",
                "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
            }),
        ),
        (
            "params",
            json!({
                "description": "Declarations: a list of names or mappings, or a mapping from name to declaration.",
                "anyOf": [
                    {"type": "array", "items": {"anyOf": [name, reference("param")]}},
                    {"type": "object", "propertyNames": {"pattern": NAME}, "additionalProperties": body},
                ],
            }),
        ),
    ]
    .into_iter()
    .map(|(name, schema)| (name.to_owned(), schema))
}
