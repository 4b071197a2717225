//! Programs that read a script: which of their arguments it is, and whether their standard input is.

use super::nested::{Read, SHELLS};
use super::words::Word;

/// Options of `ssh` with a value of their own.
const SSH_OPTIONS: &str = "bcDEeFIiJLlmOopQRSWw";

/// What `xargs` replaces in the words of its command, other than `{}`.
pub(super) fn replaced_by_xargs(operands: &[Word]) -> Vec<String> {
    let mut texts = Vec::new();
    for (at, word) in operands.iter().enumerate() {
        let text = ["-I", "-i", "-J", "--replace="].iter().find_map(|option| word.text.strip_prefix(option));
        match text {
            Some("") => texts.extend(operands.get(at + 1).map(|word| word.text.clone())),
            Some(text) => texts.push(text.to_owned()),
            None => {}
        }
    }
    texts
}

/// A shell with its operands.
pub(super) fn shell<'w>(operands: &'w [Word], xargs: Option<&[String]>, other_quoting: bool) -> Read<'w> {
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
            let texts = xargs.unwrap_or_default();
            let taken = script.is_none_or(|word| {
                word.text.contains(['{', '@', '%']) || texts.iter().any(|text| word.text.contains(text))
            });
            let script = doubtful.into_iter().chain(script).collect();
            // The first one behind the script is its name.
            let arguments = rest.get(2..).unwrap_or_default();
            Read { script, input: xargs.is_some() && taken, other_quoting, arguments, ..Read::default() }
        }
        (false, None) => Read { script: doubtful, input: true, other_quoting, ..Read::default() },
        (false, Some(_)) => Read { script: doubtful, input, other_quoting, ..Read::default() }.with_process(rest),
    }
}

/// `su` and `runuser`: a script behind `-c`, or on their standard input.
pub(super) fn switched(operands: &[Word]) -> Read<'_> {
    let option = |word: &Word| is_command_option(word) || word.text == "--command";
    if let Some(at) = operands.iter().position(option) {
        return Read { script: operands.get(at + 1).into_iter().collect(), ..Read::default() };
    }
    let script: Vec<_> = operands.iter().filter(|word| word.text.starts_with("--command=")).collect();
    Read { input: script.is_empty(), script, ..Read::default() }
}

/// `env -S` cuts a text into words, with quotes of its own kind.
pub(super) fn split(operands: &[Word]) -> Option<Read<'_>> {
    let at = operands.iter().position(|word| word.text.starts_with("-S") || word.text.starts_with("--split-string"))?;
    let attached = operands[at].text.len() > 2 && !matches!(operands[at].text.as_str(), "--split-string");
    let text = if attached { operands.get(at) } else { operands.get(at + 1) };
    Some(Read { script: text.into_iter().collect(), other_quoting: true, ..Read::default() })
}

/// The arguments of `ssh` behind the host: they are joined and read by the shell there.
pub(super) fn remote(operands: &[Word], xargs: bool) -> Read<'_> {
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
            .is_some_and(|(first, rest)| SHELLS.contains(&first.program()) && shell(rest, None, false).input)
    });
    let input = host && (script.is_empty() || xargs || shell_there);
    runs.extend(script);
    Read { input, script: runs, ..Read::default() }
}

/// `ProxyCommand=…` and the like: options of `ssh` that a shell runs.
fn runs_command(word: &Word) -> bool {
    word.text.split_once('=').is_some_and(|(name, _)| name.to_ascii_lowercase().ends_with("command"))
}

pub(super) fn plain(text: &str) -> Word {
    Word { text: text.to_owned(), plain: true, ..Word::default() }
}

/// The command behind `-C` of `compgen` and `complete`.
pub(super) fn completed(operands: &[Word]) -> Vec<&Word> {
    let attached = operands.iter().filter(|word| word.text.len() > 2 && word.text.starts_with("-C"));
    behind(operands, "-C").into_iter().chain(attached).collect()
}

/// The operands of `watch` that are its command.
pub(super) fn watched(operands: &[Word]) -> Vec<&Word> {
    let mut rest = operands;
    while let [option, behind @ ..] = rest
        && option.text.starts_with('-')
    {
        let value = matches!(option.text.as_str(), "-n" | "--interval" | "-q" | "--equexit");
        rest = if value { behind.get(1..).unwrap_or_default() } else { behind };
    }
    rest.iter().collect()
}

pub(super) fn behind<'w>(operands: &'w [Word], option: &str) -> Option<&'w Word> {
    operands.iter().position(|word| word.text == option).and_then(|at| operands.get(at + 1))
}

/// `-c`, also behind other options in one word.
pub(super) fn is_command_option(word: &Word) -> bool {
    word.text.starts_with('-') && !word.text.starts_with("--") && word.text.ends_with('c')
}
