//! What a former process left: finding its segments, and numbering what it did not close.

use super::Spool;
use super::layout::{Kept, Layout};
use super::segment::{Part, Segment};
use std::path::{Path, PathBuf};
use std::{fs, io};

/// The file that tells the number of the head's last piece, once there is a tail.
pub const HEAD_LAST: &str = "full";

impl Spool {
    /// What a former process left of a command that had ended.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn reopen(dir: PathBuf, kept: &Kept) -> io::Result<Self> {
        let mut spool = Self::new(dir, u64::MAX);
        let layout = match &kept.layout {
            Some(layout) => {
                spool.is_on_disk = true;
                spool.find()?;
                *layout
            }
            None => {
                spool.memory = kept.pieces.iter().cloned().collect();
                Layout { head: spool.memory.back().map_or(0, |piece| piece.seq), ..Layout::default() }
            }
        };
        (spool.head_last, spool.closed) = (layout.head, Some(layout));
        spool.acknowledged = spool.first_kept(&layout).saturating_sub(1);
        Ok(spool)
    }

    /// What a former process left of a command that has not ended in order. It is closed by this.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn recover(dir: PathBuf) -> io::Result<Kept> {
        let mut spool = Self::new(dir, u64::MAX);
        spool.is_on_disk = true;
        spool.find()?;
        if spool.head.is_empty() && spool.tail.is_empty() {
            return Ok(Kept::default());
        }
        spool.head_last = spool.head.back().map_or(0, |segment| segment.next() - 1);
        if let Some(last) = spool.tail.back() {
            // Everything of the head was acknowledged and removed: the marker's number is not known any more, but that
            // of the head's last piece is in the names only as long as there is one.
            spool.head_last = spool.head_last.max(read_head_last(&spool.dir).unwrap_or(0));
            (spool.head_is_full, spool.tail_next) = (true, last.next());
        }
        let layout = spool.layout();
        spool.sync()?;
        Ok(Kept { pieces: Vec::new(), layout: Some(layout) })
    }

    /// The first number that is kept of closed output.
    fn first_kept(&self, layout: &Layout) -> u64 {
        if let Some(piece) = self.memory.front() {
            return piece.seq;
        }
        if let Some(segment) = self.head.front() {
            return segment.first;
        }
        match (&layout.tail, self.tail.front()) {
            (Some(tail), Some(segment)) if segment.first > tail.first => {
                layout.tail_number(tail) + (segment.first - tail.first)
            }
            (Some(_), Some(_)) => layout.head + 1,
            // Nothing of the tail was ever kept: that it is missing may not have been told yet.
            (Some(tail), None) if tail.first == tail.next => layout.head + 1,
            // All was acknowledged and removed, but for what was never there.
            _ => layout.last() + u64::from(layout.missing_at_end == 0),
        }
    }

    fn find(&mut self) -> io::Result<()> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        let mut found = Vec::new();
        for entry in entries {
            if let Some(segment) = Segment::found(entry?.path())? {
                found.push(segment);
            }
        }
        found.sort_unstable_by_key(|(part, segment)| (*part, segment.first));
        for (part, segment) in found {
            // One whose first record is torn holds nothing.
            match part {
                _ if segment.count == 0 => {}
                Part::Head => self.head.push_back(segment),
                Part::Tail => self.tail.push_back(segment),
            }
        }
        Ok(())
    }
}

fn read_head_last(dir: &Path) -> Option<u64> {
    fs::read_to_string(dir.join(HEAD_LAST)).ok()?.parse().ok()
}
