//! Heredocs: finding their delimiters and bodies.
//!
//! In a heredoc with a quoted delimiter nothing is expanded, so it can hold no reference. If a placeholder stands in one, it is
//! rewritten: the delimiter loses its quotes, and everything in the body that is special without them gets a backslash.

use super::frames::Frame;
use super::place::{Place, Style};
use super::tracker::Tracker;
use super::units::Unit;
use crate::template::{TemplateWarning, TemplateWarningKind};
use std::ops::Range;

/// Bodies inside of bodies.
const MAX_BODIES: usize = 8;

/// A heredoc whose body has not begun.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    /// `<<-`: tabs at the start of lines do not count.
    strip_tabs: bool,
    delimiter: String,
    quoted: bool,
    /// The delimiter as it is written.
    pub word: Range<usize>,
    /// A shell reads it as a script.
    pub script: bool,
}

/// A heredoc that has to be rewritten.
#[derive(Debug)]
pub(super) struct Rewrite {
    /// The delimiter behind `<<`.
    pub word: Range<usize>,
    pub body: Range<usize>,
    /// The delimiter at the end; empty when there is none.
    pub terminator: Range<usize>,
    /// The delimiter to write in both places.
    pub delimiter: String,
}

impl Tracker<'_> {
    /// Reads `<<` or `<<-` with its delimiter.
    pub fn heredoc_start(&mut self) {
        self.at += 2;
        let strip_tabs = self.char(self.at) == Some('-');
        self.at += usize::from(strip_tabs);
        while matches!(self.char(self.at), Some(' ' | '\t')) {
            self.at += 1;
        }
        let start = self.at;
        let mut delimiter = String::new();
        let mut quoted = false;
        while self.at < self.end {
            match self.units.units[self.at] {
                Unit::Hole(_) => {
                    self.error(self.at, "a placeholder cannot be the delimiter of a heredoc");
                    self.at += 1;
                }
                Unit::Char(c @ ('\'' | '"')) => {
                    quoted = true;
                    self.at += 1;
                    while let Some(inside) = self.char(self.at) {
                        self.at += 1;
                        if inside == c {
                            break;
                        }
                        delimiter.push(inside);
                    }
                }
                Unit::Char('\\') => {
                    quoted = true;
                    delimiter.extend(self.char(self.at + 1));
                    self.at += 2;
                }
                // A carriage return, say, is part of the delimiter: only blanks end a word.
                Unit::Char(c) if " \t\n;&|<>()`".contains(c) => break,
                Unit::Char(c) => {
                    delimiter.push(c);
                    self.at += 1;
                }
            }
        }
        if self.at > start {
            let word = start..self.at.min(self.end);
            self.pending.push(Pending { strip_tabs, delimiter, quoted, word, script: false });
        }
    }

    /// Reads the bodies of all heredocs of the line that has just ended.
    pub fn heredoc_bodies(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let start = self.at;
            let (body_end, next) = self.find_end(&pending, start).unwrap_or_else(|| {
                self.unclosed(pending.word.start, "heredoc");
                (self.end, self.end)
            });
            let (script, quoted) = (pending.script, pending.quoted);
            let shared = self.found.shared.contains(&pending.word.start);
            if pending.quoted {
                self.quoted_body(pending, start..body_end, body_end..next);
            } else {
                self.body(start..body_end);
            }
            if script {
                self.script_body(start..body_end);
                let names = if quoted { Vec::new() } else { self.expanded_in(start..body_end) };
                self.found.variables.run.extend(names);
            }
            if shared {
                self.shared_body(start..body_end, quoted);
            }
            self.at = next;
        }
    }

    /// A body that a shell reads.
    fn script_body(&mut self, body: Range<usize>) {
        let script = self.units.units[body].to_vec();
        let holes: Vec<usize> = script
            .iter()
            .filter_map(|unit| match unit {
                Unit::Hole(hole) => Some(*hole),
                Unit::Char(_) => None,
            })
            .collect();
        self.warn_nested(&holes, "a second shell reads this heredoc, and the value can be code for it");
        self.inner_script(script, false);
    }

    /// Where the body ends and where the script goes on, if its delimiter comes.
    fn find_end(&self, pending: &Pending, start: usize) -> Option<(usize, usize)> {
        let mut line = start;
        while line < self.end {
            let len = self.units.units[line..self.end].iter().position(|unit| *unit == Unit::Char('\n'));
            let line_end = len.map_or(self.end, |len| line + len);
            let text = self.units.text(line..line_end);
            let compared = if pending.strip_tabs { text.trim_start_matches('\t') } else { &text };
            let continued = !pending.quoted && line > start && self.continues(start, line - 1);
            if compared == pending.delimiter && !continued {
                return Some((line, line_end));
            }
            line = line_end + 1;
        }
        None
    }

    /// The newline at `at` is taken back by a backslash before it.
    fn continues(&self, start: usize, at: usize) -> bool {
        let before = self.units.units[start..at].iter().rev();
        before.take_while(|unit| **unit == Unit::Char('\\')).count() % 2 == 1
    }

    /// Tracks a body in which expansions happen, as a script of its own.
    fn body(&mut self, body: Range<usize>) {
        if self.bodies >= MAX_BODIES {
            return self.error(body.start, "heredocs are nested too deeply");
        }
        let in_backquotes = self.in_backquotes();
        let stack = std::mem::replace(&mut self.stack, vec![Frame::Heredoc]);
        let opened = std::mem::replace(&mut self.opened, vec![body.start]);
        let end = std::mem::replace(&mut self.end, body.end);
        let errors = self.found.errors.len();
        self.at = body.start;
        self.bodies += 1;
        self.run();
        self.bodies -= 1;
        self.pending.clear();
        self.end = end;
        self.opened = opened;
        self.stack = stack;
        if in_backquotes {
            self.refuse_in_backquotes(body, errors);
        }
    }

    fn quoted_body(&mut self, pending: Pending, body: Range<usize>, terminator: Range<usize>) {
        let mut needs_rewrite = false;
        let mut first = None;
        for at in body.clone() {
            if let Unit::Hole(hole) = self.units.units[at] {
                self.found.places[hole] = Place { style: Style::QuotedHeredoc, ..Place::UNKNOWN };
                needs_rewrite |= !self.units.holes[hole].raw;
                first = first.or(Some(self.units.holes[hole].offset));
            }
        }
        let Some(offset) = first.filter(|_| needs_rewrite) else { return };
        if self.in_backquotes() {
            return self.refuse_in_backquotes(body, self.found.errors.len());
        }
        self.found.warnings.push(TemplateWarning {
            kind: TemplateWarningKind::QuotedHeredoc,
            message: format!("a placeholder in a heredoc with the quoted delimiter {:?}", pending.delimiter),
            offset,
            help: Some(
                "it works, because the heredoc is rewritten; leave the quotes out if nothing else in it is special"
                    .to_owned(),
            ),
        });
        let plain = !pending.delimiter.is_empty()
            && pending.delimiter.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
        let delimiter = if plain { pending.delimiter } else { self.new_delimiter(&body) };
        self.found.rewrites.push(Rewrite { word: pending.word, body, terminator, delimiter });
    }

    /// A delimiter that is no line of the body, for one that cannot be written without quotes.
    fn new_delimiter(&self, body: &Range<usize>) -> String {
        let text = self.units.text(body.clone());
        let mut delimiter = "PULSE_EOF".to_owned();
        while text.contains(&delimiter) {
            delimiter.push('_');
        }
        delimiter
    }

    fn refuse_in_backquotes(&mut self, body: Range<usize>, errors: usize) {
        let hole =
            body.into_iter().find(|at| matches!(self.units.units[*at], Unit::Hole(h) if !self.units.holes[h].raw));
        if let Some(at) = hole.filter(|_| self.found.errors.len() == errors) {
            self.error(at, "a placeholder in a heredoc inside of backquotes");
            self.help("use $( ) instead of backquotes");
        }
    }
}
