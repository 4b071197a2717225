//! What is kept of a command's output, held against what it printed.

use pulse_core::api::OutputChunk;
use pulse_core::command::Stream;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What `seq 1 LINES` prints.
pub fn sequence(lines: u64) -> String {
    let mut text = String::new();
    (1..=lines).for_each(|n| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{n}");
    });
    text
}

/// A place in what a command printed. Markers say how much is missing, and not of which stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// Bytes of standard output and standard error that are behind it.
    at: [usize; 2],
    /// Missing bytes that must be of that stream.
    owed: [usize; 2],
    /// Missing bytes that may be of either.
    either: usize,
}

/// Walks through the pieces of a command's output, in order.
pub struct Walk<'a> {
    printed: [&'a str; 2],
    /// Where it may stand: one place, unless markers leave several.
    places: BTreeSet<Place>,
    last_seq: u64,
    /// Bytes that markers say are missing.
    pub missing: u64,
}

impl<'a> Walk<'a> {
    /// At the beginning of what was printed to standard output and standard error.
    pub fn new(stdout: &'a str, stderr: &'a str) -> Self {
        Self { printed: [stdout, stderr], places: BTreeSet::from([Place::default()]), last_seq: 0, missing: 0 }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// When it is not what was printed there: why, in words.
    pub fn piece(&mut self, piece: &OutputChunk) -> Result<(), String> {
        if piece.seq <= self.last_seq {
            return Err(format!("piece {} comes after piece {}", piece.seq, self.last_seq));
        }
        self.last_seq = piece.seq;
        if let Some(bytes) = piece.gap_bytes {
            self.missing += bytes;
            let bytes = usize::try_from(bytes).map_err(|_| format!("a marker of {bytes} bytes"))?;
            let further = |place: &Place| Place { either: place.either.saturating_add(bytes), ..*place };
            self.places = self.places.iter().map(further).collect();
        }
        if !piece.data.is_empty() {
            let stream = usize::from(piece.stream == Stream::Stderr);
            let from = self.places.iter().flat_map(|place| after(place, stream, self.printed[stream], &piece.data));
            self.places = from.collect();
        }
        match self.places.is_empty() {
            true => Err(format!("piece {} on {:?} is not what was printed there", piece.seq, piece.stream)),
            false => Ok(()),
        }
    }

    /// Whether nothing but what markers say is missing at the end.
    ///
    /// # Errors
    /// When something is: in words.
    pub fn end(&self) -> Result<(), String> {
        let is_end = |place: &Place| {
            let left = [0, 1].map(|stream| self.printed[stream].len() - place.at[stream]);
            left.iter().zip(place.owed).all(|(left, owed)| *left >= owed)
                && left[0] + left[1] == place.owed[0] + place.owed[1] + place.either
        };
        match self.places.iter().any(is_end) {
            true => Ok(()),
            false => {
                let printed = self.printed.map(str::len);
                Err(format!("{} bytes are marked as missing, and it ends at none of {printed:?}", self.missing))
            }
        }
    }
}

/// The places after a piece of a stream: what is owed before it is all of what that stream must give and a part of what
/// either may; the rest of that is the other stream's.
fn after<'p>(place: &'p Place, stream: usize, printed: &'p str, data: &'p str) -> impl Iterator<Item = Place> + 'p {
    let first = place.at[stream] + place.owed[stream];
    (0..=place.either.min(printed.len().saturating_sub(first)))
        .filter(move |skipped| {
            printed.as_bytes().get(first + skipped..).is_some_and(|rest| rest.starts_with(data.as_bytes()))
        })
        .map(move |skipped| {
            let (mut at, mut owed) = (place.at, place.owed);
            at[stream] = first + skipped + data.len();
            owed[stream] = 0;
            owed[1 - stream] += place.either - skipped;
            Place { at, owed, either: 0 }
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_core::ids::{Attempt, CommandId, StepId};

    fn chunk(seq: u64, stream: Stream, data: &str, gap_bytes: Option<u64>) -> OutputChunk {
        OutputChunk {
            cursor: seq,
            command_id: CommandId(uuid::Uuid::from_u128(7)),
            step_id: StepId::from("step"),
            worker: "bench-1".to_owned(),
            attempt: Attempt(1),
            stream,
            seq,
            data: data.to_owned(),
            gap_bytes,
        }
    }

    /// Pieces: `o` and `e` with text, `-` and how much is missing.
    fn walk(stdout: &str, stderr: &str, pieces: &[(char, &str)]) -> Result<u64, String> {
        let mut walk = Walk::new(stdout, stderr);
        for (seq, (kind, text)) in (1..).zip(pieces) {
            walk.piece(&match kind {
                'o' => chunk(seq, Stream::Stdout, text, None),
                'e' => chunk(seq, Stream::Stderr, text, None),
                _ => chunk(seq, Stream::Stdout, "", text.parse().ok()),
            })?;
        }
        walk.end().map(|()| walk.missing)
    }

    #[test]
    fn what_was_printed_is_walked_through_piece_by_piece() {
        let printed = sequence(20);
        let (head, tail) = printed.split_at(11);
        assert_eq!(walk(&printed, "", &[('o', head), ('o', tail)]), Ok(0));
        assert!(walk(&printed, "", &[('o', tail), ('o', head)]).is_err(), "out of order");
        assert!(walk(&printed, "", &[('o', head)]).is_err(), "cut off");
        assert!(walk(&printed, "", &[('o', head), ('o', head), ('o', tail)]).is_err(), "doubled");
        assert!(walk(&printed, "", &[('e', head), ('o', tail)]).is_err(), "the other stream");
        assert_eq!(walk("", "", &[]), Ok(0));
    }

    #[test]
    fn a_marker_stands_where_its_bytes_are_missing() {
        let printed = sequence(20);
        let (head, rest) = printed.split_at(11);
        let (gone, tail) = rest.split_at(9);
        let bytes = gone.len().to_string();
        assert_eq!(walk(&printed, "", &[('o', head), ('-', &bytes), ('o', tail)]), Ok(9));
        assert!(walk(&printed, "", &[('-', &bytes), ('o', head), ('o', tail)]).is_err(), "at another place");
        assert!(walk(&printed, "", &[('o', head), ('o', tail), ('-', &bytes)]).is_err(), "at the end");
        assert!(walk(&printed, "", &[('o', head), ('-', "8"), ('o', tail)]).is_err(), "too little");
        let scrambled: String = tail.chars().rev().collect();
        assert!(walk(&printed, "", &[('o', head), ('-', &bytes), ('o', &scrambled)]).is_err(), "lengths alone add up");
    }

    #[test]
    fn a_marker_may_be_of_both_streams() {
        let (out, err) = (sequence(30), sequence(40));
        let ((out_head, out_rest), (err_head, err_rest)) = (out.split_at(20), err.split_at(30));
        let ((_, out_tail), (_, err_tail)) = (out_rest.split_at(7), err_rest.split_at(13));
        let pieces = |gap| [('o', out_head), ('e', err_head), ('-', gap), ('e', err_tail), ('o', out_tail)];
        assert_eq!(walk(&out, &err, &pieces("20")), Ok(20));
        assert!(walk(&out, &err, &pieces("19")).is_err());
        assert!(walk(&out, &err, &pieces("21")).is_err());
        assert_eq!(walk(&out, &err, &[('o', &out), ('-', &err.len().to_string())]), Ok(err.len() as u64));
    }
}
