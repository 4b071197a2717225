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
/// Commands that take `name=value`, where Bash reads a value in parentheses as a list and expands it.
const TAKE_LISTS: &[&str] = &["declare", "typeset", "local", "readonly"];
/// Variables that are calculated with whenever they are assigned.
const CALCULATED: &[&str] = &["RANDOM", "SRANDOM", "OPTIND", "HISTCMD"];
/// Variables whose value is expanded or run as code later.
const RUN: &[&str] = &["BASH_ENV", "ENV", "PS0", "PS1", "PS2", "PS4", "PROMPT_COMMAND"];
/// Words before a command that leave it the command.
const PREFIXES: &[&str] = &["command", "builtin", "exec", "sudo", "nohup", "env", "time", "nice"];
/// Programs that read a script from their arguments behind `-c`.
const SHELLS: &[&str] = &["sh", "bash", "dash", "ash", "ksh", "zsh", "busybox", "su", "runuser"];
/// Options of `ssh` with a value of their own.
const SSH_OPTIONS: &str = "bcDEeFIiJLlmOopQRSWw";

impl Tracker<'_> {
    /// Looks at a whole simple command.
    pub fn analyse(&mut self, words: &[Word], in_test: bool) {
        for word in words {
            self.assignment(word);
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
        match name {
            "let" => {
                self.need(operands.iter().flat_map(|word| &word.holes), Needs::Integer);
                self.calculate(operands);
            }
            "for" | "select" => self.assign(&words[first + 1..]),
            "test" | "[" => self.behind_option(operands, "-v"),
            "wait" => self.behind_option(operands, "-p"),
            "compgen" | "complete" => self.behind_option(operands, "-W"),
            "printf" => self.printf(operands),
            _ => {}
        }
        if let Some((_, with_value)) = TAKE_NAMES.iter().find(|(known, _)| *known == name) {
            self.names(operands, with_value, TAKE_LISTS.contains(&name));
        }
        self.nested_shell(name, words, operands);
    }

    /// Asks for at least this of the values of placeholders.
    pub fn need<'h>(&mut self, holes: impl IntoIterator<Item = &'h usize>, needs: Needs) {
        for hole in holes {
            let place = &mut self.found.places[*hole];
            place.needs = place.needs.max(needs);
        }
    }

    /// Notes that the script calculates with what these words name.
    fn calculate(&mut self, words: &[Word]) {
        self.found.calculated.extend(words.iter().flat_map(Word::names).map(str::to_owned));
    }

    /// `name=…`, and `name[…]=…`, or `[…]=…` in a list, where the index is arithmetic.
    fn assignment(&mut self, word: &Word) {
        let index =
            word.text.split_once(']').filter(|(before, behind)| before.contains('[') && behind.starts_with(['=', '+']));
        if index.is_some() && (word.is_assignment() || word.text.starts_with('[')) {
            self.need(word.holes_before(']'), Needs::Integer);
            let index = Word { text: index.map_or("", |(before, _)| before).to_owned(), ..word.clone() };
            self.calculate(&[index]);
        }
        let Some(name) = word.assigned_name() else { return };
        let holes = word.holes_behind('=');
        if CALCULATED.contains(&name) {
            self.need(holes, Needs::Integer);
        } else if RUN.contains(&name) {
            self.warn_nested(holes, "a shell runs or expands the value of this variable");
        }
        if !holes.is_empty() {
            self.found.assigned.push((name.to_owned(), holes.to_vec()));
        }
    }

    /// `for name in …`: each value is assigned to the name.
    fn assign(&mut self, words: &[Word]) {
        let Some((name, values)) = words.split_first() else { return };
        let holes: Vec<usize> = values.iter().flat_map(|word| word.holes.iter().copied()).collect();
        self.found.assigned.push((name.text.clone(), holes));
    }

    /// A value that a variable carries into arithmetic has to be an integer, as if it stood there itself.
    pub fn follow_variables(&mut self) {
        for (name, holes) in std::mem::take(&mut self.found.assigned) {
            if self.found.calculated.contains(&name) {
                self.need(&holes, Needs::Integer);
            }
        }
    }

    /// `-v` and what follows it is the name of a variable; what comes first could be that option.
    fn printf(&mut self, operands: &[Word]) {
        self.behind_option(operands, "-v");
        for word in operands.iter().filter(|word| word.text.starts_with("-v")) {
            self.need(&word.holes, Needs::Name);
        }
        if let Some(first) = operands.first().filter(|first| first.text.starts_with('\0')) {
            self.need(&first.holes, Needs::Plain);
        }
    }

    fn test(&mut self, operands: &[Word]) {
        for (i, word) in operands.iter().enumerate() {
            if ARITHMETIC_TESTS.contains(&word.text.as_str()) {
                let before = i.checked_sub(1).and_then(|i| operands.get(i));
                for word in before.into_iter().chain(operands.get(i + 1)) {
                    self.need(&word.holes, Needs::Integer);
                    self.calculate(std::slice::from_ref(word));
                }
            }
        }
    }

    /// Operands are names, up to a `=`.
    fn names(&mut self, operands: &[Word], with_value: &str, lists: bool) {
        let option = |c: char| operands.iter().any(|word| word.text.starts_with('-') && word.text.contains(c));
        let (integers, references) = (option('i'), option('n'));
        let mut is_value = false;
        for word in operands {
            let is_option = word.text.starts_with(['-', '+']);
            if !is_option && !is_value {
                self.need(word.holes_before('='), Needs::Name);
            }
            if let Some((name, value)) = word.text.split_once('=').filter(|_| lists) {
                let needs = match value.chars().next() {
                    _ if integers => Needs::Integer,
                    _ if references => Needs::Name,
                    Some('(') => Needs::Plain,
                    Some('\0') => Needs::NoList,
                    _ => Needs::Anything,
                };
                self.need(word.holes_behind('='), needs);
                if integers {
                    self.found.calculated.insert(name.to_owned());
                }
            } else if lists && integers && !is_option {
                self.found.calculated.insert(word.text.clone());
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
            "eval" | "trap" | "watch" | "alias" => operands.iter().collect(),
            "ssh" => remote_command(operands),
            _ => script_of_shell(words).into_iter().collect(),
        };
        for word in read {
            self.warn_nested(&word.holes, "a second shell reads this text, and the value can be code for it");
        }
    }

    fn warn_nested(&mut self, holes: &[usize], message: &str) {
        for hole in holes {
            self.found.warnings.push(TemplateWarning {
                kind: TemplateWarningKind::NestedShell,
                message: message.to_owned(),
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
