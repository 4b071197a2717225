//! Expansions: what a `$` begins, and what is inside of `${…}` and of arithmetic.

use super::frames::{Close, Frame, Mode, Role};
use super::place::{Needs, Style};
use super::tracker::Tracker;
use super::units::Unit;
use super::words::Origin;

/// What behind a name leaves digits only.
const DIGITS_ONLY: &[&str] = &[
    "//[^0-9]/}",
    "//[!0-9]/}",
    "//[^0-9]}",
    "//[!0-9]}",
    "//[^[:digit:]]/}",
    "//[![:digit:]]/}",
    "%%[^0-9]*}",
    "%%[!0-9]*}",
    "%%[^[:digit:]]*}",
    "%%[![:digit:]]*}",
    "##*[^0-9]}",
    "##*[!0-9]}",
    "##*[^[:digit:]]}",
    "##*[![:digit:]]}",
];

impl Tracker<'_> {
    pub fn dollar(&mut self) {
        self.special();
        let bare = match self.stack.last() {
            Some(Frame::Command(_)) => true,
            Some(Frame::Parameter { mode, in_double, .. }) => !in_double || *mode == Mode::Pattern,
            _ => false,
        };
        let unquoted = matches!(self.stack.last(), Some(Frame::Command(_)));
        let begins = |c: char| c.is_ascii_alphanumeric() || "({_@*".contains(c);
        if unquoted
            && self.char(self.at + 1).is_some_and(begins)
            && let Some(command) = self.command()
        {
            command.words.open_many();
        }
        match self.units.units.get(self.at + 1) {
            Some(Unit::Hole(hole)) if !self.units.holes[*hole].raw => {
                self.error(self.at, "a placeholder cannot be the name of a variable");
                self.help("write \\$ for a dollar sign; the value itself is {{ … }} without one");
                self.at += 2;
            }
            Some(Unit::Char('(')) if self.char(self.at + 2) == Some('(') => {
                self.push(Frame::Arithmetic { parens: 0, close: ')' }, 3);
            }
            Some(Unit::Char('(')) => self.push(Frame::inner(Close::Paren, Role::Substitution), 2),
            Some(Unit::Char('[')) => self.push(Frame::Arithmetic { parens: 0, close: ']' }, 2),
            Some(Unit::Char('{')) => {
                let index = self.braced();
                let in_double = !bare;
                self.push(Frame::Parameter { mode: Mode::Name, in_double, assigns: None, index }, 2);
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
            Some(Unit::Char(c)) if c.is_ascii_digit() || matches!(c, '@' | '*') => {
                let name = c.to_string();
                self.expands(name, false);
                self.at += 2;
            }
            Some(Unit::Char(c)) if "$?#!-".contains(*c) => self.at += 2,
            _ => self.at += 1,
        }
    }

    /// Notes what `${…}` expands. Returns what an index behind it has to be.
    fn braced(&mut self) -> Needs {
        let at = self.at + 2;
        match self.char(at) {
            // A length is a number, whatever the value is.
            Some('#') => self.index_needs(&self.name_at(at + 1)),
            Some('!') => {
                let name = self.name_at(at + 1);
                // `${!name[@]}` gives indexes and `${!name*}` names; else the value of the variable is a name.
                if !name.is_empty() && !matches!(self.char(at + 1 + name.len()), Some('[' | '*' | '@')) {
                    let name = self.scoped(name.clone());
                    self.found.variables.need(&name, Needs::Name);
                }
                self.expansion(at + 1);
                self.index_needs(&name)
            }
            Some('@' | '*') => {
                self.expands("@".to_owned(), false);
                Needs::Anything
            }
            _ => {
                let name = self.name_at(at);
                if ["[@]", "[*]"].iter().any(|all| self.units.starts_with(at + name.len(), all))
                    && let Some(command) = self.command()
                {
                    command.words.open_many();
                }
                if self.units.starts_with(at + name.len(), "@P") {
                    let name = self.scoped(name.clone());
                    self.found.variables.run.insert(name);
                }
                if self.keeps_digits(at + name.len()) {
                    // As good as `$#`, a number.
                    self.expands("#".to_owned(), false);
                } else if !name.is_empty() {
                    self.expands(name.clone(), self.cuts(at + name.len()));
                }
                self.index_needs(&name)
            }
        }
    }

    /// `//[^0-9]…` and the like behind a name leave digits only.
    fn keeps_digits(&self, at: usize) -> bool {
        let pattern = |text: &&&str| self.units.starts_with(at, text);
        DIGITS_ONLY.iter().find(pattern).is_some()
    }

    /// What stands behind a name takes a part of the value.
    fn cuts(&self, at: usize) -> bool {
        match self.char(at) {
            Some('#' | '%' | '/') => true,
            Some(':') => !self.char(at + 1).is_some_and(|c| "-=?+".contains(c)),
            _ => false,
        }
    }

    /// Notes the expansion of the variable whose name stands there. Returns the length of the name.
    fn expansion(&mut self, at: usize) -> usize {
        let name = self.name_at(at);
        let length = name.len();
        if length > 0 {
            self.expands(name, false);
        }
        length
    }

    /// Notes the expansion of a variable, or of a part of its value.
    fn expands(&mut self, name: String, cut: bool) {
        let many = matches!(name.as_str(), "@" | "*");
        let mut name = self.scoped(name);
        if cut {
            name = self.found.variables.part(Origin::of(name)).names.swap_remove(0);
        }
        let needs = self.calculation();
        if needs > Needs::Anything {
            return self.found.variables.need(&name, needs);
        }
        if let Some(to) = self.assigning() {
            self.found.variables.assign(&to, Origin::of(name.as_str()));
        }
        if self.is_key() {
            return;
        }
        if let Some(command) = self.command() {
            command.words.push_expansion(name);
            if many {
                command.words.open_many();
            }
        }
    }

    /// The variable that gets what stands here, as the word of `${name:=…}`.
    pub fn assigning(&self) -> Option<String> {
        self.stack.iter().rev().take_while(|frame| !matches!(frame, Frame::Command(_))).find_map(|frame| match frame {
            Frame::Parameter { mode: Mode::Word, assigns, .. } => assigns.clone(),
            _ => None,
        })
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
            let needs = self.calculation();
            self.found.variables.need(&name, needs);
        }
    }

    /// What has to stand here: an integer where the shell calculates with it.
    pub fn calculation(&self) -> Needs {
        let mut frames = self.stack.iter().rev().take_while(|frame| !matches!(frame, Frame::Command(_)));
        let decided = frames.find_map(|frame| match frame {
            Frame::Arithmetic { .. } => Some(self.arithmetic_needs()),
            Frame::Parameter { mode: Mode::Subscript, index, .. } => Some(*index),
            Frame::Parameter { mode: Mode::Offset, .. } => Some(Needs::Integer),
            _ => None,
        });
        decided.unwrap_or(Needs::Anything)
    }

    /// What stands in a calculation has to be an integer, but in the index of a variable that may be an associative array.
    fn arithmetic_needs(&self) -> Needs {
        let opened = self.opened.last().copied().unwrap_or_default();
        let before = |at: &usize| self.char(*at);
        let indexes = (opened..self.at).rev().take_while(|at| before(at) != Some(']'));
        let Some(bracket) = indexes.into_iter().find(|at| before(at) == Some('[')) else { return Needs::Integer };
        let inside = |at: &usize| before(at).is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        let first = (opened..bracket).rev().take_while(inside).last();
        first.map_or(Needs::Integer, |first| self.index_needs(&self.name_at(first)).max(Needs::Inert))
    }

    /// What stands here is the key of an associative array: text that goes no further.
    pub fn is_key(&self) -> bool {
        let mut frames = self.stack.iter().rev().take_while(|frame| !matches!(frame, Frame::Command(_)));
        let index = frames.find(|frame| matches!(frame, Frame::Parameter { mode: Mode::Subscript, .. }));
        matches!(index, Some(Frame::Parameter { index: Needs::Anything, .. }))
    }

    pub fn parameter_step(&mut self, c: char, mode: Mode, in_double: bool) {
        if matches!(mode, Mode::Subscript | Mode::Offset) && self.calculation() > Needs::Anything {
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
        let assigned = (mode == Mode::Name && c == '=').then(|| self.assigned_here());
        if let Some(Frame::Parameter { mode, assigns, .. }) = self.stack.last_mut() {
            *mode = next;
            *assigns = assigned.or(assigns.take());
        }
    }

    /// The name in `${name=` or `${name:=`, of which the last character has just been read.
    fn assigned_here(&self) -> String {
        self.name_at(self.opened.last().map_or(self.at, |opened| opened + 2))
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
