//! Where in the document a part of a text stands: the way back from a value to the lines it was written in.
//!
//! A text is folded, unquoted and unescaped when it is read. White space is all that this adds or takes away, apart from
//! escapes: so both are walked side by side, from one character that is no white space to the next.

use crate::diagnostic::Position;
use std::collections::HashMap;

/// Finds places in one document. What was worked out for a text is kept for the next question about it.
#[derive(Debug)]
pub struct Places<'s> {
    lines: Vec<&'s str>,
    /// For each text, by where it starts: the places of its characters, by their byte offset.
    known: HashMap<Position, Vec<(usize, Position)>>,
}

impl<'s> Places<'s> {
    /// For the document with this text.
    pub fn of(document: &'s str) -> Self {
        Self { lines: document.split('\n').collect(), known: HashMap::new() }
    }

    /// Where the character at a byte offset of a text stands, the text being the value that starts at `at`; the next one
    /// that is no white space, where that is some. `at` itself where it cannot be told, as behind an alias.
    pub fn find(&mut self, at: Position, text: &str, offset: usize) -> Position {
        let Self { lines, known } = self;
        let places = known.entry(at).or_insert_with(|| walk(lines, at, text));
        let index = places.partition_point(|(known, _)| *known < offset);
        match (places.get(index), places.last()) {
            (Some((_, place)), _) => *place,
            (None, Some((last, place))) if text[*last..].trim_end().chars().count() <= 1 => {
                Position { column: place.column + 1, ..*place }
            }
            _ => at,
        }
    }
}

/// The places of a text's characters, as far as they are those of the document.
fn walk(lines: &[&str], at: Position, text: &str) -> Vec<(usize, Position)> {
    let mut written = Written::open(lines, at);
    let mut places = Vec::new();
    for (offset, c) in text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        match written.next_mark() {
            Some((found, place)) if found == c => places.push((offset, place)),
            _ => break,
        }
    }
    places
}

/// How a text is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// As it is: without quotes, or in the lines of a block.
    Plain,
    Single,
    Double,
}

/// The characters of a text as they stand in the document.
struct Written<'l, 's> {
    lines: &'l [&'s str],
    line: usize,
    rest: std::str::Chars<'s>,
    column: u32,
    style: Style,
}

impl<'l, 's> Written<'l, 's> {
    fn open(lines: &'l [&'s str], at: Position) -> Self {
        let line = (at.line as usize).saturating_sub(1);
        let mut rest = lines.get(line).copied().unwrap_or_default().chars();
        let before = at.column.saturating_sub(1);
        (0..before).for_each(|_| {
            let _ = rest.next();
        });
        let mut written = Self { lines, line, rest, column: at.column, style: Style::Plain };
        written.skip_anchor();
        match written.rest.clone().next() {
            Some('|' | '>') => written.next_line(),
            Some('\'') => written.quoted(Style::Single),
            Some('"') => written.quoted(Style::Double),
            _ => {}
        }
        written
    }

    fn skip_anchor(&mut self) {
        if self.rest.clone().next() != Some('&') {
            return;
        }
        while self.rest.clone().next().is_some_and(|c| !c.is_whitespace()) {
            self.take();
        }
        while self.rest.clone().next().is_some_and(char::is_whitespace) {
            self.take();
        }
    }

    fn quoted(&mut self, style: Style) {
        self.take();
        self.style = style;
    }

    fn next_line(&mut self) {
        self.line += 1;
        self.column = 1;
        self.rest = self.lines.get(self.line).copied().unwrap_or_default().chars();
    }

    /// The next character of this line.
    fn take(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        self.column = self.column.saturating_add(1);
        Some(c)
    }

    /// The next character that is no white space, as it is read, and its place.
    fn next_mark(&mut self) -> Option<(char, Position)> {
        loop {
            let place = Position { line: u32::try_from(self.line + 1).unwrap_or(u32::MAX), column: self.column };
            let Some(c) = self.take() else {
                if self.line + 1 >= self.lines.len() {
                    return None;
                }
                self.next_line();
                continue;
            };
            let c = match (self.style, c) {
                (Style::Single, '\'') => self.take().filter(|c| *c == '\'')?,
                (Style::Double, '"') => return None,
                (Style::Double, '\\') => match self.escaped() {
                    Some(c) => c,
                    None => continue,
                },
                _ => c,
            };
            if !c.is_whitespace() {
                return Some((c, place));
            }
        }
    }

    /// What stands for an escape (<https://yaml.org/spec/1.2.2/#57-escaped-characters>); `None` for the end of a line.
    fn escaped(&mut self) -> Option<char> {
        let digits = match self.take()? {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            '0' => return Some('\0'),
            'a' => return Some('\u{7}'),
            'b' => return Some('\u{8}'),
            'e' => return Some('\u{1b}'),
            // White space of all kinds.
            't' | '\t' | 'n' | 'v' | 'f' | 'r' | ' ' | 'N' | '_' | 'L' | 'P' | '\r' => return Some(' '),
            c => return Some(c),
        };
        let code: String = (0..digits).filter_map(|_| self.take()).collect();
        u32::from_str_radix(&code, 16).ok().and_then(char::from_u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::yaml::{Node, NodeKind, read};

    /// Where each `@` of the document's text `a` is found to be, and where it is.
    fn marks(document: &str) -> [Vec<(u32, u32)>; 2] {
        let mut diagnostics = Diagnostics::default();
        let root = read(document, &mut diagnostics).unwrap();
        let Some(Node { kind: NodeKind::Text(text), at, .. }) = root.get("a") else { panic!("{root:?}") };
        let mut places = Places::of(document);
        let found = text.match_indices('@').map(|(offset, _)| places.find(*at, text, offset));
        let found = found.map(|place| (place.line, place.column)).collect();
        let lines = document.split('\n').enumerate();
        let real = lines.flat_map(|(line, text)| {
            let marks = text.chars().enumerate().filter(|(_, c)| *c == '@');
            marks.map(move |(column, _)| (line as u32 + 1, column as u32 + 1))
        });
        [found, real.collect()]
    }

    #[test]
    fn every_way_to_write_a_text_leads_back_to_its_lines() {
        let documents = [
            "a: x@ y@",
            "b: 1\na: x@\n   y @z\n\n   @\n",
            "a: |\n  x@\n\n    ü @\n  @\nb: 1\n",
            "a: |2-  # why\n    @\n  x @",
            "a: >\n  x @ y\n  z @\n\n   @ more\n  @\n",
            "a: >+\r\n  x @\r\n  @\r\n",
            "a: 'it''s @ and ''@'''",
            "a: 'x\n  @\n\n  ''@'",
            r#"a: "x\t@ \" \x41@ \\@ \/ \u00fc@""#,
            "a: \"x @ \\\n  y @\n\n  \\n@\"",
            "{\"b\": 1, \"a\": \"ü \\\"@\\\" \\u00fc @\"}",
            "a: &x |\n  y\n  @\n",
            "a: &x y @",
        ];
        for document in documents {
            let [found, real] = marks(document);
            assert!(!real.is_empty());
            assert_eq!(found, real, "{document}");
        }
    }

    #[test]
    fn what_cannot_be_found_is_where_the_value_starts() {
        let document = "b: &x |\n  one @\na: *x\nc: 0x10\n";
        let at = Position { line: 3, column: 4 };
        assert_eq!(marks(document)[0], [(3, 4)]);
        let mut places = Places::of(document);
        assert_eq!(places.find(at, "one @\n", 4), at);
        let number = Position { line: 4, column: 4 };
        assert_eq!(places.find(number, "16", 1), number);
        // Behind the end.
        assert_eq!(places.find(Position { line: 1, column: 7 }, "one @\n", 6), Position { line: 2, column: 8 });
        let nowhere = Position { line: 99, column: 99 };
        assert_eq!(places.find(nowhere, "x", 0), nowhere);
    }
}
