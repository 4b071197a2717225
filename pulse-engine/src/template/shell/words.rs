//! The words of the simple command that is being read.

/// Stands for a placeholder in the text of a word.
pub(super) const HOLE: char = '\0';
/// Stands for the expansion of a variable in the text of a word.
pub(super) const EXPANSION: char = '\u{1}';

/// Stands for the standard input of the whole script where variables are named; no variable can have this name.
pub(super) const STDIN: &str = "<";

/// The same for what a command reads of which it is not certain where it comes from: all that heredocs, here-strings, pipes and
/// process substitutions give to more than one simple command.
pub(super) const ANY_INPUT: &str = "<<";

/// The same for what comes from out of sight: a file, the output of a function or of a program.
pub(super) const UNSEEN: &str = "?";

/// What begins the name of a text that is cut out of others. See [`super::tracker::Tracker::part`].
const PART: char = '|';

/// A name for a text that is cut out of others.
pub(super) fn part_name(number: usize) -> String {
    format!("{PART}{number}")
}

/// Whether what has this name is only a part of what comes into it.
pub(super) fn is_part(name: &str) -> bool {
    name.starts_with(PART) || matches!(name, STDIN | ANY_INPUT | UNSEEN)
}

/// Where a text may come from: placeholders, and variables of the script.
#[derive(Debug, Default, Clone)]
pub(super) struct Origin {
    pub holes: Vec<usize>,
    pub names: Vec<String>,
}

impl Origin {
    /// It comes from this variable.
    pub fn of(name: impl Into<String>) -> Self {
        Self { holes: Vec::new(), names: vec![name.into()] }
    }

    pub fn is_empty(&self) -> bool {
        self.holes.is_empty() && self.names.is_empty()
    }

    pub fn extend(&mut self, other: Self) {
        self.holes.extend(other.holes);
        self.names.extend(other.names);
    }
}

/// One word, quotes removed.
#[derive(Debug, Default, Clone)]
pub(super) struct Word {
    /// Its characters; a placeholder is [`HOLE`], a variable [`EXPANSION`], any other expansion nothing.
    pub text: String,
    /// The placeholders in it, in order.
    pub holes: Vec<usize>,
    /// The variables it expands, in order.
    pub expansions: Vec<String>,
    /// What commands in it, `$(…)` and the like, print as far as that is seen.
    pub carried: Origin,
    /// Placeholders around which some text is not in `text`.
    pub hidden: Vec<usize>,
    /// Nothing of it is quoted, expanded or a placeholder: it can be a keyword.
    pub plain: bool,
    /// White space inside of quotes: it looks like a command line.
    pub spaced: bool,
    /// It can become several words, or none.
    pub many: bool,
    /// It is a calculation, `((…))`.
    pub calculated: bool,
}

impl Word {
    /// How many of a mark stand before the first of these characters, or at all if there is none.
    fn marks_before(&self, stop: char, mark: char) -> usize {
        let before = self.text.find(stop).map_or(&*self.text, |at| &self.text[..at]);
        before.matches(mark).count()
    }

    /// What its text comes from.
    pub fn origin(&self) -> Origin {
        let mut origin = Origin { holes: self.holes.clone(), names: self.expansions.clone() };
        origin.extend(self.carried.clone());
        origin
    }

    /// What the text before the first of these characters comes from, or all if there is none.
    pub fn origin_before(&self, stop: char) -> Origin {
        let (holes, names) = (self.marks_before(stop, HOLE), self.marks_before(stop, EXPANSION));
        Origin {
            holes: self.holes.iter().take(holes).copied().collect(),
            names: self.expansions.iter().take(names).cloned().collect(),
        }
    }

    /// What the text behind the first of these characters comes from.
    pub fn origin_behind(&self, stop: char) -> Origin {
        let (holes, names) = (self.marks_before(stop, HOLE), self.marks_before(stop, EXPANSION));
        let mut origin = Origin {
            holes: self.holes.iter().skip(holes).copied().collect(),
            names: self.expansions.iter().skip(names).cloned().collect(),
        };
        origin.extend(self.carried.clone());
        origin
    }

    /// What a process substitution prints that is all of the word.
    pub fn process(&self) -> Origin {
        if self.text.is_empty() { self.carried.clone() } else { Origin::default() }
    }

    /// The name in `name=…`, `name+=…` and `name[…]=…`.
    pub fn assigned_name(&self) -> Option<&str> {
        let (name, _) = self.text.split_once('=')?;
        let name = name.strip_suffix('+').unwrap_or(name);
        let name = name.split_once('[').map_or(name, |(name, _)| name);
        is_name(name).then_some(name)
    }

    /// It assigns a value to a variable.
    pub fn is_assignment(&self) -> bool {
        self.assigned_name().is_some()
    }

    /// All names it has as characters.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).filter(|word| is_name(word))
    }
}

/// Whether a text can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// A character of the script itself: never one of those that stand for something else in the text of a word.
pub(super) fn of_script(c: char) -> char {
    if matches!(c, HOLE | EXPANSION) { char::REPLACEMENT_CHARACTER } else { c }
}

/// The words so far. The last one may still grow.
#[derive(Debug, Default)]
pub(super) struct Words {
    done: Vec<Word>,
    open: Option<Word>,
}

impl Words {
    /// A word is being read.
    pub fn in_word(&self) -> bool {
        self.open.is_some()
    }

    /// The text of the word that is being read.
    pub fn open_text(&self) -> &str {
        self.open.as_ref().map_or("", |word| &word.text)
    }

    /// The text of the only word.
    pub fn only_text(&self) -> Option<&str> {
        match (&self.done[..], &self.open) {
            ([word], None) => Some(&word.text),
            ([], Some(word)) => Some(&word.text),
            _ => None,
        }
    }

    /// The word can become several.
    pub fn open_many(&mut self) {
        self.word().many = true;
    }

    /// The word is a calculation.
    pub fn open_calculated(&mut self) {
        self.open_special();
        self.word().calculated = true;
    }

    /// The text of the first finished word.
    pub fn first_text(&self) -> Option<&str> {
        self.done.first().map(|word| word.text.as_str())
    }

    fn word(&mut self) -> &mut Word {
        self.open.get_or_insert_with(|| Word { plain: true, ..Word::default() })
    }

    /// A plain character.
    pub fn push(&mut self, c: char) {
        self.word().text.push(of_script(c));
    }

    /// A quoted character.
    pub fn push_quoted(&mut self, c: char) {
        let word = self.word();
        word.plain = false;
        word.spaced |= c.is_whitespace();
        word.text.push(of_script(c));
    }

    /// A quote or an expansion: the word is there, even if it has no character.
    pub fn open_special(&mut self) {
        self.word().plain = false;
    }

    /// The expansion of a variable.
    pub fn push_expansion(&mut self, name: String) {
        let word = self.word();
        word.text.push(EXPANSION);
        word.expansions.push(name);
    }

    /// What a command in the word prints.
    pub fn carry(&mut self, origin: Origin) {
        self.word().carried.extend(origin);
    }

    /// A placeholder.
    pub fn push_hole(&mut self, hole: usize, hidden: bool) {
        let word = self.word();
        word.hidden.extend(hidden.then_some(hole));
        word.plain = false;
        word.text.push(HOLE);
        word.holes.push(hole);
    }

    /// Ends the word, if there is one.
    pub fn finish(&mut self) -> Option<&Word> {
        let word = self.open.take()?;
        self.done.push(word);
        self.done.last()
    }

    /// All finished words.
    pub fn finished(&self) -> &[Word] {
        &self.done
    }

    /// Takes all finished words.
    pub fn take(&mut self) -> Vec<Word> {
        std::mem::take(&mut self.done)
    }

    /// Forgets the last finished word: it belongs to a redirection or is a keyword.
    pub fn forget_last(&mut self) {
        self.done.pop();
    }
}
