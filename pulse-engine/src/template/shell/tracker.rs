//! Follows the quoting of a shell script and notes the place of each placeholder.
//!
//! It is a stack of contexts ([`super::frames`]) and a loop that looks at one unit at a time; this file has the quotes and expansions
//! that all contexts share, [`super::commands`] what is special where commands stand.

use super::frames::{Close, Command, Frame, Mode};
use super::heredoc::{Pending, Rewrite};
use super::place::{Needs, Place, Style};
use super::units::{Unit, Units};
use crate::template::{TemplateError, TemplateWarning, TemplateWarningKind};
use std::collections::HashSet;

/// Deepest nesting of contexts.
const MAX_FRAMES: usize = 100;

/// What was found out about a script.
#[derive(Debug, Default)]
pub(super) struct Tracked {
    /// One place for each placeholder.
    pub places: Vec<Place>,
    pub rewrites: Vec<Rewrite>,
    pub errors: Vec<TemplateError>,
    pub warnings: Vec<TemplateWarning>,
    /// Variables that placeholders are assigned to.
    pub assigned: Vec<(String, Vec<usize>)>,
    /// Variables that the script calculates with.
    pub calculated: HashSet<String>,
}

/// Tracks a whole script.
pub(super) fn track(units: &Units) -> Tracked {
    let found = Tracked { places: vec![Place::UNKNOWN; units.holes.len()], ..Tracked::default() };
    let mut tracker = Tracker {
        units,
        at: 0,
        end: units.units.len(),
        stack: vec![Frame::command(Close::End)],
        opened: vec![0],
        pending: Vec::new(),
        bodies: 0,
        found,
    };
    tracker.run();
    tracker.finish_command();
    tracker.follow_variables();
    tracker.found
}

pub(super) struct Tracker<'a> {
    pub units: &'a Units,
    pub at: usize,
    pub end: usize,
    pub stack: Vec<Frame>,
    /// Where each frame was opened.
    pub opened: Vec<usize>,
    /// Heredocs whose body has not begun.
    pub pending: Vec<Pending>,
    /// Bodies of heredocs around this place.
    pub bodies: usize,
    pub found: Tracked,
}

impl Tracker<'_> {
    pub fn run(&mut self) {
        while self.at < self.end {
            match self.stack.last() {
                Some(Frame::Command(_)) => self.command_step(),
                Some(_) => self.quoted_step(),
                None => return,
            }
        }
        if self.stack.len() > 1 {
            self.warn_unclosed();
        }
    }

    pub fn char(&self, at: usize) -> Option<char> {
        if at < self.end { self.units.char(at) } else { None }
    }

    pub fn push(&mut self, frame: Frame, length: usize) {
        if self.stack.len() >= MAX_FRAMES {
            self.error(self.at, "the command is nested too deeply");
            self.at = self.end;
            return;
        }
        self.stack.push(frame);
        self.opened.push(self.at);
        self.at += length;
    }

    pub fn pop(&mut self) {
        // The outermost context stays.
        if self.stack.len() > 1 {
            self.stack.pop();
            self.opened.pop();
        }
    }

    pub fn error(&mut self, at: usize, message: &str) {
        let offset = self.units.offsets.get(at).copied().unwrap_or_default();
        self.found.errors.push(TemplateError { message: message.to_owned(), offset, help: None });
    }

    fn warn_unclosed(&mut self) {
        if self.units.holes.is_empty() {
            return;
        }
        let (Some(frame), Some(opened)) = (self.stack.last(), self.opened.last()) else { return };
        self.found.warnings.push(TemplateWarning {
            kind: TemplateWarningKind::Unclosed,
            message: format!("this {} is never closed", frame.name()),
            offset: self.units.offsets.get(*opened).copied().unwrap_or_default(),
            help: Some("the places of the values behind it are uncertain".to_owned()),
        });
    }

    /// The commands around this place.
    pub fn command(&mut self) -> Option<&mut Command> {
        self.stack.iter_mut().rev().find_map(|frame| match frame {
            Frame::Command(command) => Some(&mut **command),
            _ => None,
        })
    }

    /// One unit where no commands stand.
    fn quoted_step(&mut self) {
        let c = match self.units.units[self.at] {
            Unit::Hole(hole) => return self.hole(hole),
            Unit::Char(c) => c,
        };
        if self.shared_step(c) {
            return;
        }
        match self.stack.last() {
            Some(Frame::Double) => self.double_step(c),
            Some(Frame::Parameter { mode, in_double }) => self.parameter_step(c, *mode, *in_double),
            Some(Frame::Arithmetic { parens, close }) => self.arithmetic_step(c, *parens, *close),
            _ => self.at += 1,
        }
    }

    fn double_step(&mut self, c: char) {
        self.at += 1;
        if c == '"' {
            self.pop();
        } else if let Some(command) = self.command() {
            command.words.push_quoted(c);
        }
    }

    /// Backslashes, expansions and backquotes mean the same nearly everywhere.
    pub fn shared_step(&mut self, c: char) -> bool {
        match c {
            '\\' => self.backslash(),
            '$' => self.dollar(),
            '`' => self.backquote(),
            _ => return false,
        }
        true
    }

    fn backslash(&mut self) {
        match self.units.units.get(self.at + 1) {
            Some(Unit::Hole(hole)) if self.at + 1 < self.end && !self.units.holes[*hole].raw => {
                self.error(self.at, "a placeholder directly behind a backslash");
                self.help("the backslash would change what the value is put into: leave it out, or write \\\\ for a backslash");
                self.at += 2;
            }
            Some(Unit::Char('`')) => {
                if let Some(Close::Backquote { nested, .. }) = self.backquotes() {
                    *nested = !*nested;
                }
                self.at += 2;
            }
            Some(Unit::Char(c)) => {
                if *c != '\n'
                    && let Some(command) = self.command()
                {
                    command.words.push_quoted(*c);
                }
                self.at += 2;
            }
            _ => self.at += 1,
        }
    }

    pub fn help(&mut self, help: &str) {
        if let Some(error) = self.found.errors.last_mut() {
            error.help = Some(help.to_owned());
        }
    }

    /// The innermost backquotes that are open.
    fn backquotes(&mut self) -> Option<&mut Close> {
        self.stack.iter_mut().rev().find_map(|frame| match frame {
            Frame::Command(command) if matches!(command.close, Close::Backquote { .. }) => Some(&mut command.close),
            _ => None,
        })
    }

    /// Inside of backquotes, also deep inside, the next backquote ends them: shells look for it before anything else.
    pub fn in_backquotes(&mut self) -> bool {
        self.backquotes().is_some()
    }

    pub fn backquote(&mut self) {
        if self.in_backquotes() {
            while let Some(frame) = self.stack.last() {
                let ends = matches!(frame, Frame::Command(c) if matches!(c.close, Close::Backquote { .. }));
                self.finish_command();
                self.pop();
                if ends {
                    break;
                }
            }
            self.at += 1;
            return;
        }
        self.special();
        let quoted = !matches!(self.stack.last(), Some(Frame::Command(_)));
        self.push(Frame::command(Close::Backquote { quoted, nested: false }), 1);
    }

    /// Something that makes a word of the commands around it, without a character.
    pub fn special(&mut self) {
        if let Some(command) = self.command() {
            command.words.open_special();
        }
    }

    fn dollar(&mut self) {
        self.special();
        let bare = match self.stack.last() {
            Some(Frame::Command(_)) => true,
            Some(Frame::Parameter { mode, in_double }) => !in_double || *mode == Mode::Pattern,
            _ => false,
        };
        match self.units.units.get(self.at + 1) {
            Some(Unit::Hole(hole)) if !self.units.holes[*hole].raw => {
                self.error(self.at, "a placeholder cannot be the name of a variable");
                self.help("write \\$ for a dollar sign; the value itself is {{ … }} without one");
                self.at += 2;
            }
            Some(Unit::Char('(')) if self.char(self.at + 2) == Some('(') => {
                self.push(Frame::Arithmetic { parens: 0, close: ')' }, 3);
            }
            Some(Unit::Char('(')) => self.push(Frame::command(Close::Paren), 2),
            Some(Unit::Char('[')) => self.push(Frame::Arithmetic { parens: 0, close: ']' }, 2),
            Some(Unit::Char('{')) => {
                let prefix = usize::from(matches!(self.char(self.at + 2), Some('!' | '#')));
                self.expansion(self.at + 2 + prefix);
                let in_double = !bare;
                self.push(Frame::Parameter { mode: Mode::Name, in_double }, 2);
            }
            Some(Unit::Char('\'')) if bare => {
                self.at += 2;
                self.single(Style::Ansi);
            }
            Some(Unit::Char('"')) if bare => self.push(Frame::Double, 2),
            Some(Unit::Char(c)) if c.is_ascii_alphabetic() || *c == '_' => {
                self.at += 1;
                self.at += self.expansion(self.at);
            }
            Some(Unit::Char(c)) if c.is_ascii_digit() || "$?#!@*-".contains(*c) => self.at += 2,
            _ => self.at += 1,
        }
    }

    /// Notes the expansion of the variable whose name stands there. Returns the length of the name.
    fn expansion(&mut self, at: usize) -> usize {
        let name = self.name_at(at);
        let length = name.len();
        if length > 0 {
            if self.calculates() {
                self.found.calculated.insert(name);
            } else if let Some(command) = self.command() {
                command.words.push_expansion(name);
            }
        }
        length
    }

    fn name_at(&self, at: usize) -> String {
        let chars = (at..self.end).map_while(|at| self.char(at));
        chars.take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect()
    }

    /// Notes a variable without `$` in arithmetic, where its name begins.
    fn calculated_name(&mut self, c: char) {
        let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let begins =
            !c.is_ascii_digit() && self.at.checked_sub(1).and_then(|at| self.char(at)).is_none_or(|c| !inside(c));
        if inside(c) && begins {
            let name = self.name_at(self.at);
            self.found.calculated.insert(name);
        }
    }

    /// The shell calculates with what stands here.
    fn calculates(&self) -> bool {
        self.stack.iter().rev().take_while(|frame| !matches!(frame, Frame::Command(_))).any(|frame| {
            matches!(frame, Frame::Arithmetic { .. } | Frame::Parameter { mode: Mode::Subscript | Mode::Offset, .. })
        })
    }

    /// The inside of single quotes, up to and with the closing one.
    pub fn single(&mut self, style: Style) {
        let opened = self.at;
        self.special();
        while self.at < self.end {
            match self.units.units[self.at] {
                Unit::Hole(hole) => {
                    self.place(hole, style);
                    self.at += 1;
                }
                Unit::Char('\'') => {
                    self.at += 1;
                    return;
                }
                Unit::Char('`') if self.in_backquotes() => return,
                Unit::Char('\\') if style == Style::Ansi => {
                    if let Some(Unit::Hole(hole)) = self.units.units.get(self.at + 1)
                        && !self.units.holes[*hole].raw
                    {
                        self.error(self.at, "a placeholder directly behind a backslash");
                    }
                    self.at += 2;
                }
                Unit::Char(c) => {
                    if let Some(command) = self.command() {
                        command.words.push_quoted(c);
                    }
                    self.at += 1;
                }
            }
        }
        self.at = self.end;
        self.opened.push(opened.saturating_sub(1));
        self.stack.push(Frame::Double);
        self.warn_unclosed();
        self.pop();
    }

    fn parameter_step(&mut self, c: char, mode: Mode, in_double: bool) {
        if matches!(mode, Mode::Subscript | Mode::Offset) {
            self.calculated_name(c);
        }
        self.at += 1;
        let mut next = mode;
        match (mode, c) {
            (Mode::Subscript, ']') => next = Mode::Name,
            (Mode::Subscript, _) => {}
            (_, '}') => return self.pop(),
            (Mode::Word, '\'') if !in_double => return self.single(Style::Single),
            (Mode::Pattern, '\'') => return self.single(Style::Single),
            (Mode::Word | Mode::Pattern, '"') => {
                self.at -= 1;
                return self.push(Frame::Double, 1);
            }
            (Mode::Name, c) => {
                let first = matches!(self.char(self.at.wrapping_sub(2)), Some('{'));
                next = self.after_name(c, first);
            }
            _ => {}
        }
        if let Some(Frame::Parameter { mode, .. }) = self.stack.last_mut() {
            *mode = next;
        }
    }

    /// What a character behind the name of `${name…` begins. `first` is directly behind the brace.
    fn after_name(&mut self, c: char, first: bool) -> Mode {
        match c {
            c if c.is_ascii_alphanumeric() || c == '_' => Mode::Name,
            '#' | '!' | '?' | '-' | '$' | '@' | '*' if first => Mode::Name,
            '[' => Mode::Subscript,
            ':' if self.char(self.at).is_some_and(|c| "-=?+".contains(c)) => Mode::Name,
            ':' => Mode::Offset,
            '#' | '%' | '/' | '^' | ',' => Mode::Pattern,
            _ => Mode::Word,
        }
    }

    fn arithmetic_step(&mut self, c: char, parens: usize, close: char) {
        self.calculated_name(c);
        match c {
            '"' => return self.push(Frame::Double, 1),
            '(' => self.set_parens(parens + 1),
            ')' if close == ')' && parens == 0 && self.char(self.at + 1) == Some(')') => {
                self.at += 2;
                return self.pop();
            }
            // It was a command substitution that begins with a subshell, and this ends the subshell.
            ')' if close == ')' && parens == 0 => {
                if let Some(frame) = self.stack.last_mut() {
                    *frame = Frame::command(Close::Paren);
                }
            }
            ')' => self.set_parens(parens.saturating_sub(1)),
            ']' if close == ']' => {
                self.at += 1;
                return self.pop();
            }
            _ => {}
        }
        self.at += 1;
    }

    fn set_parens(&mut self, count: usize) {
        if let Some(Frame::Arithmetic { parens, .. }) = self.stack.last_mut() {
            *parens = count;
        }
    }

    /// A placeholder where no single quotes are.
    pub fn hole(&mut self, hole: usize) {
        let style = match self.stack.last() {
            Some(Frame::Double) => Style::Double,
            Some(Frame::Heredoc) => Style::Heredoc,
            Some(Frame::Arithmetic { .. } | Frame::Parameter { mode: Mode::Subscript | Mode::Offset, .. }) => {
                Style::Arithmetic
            }
            Some(Frame::Parameter { mode: Mode::Word, in_double: true }) => Style::Double,
            Some(Frame::Parameter { mode: Mode::Name, .. }) if !self.units.holes[hole].raw => {
                self.error(self.at, "a placeholder cannot be the name of a variable");
                self.help("the value itself is {{ … }} without ${ }");
                Style::Bare
            }
            _ => Style::Bare,
        };
        self.place(hole, style);
        self.at += 1;
    }

    /// Notes the place of a placeholder.
    pub fn place(&mut self, hole: usize, style: Style) {
        let needs = if self.calculates() { Needs::Integer } else { Needs::Anything };
        self.found.places[hole] = Place { style, needs };
        if let Some(command) = self.command() {
            command.words.push_hole(hole);
        }
        let unusable = self.stack.iter().any(|frame| match frame {
            Frame::Command(command) => {
                matches!(command.close, Close::Backquote { quoted, nested } if quoted || nested)
            }
            _ => false,
        });
        if unusable && !self.units.holes[hole].raw {
            self.error(self.at, "a placeholder in backquotes that stand in quotes, a heredoc or other backquotes");
            self.help("use $( ) instead of backquotes");
        }
    }
}
