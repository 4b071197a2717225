//! Looks at the words of one command: places where a shell evaluates a value as code, and what a command does with values.

use super::frames::Role;
use super::place::Needs;
use super::tracker::Tracker;
use super::words::{EXPANSION, HOLE, Origin, UNSEEN, Word, is_name};
use std::borrow::Cow;

/// Operators of `[[ … ]]` whose operands are arithmetic; some shells calculate with those of `[ … ]`, too.
const ARITHMETIC_TESTS: &[&str] = &["-eq", "-ne", "-lt", "-le", "-gt", "-ge"];
/// Commands that take names of variables, in which Bash evaluates an array index; with their options that have a value.
const TAKE_NAMES: &[(&str, &str)] = &[
    ("declare", ""),
    ("typeset", ""),
    ("local", ""),
    ("integer", ""),
    ("nameref", ""),
    ("readonly", ""),
    ("export", ""),
    ("unset", ""),
    ("getopts", ""),
    ("read", "dinNptu"),
    ("mapfile", "dnOsuCc"),
    ("readarray", "dnOsuCc"),
];
/// Commands that take `name=value`, where Bash reads a value in parentheses as a list and expands it.
const TAKE_LISTS: &[&str] = &["declare", "typeset", "local", "integer", "nameref", "readonly"];
/// Variables that are calculated with whenever they are assigned.
const CALCULATED: &[&str] = &["RANDOM", "SRANDOM", "OPTIND", "HISTCMD"];
/// The same in Korn shells.
const CALCULATED_BY_KSH: &[&str] = &["SECONDS", "TMOUT", "COLUMNS", "LINES", "HISTSIZE"];
/// Variables whose value is expanded or run as code later.
const RUN: &[&str] = &["BASH_ENV", "ENV", "PS0", "PS1", "PS2", "PS4", "PROMPT_COMMAND"];
/// Words before a command that leave it the command.
const PREFIXES: &[&str] = &["command", "builtin", "exec", "sudo", "nohup", "env", "time", "nice"];

impl Tracker<'_> {
    /// Looks at a whole simple command.
    pub fn analyse(&mut self, words: &[Word], in_test: bool) {
        let list = self.command().and_then(|command| match &command.role {
            Role::List(name) => Some(name.clone()),
            _ => None,
        });
        let words = &self.made_anew(words)[..];
        for word in words {
            self.assignment(word, list.as_deref());
        }
        if let Some(name) = list {
            self.found.variables.spell(&name, "");
            return words.iter().for_each(|word| self.found.variables.assign_word(&name, word));
        }
        // `&&` and parentheses inside of `[[ … ]]` cut it into parts.
        let edge = |word: &Word| word.plain && matches!(word.text.as_str(), "[[" | "]]");
        if in_test || words.iter().any(edge) {
            self.test(words);
            self.behind_option(words, "-v");
        }
        let first = words.iter().position(|word| !word.is_assignment() && !PREFIXES.contains(&word.text.as_str()));
        // `exec {name}<` redirects, too.
        let command = first.filter(|at| !(words[*at].text.starts_with('{') && words[*at].text.ends_with('}')));
        let Some(first) = command else { return self.compound_input() };
        let (name, operands) = (words[first].text.as_str(), &words[first + 1..]);
        let name = name.rsplit('/').next().unwrap_or(name);
        let (read, text) = self.standard_input(name, operands);
        self.options(words);
        // Any command: one that calculates, too.
        let command = &words[first];
        let is_unseen = command.text.is_empty() && !command.plain && !command.calculated;
        if command.text.contains([HOLE, EXPANSION]) || is_unseen {
            self.unseen();
        }
        match name {
            "let" => operands.iter().for_each(|word| self.calculate(word)),
            "for" | "select" => self.assign(operands),
            "set" => {
                let options = operands.iter().take_while(|word| word.text.starts_with(['-', '+'])).count();
                self.hand_on(&self.function(), &operands[options..]);
            }
            "getopts" => {
                let from = self.scoped("@".to_owned());
                self.found.variables.assign("OPTARG", Origin::of(from));
            }
            "test" | "[" => {
                self.behind_option(operands, "-v");
                if !self.known_shell {
                    self.test(operands);
                }
            }
            "wait" => self.behind_option(operands, "-p"),
            "eval" | "." | "source" | "coproc" | "alias" => self.found.variables.hides = true,
            "compgen" | "complete" => self.behind_option(operands, "-W"),
            "printf" => self.printf(operands),
            "read" | "mapfile" | "readarray" => self.read_names(name, operands, &read),
            "shift" if !self.known_shell => operands.iter().for_each(|word| self.need(&word.origin(), Needs::Integer)),
            "ulimit" if !self.known_shell => operands.iter().for_each(|word| self.need(&word.origin(), Needs::Plain)),
            _ => {}
        }
        if name == "shift" {
            self.shift();
        }
        if self.found.functions.contains(name) {
            self.hand_on(name, operands);
        }
        if let Some((_, with_value)) = TAKE_NAMES.iter().find(|(known, _)| *known == name) {
            self.names(name, operands, with_value);
        }
        self.nested_shell(words, &read, text);
    }

    /// `n=…` alone, which certainly runs: what `n` was before goes nowhere from here on, but into these words.
    fn made_anew<'w>(&mut self, words: &'w [Word]) -> Cow<'w, [Word]> {
        // The values of a list are assigned already.
        let whole = |word: &Word| !word.text.ends_with('=') || !word.carried.is_empty();
        let plain = |word: &Word| word.text.split('=').next().is_some_and(is_name);
        let forgets = self.found.functions.is_empty() && !self.found.variables.hides && self.is_certain();
        if !forgets || !words.iter().all(|word| plain(word) && whole(word)) {
            return Cow::Borrowed(words);
        }
        let mut words = words.to_vec();
        let names: Vec<String> = words.iter().filter_map(|word| word.assigned_name().map(str::to_owned)).collect();
        for name in names {
            let Some(before) = self.found.variables.make_anew(&name) else { continue };
            for word in &mut words {
                let expanded = word.expansions.iter_mut().chain(&mut word.carried.names);
                expanded.filter(|expanded| **expanded == name).for_each(|expanded| expanded.clone_from(&before));
            }
        }
        Cow::Owned(words)
    }

    /// The command certainly runs, in the script's own shell, after all that stands before it and before all behind it.
    fn is_certain(&mut self) -> bool {
        let goes_on = match self.char(self.at) {
            Some(c @ ('&' | '|')) => self.char(self.at + 1) == Some(c),
            _ => true,
        };
        let alone = self.stack.len() == 1 && self.bodies == 0 && goes_on;
        alone
            && self.command().is_some_and(|command| !command.conditional && !command.piped && command.groups.is_empty())
    }

    /// `name=…`, and `name[…]=…`, or `[…]=…` in a list, where the index is arithmetic.
    fn assignment(&mut self, word: &Word, list: Option<&str>) {
        let index =
            word.text.split_once(']').filter(|(before, behind)| before.contains('[') && behind.starts_with(['=', '+']));
        let name = word.assigned_name();
        let needs = name.or(list).map_or(Needs::Integer, |name| self.index_needs(name));
        if let Some((before, _)) = index.filter(|_| name.is_some() || word.text.starts_with('['))
            && needs > Needs::Anything
        {
            let origin = word.origin_before(']');
            let index =
                Word { text: before.to_owned(), holes: origin.holes, expansions: origin.names, ..Word::default() };
            self.calculate_as(&index, needs);
            self.found.variables.lists.extend(name.map(str::to_owned));
        }
        let Some(name) = name else { return };
        let origin = word.origin_behind('=');
        if CALCULATED.contains(&name) || (!self.known_shell && CALCULATED_BY_KSH.contains(&name)) {
            self.need(&origin, Needs::Integer);
        } else if RUN.contains(&name) {
            self.warn_nested(&origin.holes, "a shell runs or expands the value of this variable");
            self.found.variables.run.extend(origin.names.iter().cloned());
        }
        self.found.variables.assign(name, origin);
        self.found.variables.spell(name, word.text.split_once('=').map_or("", |(_, value)| value));
    }

    /// `for name in …`: each value is assigned to the name.
    fn assign(&mut self, words: &[Word]) {
        let Some((name, values)) = words.split_first() else { return };
        if values.first().is_none_or(|word| word.text != "in") {
            let from = self.scoped("@".to_owned());
            self.found.variables.assign(&name.text, Origin::of(from));
        }
        for word in values {
            self.found.variables.assign_word(&name.text, word);
        }
    }

    /// What `read` reads is assigned to its names.
    fn read_names(&mut self, command: &str, operands: &[Word], read: &Origin) {
        let names: Vec<&str> = operands.iter().map(|word| word.text.as_str()).filter(|text| is_name(text)).collect();
        self.found.variables.hides |= operands.iter().any(|word| word.text.starts_with([HOLE, EXPANSION]));
        let mut read = read.clone();
        read.names.push(UNSEEN.to_owned());
        // Each gets a field, or a line.
        let list = operands.iter().any(|word| word.text.starts_with('-') && word.text.contains('a'));
        let read = if command == "read" && names.len() < 2 && !list { read } else { self.found.variables.part(read) };
        for name in &names {
            self.found.variables.assign(name, read.clone());
        }
        if names[..].is_empty() {
            self.found.variables.assign("REPLY", read.clone());
            self.found.variables.assign("MAPFILE", read.clone());
        }
        if !self.known_shell {
            self.behind(operands, "-u", Needs::Integer);
        }
    }

    /// `-v` and what follows it is the name of a variable; what comes first could be that option.
    fn printf(&mut self, operands: &[Word]) {
        self.behind_option(operands, "-v");
        for word in operands.iter().filter(|word| word.text.starts_with("-v")) {
            self.need(&word.origin(), Needs::Name);
        }
        if let Some(first) = operands.first().filter(|first| first.text.starts_with(HOLE)) {
            self.need(&first.origin(), Needs::Plain);
        }
        let name = match operands {
            [option, name, ..] if option.text == "-v" => name.text.as_str(),
            [option, ..] => option.text.strip_prefix("-v").unwrap_or_default(),
            [] => return,
        };
        self.found.variables.hides |= name.contains([HOLE, EXPANSION]);
        if is_name(name) {
            for word in operands {
                self.found.variables.assign_word(name, word);
            }
        }
    }

    fn test(&mut self, operands: &[Word]) {
        for (i, word) in operands.iter().enumerate() {
            if ARITHMETIC_TESTS.contains(&word.text.as_str()) {
                let before = i.checked_sub(1).and_then(|i| operands.get(i));
                for word in before.into_iter().chain(operands.get(i + 1)) {
                    self.calculate(word);
                }
            }
        }
    }

    /// Operands are names, up to a `=`.
    fn names(&mut self, command: &str, operands: &[Word], with_value: &str) {
        let lists = TAKE_LISTS.contains(&command);
        // What an expansion puts there can be any options.
        let doubtful = |word: &Word| {
            let option = word.text.starts_with(['-', '+', EXPANSION]) && !word.text.contains('=');
            (option && word.text.contains(EXPANSION)) || (word.text.is_empty() && !word.plain)
        };
        let doubtful = lists && operands.iter().any(doubtful);
        let option = |c: char| operands.iter().any(|word| word.text.starts_with('-') && word.text.contains(c));
        let integers = doubtful || option('i') || command == "integer";
        let references = option('n') || command == "nameref";
        self.maps(command, operands, lists && option('A'));
        self.found.variables.hides |=
            references || operands.iter().any(|word| word.text.starts_with([HOLE, EXPANSION]));
        let mut is_value = false;
        for word in operands {
            let is_option = word.text.starts_with(['-', '+']);
            if !is_option && !is_value {
                let needs = self.name_needs(word);
                self.need(&word.origin_before('='), needs);
                self.index(word);
            }
            if let Some((name, value)) = word.text.split_once('=').filter(|_| lists) {
                let origin = word.origin_behind('=');
                match value.chars().next() {
                    _ if integers => self.need(&origin, Needs::Integer),
                    _ if references => self.need(&origin, Needs::Name),
                    Some('(') => self.need(&Origin { names: Vec::new(), ..origin }, Needs::Plain),
                    Some(HOLE) => self.need(&Origin { names: Vec::new(), ..origin }, Needs::NoList),
                    _ => {}
                }
                if integers {
                    self.found.variables.need(name, Needs::Integer);
                }
            } else if lists && integers && !is_option {
                self.found.variables.need(&word.text, Needs::Integer);
            } else if lists && references && !is_option {
                // What is assigned to it first is the name.
                self.found.variables.need(&word.text, Needs::Name);
            }
            is_value = is_option && word.text.ends_with(|c| with_value.contains(c));
        }
    }

    /// Notes associative arrays, where it is certain that they are made: in the script itself, under no condition.
    fn maps(&mut self, command: &str, operands: &[Word], declares: bool) {
        if !(declares || command == "unset" || TAKE_LISTS.contains(&command)) {
            return;
        }
        let known_shell = self.known_shell;
        let certain = declares && known_shell && self.is_certain();
        for word in operands.iter().filter(|word| !word.text.starts_with(['-', '+'])) {
            let name = word.text.split('=').next().unwrap_or_default();
            let variables = &mut self.found.variables;
            if declares && known_shell && is_name(name) {
                variables.declared_maps.insert(name.to_owned());
            }
            if certain && is_name(name) && !variables.lists.contains(name) {
                variables.maps.insert(name.to_owned());
            } else if !declares || variables.maps.contains(name) {
                // It can be another variable of that name; or any variable.
                variables.unmade.insert(if is_name(name) { name.to_owned() } else { String::new() });
            }
        }
    }

    /// `declare -A name=(`: the list that follows has keys.
    pub fn declared_list(&mut self, name: &str) {
        let Some(command) = self.command() else { return };
        let words = command.words.finished();
        let declares = words.iter().any(|word| word.text.starts_with('-') && word.text.contains('A'));
        let operand = Word { text: name.to_owned(), ..Word::default() };
        let command = words.first().map(|word| word.text.clone()).unwrap_or_default();
        if declares {
            self.maps(&command, &[operand], true);
        }
    }

    fn behind_option(&mut self, operands: &[Word], option: &str) {
        self.behind(operands, option, Needs::Name);
    }

    fn behind(&mut self, operands: &[Word], option: &str, needs: Needs) {
        for pair in operands.windows(2) {
            if pair[0].text == option {
                let needs = if needs == Needs::Name { self.name_needs(&pair[1]) } else { needs };
                self.need(&pair[1].origin(), needs);
                self.index(&pair[1]);
            }
        }
    }

    /// What the name of a variable has to be. It may have an index; of an associative array that is evaluated once more here.
    fn name_needs(&self, word: &Word) -> Needs {
        let list = word.text.split_once('[').map(|(list, _)| list);
        match list.filter(|list| is_name(list)).map(|list| self.index_needs(list)) {
            Some(Needs::Anything | Needs::Inert) => Needs::Inert,
            _ => Needs::Name,
        }
    }

    /// The shell calculates with the variables in the index of a name.
    fn index(&mut self, word: &Word) {
        let name = word.text.split('=').next().unwrap_or_default();
        let Some((list, index)) = name.split_once('[') else { return };
        let needs = self.index_needs(list);
        if is_name(list) && needs > Needs::Anything {
            self.calculate_as(&Word { text: index.to_owned(), ..Word::default() }, needs);
        }
    }
}

/// Whether a command declares variables and takes `name=value`.
pub(super) fn declares(command: &str) -> bool {
    TAKE_LISTS.contains(&command)
}
