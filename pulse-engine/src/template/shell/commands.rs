//! Where commands stand: words, operators, keywords, comments, `case`.

use super::analysis::declares;
use super::frames::{Case, Close, Frame, Role};
use super::place::{Needs, Style};
use super::tracker::Tracker;
use super::units::Unit;
use super::words::{ANY_INPUT, Origin, UNSEEN};

impl Tracker<'_> {
    /// One unit where commands stand.
    pub fn command_step(&mut self) {
        let c = match self.units.units[self.at] {
            Unit::Hole(hole) => return self.hole(hole),
            Unit::Char(c) => c,
        };
        if self.shared_step(c) {
            return;
        }
        let in_word = self.command().is_some_and(|command| command.words.in_word());
        match c {
            '\'' => {
                self.at += 1;
                self.single(Style::Single);
            }
            '"' => {
                self.special();
                self.push(Frame::Double, 1);
            }
            ' ' | '\t' | '\r' => {
                self.finish_word();
                self.at += 1;
            }
            '\n' => {
                self.finish_pipeline();
                self.at += 1;
                self.heredoc_bodies();
            }
            '#' if !in_word => self.comment(),
            ';' => self.semicolon(),
            '&' if matches!(self.char(self.at + 1), Some('>')) => self.redirection(),
            '&' | '|' => self.connection(c),
            '<' | '>' => self.redirection(),
            '(' => self.open_paren(in_word),
            ')' => self.close_paren(),
            _ => {
                if let Some(command) = self.command() {
                    command.words.push(c);
                }
                self.at += 1;
            }
        }
    }

    /// `&`, `&&`, `|`, `|&` and `||` between commands.
    fn connection(&mut self, c: char) {
        let double = self.char(self.at + 1) == Some(c);
        let in_test = self.command().is_some_and(|command| command.in_test);
        if c == '|' && !double && !in_test {
            self.finish_command();
            self.at += if self.char(self.at + 1) == Some('&') { 2 } else { 1 };
        } else {
            self.finish_pipeline();
            self.at += if double { 2 } else { 1 };
        }
        if let Some(command) = self.command() {
            command.piped = c == '|' && !double && !in_test;
            command.conditional = true;
        }
    }

    fn comment(&mut self) {
        while self.at < self.end {
            match self.units.units[self.at] {
                Unit::Char('\n') => return,
                Unit::Char('`') if self.in_backquotes() => return,
                Unit::Hole(hole) => {
                    self.found.places[hole].style = Style::Comment;
                    self.at += 1;
                }
                Unit::Char(_) => self.at += 1,
            }
        }
    }

    /// `;`, and `;;`, `;&`, `;;&`, which end a branch of a `case`.
    fn semicolon(&mut self) {
        self.finish_pipeline();
        self.at += 1;
        let ends_branch = matches!(self.char(self.at), Some(';' | '&'));
        if ends_branch {
            while matches!(self.char(self.at), Some(';' | '&')) {
                self.at += 1;
            }
            if let Some(case) = self.command().and_then(|command| command.cases.last_mut()) {
                *case = Case::Pattern;
            }
        }
    }

    fn redirection(&mut self) {
        let in_index = self.command().is_some_and(|command| {
            let index = command.words.open_text().rsplit_once('[');
            index.is_some_and(|(_, index)| !index.contains(']'))
        });
        // Digits directly before it are the number of a file, and no word.
        let is_number = self.command().is_some_and(|command| {
            let word = command.words.open_text();
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())
        });
        if is_number && let Some(command) = self.command() {
            command.words.finish();
            command.words.forget_last();
        }
        self.finish_word();
        let at = self.at;
        let here = self.units.starts_with(at, "<<<");
        let (first, next) = (self.char(at), self.char(at + 1));
        if self.char(at) == Some('<')
            && !is_number
            && self.char(at + 1) != Some('(')
            && let Some(command) = self.command()
        {
            command.own_input = true;
        }
        let heredoc = self.units.starts_with(at, "<<") && !here;
        let process = self.char(at + 1) == Some('(');
        if let Some(command) = self.command().filter(|_| !process) {
            command.reads_file |= first == Some('<');
            command.any_input |= heredoc || (first == Some('<') && next == Some('&'));
            command.own_output |= first == Some('>') && next != Some('&') && !is_number;
        }
        self.found.output_processes |= process && first == Some('>');
        if here {
            self.at += 3;
        } else if self.units.starts_with(at, "<<") {
            if in_index && !self.units.holes.is_empty() {
                self.error(
                    at,
                    "`<<` in an index: it is a heredoc to a shell without lists, and what follows would be misread",
                );
            }
            return self.heredoc_start();
        } else if matches!(self.char(at + 1), Some('(')) {
            // Process substitution: part of a word.
            self.special();
            return self.push(Frame::inner(Close::Paren, Role::Process), 2);
        } else {
            self.at += 1;
            while matches!(self.char(self.at), Some('>' | '&' | '|')) {
                self.at += 1;
            }
        }
        let duplicated = self.char(self.at - 1) == Some('&');
        if let Some(command) = self.command() {
            command.redirected = !command.in_test;
            command.duplicated = duplicated;
            command.here_string = here;
        }
    }

    fn open_paren(&mut self, in_word: bool) {
        let Some(command) = self.command() else { return };
        let in_test = command.in_test;
        let declared = command.words.first_text().is_some_and(declares);
        let list =
            command.words.open_text().strip_suffix('=').map(|name| name.strip_suffix('+').unwrap_or(name).to_owned());
        if command.cases.last() == Some(&Case::Pattern) && !in_word {
            self.at += 1;
            return;
        }
        if !in_word && !in_test && self.char(self.at + 1) == Some('(') {
            if let Some(command) = self.command() {
                command.words.open_calculated();
            }
            return self.push(Frame::Arithmetic { parens: 0, close: ')' }, 2);
        }
        let mut defines = None;
        if !in_word {
            let name = self.only_name().filter(|_| self.char(self.at + 1) == Some(')'));
            self.finish_command();
            defines = self.command().and_then(|command| command.defines.take());
            name.into_iter().for_each(|name| self.define(name));
        }
        let role = match list {
            Some(name) if declared => {
                self.declared_list(&name);
                Role::List(name)
            }
            Some(name) => {
                self.found.variables.lists.insert(name.clone());
                Role::List(name)
            }
            None => Role::Script,
        };
        let is_list = role != Role::Script;
        if !is_list && let Some(shared) = self.command().map(|command| command.piped_input()) {
            self.found.variables.assign(ANY_INPUT, shared);
        }
        self.push(Frame::inner(Close::Paren, role), 1);
        if let Some(command) = self.command() {
            command.in_test = in_test;
            command.at_command = !is_list;
            command.function = defines;
        }
    }

    fn close_paren(&mut self) {
        if self.command().is_some_and(|command| command.words.open_text() == "esac") {
            self.finish_word();
        }
        let Some(command) = self.command() else { return };
        if let Some(case @ Case::Pattern) = command.cases.last_mut() {
            *case = Case::Body;
            command.words.finish();
            command.words.take();
            command.at_command = true;
            self.at += 1;
            return;
        }
        let closes = command.close == Close::Paren;
        self.finish_pipeline();
        if closes {
            self.pop_command();
        }
        // `name()` is no command yet: its body follows.
        if closes && self.at.checked_sub(1).and_then(|before| self.char(before)) == Some('(') {
            let name = self.only_name();
            self.finish_command();
            name.into_iter().for_each(|name| self.define(name));
        }
        self.at += 1;
    }

    /// Ends the word that is being read, and sees whether it is a keyword.
    pub fn finish_word(&mut self) {
        let Some(command) = self.command() else { return };
        let Some(word) = command.words.finish() else { return };
        let keyword = if word.plain { word.text.clone() } else { String::new() };
        let is_assignment = word.is_assignment();
        if command.redirected {
            command.redirected = false;
            let (origin, exact) = (word.origin(), word.exact());
            let process = word.process();
            let shared = word.text.starts_with("/dev/") && word.text != "/dev/null" && word.text != "/dev/tty";
            if std::mem::take(&mut command.names_function) {
                let name = word.text.clone();
                command.words.forget_last();
                return self.define(name);
            }
            command.words.forget_last();
            if std::mem::take(&mut command.here_string) {
                command.here.extend(origin);
                command.here_text = exact;
            } else if command.duplicated {
                // What is no number is a file, and Bash expands its name once more.
                self.need(&origin, Needs::Integer);
            } else {
                command.here.extend(process);
                command.any_input |= shared;
            }
            return;
        }
        match command.cases.last_mut() {
            Some(case @ Case::Subject) => {
                *case = Case::In;
                return command.words.forget_last();
            }
            Some(case @ Case::In) => {
                *case = if keyword == "in" { Case::Pattern } else { Case::Body };
                return command.words.forget_last();
            }
            Some(Case::Pattern) => {
                if keyword == "esac" {
                    command.cases.pop();
                    command.close_group(false);
                    command.words.forget_last();
                }
                return;
            }
            _ => {}
        }
        if command.in_test {
            if keyword == "]]" {
                command.in_test = false;
            }
            return;
        }
        if !command.at_command {
            return;
        }
        match keyword.as_str() {
            "if" | "then" | "else" | "elif" | "fi" | "do" | "done" | "while" | "until" | "!" | "{" | "}" | "time" => {
                let shared = command.piped_input();
                match &*keyword {
                    "if" | "do" | "{" => command.open_group(),
                    "fi" => command.close_group(false),
                    "done" | "}" => command.close_group(true),
                    _ => {}
                }
                command.words.forget_last();
                self.found.variables.assign(ANY_INPUT, shared);
            }
            "function" => {
                // The name behind it is no command either.
                command.redirected = true;
                command.names_function = true;
                command.words.forget_last();
            }
            "case" => {
                command.cases.push(Case::Subject);
                command.open_group();
                command.words.forget_last();
                let shared = command.piped_input();
                self.found.variables.assign(ANY_INPUT, shared);
            }
            "esac" if !command.cases.is_empty() => {
                command.cases.pop();
                command.close_group(false);
                command.words.forget_last();
            }
            "[[" => {
                command.in_test = true;
                command.at_command = false;
            }
            _ => command.at_command = is_assignment,
        }
    }

    /// Ends the simple command, and looks at its words.
    pub fn finish_command(&mut self) {
        self.finish_word();
        let Some(command) = self.command() else { return };
        let words = command.words.take();
        let in_test = command.in_test;
        command.redirected = false;
        command.at_command = true;
        if !words.is_empty() {
            command.defines = None;
            self.analyse(&words, in_test);
        } else {
            self.compound_input();
            if let Some(command) = self.command().filter(|command| command.own_input) {
                // `$(<file)`
                command.feed.names.push(UNSEEN.to_owned());
            }
        }
        if let Some(command) = self.command() {
            command.here = Origin::default();
            command.here_text = None;
            command.own_input = false;
            command.reads_file = false;
            command.any_input = false;
            command.own_output = false;
        }
    }

    /// Ends the simple command and the pipeline it is the last of.
    pub fn finish_pipeline(&mut self) {
        self.finish_command();
        if let Some(command) = self.command() {
            let feed = std::mem::take(&mut command.feed);
            command.output.extend(feed);
            command.feed_text = None;
            command.piped = false;
            command.conditional = false;
        }
    }
}
