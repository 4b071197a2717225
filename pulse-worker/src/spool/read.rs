//! Reading pieces by their numbers, from memory or from segments.

use super::Spool;
use super::record::{self, Item};
use super::segment::Part;
use crate::runner::Piece;
use std::fs::File;
use std::io::{self, BufReader};

/// Where the last read ended.
#[derive(Debug)]
pub struct Reader {
    part: Part,
    first: u64,
    /// The ordinal of the item that comes next.
    ordinal: u64,
    file: BufReader<File>,
}

impl Spool {
    /// The pieces after a number, up to about so many bytes, at least one if there is one.
    ///
    /// # Errors
    /// When they cannot be read now.
    pub fn read(&mut self, after: u64, most_bytes: usize) -> io::Result<Vec<Piece>> {
        let (mut pieces, mut bytes) = (Vec::new(), 0);
        let mut seq = after.max(self.acknowledged) + 1;
        while seq <= self.last() && (pieces.is_empty() || bytes < most_bytes) {
            let piece = self.piece(seq)?;
            bytes += piece.data.len();
            seq += 1;
            pieces.push(piece);
        }
        Ok(pieces)
    }

    /// Any piece that has a number.
    fn piece(&mut self, seq: u64) -> io::Result<Piece> {
        if let Some(first) = self.memory.front()
            && let Some(piece) =
                seq.checked_sub(first.seq).and_then(|index| self.memory.get(usize::try_from(index).ok()?))
        {
            return Ok(piece.clone());
        }
        if seq <= self.head_last {
            return Ok(self.item(Part::Head, seq)?.into_piece(seq));
        }
        let layout = self.closed.unwrap_or_else(|| self.layout());
        let Some(tail) = &layout.tail else { return Ok(Piece::gap(seq, layout.missing_at_end)) };
        if seq == layout.head + 1 {
            return Ok(Piece::gap(seq, 0));
        }
        let number = layout.tail_number(tail);
        if seq < number {
            return Ok(Piece::gap(seq, tail.dropped));
        }
        let ordinal = tail.first + (seq - number);
        if ordinal >= tail.next {
            return Ok(Piece::gap(seq, layout.missing_at_end));
        }
        Ok(self.item(Part::Tail, ordinal)?.into_piece(seq))
    }

    /// An item of a segment. One that is damaged or gone is a gap: its number must not be missing.
    fn item(&mut self, part: Part, ordinal: u64) -> io::Result<Item> {
        let segments = if part == Part::Head { &self.head } else { &self.tail };
        let index = segments.partition_point(|segment| segment.next() <= ordinal);
        let Some(segment) = segments.get(index).filter(|segment| segment.first <= ordinal) else {
            let until = segments.get(index).map(|segment| segment.before);
            let from = index.checked_sub(1).map_or(0, |index| segments[index].after());
            // All that is missing is told by its first piece; then there is nothing left but numbers.
            let is_first = index.checked_sub(1).is_none_or(|index| segments[index].next() == ordinal);
            let bytes = until.map_or(0, |until| until.saturating_sub(from));
            return Ok(Item::Gap { bytes: if is_first { bytes.max(1) } else { 1 } });
        };
        let first = segment.first;
        let reader = match self.reader.take() {
            Some(reader) if (reader.part, reader.first) == (part, first) && reader.ordinal <= ordinal => reader,
            _ => {
                let file = match File::open(&segment.path) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Item::Gap { bytes: 1 }),
                    file => BufReader::new(file?),
                };
                Reader { part, first, ordinal: first, file }
            }
        };
        let reader = self.reader.insert(reader);
        loop {
            let Some(item) = record::read(&mut reader.file)? else {
                // What was counted is not there: the file was damaged since.
                self.reader = None;
                return Ok(Item::Gap { bytes: 1 });
            };
            reader.ordinal += 1;
            if reader.ordinal > ordinal {
                return Ok(item);
            }
        }
    }
}
