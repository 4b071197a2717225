//! Follows the quoting of a shell script and notes the place of each placeholder.
//!
//! It is a stack of contexts ([`super::frames`]) and a loop that looks at one unit at a time; this file has the quotes that
//! all contexts share, `expansions` and `commands` what is special where those stand, `holes` the placeholders.

use super::flow::Variables;
use super::frames::{Close, Command, Frame, Role};
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
    pub variables: Variables,
    /// Somewhere `>(…)` reads what commands print.
    pub output_processes: bool,
    /// Heredocs, by where their delimiters are, which any command may read.
    pub shared: HashSet<usize>,
    /// Functions that the script defines.
    pub functions: HashSet<String>,
    /// Placeholders in text that a second shell reads.
    pub nested: HashSet<usize>,
    /// Values can get by ways that are not seen to where a shell evaluates them, or only parts of values do.
    pub mixes: bool,
    /// Those of them of which `| sh` does not certainly make one word there.
    pub unquoted: HashSet<usize>,
}

/// Tracks a whole script. A shell is known when it is certain that it calculates nowhere but where Bash or a POSIX shell does.
pub(super) fn track(units: &Units, known_shell: bool) -> Tracked {
    track_twice(units, known_shell, false)
}

/// Tracks the script of a second shell.
pub(super) fn track_inner(units: &Units, known_shell: bool) -> Tracked {
    track_twice(units, known_shell, true)
}

/// What can be known only at the end, which functions there are and whether some map is none, is known in a second round.
fn track_twice(units: &Units, known_shell: bool, is_inner: bool) -> Tracked {
    let mut found = track_with(units, known_shell, !is_inner, is_inner, HashSet::new());
    if !found.functions.is_empty() {
        let functions = std::mem::take(&mut found.functions);
        found = track_with(units, known_shell, !is_inner, is_inner, functions);
    }
    if found.variables.doubts_maps() {
        found = track_with(units, known_shell, false, is_inner, found.functions);
    }
    found
}

fn track_with(
    units: &Units,
    known_shell: bool,
    trusts_maps: bool,
    is_inner: bool,
    functions: HashSet<String>,
) -> Tracked {
    let found = Tracked { places: vec![Place::UNKNOWN; units.holes.len()], functions, ..Tracked::default() };
    let mut tracker = Tracker {
        units,
        known_shell,
        trusts_maps,
        is_inner,
        at: 0,
        end: units.units.len(),
        stack: vec![Frame::command(Close::End)],
        opened: vec![0],
        pending: Vec::new(),
        bodies: 0,
        found,
    };
    tracker.run();
    tracker.finish_pipeline();
    tracker.follow_variables();
    tracker.found
}

pub(super) struct Tracker<'a> {
    pub units: &'a Units,
    pub known_shell: bool,
    /// Associative arrays are what they were declared as.
    pub trusts_maps: bool,
    /// This is the script of a second shell.
    pub is_inner: bool,
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
        // No line follows on which its body could begin.
        for pending in std::mem::take(&mut self.pending) {
            self.unclosed(pending.word.start, "heredoc");
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

    /// Ends a context, and hands what its commands print to the one around it.
    pub fn pop_command(&mut self) {
        let printed = match self.stack.last_mut() {
            Some(Frame::Command(command)) => Some((command.role.clone(), std::mem::take(&mut command.output))),
            _ => None,
        };
        self.pop();
        let Some((role, output)) = printed.filter(|(_, output)| !output.is_empty()) else { return };
        match role {
            Role::Script => self.command().map_or((), |command| {
                command.feed.extend(output);
                command.feed_text = None;
            }),
            Role::List(_) => {}
            Role::Substitution | Role::Process if self.calculation() > Needs::Anything => {
                self.need(&output, self.calculation());
            }
            Role::Substitution | Role::Process => self.command().map_or((), |command| command.words.carry(output)),
        }
    }

    pub fn error(&mut self, at: usize, message: &str) {
        let offset = self.units.offsets.get(at).copied().unwrap_or_default();
        self.found.errors.push(TemplateError { message: message.to_owned(), offset, help: None });
    }

    fn warn_unclosed(&mut self) {
        if let (Some(frame), Some(opened)) = (self.stack.last(), self.opened.last()) {
            self.unclosed(*opened, frame.name());
        }
    }

    /// Something begins at this place and has no end.
    pub fn unclosed(&mut self, at: usize, what: &str) {
        if self.units.holes.is_empty() {
            return;
        }
        self.found.warnings.push(TemplateWarning {
            kind: TemplateWarningKind::Unclosed,
            message: format!("this {what} is never closed"),
            offset: self.units.offsets.get(at).copied().unwrap_or_default(),
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
            Some(Frame::Parameter { mode, in_double, .. }) => self.parameter_step(c, *mode, *in_double),
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
                let c = *c;
                let in_double = matches!(self.stack.last(), Some(Frame::Double));
                if c != '\n'
                    && let Some(command) = self.command()
                {
                    // In double quotes a backslash before anything else is one.
                    if in_double && !matches!(c, '$' | '`' | '"' | '\\') {
                        command.words.push_quoted('\\');
                    }
                    command.words.push_quoted(c);
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
                self.finish_pipeline();
                self.pop_command();
                if ends {
                    break;
                }
            }
            self.at += 1;
            return;
        }
        self.special();
        let quoted = !matches!(self.stack.last(), Some(Frame::Command(_)));
        if !quoted && let Some(command) = self.command() {
            command.words.open_many();
        }
        self.push(Frame::inner(Close::Backquote { quoted, nested: false }, Role::Substitution), 1);
    }

    /// Something that makes a word of the commands around it, without a character.
    pub fn special(&mut self) {
        if let Some(command) = self.command() {
            command.words.open_special();
        }
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
        self.unclosed(opened.saturating_sub(1), "single quote");
    }
}
