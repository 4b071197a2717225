//! Looks at the words of one command: places where a shell evaluates a value as code, and shells inside of the shell.

use super::place::Needs;
use super::tracker::Tracker;
use super::words::Word;
use crate::template::{TemplateWarning, TemplateWarningKind};

/// Operators of `[[ … ]]` whose operands are arithmetic.
const ARITHMETIC_TESTS: &[&str] = &["-eq", "-ne", "-lt", "-le", "-gt", "-ge"];
/// Commands that take names of variables, in which Bash evaluates an array index; with their options that have a value.
const TAKE_NAMES: &[(&str, &str)] = &[
    ("declare", ""),
    ("typeset", ""),
    ("local", ""),
    ("readonly", ""),
    ("export", ""),
    ("unset", ""),
    ("getopts", ""),
    ("read", "dinNptu"),
    ("mapfile", "dnOsuCc"),
    ("readarray", "dnOsuCc"),
];
/// Words before a command that leave it the command.
const PREFIXES: &[&str] = &["command", "builtin", "exec", "sudo", "nohup", "env", "time", "nice"];
/// Programs that read a script from their arguments behind `-c`.
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "ksh", "zsh", "busybox", "su", "runuser"];
/// Options of `ssh` with a value of their own.
const SSH_OPTIONS: &str = "bcDEeFIiJLlmOopQRSWw";

impl Tracker<'_> {
    /// Looks at a whole simple command.
    pub fn analyse(&mut self, words: &[Word], in_test: bool) {
        for word in words.iter().filter(|word| word.text.contains('[')) {
            self.assignment_index(word);
        }
        // `&&` and parentheses inside of `[[ … ]]` cut it into parts.
        let edge = |word: &Word| word.plain && matches!(word.text.as_str(), "[[" | "]]");
        if in_test || words.iter().any(edge) {
            self.test(words);
            self.behind_option(words, "-v");
        }
        let first = words.iter().position(|word| !word.is_assignment() && !PREFIXES.contains(&word.text.as_str()));
        let Some(first) = first else { return };
        let (name, operands) = (words[first].text.as_str(), &words[first + 1..]);
        let name = name.rsplit('/').next().unwrap_or(name);
        if name == "let" {
            let holes = operands.iter().flat_map(|word| &word.holes);
            self.need(holes, Needs::Integer);
        } else if let Some((_, with_value)) = TAKE_NAMES.iter().find(|(known, _)| *known == name) {
            self.names(operands, with_value);
        } else if matches!(name, "test" | "[" | "printf" | "wait") {
            self.behind_option(operands, if name == "wait" { "-p" } else { "-v" });
        }
        self.nested_shell(name, words, operands);
    }

    fn need<'h>(&mut self, holes: impl IntoIterator<Item = &'h usize>, needs: Needs) {
        for hole in holes {
            self.found.places[*hole].needs = needs;
        }
    }

    /// `name[…]=…`: the index is arithmetic.
    fn assignment_index(&mut self, word: &Word) {
        if word.is_assignment() && word.text.split_once('=').is_some_and(|(name, _)| name.contains('[')) {
            self.need(word.holes_before('='), Needs::Integer);
        }
    }

    fn test(&mut self, operands: &[Word]) {
        for (i, word) in operands.iter().enumerate() {
            if ARITHMETIC_TESTS.contains(&word.text.as_str()) {
                let before = i.checked_sub(1).and_then(|i| operands.get(i));
                let holes = before.into_iter().chain(operands.get(i + 1)).flat_map(|word| &word.holes);
                self.need(holes, Needs::Integer);
            }
        }
    }

    /// Operands are names, up to a `=`.
    fn names(&mut self, operands: &[Word], with_value: &str) {
        let integers = operands.iter().any(|word| word.text.starts_with('-') && word.text.contains('i'));
        let mut is_value = false;
        for word in operands {
            let is_option = word.text.starts_with(['-', '+']);
            if !is_option && !is_value {
                self.need(word.holes_before('='), Needs::Name);
            }
            if integers && word.text.contains('=') {
                self.need(word.holes_behind('='), Needs::Integer);
            }
            is_value = is_option && word.text.ends_with(|c| with_value.contains(c));
        }
    }

    fn behind_option(&mut self, operands: &[Word], option: &str) {
        for pair in operands.windows(2) {
            if pair[0].text == option {
                self.need(&pair[1].holes, Needs::Name);
            }
        }
    }

    /// Warns where another shell reads the value, which then can be code for that shell.
    fn nested_shell(&mut self, name: &str, words: &[Word], operands: &[Word]) {
        let read: Vec<&Word> = match name {
            "eval" | "trap" | "watch" => operands.iter().collect(),
            "ssh" => remote_command(operands),
            _ => script_of_shell(words).into_iter().collect(),
        };
        for hole in read.iter().flat_map(|word| &word.holes) {
            self.found.warnings.push(TemplateWarning {
                kind: TemplateWarningKind::NestedShell,
                message: "a second shell reads this text, and the value can be code for it".to_owned(),
                offset: self.units.holes[*hole].offset,
                help: Some("write {{ … | sh }} to quote the value for that shell".to_owned()),
            });
        }
    }
}

/// The word behind `-c` of a shell anywhere in the command, as in `sudo sh -c …`.
fn script_of_shell(words: &[Word]) -> Option<&Word> {
    let program = |word: &Word| word.text.rsplit('/').next().unwrap_or_default().to_owned();
    let shell = words.iter().position(|word| word.plain && SHELLS.contains(&program(word).as_str()))?;
    let is_option =
        |word: &Word| word.text.starts_with('-') && !word.text.starts_with("--") && word.text.ends_with('c');
    let option = words[shell..].iter().position(is_option)?;
    words.get(shell + option + 1)
}

/// The arguments of `ssh` behind the host: they are joined and read by the shell there.
fn remote_command(operands: &[Word]) -> Vec<&Word> {
    let mut host = false;
    let mut skip = false;
    let mut command = Vec::new();
    for word in operands {
        if host {
            command.push(word);
        } else if skip {
            skip = false;
        } else if let Some(option) = word.text.strip_prefix('-') {
            skip = option.len() == 1 && SSH_OPTIONS.contains(option);
        } else {
            host = true;
        }
    }
    command
}
