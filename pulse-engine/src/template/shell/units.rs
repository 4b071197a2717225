//! A command as the tracker sees it: characters, and placeholders as single units.

use crate::template::parsed::{Piece, Template};

/// One step of the tracker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Char(char),
    /// The placeholder with this number.
    Hole(usize),
}

/// A placeholder as far as the tracker is concerned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hole {
    /// Where it is in the template.
    pub offset: usize,
    /// Its value is written into the text.
    pub raw: bool,
    /// Its value is quoted for a second shell.
    pub sh: bool,
}

/// All units of a template.
#[derive(Debug, Default)]
pub(super) struct Units {
    pub units: Vec<Unit>,
    /// Where each unit is in the template.
    pub offsets: Vec<usize>,
    pub holes: Vec<Hole>,
}

impl Units {
    pub fn of(template: &Template) -> Self {
        let mut all = Self::default();
        for piece in &*template.pieces {
            match piece {
                Piece::Text { text, offset } => {
                    for (at, c) in text.char_indices() {
                        all.units.push(Unit::Char(c));
                        all.offsets.push(offset + at);
                    }
                }
                Piece::Placeholder(placeholder) => {
                    let raw = placeholder.filter == Some(crate::template::Filter::Raw);
                    all.units.push(Unit::Hole(all.holes.len()));
                    all.offsets.push(placeholder.offset);
                    let sh = placeholder.filter == Some(crate::template::Filter::Sh);
                    all.holes.push(Hole { offset: placeholder.offset, raw, sh });
                }
            }
        }
        all
    }

    /// The character at a position, if it is one.
    pub fn char(&self, at: usize) -> Option<char> {
        match self.units.get(at) {
            Some(Unit::Char(c)) => Some(*c),
            _ => None,
        }
    }

    /// Whether these characters stand there.
    pub fn starts_with(&self, at: usize, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.char(at + i) == Some(c))
    }

    /// The text of a range; a placeholder is a NUL character.
    pub fn text(&self, range: std::ops::Range<usize>) -> String {
        let char = |unit: &Unit| match unit {
            Unit::Char(c) => *c,
            Unit::Hole(_) => '\0',
        };
        self.units[range].iter().map(char).collect()
    }
}
