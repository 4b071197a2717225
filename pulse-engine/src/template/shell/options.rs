//! Values that a program could take for one of its options, where an option can run a command or a program of its own:
//! `ssh {{ host }}` with a host that is `-oProxyCommand=…`.

use super::place::Needs;
use super::tracker::Tracker;
use super::words::{EXPANSION, HOLE, Origin, UNSEEN, Word};

/// How a program tells its options from its operands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    /// Options end at the first operand.
    First,
    /// Options may stand anywhere.
    Any,
    /// As the first, but the word behind the first operand may be an option, too.
    Remote,
    /// Operands stand first; what follows the first option is an expression.
    Paths,
}

/// Programs of which an option runs a command, or reads a program, that stands in the same word; with their options that have
/// a value in the next word.
const PROGRAMS: &[(&str, Style, &str)] = &[
    ("ssh", Style::Remote, "bcDEeFIiJLlmOopQRSWw"),
    ("scp", Style::Any, ""),
    ("sftp", Style::Any, ""),
    ("rsync", Style::Any, ""),
    ("tar", Style::Any, ""),
    ("zip", Style::Any, ""),
    ("find", Style::Paths, "D"),
    ("sed", Style::Any, ""),
    ("sort", Style::Any, ""),
    ("split", Style::Any, ""),
    ("awk", Style::First, "fvF"),
    ("gawk", Style::First, "fvFeEil"),
    ("mawk", Style::First, "fvFW"),
    ("perl", Style::First, ""),
    ("ruby", Style::First, "CEIrxK"),
    ("python", Style::First, "WX"),
    ("python2", Style::First, "WX"),
    ("python3", Style::First, "WX"),
    ("node", Style::First, "r"),
    ("php", Style::First, "cd"),
    ("lua", Style::First, "l"),
    ("env", Style::First, "uC"),
    ("xargs", Style::First, "EILPadns"),
    ("su", Style::Any, ""),
    ("runuser", Style::Any, ""),
    ("git", Style::Any, ""),
    ("hg", Style::Any, ""),
    ("svn", Style::Any, ""),
    ("make", Style::Any, ""),
    ("apt", Style::Any, ""),
    ("apt-get", Style::Any, ""),
    ("aptitude", Style::Any, ""),
    ("rpm", Style::Any, ""),
    ("psql", Style::Any, ""),
    ("mysql", Style::Any, ""),
    ("mariadb", Style::Any, ""),
    ("sqlite3", Style::Any, ""),
    ("vim", Style::Any, ""),
    ("vi", Style::Any, ""),
    ("strace", Style::First, "oeEpPsuaOI"),
    ("script", Style::Any, ""),
    ("sh", Style::First, "oO"),
    ("bash", Style::First, "oO"),
    ("dash", Style::First, "o"),
    ("ash", Style::First, "o"),
    ("ksh", Style::First, "o"),
];

/// The words that a program takes for options if they begin with `-`, of those whose beginning only a value knows; and that
/// program, which may stand behind others.
pub(super) fn taken_for_options(words: &[Word]) -> Vec<(&Word, &'static str)> {
    let mut found = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let known = PROGRAMS.iter().find(|(name, ..)| *name == word.program() && !word.text.is_empty());
        if let Some((name, style, valued)) = known {
            found.extend(doubtful(&words[at + 1..], *style, valued).into_iter().map(|word| (word, *name)));
            break;
        }
    }
    found
}

fn doubtful<'w>(operands: &'w [Word], style: Style, valued: &str) -> Vec<&'w Word> {
    let mut found = Vec::new();
    let (mut is_value, mut last) = (false, false);
    for word in operands {
        let text = word.text.as_str();
        if text == "--" {
            break;
        }
        let is_option = text.starts_with('-') && text.len() > 1;
        if text.starts_with([HOLE, EXPANSION]) && !is_value {
            found.push(word);
        }
        let ends = match style {
            Style::Any => false,
            Style::First => !is_option && !is_value,
            Style::Remote => std::mem::replace(&mut last, !is_option && !is_value),
            Style::Paths => is_option && !matches!(text, "-H" | "-L" | "-P" | "-D") && !text.starts_with("-O"),
        };
        if ends {
            break;
        }
        is_value = is_option && !text.starts_with("--") && text.ends_with(|c| valued.contains(c));
    }
    found
}

/// Why a value cannot be an operand of this program.
pub(super) fn refusal(program: &str) -> String {
    format!(
        "without a `-` at its start, because `{program}` would take it for an option, and options of it can run commands"
    )
}

/// What to do about it.
pub(super) const OPTION_HELP: &str = "put `--` before it if that program knows it, or `./` before a path; or let the parameter's `pattern` refuse such values";

impl Tracker<'_> {
    /// Notes values, and variables that may have them, which a program could take for options.
    pub fn options(&mut self, words: &[Word]) {
        let found: Vec<_> =
            taken_for_options(words).into_iter().map(|(word, program)| (word.origin(), program)).collect();
        for (origin, program) in found {
            self.option_of(origin, program);
        }
    }

    /// Values that come from there could be options of this program.
    pub fn option_of(&mut self, origin: Origin, program: &'static str) {
        for hole in &origin.holes {
            self.found.places[*hole].option_of = Some(program);
        }
        self.found.variables.options.extend(origin.names.into_iter().map(|name| (name, program)));
    }

    /// What is certain to be out of sight may come from a value.
    pub fn unseen(&mut self) {
        self.found.variables.need(UNSEEN, Needs::Inert);
    }
}
