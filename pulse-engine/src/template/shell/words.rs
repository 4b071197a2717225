//! The words of the simple command that is being read.

/// One word, quotes removed.
#[derive(Debug, Default, Clone)]
pub(super) struct Word {
    /// Its characters; a placeholder is a NUL character, an expansion nothing.
    pub text: String,
    /// The placeholders in it, in order.
    pub holes: Vec<usize>,
    /// The variables it expands.
    pub expansions: Vec<String>,
    /// Nothing of it is quoted, expanded or a placeholder: it can be a keyword.
    pub plain: bool,
    /// White space inside of quotes: it looks like a command line.
    pub spaced: bool,
}

impl Word {
    /// The placeholders before the first of these characters, or all if there is none.
    pub fn holes_before(&self, stop: char) -> &[usize] {
        let before = self.text.find(stop).map_or(self.holes.len(), |at| self.text[..at].matches('\0').count());
        &self.holes[..before.min(self.holes.len())]
    }

    /// The placeholders behind the first of these characters.
    pub fn holes_behind(&self, stop: char) -> &[usize] {
        &self.holes[self.holes_before(stop).len()..]
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

    /// All names it has as characters and as expansions.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let words = self.text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        words.filter(|word| is_name(word)).chain(self.expansions.iter().map(String::as_str))
    }
}

/// Whether a text can be the name of a variable.
pub(super) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
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

    fn word(&mut self) -> &mut Word {
        self.open.get_or_insert_with(|| Word { plain: true, ..Word::default() })
    }

    /// A plain character.
    pub fn push(&mut self, c: char) {
        self.word().text.push(c);
    }

    /// A quoted character.
    pub fn push_quoted(&mut self, c: char) {
        let word = self.word();
        word.plain = false;
        word.spaced |= c.is_whitespace();
        word.text.push(c);
    }

    /// A quote or an expansion: the word is there, even if it has no character.
    pub fn open_special(&mut self) {
        self.word().plain = false;
    }

    /// The expansion of a variable.
    pub fn push_expansion(&mut self, name: String) {
        self.word().expansions.push(name);
    }

    /// A placeholder.
    pub fn push_hole(&mut self, hole: usize) {
        let word = self.word();
        word.plain = false;
        word.text.push('\0');
        word.holes.push(hole);
    }

    /// Ends the word, if there is one.
    pub fn finish(&mut self) -> Option<&Word> {
        let word = self.open.take()?;
        self.done.push(word);
        self.done.last()
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
