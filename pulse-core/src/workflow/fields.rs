//! What only workflows have in their fields: texts that will be compiled, and fields of several names.

use super::model::{Concerning, Source};
use crate::diagnostic::Code;
use crate::yaml::{Fields, Node, NodeKind, no_mapping};
use indexmap::IndexMap;
use std::time::Duration;

impl<'n> Fields<'n, '_> {
    /// A field under any of several names; naming it twice is a finding.
    pub(super) fn get_any(&mut self, names: &[&'static str]) -> Option<(&'static str, &'n Node)> {
        let found: Vec<_> = names.iter().filter_map(|name| self.get(name).map(|node| (*name, node))).collect();
        if let [(first, _), (second, node), ..] = found[..] {
            let message = format!("`{second}` and `{first}` mean the same");
            self.add(Code::Conflict, second, node.at, message, "keep one of them");
        }
        found.into_iter().next()
    }

    /// Where a field's value stands; where the mapping does when it is not given.
    pub(super) fn place(&mut self, name: &'static str) -> Concerning {
        let at = self.get(name).map_or(self.at, |node| node.at);
        (self.path_of(name), at)
    }

    /// A text field that will be compiled.
    pub(super) fn source(&mut self, name: &'static str) -> Option<Source> {
        let (text, at) = self.text_at(name)?;
        Some(Source { text, path: self.path_of(name), at })
    }

    /// An expression. A number or boolean is its value, however it is written.
    pub(super) fn expression(&mut self, name: &'static str) -> Option<Source> {
        let value = self.get(name).and_then(Node::value_text);
        self.source(name).map(|source| Source { text: value.unwrap_or_default(), ..source })
    }

    /// A required text field that will be compiled.
    pub(super) fn required_source(&mut self, name: &'static str, what: &str, example: &str) -> Option<Source> {
        let (text, at) = self.required(name, what, example)?;
        Some(Source { text, path: self.path_of(name), at })
    }

    /// A duration within a range.
    pub(super) fn duration_within(&mut self, name: &'static str, least: Duration, most: Duration) -> Option<Duration> {
        let at = self.get(name)?.at;
        let value = self.duration(name)?;
        if (least..=most).contains(&value) {
            return Some(value);
        }
        let too_long = value > most;
        let (least, most) = (crate::duration::display(least), crate::duration::display(most));
        let help = if too_long { format!("write {most} or less") } else { format!("write {least} or more") };
        self.add(Code::OutOfRange, name, at, format!("`{name}` must be {least} to {most}"), help);
        None
    }

    /// A list of texts that will be compiled.
    pub(super) fn sources(&mut self, name: &'static str) -> Option<Vec<Source>> {
        let items = self.list(name)?;
        let path = self.path_of(name);
        let mut sources = Vec::new();
        for (index, item) in items.into_iter().enumerate() {
            match item.scalar_text() {
                Some(text) => sources.push(Source { text, path: format!("{path}[{index}]"), at: item.at }),
                None => self.no_text(name, item),
            }
        }
        Some(sources)
    }

    /// Targets: texts that will be compiled, at least one.
    pub(super) fn targets(&mut self) -> Option<Vec<Source>> {
        let targets = self.sources("targets")?;
        if let Some(node) = self.get("targets").filter(|node| node.kind == NodeKind::List(Vec::new())) {
            let help = "leave it out for all workers, or write `all`, `any`, a name, or labels";
            self.add(Code::BadTarget, "targets", node.at, "an empty list of targets means nobody", help);
        }
        Some(targets)
    }

    /// A list of texts.
    pub(super) fn plain_texts(&mut self, name: &'static str) -> Option<Vec<String>> {
        Some(self.texts(name)?.into_iter().map(|(text, _)| text).collect())
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
                    self.add(Code::OutOfRange, name, item.at, message, "write them as in [0, 3], without quotes");
                }
            }
        }
        Some(numbers)
    }

    /// A mapping of texts that will be compiled.
    pub(super) fn source_map(&mut self, name: &'static str) -> Option<IndexMap<String, Source>> {
        self.map_of(name, Node::scalar_text)
    }

    /// A mapping of expressions.
    pub(super) fn expression_map(&mut self, name: &'static str) -> Option<IndexMap<String, Source>> {
        self.map_of(name, Node::value_text)
    }

    fn map_of(
        &mut self,
        name: &'static str,
        text_of: impl Fn(&Node) -> Option<String>,
    ) -> Option<IndexMap<String, Source>> {
        let node = self.get(name)?;
        let NodeKind::Map(entries) = &node.kind else {
            self.wrong(name, node, "a mapping", no_mapping(node));
            return None;
        };
        let path = self.path_of(name);
        let mut map = IndexMap::new();
        for (key, value) in entries {
            let text = if value.kind == NodeKind::Null { Some(String::new()) } else { text_of(value) };
            match text {
                Some(text) => {
                    let source = Source { text, path: format!("{path}.{}", key.name), at: value.at };
                    map.insert(key.name.clone(), source);
                }
                None => self.no_text(&format!("{name}.{}", key.name), value),
            }
        }
        Some(map)
    }
}
