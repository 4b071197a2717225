//! Command output for a terminal: chunks become lines, each made harmless on its own, so that an escape sequence which
//! one line leaves open cannot swallow the next.

use pulse_core::api::OutputChunk;
use pulse_core::command::Stream;
use pulse_core::ids::CommandId;
use pulse_core::text::terminal_safe;
use std::collections::BTreeMap;

/// A line longer than this is shown in parts: nobody waits for the end of a 10 MiB line.
const LONG: usize = 64 * 1024;
/// An escape sequence that has not ended after so many bytes is taken for none.
const ESCAPE: usize = 64;

/// Whose output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Source {
    /// The command.
    pub command: CommandId,
    /// The stream.
    pub stream: Stream,
}

/// Harmless text of one line, or of a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Whose.
    pub source: Source,
    /// The text, without a line break.
    pub text: String,
    /// Whether the line ends with it.
    pub ends_line: bool,
}

/// Joins the chunks of each stream into lines.
#[derive(Debug, Default)]
pub struct Assembler {
    lines: BTreeMap<Source, Line>,
    colours: bool,
}

#[derive(Debug, Default)]
struct Line {
    rest: String,
    /// Whether a part of it has been given out already.
    open: bool,
}

impl Assembler {
    /// One that lets colours through, or not.
    pub fn new(colours: bool) -> Self {
        Self { lines: BTreeMap::new(), colours }
    }

    /// Takes a chunk and gives the lines that it ends.
    pub fn push(&mut self, chunk: &OutputChunk) -> Vec<Piece> {
        let source = Source { command: chunk.command_id, stream: chunk.stream };
        let colours = self.colours;
        if let Some(note) = chunk.gap_note() {
            // What was cut off ends here; the note is a line of its own.
            let mut pieces: Vec<Piece> = self.end_lines(|open| *open == source);
            pieces.push(Piece { source, text: note, ends_line: true });
            return pieces;
        }
        let line = self.lines.entry(source).or_default();
        line.rest.push_str(&chunk.data);
        let mut pieces = Vec::new();
        while let Some((end, next)) = line_break(&line.rest) {
            pieces.push(Piece { source, text: harmless(&line.rest[..end], colours), ends_line: true });
            line.rest.drain(..next);
            line.open = false;
        }
        if line.rest.len() > LONG {
            pieces.extend(line.part(source, colours));
        }
        if line.rest.is_empty() && !line.open {
            self.lines.remove(&source);
        }
        pieces
    }

    /// What is there of lines that have not ended, for somebody who waits and watches.
    pub fn partial(&mut self) -> Vec<Piece> {
        let colours = self.colours;
        self.lines.iter_mut().filter_map(|(source, line)| line.part(*source, colours)).collect()
    }

    /// The rest of what a command wrote, once it has ended.
    pub fn finish(&mut self, command: CommandId) -> Vec<Piece> {
        self.end_lines(|source| source.command == command)
    }

    /// The rest of everything.
    pub fn finish_all(&mut self) -> Vec<Piece> {
        self.end_lines(|_| true)
    }

    fn end_lines(&mut self, ended: impl Fn(&Source) -> bool) -> Vec<Piece> {
        let colours = self.colours;
        let sources: Vec<Source> = self.lines.keys().copied().filter(ended).collect();
        let end = |source: Source, line: Line| Piece { source, text: harmless(&line.rest, colours), ends_line: true };
        sources.into_iter().filter_map(|source| self.lines.remove(&source).map(|line| end(source, line))).collect()
    }
}

impl Line {
    /// Gives out what can be given out of an unfinished line.
    fn part(&mut self, source: Source, colours: bool) -> Option<Piece> {
        let end = showable(&self.rest);
        if end == 0 {
            return None;
        }
        let text = harmless(&self.rest[..end], colours);
        self.rest.drain(..end);
        self.open = true;
        Some(Piece { source, text, ends_line: false })
    }
}

/// Where the first line ends and the next begins. A lone carriage return ends a line too: what it would have
/// overwritten is shown.
fn line_break(text: &str) -> Option<(usize, usize)> {
    let end = text.find(['\n', '\r'])?;
    match &text.as_bytes()[end..] {
        [b'\r', b'\n', ..] => Some((end, end + 2)),
        // Whether a line feed follows is not known yet.
        [b'\r'] => None,
        _ => Some((end, end + 1)),
    }
}

/// How much of an unfinished line can be shown: not a carriage return at its end, nor an escape sequence that goes on.
fn showable(text: &str) -> usize {
    let text = text.strip_suffix('\r').unwrap_or(text);
    let Some(escape) = text.rfind('\x1b').filter(|at| text.len() - at <= ESCAPE) else { return text.len() };
    let sequence = &text.as_bytes()[escape + 1..];
    let complete = match sequence.split_first() {
        None => false,
        Some((b'[', rest)) => rest.iter().any(|byte| (0x40..=0x7e).contains(byte)),
        Some((b']' | b'P' | b'X' | b'^' | b'_', rest)) => rest.contains(&7),
        Some(_) => true,
    };
    if complete { text.len() } else { escape }
}

/// One line's text without anything but colours, and without those where there are to be none.
fn harmless(line: &str, colours: bool) -> String {
    let mut safe = terminal_safe(line);
    if !safe.contains('\x1b') {
        return safe;
    }
    if colours {
        safe.push_str("\x1b[0m");
        return safe;
    }
    plain(&safe)
}

/// Text that [`terminal_safe`] made, without its colours: what that leaves of escape sequences is ESC, `[`,
/// parameters, `m`.
pub fn plain(safe: &str) -> String {
    let mut parts = safe.split('\x1b');
    let mut text = parts.next().unwrap_or_default().to_owned();
    text.extend(parts.map(|part| part.split_once('m').map_or("", |(_, rest)| rest)));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_core::ids::{Attempt, StepId};

    #[test]
    fn a_gap_is_a_line_of_its_own() {
        let mut lines = Assembler::new(false);
        lines.push(&chunk(Stream::Stdout, "cut o"));
        let gap = OutputChunk { gap_bytes: Some(1_000), ..chunk(Stream::Stdout, "") };
        let texts: Vec<_> = lines.push(&gap).into_iter().map(|piece| (piece.text, piece.ends_line)).collect();
        let expected = ["cut o", "[PULSE: 1000 bytes of output are not kept here]"];
        assert_eq!(texts, expected.map(|text| (text.to_owned(), true)));
        assert_eq!(lines.push(&chunk(Stream::Stdout, "on\n"))[0].text, "on");
    }

    fn chunk(stream: Stream, data: &str) -> OutputChunk {
        OutputChunk {
            cursor: 1,
            command_id: CommandId(uuid::Uuid::nil()),
            step_id: StepId::from("a"),
            worker: "w".into(),
            attempt: Attempt::FIRST,
            stream,
            seq: 1,
            data: data.into(),
            gap_bytes: None,
        }
    }

    fn texts(pieces: &[Piece]) -> Vec<String> {
        pieces.iter().map(|p| format!("{}{}", p.text, if p.ends_line { "$" } else { "" })).collect()
    }

    #[test]
    fn lines_across_chunks_and_streams() {
        let mut assembler = Assembler::new(false);
        assert_eq!(texts(&assembler.push(&chunk(Stream::Stdout, "a\r\nb\rc"))), ["a$", "b$"]);
        assert_eq!(texts(&assembler.push(&chunk(Stream::Stderr, "oops\n"))), ["oops$"]);
        assert_eq!(texts(&assembler.push(&chunk(Stream::Stdout, "d\r"))), Vec::<String>::new());
        assert_eq!(texts(&assembler.push(&chunk(Stream::Stdout, "\ne"))), ["cd$"]);
        assert_eq!(texts(&assembler.partial()), ["e"]);
        assert_eq!(texts(&assembler.partial()), Vec::<String>::new());
        assert_eq!(texts(&assembler.finish(CommandId(uuid::Uuid::nil()))), ["$"]);
        assert_eq!(texts(&assembler.finish_all()), Vec::<String>::new());
    }

    #[test]
    fn an_open_escape_stays_in_its_line() {
        let mut assembler = Assembler::new(true);
        let hostile = "\x1b]0;title\nnext \x1b[31mred\n\x1b[2Jx\n";
        assert_eq!(texts(&assembler.push(&chunk(Stream::Stdout, hostile))), ["$", "next \x1b[31mred\x1b[0m$", "x$"]);
        assert_eq!(texts(&assembler.push(&chunk(Stream::Stdout, "go \x1b[3"))), Vec::<String>::new());
        assert_eq!(texts(&assembler.partial()), ["go "]);
        assert_eq!(texts(&assembler.push(&chunk(Stream::Stdout, "1mred\n"))), ["\x1b[31mred\x1b[0m$"]);
        let mut plain = Assembler::new(false);
        assert_eq!(texts(&plain.push(&chunk(Stream::Stdout, "a\x1b[1;31mm\x1b[0m!\n"))), ["am!$"]);
    }

    #[test]
    fn a_very_long_line_comes_in_parts() {
        let mut assembler = Assembler::new(false);
        let mut shown = 0;
        for _ in 0..20 {
            let pieces = assembler.push(&chunk(Stream::Stdout, &"x".repeat(10_000)));
            shown += pieces.iter().map(|p| p.text.len()).sum::<usize>();
        }
        assert!(shown > 100_000);
        assert!(assembler.finish_all()[0].text.len() <= LONG);
    }
}
