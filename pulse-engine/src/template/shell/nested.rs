//! Shells inside of the shell: which text of a command a second shell reads, and whether values are quoted there.

use super::flow::Variables;
use super::functions::handed;
use super::place::{Needs, Style};
use super::programs::{
    behind, completed, is_command_option, plain, remote, replaced_by_xargs, shell, split, switched, watched,
};
use super::script::KNOWN_SHELLS;
use super::tracker::{self, Tracked, Tracker};
use super::units::{Hole, Unit, Units};
use super::words::{ANY_INPUT, EXPANSION, HOLE, Origin, STDIN, UNSEEN, Word, is_name};
use crate::template::{TemplateError, TemplateWarning, TemplateWarningKind};
use std::borrow::Cow;
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
    "docker-compose",
    "podman-compose",
    "oc",
    "ip",
    "gosu",
    "su-exec",
    "setuidgid",
    "s6-setuidgid",
    "chpst",
    "tini",
    "dumb-init",
    "fakeroot",
    "firejail",
    "bwrap",
    "proot",
    "numactl",
    "runcon",
    "prlimit",
    "pkexec",
    "run0",
    "cgexec",
    "crictl",
    "distrobox",
    "toolbox",
    "unbuffer",
];
/// Programs that read a script from behind `-c`, from a file, or from their standard input.
pub(super) const SHELLS: &[&str] =
    &["sh", "bash", "rbash", "dash", "ash", "ksh", "ksh93", "mksh", "lksh", "zsh", "yash", "csh", "tcsh", "fish"];
/// Shells in which single quotes do not keep everything.
const OTHER_QUOTING: &[&str] = &["csh", "tcsh", "fish"];
/// Options of programs that have a name as their value, which may be that of a shell.
const NAMING: &[&str] = &["--name", "--hostname", "--user", "--group", "--label", "--container", "--namespace"];

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
        let words = &self.programs_in(words)[..];
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
            self.inner_arguments(&units, &read, input);
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

    /// The words, with the programs that variables among them stand for.
    fn programs_in<'w>(&self, words: &'w [Word]) -> Cow<'w, [Word]> {
        let program = |word: &Word| {
            let name = word.expansions.first().filter(|_| word.text == EXPANSION.to_string())?;
            self.found.variables.programs.get(name)
        };
        if !words.iter().any(|word| program(word).is_some()) {
            return Cow::Borrowed(words);
        }
        let each = |word: &Word| match program(word) {
            Some(text) => text.split_whitespace().map(plain).collect(),
            None => vec![word.clone()],
        };
        Cow::Owned(words.iter().flat_map(each).collect())
    }

    /// Looks what the script of a second shell does with its arguments.
    fn inner_arguments(&mut self, script: &[Unit], read: &Read<'_>, input: &Origin) {
        if self.is_inner {
            // Nobody looks so deep.
            return self.unseen();
        }
        let (inner, _) = inner_units(script, &self.units.holes);
        let Tracked { variables: found, mixes, .. } = tracker::track_inner(&inner, read.known);
        self.inner_variables(&found);
        if mixes {
            self.unseen();
        }
        self.inner_input(&found, input);
        for (word, names) in handed("", read.arguments) {
            let origin = word.origin();
            let needs = names.iter().filter_map(|name| found.needed.get(name)).max().copied();
            self.need(&origin, needs.unwrap_or(Needs::Anything));
            if let Some(program) = names.iter().find_map(|name| found.options.get(name)) {
                self.option_of(origin.clone(), program);
            }
            if names.iter().any(|name| found.run.contains(name)) {
                self.warn_nested(&origin.holes, READS);
                self.found.unquoted.extend(&origin.holes);
                self.found.variables.run.extend(origin.names);
            }
        }
    }

    /// What the script of a second shell asks of the variables that it finds: those that it does not make itself.
    fn inner_variables(&mut self, found: &Variables) {
        let given = |name: &String| is_name(name) && !found.makes(name);
        for (name, needs) in found.needed.iter().filter(|(name, _)| given(name)) {
            self.found.variables.need(name, *needs);
        }
        let options = found.options.iter().filter(|(name, _)| given(name));
        self.found.variables.options.extend(options.map(|(name, program)| (name.clone(), *program)));
        self.found.variables.run.extend(found.run.iter().filter(|name| given(name)).cloned());
    }

    /// What the script of a second shell reads has to be what that script needs.
    fn inner_input(&mut self, found: &Variables, input: &Origin) {
        let needs = found.needed.get(STDIN).copied().unwrap_or(Needs::Anything);
        let runs = found.run.contains(STDIN);
        if needs == Needs::Anything && !runs {
            return;
        }
        let mut input = input.clone();
        if self.command().is_some_and(|command| command.any_input) {
            self.share_heredocs();
            input.names.push(ANY_INPUT.to_owned());
        }
        self.need(&input, needs);
        if runs {
            self.warn_nested(&input.holes, READS);
            self.found.unquoted.extend(&input.holes);
            self.found.variables.run.extend(input.names);
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
        let carried = !self.carried.holes.is_empty() || self.carried.names.iter().any(|name| name != UNSEEN);
        (!carried && self.hidden.is_empty()).then(|| self.units().collect())
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

/// A program that reads text as a script, or that runs others that may.
pub(super) fn runs_text(program: &str) -> bool {
    let program = program.rsplit('/').next().unwrap_or_default();
    SHELLS.contains(&program) || WRAPPERS.contains(&program) || matches!(program, "ssh" | "su" | "runuser" | "eval")
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
        "compgen" | "complete" => script_of(completed(operands)),
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
    pub(super) fn with_process(mut self, operands: &'w [Word]) -> Self {
        self.script.extend(operands.first().filter(|word| !word.carried.is_empty() && word.text.is_empty()));
        self
    }
}

/// A shell or `ssh` that the command is, or that it runs.
fn invoked<'w>(words: &'w [Word], first: usize, functions: &HashSet<String>) -> Read<'w> {
    let mut at = first;
    let xargs = words[first..].iter().position(|word| word.plain && word.text == "xargs");
    let replaced = xargs.map(|at| replaced_by_xargs(&words[first + at + 1..]));
    let xargs = replaced.is_some();
    while let Some(word) = words.get(at) {
        let named = at > first && NAMING.contains(&words[at - 1].text.as_str());
        let program = word.program();
        let program = program.strip_prefix("--entrypoint=").unwrap_or(program);
        let operands = &words[at + 1..];
        let read = match program {
            _ if named => None,
            "ssh" => Some(remote(operands, xargs)),
            "su" | "runuser" => Some(switched(operands)),
            "env" => split(operands),
            _ if SHELLS.contains(&program) => {
                let known = KNOWN_SHELLS.contains(&program);
                // The image stands between `--entrypoint` and the options of the shell.
                let entry =
                    at > first && words[at - 1].text == "--entrypoint" || word.text.starts_with("--entrypoint=");
                let skipped = operands.iter().position(is_command_option).filter(|_| entry).unwrap_or_default();
                let operands = &operands[skipped..];
                Some(Read { known, ..shell(operands, replaced.as_deref(), OTHER_QUOTING.contains(&program)) })
            }
            _ => None,
        };
        if let Some(read) = read.filter(|read| at == first || read.input || !read.script.is_empty()) {
            let shell = (at == first && SHELLS.contains(&program)).then_some(program);
            return Read { shell, ..read };
        }
        // A function may run what it is given.
        let unknown = program.contains([HOLE, EXPANSION]);
        if at == first && !WRAPPERS.contains(&program) && !functions.contains(program) && !unknown {
            break;
        }
        at += 1;
    }
    Read::default()
}
