//! Reading a mapping field by field, with a finding for everything that is not as it should be. What was not asked
//! for in the end is an unknown field.

use super::node::{Key, Node, NodeKind};
use crate::diagnostic::{Code, Diagnostics, Position, did_you_mean, listed, nearest};
use crate::duration;
use crate::text::shorten;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;
use std::time::Duration;

/// A mapping being read. A field that is given and is not what it was asked for as leaves a finding, and counts as absent.
#[derive(Debug)]
pub struct Fields<'n, 'd> {
    entries: &'n [(Key, Node)],
    /// Where the mapping is, like `steps[0].retry`; empty at the root.
    pub path: String,
    /// Where it stands in the document.
    pub at: Position,
    asked: Vec<&'static str>,
    /// Where findings go.
    pub diagnostics: &'d mut Diagnostics,
}

impl<'n, 'd> Fields<'n, 'd> {
    /// Starts reading; `None`, with a finding, when the node is no mapping.
    pub fn open(node: &'n Node, path: &str, what: &str, diagnostics: &'d mut Diagnostics) -> Option<Self> {
        match &node.kind {
            NodeKind::Map(entries) => {
                Some(Self { entries, path: path.to_owned(), at: node.at, asked: Vec::new(), diagnostics })
            }
            _ => {
                let message = format!("{what} must be a mapping, not {}", node.type_name());
                diagnostics.add(Code::WrongType, path, node.at, message, no_mapping(node));
                None
            }
        }
    }

    /// The path of a field.
    pub fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Adds a finding about a field.
    pub fn add(&mut self, code: Code, name: &str, at: Position, message: impl Into<String>, help: impl Into<String>) {
        let path = self.path_of(name);
        self.diagnostics.add(code, &path, at, message, help);
    }

    /// A field's value; null counts as absent.
    pub fn get(&mut self, name: &'static str) -> Option<&'n Node> {
        self.asked.push(name);
        let found = self.entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node);
        found.filter(|node| node.kind != NodeKind::Null)
    }

    /// Whether a field is given; it counts as asked for.
    pub fn has(&mut self, name: &'static str) -> bool {
        self.get(name).is_some()
    }

    /// Adds that a field is not what it must be.
    pub fn wrong(&mut self, name: &str, node: &Node, expected: &str, help: &str) {
        let message = format!("`{name}` must be {expected}, not {}", node.type_name());
        self.add(Code::WrongType, name, node.at, message, help);
    }

    /// Adds that a field is no text.
    pub fn no_text(&mut self, name: &str, node: &Node) {
        let help = match node.kind {
            NodeKind::Null => "write a text, leave the entry out, or write \"\" for an empty text",
            _ => "write one text; put it in quotes if it only looks like something else",
        };
        self.wrong(name, node, "text", help);
    }

    /// A text with its place; numbers and booleans count as the text they are written as.
    pub fn text_at(&mut self, name: &'static str) -> Option<(String, Position)> {
        let node = self.get(name)?;
        let text = node.scalar_text();
        if text.is_none() {
            self.no_text(name, node);
        }
        text.map(|text| (text, node.at))
    }

    /// A text; numbers and booleans count as the text they are written as.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        self.text_at(name).map(|(text, _)| text)
    }

    /// A text that must be there, with an example of one.
    pub fn required(&mut self, name: &'static str, what: &str, example: &str) -> Option<(String, Position)> {
        if !self.has(name) {
            let at = self.at;
            let help = format!("add it, as in `{name}: {example}`");
            self.add(Code::MissingField, name, at, format!("{what} needs `{name}`"), help);
        }
        self.text_at(name)
    }

    /// Whether a field is given that none of these is, but that is meant to be one.
    pub fn misspelt(&self, names: &[&str]) -> bool {
        let unknown = self.entries.iter().map(|(key, _)| key.name.as_str()).filter(|key| !self.asked.contains(key));
        unknown.into_iter().any(|key| {
            let known = self.asked.iter().copied().chain(names.iter().copied());
            nearest(key, known).is_some_and(|(_, meant)| names.contains(&meant))
        })
    }

    /// A boolean field.
    pub fn boolean(&mut self, name: &'static str) -> Option<bool> {
        let node = self.get(name)?;
        match node.kind {
            NodeKind::Bool(value) => Some(value),
            _ => {
                self.wrong(name, node, "true or false", "write one of the two words, without quotes");
                None
            }
        }
    }

    /// A field that can only be `true`; said or not.
    pub fn flag(&mut self, name: &'static str) -> bool {
        let Some(node) = self.get(name) else { return false };
        if node.kind != NodeKind::Bool(true) {
            self.wrong(name, node, "true, or left out", "write the word without quotes, or take the field out");
        }
        true
    }

    /// A whole number within a range.
    pub fn integer(&mut self, name: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
        let node = self.get(name)?;
        match node.kind {
            NodeKind::Integer(value) if range.contains(&value) => Some(value),
            NodeKind::Integer(value) => {
                let message = format!("`{name}` is {value}; it must be {} to {}", range.start(), range.end());
                let help = match value > *range.end() {
                    true => format!("write {} or less", range.end()),
                    false => format!("write {} or more", range.start()),
                };
                self.add(Code::OutOfRange, name, node.at, message, help);
                None
            }
            _ if let Some(written) = node.too_large() => {
                let (least, most) = (range.start(), range.end());
                let message = format!("`{name}` is {}; it must be {least} to {most}", shorten(written, 40));
                let negative = written.starts_with('-');
                let help = if negative { format!("write {least} or more") } else { format!("write {most} or less") };
                self.add(Code::OutOfRange, name, node.at, message, help);
                None
            }
            _ => {
                self.wrong(name, node, "a whole number", "write digits alone, without quotes, a unit or a template");
                None
            }
        }
    }

    /// A number.
    pub fn number(&mut self, name: &'static str) -> Option<f64> {
        let node = self.get(name)?;
        match node.kind {
            NodeKind::Integer(value) => Some(value as f64),
            NodeKind::Float(value) if value.is_finite() => Some(value),
            NodeKind::Float(_) => {
                let message = format!("`{name}` is too large: a number is at most about 1.8e308");
                self.add(Code::OutOfRange, name, node.at, message, "write a smaller one, or leave it out");
                None
            }
            _ => {
                self.wrong(name, node, "a number", "write digits alone, without quotes, a unit or a template");
                None
            }
        }
    }

    /// A duration.
    pub fn duration(&mut self, name: &'static str) -> Option<Duration> {
        let node = self.get(name)?;
        let found = duration_of(node);
        if found.is_none() {
            let help = "write seconds as a number, or like 500ms, 30s, 5m, 2h, 1d";
            self.add(Code::WrongType, name, node.at, format!("`{name}` is not a duration"), help);
        }
        found
    }

    /// One of several words.
    pub fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let (text, at) = self.text_at(name)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            let help = did_you_mean(&text, words.iter().map(|(word, _)| *word));
            let help = help.unwrap_or_else(|| format!("write one of these words, or leave `{name}` out"));
            self.add(Code::OutOfRange, name, at, format!("`{name}` is `{text}`; it must be one of {known}"), help);
        }
        found
    }

    /// A list; a single value counts as a list of one.
    pub fn list(&mut self, name: &'static str) -> Option<Vec<&'n Node>> {
        let node = self.get(name)?;
        Some(match &node.kind {
            NodeKind::List(items) => items.iter().collect(),
            _ => vec![node],
        })
    }

    /// A list of texts with their places.
    pub fn texts(&mut self, name: &'static str) -> Option<Vec<(String, Position)>> {
        let mut texts = Vec::new();
        for item in self.list(name)? {
            match item.scalar_text() {
                Some(text) => texts.push((text, item.at)),
                None => self.no_text(name, item),
            }
        }
        Some(texts)
    }

    /// The entries of a mapping.
    pub fn entries(&mut self, name: &'static str) -> &'n [(Key, Node)] {
        match self.get(name) {
            None => &[],
            Some(Node { kind: NodeKind::Map(entries), .. }) => entries,
            Some(node) => {
                self.wrong(name, node, "a mapping", no_mapping(node));
                &[]
            }
        }
    }

    /// A mapping of values.
    pub fn values(&mut self, name: &'static str) -> Map<String, Value> {
        self.entries(name).iter().map(|(key, node)| (key.name.clone(), node.to_json())).collect()
    }

    /// A mapping of values for what has types of its own: see [`Node::to_given`].
    pub fn given(&mut self, name: &'static str) -> Map<String, Value> {
        self.entries(name).iter().map(|(key, node)| (key.name.clone(), node.to_given())).collect()
    }

    /// Ends reading: every field that nobody asked for is unknown. A field that was missed is not missing where it is only
    /// misspelt.
    pub fn finish(self) {
        self.finish_with(|_| None);
    }

    /// Ends reading as [`Self::finish`] does. `meant` knows what to say of some names, whatever they are near to.
    pub fn finish_with(self, meant: impl Fn(&str) -> Option<&'static str>) {
        let mut asked = self.asked.clone();
        asked.sort_unstable();
        asked.dedup();
        let misses = self.diagnostics.says_missing(asked.iter().map(|name| self.path_of(name)));
        for (key, _) in self.entries.iter().filter(|(key, _)| asked.binary_search(&key.name.as_str()).is_err()) {
            let path = self.path_of(&key.name);
            if self.diagnostics.is_full(Code::UnknownField) && !misses {
                self.diagnostics.add(Code::UnknownField, &path, key.at, "", "");
                continue;
            }
            if let Some(help) = meant(&key.name) {
                self.diagnostics.add(Code::UnknownField, &path, key.at, format!("unknown field `{}`", key.name), help);
                continue;
            }
            let help = did_you_mean(&key.name, asked.iter().copied());
            let help =
                help.unwrap_or_else(|| format!("leave it out; known here are {}", listed(asked.iter().copied())));
            if misses && let Some((_, meant)) = nearest(&key.name, asked.iter().copied()) {
                let meant = self.path_of(meant);
                self.diagnostics.not_missing(&meant);
            }
            self.diagnostics.add(Code::UnknownField, &path, key.at, format!("unknown field `{}`", key.name), help);
        }
    }
}

/// What to write where a mapping must stand.
pub(crate) fn no_mapping(node: &Node) -> &'static str {
    match &node.kind {
        NodeKind::Text(text) if text.contains(':') => "write a blank behind the colon: `name: value`",
        NodeKind::List(_) => "write `name: value` on lines of their own, without `- ` before them",
        _ => "write `name: value` on lines of their own",
    }
}

/// A duration given as a number of seconds or as text.
fn duration_of(node: &Node) -> Option<Duration> {
    match &node.kind {
        NodeKind::Integer(seconds) => duration::from_seconds(*seconds as f64),
        NodeKind::Float(seconds) => duration::from_seconds(*seconds),
        NodeKind::Text(text) => duration::parse(text).ok(),
        _ => None,
    }
}
