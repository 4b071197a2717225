//! A YAML value and its place in the document.

use crate::diagnostic::Position;
use serde_json::{Map, Number, Value};

/// A value with its position.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub kind: NodeKind,
    /// Where it starts.
    pub at: Position,
    /// A number or boolean as it stands in the document: `1.10`, `022`.
    pub written: Option<Box<str>>,
}

/// What a value is, by YAML's core schema: only `true`/`false` are booleans, `yes` is text.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeKind {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number that fits 64 bits.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// Text.
    Text(String),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in document order, each key once.
    Map(Vec<(Key, Node)>),
}

/// A mapping's key with its position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key's text.
    pub name: String,
    /// Where it starts.
    pub at: Position,
}

impl Node {
    /// A node at a position.
    pub fn new(kind: NodeKind, at: Position) -> Self {
        Self { kind, at, written: None }
    }

    /// A node for a number or boolean that is written like this.
    pub(super) fn scalar(kind: NodeKind, at: Position, written: &str) -> Self {
        let is_value = matches!(kind, NodeKind::Bool(_) | NodeKind::Integer(_) | NodeKind::Float(_));
        Self { kind, at, written: is_value.then(|| written.into()) }
    }

    /// What the value is, in words for a message.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            NodeKind::Null => "nothing",
            NodeKind::Bool(_) => "a boolean",
            NodeKind::Integer(_) => "a whole number",
            NodeKind::Float(_) => "a number",
            NodeKind::Text(_) => "text",
            NodeKind::List(_) => "a list",
            NodeKind::Map(_) => "a mapping",
        }
    }

    /// A scalar's text; numbers and booleans as they are written in the document, so that `1.10` and `022` stay what they
    /// are. `None` for null, lists and mappings.
    pub fn scalar_text(&self) -> Option<String> {
        self.written.as_ref().map(|written| written.to_string()).or_else(|| self.value_text())
    }

    /// A scalar's value as text: `0x1f` is `31`, `True` is `true`. `None` for null, lists and mappings.
    pub fn value_text(&self) -> Option<String> {
        match &self.kind {
            NodeKind::Text(text) => Some(text.clone()),
            NodeKind::Bool(value) => Some(value.to_string()),
            NodeKind::Integer(value) => Some(value.to_string()),
            // One that is too large has no value: what is written shows it.
            NodeKind::Float(value) if !value.is_finite() => self.written.as_ref().map(|written| written.to_string()),
            NodeKind::Float(value) => Some(value.to_string()),
            NodeKind::Null | NodeKind::List(_) | NodeKind::Map(_) => None,
        }
    }

    /// A number that none of the types here can hold, as it is written: a whole one beyond 64 bits, any other beyond those of
    /// a floating-point number.
    pub fn too_large(&self) -> Option<&str> {
        let NodeKind::Float(value) = self.kind else { return None };
        let written = self.written.as_deref()?;
        let digits = written.strip_prefix(['-', '+']).unwrap_or(written);
        let whole = digits.chars().all(|c| c.is_ascii_digit());
        (whole || !value.is_finite()).then_some(written)
    }

    /// The value of a mapping's key.
    pub fn get(&self, name: &str) -> Option<&Node> {
        match &self.kind {
            NodeKind::Map(entries) => entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node),
            _ => None,
        }
    }

    /// The value as JSON for what has a type of its own and reads text by it, as parameters do: a number that JSON would
    /// write in another way is the text that it is written as.
    pub fn to_given(&self) -> Value {
        let value = self.to_json();
        match &self.written {
            Some(written) if value.is_number() && **written != *value.to_string() && written.parse::<f64>().is_ok() => {
                Value::from(&**written)
            }
            _ => value,
        }
    }

    /// The same value as JSON, positions dropped. A number JSON cannot write becomes null.
    pub fn to_json(&self) -> Value {
        match &self.kind {
            NodeKind::Null => Value::Null,
            NodeKind::Bool(value) => Value::Bool(*value),
            NodeKind::Integer(value) => Value::Number((*value).into()),
            NodeKind::Float(value) => Number::from_f64(*value).map_or(Value::Null, Value::Number),
            NodeKind::Text(text) => Value::String(text.clone()),
            NodeKind::List(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            NodeKind::Map(entries) => Value::Object(
                entries.iter().map(|(key, node)| (key.name.clone(), node.to_json())).collect::<Map<_, _>>(),
            ),
        }
    }
}
