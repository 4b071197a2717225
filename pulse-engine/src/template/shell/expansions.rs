//! Expansions: what a `$` begins, and what is inside of `${…}` and of arithmetic.

use super::frames::{Close, Frame, Mode};
use super::place::Style;
use super::tracker::Tracker;
use super::units::Unit;

impl Tracker<'_> {
    pub fn dollar(&mut self) {
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
    pub fn calculates(&self) -> bool {
        self.stack.iter().rev().take_while(|frame| !matches!(frame, Frame::Command(_))).any(|frame| {
            matches!(frame, Frame::Arithmetic { .. } | Frame::Parameter { mode: Mode::Subscript | Mode::Offset, .. })
        })
    }

    pub fn parameter_step(&mut self, c: char, mode: Mode, in_double: bool) {
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

    pub fn arithmetic_step(&mut self, c: char, parens: usize, close: char) {
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
}
