//! Reads a document into [`Node`]s within a budget: size, depth, and how far aliases may expand. Duplicate keys and
//! tags are refused. Memory stays within a small multiple of the document's size whatever the document says.

use super::node::{Key, Node, NodeKind};
use super::slips;
use crate::diagnostic::{Code, Diagnostics, Position};
use saphyr_parser::{Event, Marker, Parser, ScalarStyle};
use std::collections::{HashMap, HashSet};

/// Largest document, in bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// Deepest nesting.
pub const MAX_DEPTH: usize = 64;
/// How many values aliases may add, in all.
pub const MAX_ALIAS_NODES: usize = 10_000;
/// How many bytes of text aliases may add, in all: four times the largest document.
const MAX_ALIAS_BYTES: usize = 4 * MAX_BYTES;

/// Reads one document. `None` when it cannot be read at all; findings are added to `diagnostics` either way.
pub fn read(source: &str, diagnostics: &mut Diagnostics) -> Option<Node> {
    let start = Position { line: 1, column: 1 };
    if source.len() > MAX_BYTES {
        let message = format!("the document has {} bytes; at most {MAX_BYTES} are read", source.len());
        diagnostics.add(Code::TooLarge, "", start, message, "split it into several workflows");
        return None;
    }
    let mut reader = Reader::new(source, diagnostics);
    for event in Parser::new_from_str(source) {
        match event {
            Ok((event, span)) => {
                if !reader.event(event, position(span.start), span.start.index()) {
                    return None;
                }
            }
            Err(error) => {
                let at = position(*error.marker());
                // The library's own limit lies beyond ours, but it reads ahead.
                if error.info().contains("recursion limit") {
                    reader.too_deep(at);
                    return None;
                }
                // What stands behind a template without quotes is a part of the same mistake.
                if reader.bare_template.is_none_or(|template| at.line > template.line + 1) {
                    let help = slips::help(&reader.lines, at);
                    reader.diagnostics.add(Code::Syntax, "", at, format!("not YAML: {}", error.info()), help);
                }
                return None;
            }
        }
    }
    let (root, bare_template) = (reader.root.take(), reader.bare_template);
    if root.as_ref().is_some_and(|root| Some(root.at) == bare_template) {
        return None;
    }
    if root.is_none() {
        diagnostics.add(Code::MissingField, "", start, "the document is empty", "a workflow needs `steps`");
    }
    root
}

fn position(mark: Marker) -> Position {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Position { line: number(mark.line()), column: number(mark.col()).saturating_add(1) }
}

/// A collection under construction.
enum Open {
    List { items: Vec<Node>, at: Position, anchor: usize },
    Map(OpenMap),
}

#[derive(Default)]
struct OpenMap {
    entries: Vec<(Key, Node)>,
    seen: HashSet<String>,
    key: Option<OpenKey>,
    at: Position,
    /// Where it starts, in characters of the document.
    start: usize,
    anchor: usize,
    /// It is a template that lacks its quotes: `{{ x }}` is a mapping whose key is a mapping.
    is_template: bool,
}

enum OpenKey {
    Read(Key),
    /// No text, which is a finding by itself.
    Unreadable,
}

struct Reader<'d> {
    source: &'d str,
    lines: Vec<&'d str>,
    /// The characters of the document, once any of them is asked for by its number.
    chars: Vec<char>,
    diagnostics: &'d mut Diagnostics,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    alias_nodes: usize,
    alias_bytes: usize,
    documents: usize,
    root: Option<Node>,
    /// Where the last template without quotes stood.
    bare_template: Option<Position>,
}

impl<'d> Reader<'d> {
    fn new(source: &'d str, diagnostics: &'d mut Diagnostics) -> Self {
        Self {
            source,
            lines: source.lines().collect(),
            chars: Vec::new(),
            diagnostics,
            open: Vec::new(),
            anchors: HashMap::new(),
            alias_nodes: 0,
            alias_bytes: 0,
            documents: 0,
            root: None,
            bare_template: None,
        }
    }

    /// Takes one event in, which starts at the document's character `start`. False when reading cannot go on.
    fn event(&mut self, event: Event<'_>, at: Position, start: usize) -> bool {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => true,
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    self.refuse(Code::Syntax, at, "more than one document in the text", "one document per file");
                }
                self.documents == 1
            }
            Event::Scalar(text, style, anchor, tag) => {
                if let Some(tag) = tag {
                    let help = slips::negation(&self.lines, at, &tag.handle, &tag.suffix, &text);
                    let help = help.unwrap_or_else(|| "leave the tag out".to_owned());
                    self.refuse(Code::TagNotAllowed, at, "YAML tags are not allowed", &help);
                }
                let node = match style {
                    ScalarStyle::Plain => Node::scalar(plain(&text), at, &text),
                    _ => Node::new(NodeKind::Text(text.into_owned()), at),
                };
                self.value(node, anchor);
                true
            }
            Event::Alias(anchor) => self.alias(anchor, at),
            Event::SequenceStart(anchor, tag) => {
                self.begin(Open::List { items: Vec::new(), at, anchor }, tag.is_some(), at)
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(Open::Map(OpenMap { at, start, anchor, ..OpenMap::default() }), tag.is_some(), at)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                match self.open.pop() {
                    Some(Open::List { items, at, anchor }) => self.value(Node::new(NodeKind::List(items), at), anchor),
                    Some(Open::Map(OpenMap { is_template: true, at, start, anchor, .. })) => {
                        let text = self.bare_template(at, start);
                        self.value(Node::new(NodeKind::Text(text), at), anchor);
                    }
                    Some(Open::Map(OpenMap { mut entries, at, anchor, .. })) => {
                        self.merge(&mut entries);
                        self.value(Node::new(NodeKind::Map(entries), at), anchor);
                    }
                    None => {}
                }
                true
            }
        }
    }

    fn begin(&mut self, open: Open, tagged: bool, at: Position) -> bool {
        if tagged {
            self.refuse(Code::TagNotAllowed, at, "YAML tags are not allowed", "leave the tag out");
        }
        if self.open.len() >= MAX_DEPTH {
            self.too_deep(at);
            return false;
        }
        self.open.push(open);
        true
    }

    fn alias(&mut self, anchor: usize, at: Position) -> bool {
        let Some(node) = self.anchors.get(&anchor) else {
            self.refuse(Code::Syntax, at, "an alias stands inside what it names", "write the value out");
            return false;
        };
        let (nodes, bytes) = size(node);
        self.alias_nodes = self.alias_nodes.saturating_add(nodes);
        self.alias_bytes = self.alias_bytes.saturating_add(bytes);
        if self.alias_nodes > MAX_ALIAS_NODES || self.alias_bytes > MAX_ALIAS_BYTES {
            let message = format!("aliases expand to more than {MAX_ALIAS_NODES} values");
            self.refuse(Code::TooLarge, at, &message, "use fewer aliases");
            return false;
        }
        let node = Node { at, ..node.clone() };
        self.value(node, 0);
        true
    }

    /// Puts a finished value where it belongs: as a key, a value, an item, or the root.
    fn value(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map(map)) => match map.key.take() {
                None => {
                    let at = node.at;
                    let name = node.scalar_text().or_else(|| (node.kind == NodeKind::Null).then(|| "null".into()));
                    map.is_template |= matches!(node.kind, NodeKind::Map(_))
                        && at == Position { column: map.at.column.saturating_add(1), ..map.at };
                    if name.is_none() && !map.is_template {
                        let message = "a key must be text, not a list or mapping";
                        self.diagnostics.add(Code::Syntax, "", at, message, "write a name before the colon");
                    }
                    map.key = Some(name.map_or(OpenKey::Unreadable, |name| OpenKey::Read(Key { name, at })));
                }
                Some(OpenKey::Read(key)) if !map.seen.insert(key.name.clone()) => {
                    let message = format!("the key `{}` stands twice in this mapping", key.name);
                    self.diagnostics.add(Code::DuplicateKey, &key.name, key.at, message, "keep one of them");
                }
                Some(OpenKey::Read(key)) => map.entries.push((key, node)),
                Some(OpenKey::Unreadable) => {}
            },
        }
    }

    /// Adds a finding for a template that lacks its quotes, and gives its text.
    fn bare_template(&mut self, at: Position, start: usize) -> String {
        if self.chars.is_empty() {
            self.chars = self.source.chars().collect();
        }
        self.bare_template = Some(at);
        let text = slips::template(&self.chars[start.min(self.chars.len())..]);
        let message = "this is a YAML mapping and no template, because it has no quotes";
        self.diagnostics.add(Code::Syntax, "", at, message, slips::template_help(&self.lines, at, &text));
        text
    }

    /// Adds a finding for a merge key. What it would merge is taken in all the same, so that nothing of it is missed besides.
    fn merge(&mut self, entries: &mut Vec<(Key, Node)>) {
        let Some(index) = entries.iter().position(|(key, _)| key.name == "<<") else { return };
        let (key, merged) = entries.remove(index);
        let help = "write the fields out, or have `defaults` say what is the same for all";
        let message = "merge keys (`<<`) are not in the language";
        self.diagnostics.add(Code::UnknownField, &key.name, key.at, message, help);
        let maps = match merged.kind {
            NodeKind::List(items) => items,
            _ => vec![merged],
        };
        let mut known: HashSet<String> = entries.iter().map(|(key, _)| key.name.clone()).collect();
        for map in maps {
            if let NodeKind::Map(more) = map.kind {
                entries.extend(more.into_iter().filter(|(key, _)| known.insert(key.name.clone())));
            }
        }
    }

    fn too_deep(&mut self, at: Position) {
        let message = format!("the document is nested deeper than {MAX_DEPTH} levels");
        self.refuse(Code::TooLarge, at, &message, "close brackets, or flatten it");
    }

    fn refuse(&mut self, code: Code, at: Position, message: &str, help: &str) {
        self.diagnostics.add(code, "", at, message, help);
    }
}

/// How many values a node holds, itself included, and how many bytes of text.
fn size(node: &Node) -> (usize, usize) {
    match &node.kind {
        NodeKind::Text(text) => (1, text.len()),
        NodeKind::List(items) => items.iter().map(size).fold((1, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
        NodeKind::Map(entries) => entries
            .iter()
            .map(|(key, node)| (size(node), key.name.len()))
            .fold((1, 0), |sum, ((nodes, bytes), key)| (sum.0 + nodes, sum.1 + bytes + key)),
        _ => (1, 0),
    }
}

/// A plain scalar by the core schema of YAML 1.2 (<https://yaml.org/spec/1.2.2/#103-core-schema>).
fn plain(text: &str) -> NodeKind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return NodeKind::Null,
        "true" | "True" | "TRUE" => return NodeKind::Bool(true),
        "false" | "False" | "FALSE" => return NodeKind::Bool(false),
        _ => {}
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        if let Ok(number) = text.strip_prefix('+').unwrap_or(text).parse::<i64>() {
            return NodeKind::Integer(number);
        }
        let radix =
            |prefix, radix| text.strip_prefix(prefix).and_then(|digits| i64::from_str_radix(digits, radix).ok());
        if let Some(number) = radix("0x", 16).or_else(|| radix("0o", 8)) {
            return NodeKind::Integer(number);
        }
        let looks_like_float = unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
        if let (true, Ok(number)) = (looks_like_float, text.parse::<f64>()) {
            return NodeKind::Float(number);
        }
    }
    NodeKind::Text(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(source: &str) -> Vec<(String, u32)> {
        let mut diagnostics = Diagnostics::default();
        read(source, &mut diagnostics);
        diagnostics.into_sorted().into_iter().map(|d| (d.code, d.line)).collect()
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        let mut diagnostics = Diagnostics::default();
        let node = read("[1, -2, 0x1f, 1.5, 1e3, yes, 'true', true, ~, 1.2.3, 10:30, \"\"]", &mut diagnostics).unwrap();
        assert_eq!(
            node.to_json(),
            serde_json::json!([1, -2, 31, 1.5, 1000.0, "yes", "true", true, null, "1.2.3", "10:30", ""])
        );
        assert!(!diagnostics.has_errors());
    }

    #[test]
    fn numbers_keep_how_they_are_written() {
        let read = |text| read(text, &mut Diagnostics::default()).unwrap();
        for (written, value) in [
            ("1.10", "1.1"),
            ("022", "22"),
            ("0x1f", "31"),
            ("1e3", "1000"),
            ("True", "true"),
            ("+5", "5"),
            ("007", "7"),
        ] {
            let node = read(written);
            assert_eq!(node.scalar_text().as_deref(), Some(written));
            assert_eq!(node.value_text().as_deref(), Some(value));
        }
        let large = "12345678901234567890";
        assert_eq!(read(large).scalar_text().as_deref(), Some(large));
        let node = read("{1.10: &v 2.50, a: *v}");
        assert_eq!(node.get("1.10").and_then(Node::scalar_text).as_deref(), Some("2.50"));
        assert_eq!(node.get("a").and_then(Node::scalar_text).as_deref(), Some("2.50"));
        let given: Vec<_> = ["1.10", "1.5", "5", "0x1f", "true"].map(read).iter().map(Node::to_given).collect();
        assert_eq!(serde_json::Value::from(given), serde_json::json!(["1.10", 1.5, 5, 31, true]));
    }

    #[test]
    fn hostile_documents_are_refused() {
        let bomb = (1..9).fold("a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, i| {
            text + &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{}", i - 1); 9].join(","))
        });
        assert_eq!(codes(&bomb)[0].0, "E002");
        let long = format!("a: &a \"{}\"\nb: [{}]", "x".repeat(100_000), vec!["*a"; 2_000].join(","));
        assert_eq!(codes(&long)[0].0, "E002");
        for deep in ["[".repeat(100_000), format!("{}{}", "[".repeat(300), "]".repeat(300)), "{a: ".repeat(300)] {
            assert_eq!(codes(&deep), [("E002".into(), 1)]);
        }
        let lines: String = (0..200).map(|level| format!("{}- a:\n", "  ".repeat(level))).collect();
        assert_eq!(codes(&lines)[0].0, "E002");
        assert_eq!(codes(&"x".repeat(MAX_BYTES + 1))[0].0, "E002");
        assert_eq!(codes("a:\n  k: 1\n  k: 2\n"), [("E003".into(), 3)]);
        assert_eq!(codes("a: !x 1\n"), [("E004".into(), 1)]);
        assert_eq!(codes("a: 1\n---\nb: 2\n")[0], ("E001".into(), 2));
        assert_eq!(codes("a: [1\nb: 2"), [("E001".into(), 2)]);
        assert_eq!(codes("a: &x {b: *x}")[0].0, "E001");
        assert_eq!(codes(""), [("E006".into(), 1)]);
    }
}
