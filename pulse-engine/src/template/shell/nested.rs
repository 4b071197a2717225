//! Shells inside of the shell: which text of a command a second shell reads, and whether values are quoted there.

use super::functions::handed;
use super::place::{Needs, Style};
use super::script::KNOWN_SHELLS;
use super::tracker::{self, Tracker};
use super::units::{Hole, Unit, Units};
use super::words::{EXPANSION, HOLE, Origin, Word};
use crate::template::{TemplateError, TemplateWarning, TemplateWarningKind};
use std::collections::HashSet;

/// Commands that run the command behind them, in this shell or elsewhere.
const WRAPPERS: &[&str] = &[
    "command",
    "builtin",
    "exec",
    "sudo",
    "doas",
    "nohup",
    "env",
    "time",
    "nice",
    "ionice",
    "setsid",
    "stdbuf",
    "timeout",
    "flock",
    "chroot",
    "nsenter",
    "unshare",
    "strace",
    "xargs",
    "parallel",
    "find",
    "docker",
    "podman",
    "nerdctl",
    "kubectl",
    "lxc",
    "incus",
    "machinectl",
    "systemd-run",
    "sshpass",
    "setpriv",
    "taskset",
    "chrt",
    "busybox",
    "watch",
];
/// Programs that read a script from behind `-c`, from a file, or from their standard input.
const SHELLS: &[&str] =
    &["sh", "bash", "rbash", "dash", "ash", "ksh", "ksh93", "mksh", "lksh", "zsh", "yash", "csh", "tcsh", "fish"];
/// Shells in which single quotes do not keep everything.
const OTHER_QUOTING: &[&str] = &["csh", "tcsh", "fish"];
/// Options of programs that have a name as their value, which may be that of a shell.
const NAMING: &[&str] = &["--name", "--hostname", "--user", "--group", "--label", "--container", "--namespace"];
/// Options of `ssh` with a value of their own.
const SSH_OPTIONS: &str = "bcDEeFIiJLlmOopQRSWw";

const READS: &str = "a second shell reads this text, and the value can be code for it";
const BARE: &str = "write {{ … | sh }}, outside of all quotes of that shell, or give the value to it as an argument: \
                    sh -c '… \"$1\"' sh {{ … }}";

const EXACT: &str = "feed the script by a heredoc, or by printf '%s\\n' \"… {{ … | sh }} …\": what comes by echo, a variable or \
                     other commands can be another text than the one that was quoted";

/// What a command lets a second shell read.
#[derive(Default)]
pub(super) struct Read<'w> {
    /// Words that are joined to a script.
    pub script: Vec<&'w Word>,
    /// Its standard input is a script.
    pub input: bool,
    /// `{{ … | sh }}` does not quote for that shell.
    pub other_quoting: bool,
    /// The command itself is this shell.
    pub shell: Option<&'w str>,
    /// What the script finds as its arguments.
    pub arguments: &'w [Word],
    /// The shell calculates nowhere but where Bash does.
    pub known: bool,
}

impl Tracker<'_> {
    /// Warns where another shell reads the value, which then can be code for that shell.
    pub fn nested_shell(&mut self, words: &[Word], input: &Origin, text: Option<Vec<Unit>>) {
        let read = read_by_shell(words, &self.found.functions);
        if !read.script.is_empty() {
            let mut units = Vec::new();
            for word in &read.script {
                if !units.is_empty() {
                    units.push(Unit::Char(' '));
                }
                units.extend(word.units());
                self.warn_nested(&word.holes, READS);
                self.warn_nested(&word.carried.holes, READS);
                self.found.unquoted.extend(word.carried.holes.iter().chain(&word.hidden));
                self.found.variables.run.extend(word.origin().names);
            }
            self.inner_arguments(&units, &read);
            self.inner_script(units, read.other_quoting);
        }
        if read.input {
            self.warn_nested(&input.holes, READS);
            match text {
                Some(text) => self.inner_script(text, read.other_quoting),
                None => self.found.unquoted.extend(&input.holes),
            }
            self.found.variables.run.extend(input.names.iter().cloned());
            self.pending.iter_mut().for_each(|pending| pending.script = true);
        }
    }

    /// Looks what the script of a second shell does with its arguments.
    fn inner_arguments(&mut self, script: &[Unit], read: &Read<'_>) {
        if self.is_inner || read.arguments.iter().all(|word| word.origin().is_empty()) {
            return;
        }
        let (inner, _) = inner_units(script, &self.units.holes);
        let found = tracker::track_inner(&inner, read.known).variables;
        for (word, names) in handed("", read.arguments) {
            let origin = word.origin();
            let needs = names.iter().filter_map(|name| found.needed.get(name)).max().copied();
            self.need(&origin, needs.unwrap_or(Needs::Anything));
            if names.iter().any(|name| found.run.contains(name)) {
                self.warn_nested(&origin.holes, READS);
                self.found.unquoted.extend(&origin.holes);
                self.found.variables.run.extend(origin.names);
            }
        }
    }

    /// Looks where values stand in the script of a second shell: those with `| sh` must stand where their quotes count.
    pub fn inner_script(&mut self, script: Vec<Unit>, other_quoting: bool) {
        let holes: Vec<usize> = script
            .iter()
            .filter_map(|unit| match unit {
                Unit::Hole(hole) => Some(*hole),
                Unit::Char(_) => None,
            })
            .collect();
        self.found.nested.extend(&holes);
        if self.is_inner {
            return;
        }
        for (hole, needs) in quoted_places(&script, &self.units.holes, other_quoting) {
            if needs.is_none() {
                self.found.errors.push(misplaced(self.units.holes[hole].offset, other_quoting));
            }
            let needs = needs.unwrap_or(Needs::Anything);
            self.need(&Origin { holes: vec![hole], names: Vec::new() }, needs);
        }
    }

    pub fn warn_nested(&mut self, holes: &[usize], message: &str) {
        for hole in holes {
            self.found.warnings.push(TemplateWarning {
                kind: TemplateWarningKind::NestedShell,
                message: message.to_owned(),
                offset: self.units.holes[*hole].offset,
                help: Some(if self.units.holes[*hole].sh { EXACT } else { BARE }.to_owned()),
            });
        }
    }
}

/// For each placeholder with `| sh` in the script of a second shell what its value has to be; nothing where its quotes do
/// not make one word of it.
pub(super) fn quoted_places(script: &[Unit], holes: &[Hole], other_quoting: bool) -> Vec<(usize, Option<Needs>)> {
    let (inner, quoted) = inner_units(script, holes);
    if quoted.is_empty() {
        return Vec::new();
    }
    let found = tracker::track_inner(&inner, false);
    let place = |(index, hole): (usize, usize)| {
        let place = found.places[index];
        let bare = place.style == Style::Bare && !found.nested.contains(&index) && found.errors.is_empty();
        (hole, (bare && !other_quoting).then_some(place.needs))
    };
    quoted.into_iter().map(place).collect()
}

/// The script of a second shell as units of its own; and its placeholders with `| sh`, each with its number in both.
fn inner_units(script: &[Unit], holes: &[Hole]) -> (Units, Vec<(usize, usize)>) {
    let mut inner = Units::default();
    let mut quoted = Vec::new();
    for unit in script {
        inner.offsets.push(0);
        inner.units.push(match unit {
            Unit::Hole(hole) => {
                let Hole { offset, raw, sh } = holes[*hole];
                quoted.extend(sh.then_some((inner.holes.len(), *hole)));
                // What is not quoted is told elsewhere.
                inner.holes.push(Hole { offset, raw: raw || !sh, sh });
                Unit::Hole(inner.holes.len() - 1)
            }
            char => *char,
        });
    }
    (inner, quoted)
}

/// `| sh` where its quotes do not make one word of the value.
pub(super) fn misplaced(offset: usize, other_quoting: bool) -> TemplateError {
    let message = match other_quoting {
        true => "`| sh` does not quote for this shell",
        false => {
            "`| sh` stands in quotes, a calculation, a comment, a heredoc or one more shell of the script that the second shell reads"
        }
    };
    TemplateError::new(offset, message).help(
        "write it bare there: ssh host \"grep -r {{ … | sh }} /srv\"; or give the value as an argument: \
         sh -c 'grep -r \"$1\" /srv' sh {{ … }}",
    )
}

impl Word {
    /// What it is, if nothing in it comes from commands or from expansions that are not seen.
    pub fn exact(&self) -> Option<Vec<Unit>> {
        (self.carried.is_empty() && self.hidden.is_empty()).then(|| self.units().collect())
    }

    /// Its characters and placeholders; a variable is taken for a letter.
    pub(super) fn units(&self) -> impl Iterator<Item = Unit> {
        let mut holes = self.holes.iter();
        self.text.chars().filter_map(move |c| match c {
            HOLE => holes.next().map(|hole| Unit::Hole(*hole)),
            EXPANSION => Some(Unit::Char('v')),
            c => Some(Unit::Char(c)),
        })
    }

    /// The program it names.
    pub(super) fn program(&self) -> &str {
        let is_shell = |name: &String| matches!(name.as_str(), "SHELL" | "BASH");
        if self.text == EXPANSION.to_string() && self.expansions.first().is_some_and(is_shell) {
            return "sh";
        }
        self.text.rsplit('/').next().unwrap_or_default()
    }
}

/// These words are a script.
fn script_of(script: Vec<&Word>) -> Read<'_> {
    Read { script, ..Read::default() }
}

/// What a second shell reads of a command.
pub(super) fn read_by_shell<'w>(words: &'w [Word], functions: &HashSet<String>) -> Read<'w> {
    let Some(first) = words.iter().position(|word| !word.is_assignment()) else { return Read::default() };
    let operands = &words[first + 1..];
    match words[first].program() {
        "eval" | "alias" => script_of(operands.iter().collect()),
        "trap" => script_of(operands.iter().find(|word| word.text != "--").into_iter().collect()),
        "mapfile" | "readarray" => script_of(behind(operands, "-C").into_iter().collect()),
        "watch" => script_of(watched(operands)),
        "flock" | "script" => match operands.iter().position(is_command_option) {
            Some(at) => script_of(operands.get(at + 1).into_iter().collect()),
            None => invoked(words, first, functions),
        },
        "." | "source" => Read {
            script: Vec::new(),
            input: operands.first().is_some_and(|word| word.text == "/dev/stdin"),
            ..Read::default()
        }
        .with_process(operands),
        "at" | "batch" => Read { input: true, ..Read::default() },
        _ => invoked(words, first, functions),
    }
}

impl<'w> Read<'w> {
    /// What `<(…)` as the file of a script prints is read.
    fn with_process(mut self, operands: &'w [Word]) -> Self {
        self.script.extend(operands.first().filter(|word| !word.carried.is_empty() && word.text.is_empty()));
        self
    }
}

/// A shell or `ssh` that the command is, or that it runs.
fn invoked<'w>(words: &'w [Word], first: usize, functions: &HashSet<String>) -> Read<'w> {
    let mut at = first;
    let xargs = words[first..].iter().any(|word| word.plain && word.text == "xargs");
    while let Some(word) = words.get(at) {
        let named = at > first && NAMING.contains(&words[at - 1].text.as_str());
        let program = word.program();
        let operands = &words[at + 1..];
        let read = match program {
            _ if named => None,
            "ssh" => Some(remote(operands, xargs)),
            "su" | "runuser" => Some(switched(operands)),
            "env" => split(operands),
            _ if SHELLS.contains(&program) => {
                let known = KNOWN_SHELLS.contains(&program);
                Some(Read { known, ..shell(operands, xargs, OTHER_QUOTING.contains(&program)) })
            }
            _ => None,
        };
        if let Some(read) = read.filter(|read| at == first || read.input || !read.script.is_empty()) {
            let shell = (at == first && SHELLS.contains(&program)).then_some(program);
            return Read { shell, ..read };
        }
        // A function may run what it is given.
        if at == first && !WRAPPERS.contains(&program) && !functions.contains(program) {
            break;
        }
        at += 1;
    }
    Read::default()
}

/// A shell with its operands.
fn shell(operands: &[Word], xargs: bool, other_quoting: bool) -> Read<'_> {
    let (mut command, mut input, mut at) = (false, false, 0);
    // A value among options can make what follows a script.
    let mut doubtful = Vec::new();
    while let Some(word) = operands.get(at).filter(|word| word.text.len() > 1 && word.text.starts_with(['-', '+'])) {
        at += 1;
        if word.text == "--" {
            break;
        }
        if word.text.starts_with("--") {
            at += usize::from(matches!(word.text.as_str(), "--rcfile" | "--init-file"));
            continue;
        }
        doubtful.extend((!word.holes.is_empty()).then_some(word));
        command |= word.text.contains('c');
        input |= word.text.contains('s');
        at += usize::from(word.text.ends_with(['o', 'O']));
    }
    let rest = operands.get(at..).unwrap_or_default();
    let file = rest.first().filter(|word| !matches!(word.text.as_str(), "-" | "/dev/stdin"));
    match (command, file) {
        (true, script) => {
            // Where xargs puts what it reads, or all of the script.
            let taken = script.is_none_or(|word| word.text.contains(['{', '@', '%']));
            let script = doubtful.into_iter().chain(script).collect();
            // The first one behind the script is its name.
            let arguments = rest.get(2..).unwrap_or_default();
            Read { script, input: xargs && taken, other_quoting, arguments, ..Read::default() }
        }
        (false, None) => Read { script: doubtful, input: true, other_quoting, ..Read::default() },
        (false, Some(_)) => Read { script: doubtful, input, other_quoting, ..Read::default() }.with_process(rest),
    }
}

/// `su` and `runuser`: a script behind `-c`, or on their standard input.
fn switched(operands: &[Word]) -> Read<'_> {
    let option = |word: &Word| is_command_option(word) || word.text == "--command";
    if let Some(at) = operands.iter().position(option) {
        return Read { script: operands.get(at + 1).into_iter().collect(), ..Read::default() };
    }
    let script: Vec<_> = operands.iter().filter(|word| word.text.starts_with("--command=")).collect();
    Read { input: script.is_empty(), script, ..Read::default() }
}

/// `env -S` cuts a text into words, with quotes of its own kind.
fn split(operands: &[Word]) -> Option<Read<'_>> {
    let at = operands.iter().position(|word| word.text.starts_with("-S") || word.text.starts_with("--split-string"))?;
    let attached = operands[at].text.len() > 2 && !matches!(operands[at].text.as_str(), "--split-string");
    let text = if attached { operands.get(at) } else { operands.get(at + 1) };
    Some(Read { script: text.into_iter().collect(), other_quoting: true, ..Read::default() })
}

/// The arguments of `ssh` behind the host: they are joined and read by the shell there.
fn remote(operands: &[Word], xargs: bool) -> Read<'_> {
    let (mut host, mut skip) = (false, false);
    let (mut script, mut runs): (Vec<&Word>, Vec<&Word>) = Default::default();
    for word in operands {
        if host {
            script.push(word);
        } else if skip {
            skip = false;
            runs.extend(runs_command(word).then_some(word));
        } else if let Some(option) = word.text.strip_prefix('-') {
            skip = option.len() == 1 && SSH_OPTIONS.contains(option);
            runs.extend((option.starts_with('o') && runs_command(word)).then_some(word));
        } else {
            host = true;
        }
    }
    let program = script.iter().position(|word| word.spaced || SHELLS.contains(&word.program()));
    // `ssh host bash -s`: the shell there reads what comes in.
    let shell_there = program.is_some_and(|at| {
        let words: Vec<Word> = script[at..].iter().flat_map(|word| word.text.split_whitespace()).map(plain).collect();
        words
            .split_first()
            .is_some_and(|(first, rest)| SHELLS.contains(&first.program()) && shell(rest, false, false).input)
    });
    let input = host && (script.is_empty() || xargs || shell_there);
    runs.extend(script);
    Read { input, script: runs, ..Read::default() }
}

/// `ProxyCommand=…` and the like: options of `ssh` that a shell runs.
fn runs_command(word: &Word) -> bool {
    word.text.split_once('=').is_some_and(|(name, _)| name.to_ascii_lowercase().ends_with("command"))
}

fn plain(text: &str) -> Word {
    Word { text: text.to_owned(), plain: true, ..Word::default() }
}

/// The operands of `watch` that are its command.
fn watched(operands: &[Word]) -> Vec<&Word> {
    let mut rest = operands;
    while let [option, behind @ ..] = rest
        && option.text.starts_with('-')
    {
        let value = matches!(option.text.as_str(), "-n" | "--interval" | "-q" | "--equexit");
        rest = if value { behind.get(1..).unwrap_or_default() } else { behind };
    }
    rest.iter().collect()
}

fn behind<'w>(operands: &'w [Word], option: &str) -> Option<&'w Word> {
    operands.iter().position(|word| word.text == option).and_then(|at| operands.get(at + 1))
}

/// `-c`, also behind other options in one word.
fn is_command_option(word: &Word) -> bool {
    word.text.starts_with('-') && !word.text.starts_with("--") && word.text.ends_with('c')
}
