//! Taking text: into memory first, then into the segments of the head, then of the tail.

use super::Spool;
use super::record::{self, Item};
use super::recover::HEAD_LAST;
use super::segment::{Part, Segment};
use crate::runner::Piece;
use pulse_core::command::Stream;
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

impl Spool {
    /// Takes a piece's text. What cannot be written is left out, and a gap will say so.
    pub fn append(&mut self, stream: Stream, data: String) {
        if self.fits_in_memory(&data) {
            self.head_last += 1;
            self.memory_bytes += data.len();
            let piece = Piece { seq: self.head_last, stream, data, gap_bytes: None };
            return self.memory.push_back(piece);
        }
        let bytes = data.len() as u64;
        let mut written = 0;
        if let Err(error) = self.write_all(stream, &data, &mut written) {
            self.writer = None;
            let is_first = self.missing == 0;
            self.missing += bytes - written;
            if is_first {
                tracing::warn!(%error, path = %self.dir.display(), "output of a command cannot be written and is left out");
            }
        }
    }

    /// Whether something unacknowledged is in memory only, and its command goes on.
    pub fn has_unwritten(&self) -> bool {
        !self.is_on_disk && !self.memory.is_empty() && self.closed.is_none()
    }

    /// Writes what is in memory to the disk, so that it outlives this process.
    pub fn write_out(&mut self) {
        if self.has_unwritten() && self.go_on_disk().is_err() {
            // It stays in memory.
            self.writer = None;
        }
    }

    /// Writes a piece, cut where a part ends. `written` counts its bytes that are.
    fn write_all(&mut self, stream: Stream, data: &str, written: &mut u64) -> io::Result<()> {
        self.go_on_disk()?;
        self.write_missing()?;
        let mut rest = data;
        if !self.head_is_full {
            let overhead = record::size(&Item::Gap { bytes: 0 });
            let room = usize::try_from(self.part_limit.saturating_sub(self.head_size + overhead)).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at(rest.floor_char_boundary(room));
            if !now.is_empty() {
                self.write(Part::Head, &Item::Text { stream, data: now.to_owned() })?;
                *written += now.len() as u64;
            }
            if !later.is_empty() {
                self.head_is_full = true;
                // The tail has segments of its own.
                self.writer = None;
            }
            rest = later;
        }
        while !rest.is_empty() {
            let most = usize::try_from(self.segment_limit).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at(rest.floor_char_boundary(most).max(1));
            self.write(Part::Tail, &Item::Text { stream, data: now.to_owned() })?;
            *written += now.len() as u64;
            rest = later;
        }
        Ok(())
    }

    fn go_on_disk(&mut self) -> io::Result<()> {
        if self.is_on_disk {
            return Ok(());
        }
        fs::create_dir_all(&self.dir)?;
        // In one file, or not at all: a second try begins anew.
        let first = self.memory.front().map_or(self.head_last + 1, |piece| piece.seq);
        let mut segment = Segment::new(&self.dir, Part::Head, first, 0);
        let mut file = create(&segment.path)?;
        let mut bytes = Vec::new();
        for piece in &self.memory {
            let item = Item::Text { stream: piece.stream, data: piece.data.clone() };
            record::encode(&mut bytes, &item);
            segment.add(&item);
        }
        self.take_room(bytes.len())?;
        file.write_all(&bytes)?;
        self.head_size = segment.size;
        self.head.push_back(segment);
        (self.writer, self.is_on_disk) = (Some(file), true);
        self.memory = VecDeque::new();
        Ok(())
    }

    /// Says what is missing, as soon as that can be written.
    pub(super) fn write_missing(&mut self) -> io::Result<()> {
        if self.missing > 0 {
            self.go_on_disk()?;
            let part = if self.head_is_full { Part::Tail } else { Part::Head };
            self.write(part, &Item::Gap { bytes: self.missing })?;
            self.missing = 0;
        }
        Ok(())
    }

    fn write(&mut self, part: Part, item: &Item) -> io::Result<()> {
        let size = record::size(item);
        let segments = if part == Part::Head { &self.head } else { &self.tail };
        let is_full = segments.back().is_none_or(|segment| segment.size + size > self.segment_limit);
        if self.writer.is_none() || is_full {
            let (first, before) = match part {
                Part::Head => (self.head_last + 1, self.head.back().map_or(0, Segment::after)),
                Part::Tail => (self.tail_next, self.tail_bytes),
            };
            let segment = Segment::new(&self.dir, part, first, before);
            if part == Part::Tail && self.tail.is_empty() {
                // For a later process: the head's segments may be gone by then.
                create(&self.dir.join(HEAD_LAST))?.write_all(self.head_last.to_string().as_bytes())?;
            }
            self.writer = Some(create(&segment.path)?);
            let segments = if part == Part::Head { &mut self.head } else { &mut self.tail };
            // One to which nothing could be written is in the way of this one, under the same name.
            segments.pop_back_if(|last| last.count == 0);
            segments.push_back(segment);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        record::encode(&mut bytes, item);
        self.take_room(bytes.len())?;
        if let Some(writer) = &mut self.writer {
            writer.write_all(&bytes)?;
        }
        let segments = if part == Part::Head { &mut self.head } else { &mut self.tail };
        if let Some(segment) = segments.back_mut() {
            segment.add(item);
        }
        match part {
            Part::Head => (self.head_last, self.head_size) = (self.head_last + 1, self.head_size + size),
            Part::Tail => {
                (self.tail_next, self.tail_bytes) = (self.tail_next + 1, self.tail_bytes + item.bytes());
                while self.tail.len() > 1
                    && self.tail.iter().map(|segment| segment.size).sum::<u64>() > self.part_limit
                    && let Some(oldest) = self.tail.pop_front()
                {
                    let _ = fs::remove_file(oldest.path);
                }
            }
        }
        Ok(())
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        for segment in self.head.iter_mut().chain(&mut self.tail).filter(|segment| segment.is_dirty) {
            if segment.count > 0 {
                File::open(&segment.path)?.sync_data()?;
            }
            segment.is_dirty = false;
        }
        File::open(&self.dir)?.sync_all()?;
        match self.dir.parent() {
            Some(parent) => File::open(parent)?.sync_all(),
            None => Ok(()),
        }
    }

    #[cfg(not(test))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "tests have a disk that becomes full")]
    fn take_room(&self, _bytes: usize) -> io::Result<()> {
        Ok(())
    }

    #[cfg(test)]
    fn take_room(&mut self, bytes: usize) -> io::Result<()> {
        let Some(room) = &mut self.room else { return Ok(()) };
        match room.checked_sub(bytes as u64) {
            Some(left) => *room = left,
            None => {
                // As much as there is room for is written all the same.
                let torn = vec![0x5a; usize::try_from(std::mem::take(room)).unwrap()];
                if let Some(writer) = &mut self.writer {
                    writer.write_all(&torn)?;
                }
                return Err(io::ErrorKind::StorageFull.into());
            }
        }
        Ok(())
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)
}
