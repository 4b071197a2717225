//! What commands read from their standard input: heredocs, here-strings, pipes, process substitutions.
//!
//! What one simple command reads is followed to it. What several commands share, because a compound command, a function or the
//! whole script has its input redirected, is [`ANY_INPUT`]: each of them may read any of it.

use super::frames::Frame;
use super::tracker::Tracker;
use super::units::Unit;
use super::words::{ANY_INPUT, EXPANSION, HOLE, Origin, STDIN, UNSEEN, Word};
use std::ops::Range;

/// Commands that print what is in the text they read.
const FILTERS: &[&str] = &[
    "cat", "tee", "tr", "cut", "sed", "head", "tail", "grep", "egrep", "sort", "uniq", "awk", "xargs", "rev", "tac",
    "base64", "jq", "paste", "nl", "fold", "sponge", "column", "shuf", "od", "xxd", "perl", "gawk", "mawk",
];
/// Commands that print nothing that was in what they read or were given.
const PLAIN_PRINTERS: &[&str] = &[
    "wc",
    "nproc",
    "date",
    "true",
    "false",
    ":",
    "exit",
    "return",
    "break",
    "continue",
    "test",
    "[",
    "[[",
    "read",
    "mapfile",
    "readarray",
    "let",
    "shift",
    "sleep",
    "seq",
    "export",
    "local",
    "declare",
    "typeset",
    "readonly",
    "unset",
    "set",
    "mkdir",
    "rm",
    "cd",
    "kill",
    "wait",
    "trap",
];
/// Commands that print their operands, or a part of them.
const PRINTERS: &[&str] = &["echo", "printf", "print", "basename", "dirname", "realpath", "readlink"];
/// Commands that leave what they read to others of the script.
const HAND_ON: &[&str] = &["eval", ".", "source", "coproc", "for", "select"];

/// `tr -dc 0-9`: nothing but digits is left.
fn keeps_digits(name: &str, operands: &[Word]) -> bool {
    let [option, set] = operands else { return false };
    name == "tr"
        && matches!(option.text.as_str(), "-cd" | "-dc")
        && matches!(set.text.as_str(), "0-9" | "[:digit:]" | "[0-9]")
}

impl Tracker<'_> {
    /// What a command reads, as far as it is seen, also as the exact text; and what it prints, for the command behind it.
    pub fn standard_input(&mut self, name: &str, operands: &[Word]) -> (Origin, Option<Vec<Unit>>) {
        let hands_on =
            self.found.functions.contains(name) || HAND_ON.contains(&name) || name.contains([HOLE, EXPANSION]);
        let piped_on = self.char(self.at) == Some('|') && self.char(self.at + 1) != Some('|');
        let commands = self.stack.iter().filter(|frame| matches!(frame, Frame::Command(_))).count();
        let Some(command) = self.command() else { return Default::default() };
        let filters = FILTERS.contains(&name);
        let passes = filters && !command.own_output && (piped_on || commands > 1 || !command.groups.is_empty());
        let stores = matches!(name, "read" | "mapfile" | "readarray");
        let any_input = command.any_input;
        let mut read = std::mem::take(&mut command.here);
        let (mut text, feed_text) = (command.here_text.take(), command.feed_text.take());
        if command.piped && !command.own_input {
            text = feed_text;
        }
        if command.piped {
            read.extend(std::mem::take(&mut command.feed));
        }
        if hands_on {
            self.found.variables.assign(ANY_INPUT, read.clone());
        }
        let shares = any_input && (stores || passes || hands_on);
        if shares {
            self.share_heredocs();
        }
        let Some(command) = self.command() else { return Default::default() };
        if !command.piped && !command.own_input {
            read.names.extend([STDIN.to_owned(), ANY_INPUT.to_owned()]);
        } else if shares || (stores && operands.iter().any(|word| word.text.starts_with("-u"))) {
            read.names.push(ANY_INPUT.to_owned());
        }
        let mut printed = Origin::default();
        // Others read backslashes in what they print.
        if let ("printf", [format, word]) = (name, operands)
            && matches!(format.text.as_str(), "%s" | "%s\\n" | "%s\n")
        {
            command.feed_text = word.exact();
        }
        if PRINTERS.contains(&name) {
            operands.iter().for_each(|word| printed.extend(word.origin()));
        } else if filters && !keeps_digits(name, operands) {
            printed = read.clone();
            operands.iter().for_each(|word| printed.extend(word.process()));
            printed.names.push(UNSEEN.to_owned());
        } else if !filters && !PLAIN_PRINTERS.contains(&name) {
            printed.names.push(UNSEEN.to_owned());
        }
        if !matches!(name, "echo" | "printf" | "print") {
            printed = self.found.variables.part(printed);
        }
        let Some(command) = self.command() else { return Default::default() };
        command.feed.clone_from(&printed);
        if self.found.output_processes {
            self.found.variables.assign(ANY_INPUT, printed);
        }
        (read, text)
    }

    /// The redirected input of a compound command, or of `exec`, is that of all commands in or behind it.
    pub fn compound_input(&mut self) {
        let Some(command) = self.command() else { return };
        let (here, any_input) = (std::mem::take(&mut command.here), command.any_input);
        self.found.variables.assign(ANY_INPUT, here);
        if any_input {
            self.share_heredocs();
        }
    }

    /// Any command may read the heredocs whose bodies follow.
    pub fn share_heredocs(&mut self) {
        self.found.shared.extend(self.pending.iter().map(|pending| pending.word.start));
    }

    /// What a heredoc holds that any command may read.
    pub fn shared_body(&mut self, body: Range<usize>, quoted: bool) {
        let holes = self.units.units[body.clone()].iter().filter_map(|unit| match unit {
            Unit::Hole(hole) => Some(*hole),
            Unit::Char(_) => None,
        });
        let holes = holes.collect();
        let names = if quoted { Vec::new() } else { self.expanded_in(body) };
        self.found.variables.assign(ANY_INPUT, Origin { holes, names });
    }

    /// The variables that the body of a heredoc expands.
    pub fn expanded_in(&mut self, body: Range<usize>) -> Vec<String> {
        let text: Vec<char> = self.units.text(body).chars().collect();
        let mut names = Vec::new();
        for at in (0..text.len()).filter(|at| text[*at] == '$' && (*at == 0 || text[at - 1] != '\\')) {
            let rest = &text[at + 1..];
            let skipped = rest.iter().take_while(|c| matches!(c, '{' | '!')).count();
            let name: String = rest[skipped..].iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').collect();
            match rest.get(skipped) {
                Some('@' | '*') => names.push(self.scoped("@".to_owned())),
                _ if !name.is_empty() => names.push(self.scoped(name)),
                _ => {}
            }
        }
        names
    }
}
