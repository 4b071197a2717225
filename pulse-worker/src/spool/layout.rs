//! How output is numbered once it is closed, and what the log keeps of it.

use crate::runner::Piece;
use serde::{Deserialize, Serialize};

/// How output that was closed is numbered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The number of the head's last piece.
    pub head: u64,
    /// The tail, if the head became full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<Tail>,
    /// So many bytes at the very end could not be written.
    #[serde(default)]
    pub missing_at_end: u64,
}

/// The tail of closed output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tail {
    /// The first ordinal that is kept.
    pub first: u64,
    /// The ordinal after the last.
    pub next: u64,
    /// Bytes that were dropped before the first.
    pub dropped: u64,
}

impl Layout {
    /// The number of the tail's first piece, if there is a tail.
    pub(super) fn tail_number(&self, tail: &Tail) -> u64 {
        self.head + 2 + u64::from(tail.dropped > 0)
    }

    /// The last piece's number.
    pub fn last(&self) -> u64 {
        let pieces = match &self.tail {
            Some(tail) => self.tail_number(tail) + (tail.next - tail.first) - 1,
            None => self.head,
        };
        pieces + u64::from(self.missing_at_end > 0)
    }
}

/// What is kept of a command's output after its end, as the log has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The pieces, where they are not in segments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Piece>,
    /// How what is in segments is numbered, and where there is neither, that there is nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<Layout>,
}
