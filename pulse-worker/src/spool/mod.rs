//! A command's output between its pipes and the server's acknowledgement: on disk, bounded, and numbered for ever.
//!
//! ```text
//!  pieces   1 … H          H+1              H+2              H+3 …
//!           head           gap_bytes: 0     gap_bytes: N     tail
//!           as they come   when the head    at the end, if   at the end: the last that were kept
//!                          is full          N > 0
//! ```
//!
//! The first pieces stay in memory ([`MOST_IN_MEMORY`]): most commands print little, end soon, and leave their pieces in
//! the log, next to their result. From then on pieces go to segments of records in a directory of the command's own:
//! into the head until half of the limit is used, then into the tail, whose oldest segments are dropped. So a piece of the
//! tail gets its number only when the command has ended; until then it has an ordinal. Acknowledged segments are removed.
//!
//! Nothing is made durable before [`Spool::close`]: a command whose supervisor dies is lost anyway, and what it had
//! written is still there then ([`Spool::recover`]). What cannot be written (a full disk) is left out, and a gap says so.
//!
//! All calls may wait for the disk, except those of a spool that [`Spool::is_in_memory`].

mod layout;
mod read;
mod record;
mod recover;
mod segment;
#[cfg(test)]
mod tests;
mod write;

pub use layout::{Kept, Layout};

use crate::runner::Piece;
use layout::Tail;
use read::Reader;
use segment::Segment;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::path::PathBuf;

/// So much output is kept in memory until a command has ended: what one write of most programs holds.
pub const MOST_IN_MEMORY: usize = 16 * 1024;
/// Smallest limit: less would not hold a few pieces of each part.
const SMALLEST_LIMIT: u64 = 256 * 1024;
/// Largest segment: what is freed at once by an acknowledgement.
const LARGEST_SEGMENT: u64 = 4 * 1024 * 1024;
/// A part has about so many segments: what is dropped of the tail at once is this share of it.
const SEGMENTS: u64 = 8;

/// See the module's documentation.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    /// Bytes that each part may have on disk.
    part_limit: u64,
    segment_limit: u64,
    /// Unacknowledged pieces, while nothing is on disk.
    memory: VecDeque<Piece>,
    memory_bytes: usize,
    /// Everything goes to the disk from now on.
    is_on_disk: bool,
    head: VecDeque<Segment>,
    head_size: u64,
    /// The head's last number.
    head_last: u64,
    tail: VecDeque<Segment>,
    /// The tail's next ordinal; it begins with 1.
    tail_next: u64,
    /// Bytes of text in the tail up to now, dropped ones included.
    tail_bytes: u64,
    head_is_full: bool,
    /// The last segment, open for writing.
    writer: Option<File>,
    /// Bytes that could not be written and have no record yet.
    missing: u64,
    acknowledged: u64,
    closed: Option<Layout>,
    reader: Option<Reader>,
    /// For tests: how many more bytes the disk takes.
    #[cfg(test)]
    room: Option<u64>,
}

impl Spool {
    /// An empty one; `dir` is made when it is needed.
    pub fn new(dir: PathBuf, limit_bytes: u64) -> Self {
        let part_limit = limit_bytes.max(SMALLEST_LIMIT) / 2;
        Self {
            dir,
            part_limit,
            segment_limit: (part_limit / SEGMENTS).min(LARGEST_SEGMENT),
            memory: VecDeque::new(),
            memory_bytes: 0,
            is_on_disk: false,
            head: VecDeque::new(),
            head_size: 0,
            head_last: 0,
            tail: VecDeque::new(),
            tail_next: 1,
            tail_bytes: 0,
            head_is_full: false,
            writer: None,
            missing: 0,
            acknowledged: 0,
            closed: None,
            reader: None,
            #[cfg(test)]
            room: None,
        }
    }

    /// Whether no call waits for the disk, but [`Self::append`] of what is not [`Self::fits_in_memory`].
    pub fn is_in_memory(&self) -> bool {
        !self.is_on_disk
    }

    /// Whether a piece can be appended without the disk.
    pub fn fits_in_memory(&self, data: &str) -> bool {
        !self.is_on_disk && self.missing == 0 && self.memory_bytes + data.len() <= MOST_IN_MEMORY
    }

    /// The last number that can be read.
    pub fn last(&self) -> u64 {
        match &self.closed {
            Some(layout) => layout.last(),
            None => self.head_last + u64::from(self.head_is_full),
        }
    }

    /// The last number that was acknowledged.
    pub fn acknowledged(&self) -> u64 {
        self.acknowledged
    }

    /// No more comes: numbers the tail, makes everything durable, and says what is kept.
    pub fn close(&mut self) -> Kept {
        if self.missing > 0 && self.write_missing().is_err() {
            self.writer = None;
        }
        if self.is_on_disk
            && let Err(error) = self.sync()
        {
            tracing::warn!(%error, path = %self.dir.display(), "output of a command could not be made durable");
        }
        let layout = self.layout();
        (self.writer, self.closed) = (None, Some(layout));
        match self.is_on_disk {
            true => Kept { pieces: Vec::new(), layout: Some(layout) },
            false if layout.missing_at_end > 0 => {
                let mut pieces: Vec<Piece> = self.memory.iter().cloned().collect();
                pieces.push(Piece::gap(layout.last(), layout.missing_at_end));
                self.memory = pieces.iter().cloned().collect();
                self.closed = Some(Layout { head: layout.last(), ..Layout::default() });
                Kept { pieces, layout: None }
            }
            false => Kept { pieces: self.memory.iter().cloned().collect(), layout: None },
        }
    }

    /// Frees what is not needed any more.
    pub fn acknowledge(&mut self, up_to: u64) {
        self.acknowledged = self.acknowledged.max(up_to.min(self.last()));
        while let Some(piece) = self.memory.pop_front_if(|piece| piece.seq <= self.acknowledged) {
            self.memory_bytes = self.memory_bytes.saturating_sub(piece.data.len());
        }
        let is_written = |part_is_open: bool, segments: &VecDeque<Segment>| segments.len() > 1 || !part_is_open;
        while is_written(self.closed.is_none() && !self.head_is_full, &self.head)
            && let Some(segment) = self.head.pop_front_if(|segment| segment.next() - 1 <= self.acknowledged)
        {
            let _ = fs::remove_file(segment.path);
        }
        let Some(layout) = self.closed else { return };
        let Some(tail) = &layout.tail else { return };
        let number = |ordinal: u64| layout.tail_number(tail) + (ordinal - tail.first);
        while let Some(segment) =
            self.tail.pop_front_if(|segment| number((segment.next() - 1).max(tail.first)) <= self.acknowledged)
        {
            let _ = fs::remove_file(segment.path);
        }
    }

    /// Removes everything.
    pub fn remove(&mut self) {
        (self.writer, self.reader) = (None, None);
        if self.is_on_disk || self.dir.exists() {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }

    fn layout(&self) -> Layout {
        let tail = self.head_is_full.then(|| {
            let first = self.tail.front().map_or(self.tail_next, |segment| segment.first);
            let dropped = self.tail.front().map_or(self.tail_bytes, |segment| segment.before);
            Tail { first, next: self.tail_next, dropped }
        });
        Layout { head: self.head_last, tail, missing_at_end: self.missing }
    }
}
