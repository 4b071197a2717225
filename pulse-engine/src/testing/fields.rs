//! Reading a mapping of a test file field by field: what is not as it should be is a finding with its place, and what
//! nobody asked for in the end is an unknown field.

use pulse_core::diagnostic::{Code, Diagnostics, Position, did_you_mean};
use pulse_core::duration;
use pulse_core::yaml::{Key, Node, NodeKind};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;
use std::time::Duration;

/// A mapping being read.
pub(super) struct Fields<'n, 'd> {
    entries: &'n [(Key, Node)],
    path: String,
    asked: Vec<&'static str>,
    pub(super) at: Position,
    pub(super) diagnostics: &'d mut Diagnostics,
}

impl<'n, 'd> Fields<'n, 'd> {
    /// Starts reading; `None`, with a finding, when the node is no mapping.
    pub(super) fn open(node: &'n Node, path: &str, what: &str, diagnostics: &'d mut Diagnostics) -> Option<Self> {
        match &node.kind {
            NodeKind::Map(entries) => {
                Some(Self { entries, path: path.to_owned(), asked: Vec::new(), at: node.at, diagnostics })
            }
            _ => {
                let message = format!("{what} must be a mapping, not {}", node.type_name());
                diagnostics.add(Code::WrongType, path, node.at, message, None);
                None
            }
        }
    }

    /// The path of a field.
    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Adds a finding about a field.
    pub(super) fn add(&mut self, code: Code, name: &str, at: Position, message: impl Into<String>, help: Option<&str>) {
        let path = self.path_of(name);
        self.diagnostics.add(code, &path, at, message, help.map(str::to_owned));
    }

    /// A field's value; null counts as absent.
    pub(super) fn get(&mut self, name: &'static str) -> Option<&'n Node> {
        self.asked.push(name);
        let found = self.entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node);
        found.filter(|node| node.kind != NodeKind::Null)
    }

    /// Whether a field is given; it counts as asked for.
    pub(super) fn has(&mut self, name: &'static str) -> bool {
        self.get(name).is_some()
    }

    pub(super) fn wrong(&mut self, name: &str, node: &Node, expected: &str) {
        let message = format!("`{name}` must be {expected}, not {}", node.type_name());
        self.add(Code::WrongType, name, node.at, message, None);
    }

    /// A text with its place; numbers and booleans count as the text they are written as.
    pub(super) fn text_at(&mut self, name: &'static str) -> Option<(String, Position)> {
        let node = self.get(name)?;
        let text = node.scalar_text();
        if text.is_none() {
            self.wrong(name, node, "text");
        }
        text.map(|text| (text, node.at))
    }

    /// A text.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        self.text_at(name).map(|(text, _)| text)
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, name: &'static str, what: &str) -> Option<(String, Position)> {
        if !self.has(name) {
            let at = self.at;
            self.add(Code::MissingField, name, at, format!("{what} needs `{name}`"), None);
        }
        self.text_at(name)
    }

    /// A whole number within a range.
    pub(super) fn integer(&mut self, name: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
        let node = self.get(name)?;
        match node.kind {
            NodeKind::Integer(value) if range.contains(&value) => Some(value),
            NodeKind::Integer(value) => {
                let message = format!("`{name}` is {value}; it must be {} to {}", range.start(), range.end());
                self.add(Code::OutOfRange, name, node.at, message, None);
                None
            }
            _ => {
                self.wrong(name, node, "a whole number");
                None
            }
        }
    }

    /// A field that can only be `true`; said or not.
    pub(super) fn flag(&mut self, name: &'static str) -> bool {
        let Some(node) = self.get(name) else { return false };
        if node.kind != NodeKind::Bool(true) {
            self.wrong(name, node, "true, or left out");
        }
        true
    }

    /// A duration.
    pub(super) fn duration(&mut self, name: &'static str) -> Option<Duration> {
        let node = self.get(name)?;
        let found = match &node.kind {
            NodeKind::Integer(seconds) => duration::from_seconds(*seconds as f64),
            NodeKind::Float(seconds) => duration::from_seconds(*seconds),
            NodeKind::Text(text) => duration::parse(text).ok(),
            _ => None,
        };
        if found.is_none() {
            let help = Some("write seconds as a number, or like 500ms, 30s, 5m, 2h, 1d");
            self.add(Code::WrongType, name, node.at, format!("`{name}` is not a duration"), help);
        }
        found
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let (text, at) = self.text_at(name)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            self.add(Code::OutOfRange, name, at, format!("`{name}` is `{text}`; it must be one of {known}"), None);
        }
        found
    }

    /// A list; a single value counts as a list of one.
    pub(super) fn list(&mut self, name: &'static str) -> Option<Vec<&'n Node>> {
        let node = self.get(name)?;
        Some(match &node.kind {
            NodeKind::List(items) => items.iter().collect(),
            _ => vec![node],
        })
    }

    /// A list of texts with their places.
    pub(super) fn texts(&mut self, name: &'static str) -> Option<Vec<(String, Position)>> {
        let mut texts = Vec::new();
        for item in self.list(name)? {
            match item.scalar_text() {
                Some(text) => texts.push((text, item.at)),
                None => self.wrong(name, item, "text"),
            }
        }
        Some(texts)
    }

    /// The entries of a mapping.
    pub(super) fn entries(&mut self, name: &'static str) -> &'n [(Key, Node)] {
        match self.get(name) {
            None => &[],
            Some(Node { kind: NodeKind::Map(entries), .. }) => entries,
            Some(node) => {
                self.wrong(name, node, "a mapping");
                &[]
            }
        }
    }

    /// A mapping of values.
    pub(super) fn values(&mut self, name: &'static str) -> Map<String, Value> {
        self.entries(name).iter().map(|(key, node)| (key.name.clone(), node.to_json())).collect()
    }

    /// Ends reading: every field that nobody asked for is unknown.
    pub(super) fn finish(self) {
        for (key, _) in self.entries.iter().filter(|(key, _)| !self.asked.contains(&key.name.as_str())) {
            let path = self.path_of(&key.name);
            let help = did_you_mean(&key.name, self.asked.iter().copied());
            self.diagnostics.add(Code::UnknownField, &path, key.at, format!("unknown field `{}`", key.name), help);
        }
    }
}
