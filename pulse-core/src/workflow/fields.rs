//! Reading a mapping field by field, with a finding for everything that is not as it should be. What was not asked
//! for in the end is an unknown field.

use super::model::Source;
use super::params::duration_of;
use crate::diagnostic::{Code, Diagnostics, Position, did_you_mean};
use crate::yaml::{Node, NodeKind};
use indexmap::IndexMap;
use std::time::Duration;

/// A mapping being read.
pub(super) struct Fields<'n, 'd> {
    entries: &'n [(crate::yaml::Key, Node)],
    pub(super) path: String,
    pub(super) at: Position,
    asked: Vec<&'static str>,
    pub(super) diagnostics: &'d mut Diagnostics,
}

impl<'n, 'd> Fields<'n, 'd> {
    /// Starts reading; `None`, with a finding, when the node is no mapping.
    pub(super) fn open(node: &'n Node, path: &str, what: &str, diagnostics: &'d mut Diagnostics) -> Option<Self> {
        match &node.kind {
            NodeKind::Map(entries) => {
                Some(Self { entries, path: path.to_owned(), at: node.at, asked: Vec::new(), diagnostics })
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
    pub(super) fn add(
        &mut self,
        code: Code,
        name: &str,
        at: Position,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        let path = self.path_of(name);
        self.diagnostics.add(code, &path, at, message, help);
    }

    /// A field's value; null counts as absent.
    pub(super) fn get(&mut self, name: &'static str) -> Option<&'n Node> {
        self.asked.push(name);
        let found = self.entries.iter().find(|(key, _)| key.name == name).map(|(_, node)| node);
        found.filter(|node| node.kind != NodeKind::Null)
    }

    /// A field under any of several names; naming it twice is a finding.
    pub(super) fn get_any(&mut self, names: &[&'static str]) -> Option<(&'static str, &'n Node)> {
        let found: Vec<_> = names.iter().filter_map(|name| self.get(name).map(|node| (*name, node))).collect();
        if let [(first, _), (second, node), ..] = found[..] {
            self.add(
                Code::Conflict,
                second,
                node.at,
                format!("`{second}` and `{first}` mean the same: keep one"),
                None,
            );
        }
        found.into_iter().next()
    }

    fn wrong(&mut self, name: &str, node: &Node, expected: &str) {
        let message = format!("`{name}` must be {expected}, not {}", node.type_name());
        self.add(Code::WrongType, name, node.at, message, None);
    }

    /// A text field; numbers and booleans count as the text they are written as.
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        let node = self.get(name)?;
        let text = node.scalar_text();
        if text.is_none() {
            self.wrong(name, node, "text");
        }
        text
    }

    /// A text field that will be compiled.
    pub(super) fn source(&mut self, name: &'static str) -> Option<Source> {
        let at = self.get(name)?.at;
        let text = self.text(name)?;
        Some(Source { text, path: self.path_of(name), at })
    }

    /// A required text field that will be compiled.
    pub(super) fn required_source(&mut self, name: &'static str, what: &str) -> Option<Source> {
        if self.get(name).is_none() {
            let at = self.at;
            self.add(Code::MissingField, name, at, format!("{what} needs `{name}`"), None);
        }
        self.source(name)
    }

    /// A boolean field.
    pub(super) fn boolean(&mut self, name: &'static str) -> Option<bool> {
        let node = self.get(name)?;
        match node.kind {
            NodeKind::Bool(value) => Some(value),
            _ => {
                self.wrong(name, node, "true or false");
                None
            }
        }
    }

    /// A whole number within a range.
    pub(super) fn integer(&mut self, name: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<i64> {
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

    /// A number.
    pub(super) fn number(&mut self, name: &'static str) -> Option<f64> {
        let node = self.get(name)?;
        match node.kind {
            NodeKind::Integer(value) => Some(value as f64),
            NodeKind::Float(value) => Some(value),
            _ => {
                self.wrong(name, node, "a number");
                None
            }
        }
    }

    /// A duration within a range.
    pub(super) fn duration(&mut self, name: &'static str, least: Duration, most: Duration) -> Option<Duration> {
        let node = self.get(name)?;
        match duration_of(node) {
            Some(value) if (least..=most).contains(&value) => Some(value),
            Some(_) => {
                let (least, most) = (crate::duration::display(least), crate::duration::display(most));
                self.add(Code::OutOfRange, name, node.at, format!("`{name}` must be {least} to {most}"), None);
                None
            }
            None => {
                let help = Some("write seconds as a number, or like 500ms, 30s, 5m, 2h, 1d".into());
                self.add(Code::WrongType, name, node.at, format!("`{name}` is not a duration"), help);
                None
            }
        }
    }

    /// One of several words.
    pub(super) fn word<T: Copy>(&mut self, name: &'static str, words: &[(&str, T)]) -> Option<T> {
        let node = self.get(name)?;
        let text = self.text(name)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
            self.add(Code::OutOfRange, name, node.at, format!("`{name}` is `{text}`; it must be one of {known}"), None);
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

    /// A list of texts that will be compiled.
    pub(super) fn sources(&mut self, name: &'static str) -> Option<Vec<Source>> {
        let items = self.list(name)?;
        let path = self.path_of(name);
        let mut sources = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match item.scalar_text() {
                Some(text) => sources.push(Source { text, path: format!("{path}[{index}]"), at: item.at }),
                None => self.wrong(name, item, "text"),
            }
        }
        Some(sources)
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        Some(self.sources(name)?.into_iter().map(|source| source.text).collect())
    }

    /// A list of whole numbers.
    pub(super) fn integers(&mut self, name: &'static str, range: std::ops::RangeInclusive<i64>) -> Option<Vec<i32>> {
        let items = self.list(name)?;
        let mut numbers = Vec::new();
        for item in items {
            match item.kind {
                NodeKind::Integer(value) if range.contains(&value) => numbers.extend(i32::try_from(value)),
                _ => {
                    let message = format!("`{name}` must hold whole numbers of {} to {}", range.start(), range.end());
                    self.add(Code::OutOfRange, name, item.at, message, None);
                }
            }
        }
        Some(numbers)
    }

    /// A mapping of texts that will be compiled.
    pub(super) fn source_map(&mut self, name: &'static str) -> Option<IndexMap<String, Source>> {
        let node = self.get(name)?;
        let NodeKind::Map(entries) = &node.kind else {
            self.wrong(name, node, "a mapping");
            return None;
        };
        let path = self.path_of(name);
        let mut map = IndexMap::new();
        for (key, value) in entries {
            let text = if value.kind == NodeKind::Null { Some(String::new()) } else { value.scalar_text() };
            match text {
                Some(text) => {
                    let source = Source { text, path: format!("{path}.{}", key.name), at: value.at };
                    map.insert(key.name.clone(), source);
                }
                None => self.wrong(&format!("{name}.{}", key.name), value, "text"),
            }
        }
        Some(map)
    }

    /// Ends reading: every field that nobody asked for is unknown.
    pub(super) fn finish(self) {
        for (key, _) in self.entries.iter().filter(|(key, _)| !self.asked.contains(&key.name.as_str())) {
            let path = if self.path.is_empty() { key.name.clone() } else { format!("{}.{}", self.path, key.name) };
            let help = did_you_mean(&key.name, self.asked.iter().copied());
            self.diagnostics.add(Code::UnknownField, &path, key.at, format!("unknown field `{}`", key.name), help);
        }
    }
}
