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

mod record;
mod segment;
#[cfg(test)]
mod tests;

use crate::runner::Piece;
use pulse_core::command::Stream;
use segment::{Part, Segment};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// So much output is kept in memory until a command has ended: what one write of most programs holds.
pub const MOST_IN_MEMORY: usize = 16 * 1024;
/// Smallest limit: less would not hold a few pieces of each part.
const SMALLEST_LIMIT: u64 = 256 * 1024;
/// Largest segment: what is freed at once by an acknowledgement.
const LARGEST_SEGMENT: u64 = 4 * 1024 * 1024;
/// A part has about so many segments: what is dropped of the tail at once is this share of it.
const SEGMENTS: u64 = 8;

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
    fn tail_number(&self, tail: &Tail) -> u64 {
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

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Item {
    /// A piece's text.
    Text { stream: Stream, data: String },
    /// So many bytes are missing here.
    Gap { bytes: u64 },
}

impl Item {
    /// Bytes of the command's output that it stands for.
    fn bytes(&self) -> u64 {
        match self {
            Self::Text { data, .. } => data.len() as u64,
            Self::Gap { bytes } => *bytes,
        }
    }

    fn into_piece(self, seq: u64) -> Piece {
        match self {
            Self::Text { stream, data } => Piece { seq, stream, data, gap_bytes: None },
            Self::Gap { bytes } => Piece::gap(seq, bytes),
        }
    }
}

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

/// Where the last read ended.
#[derive(Debug)]
struct Reader {
    part: Part,
    first: u64,
    /// The ordinal of the item that comes next.
    ordinal: u64,
    file: BufReader<File>,
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
        if let Some(first) = spool.tail.front() {
            // Everything of the head was acknowledged and removed: the marker's number is not known any more, but that
            // of the head's last piece is in the names only as long as there is one.
            spool.head_last = spool.head_last.max(read_head_last(&spool.dir).unwrap_or(0));
            (spool.head_is_full, spool.tail_next) = (true, first.next());
            spool.tail_next = spool.tail.back().map_or(spool.tail_next, Segment::next);
        }
        let layout = spool.layout();
        spool.sync()?;
        Ok(Kept { pieces: Vec::new(), layout: Some(layout) })
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

    /// Writes what is in memory to the disk, so that it outlives this process.
    pub fn write_out(&mut self) {
        if !self.is_on_disk && !self.memory.is_empty() && self.closed.is_none() && self.go_on_disk().is_err() {
            // It stays in memory.
            self.writer = None;
        }
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

    /// Writes a piece, cut where a part ends. `written` counts its bytes that are.
    fn write_all(&mut self, stream: Stream, data: &str, written: &mut u64) -> io::Result<()> {
        self.go_on_disk()?;
        self.write_missing()?;
        let mut rest = data;
        if !self.head_is_full {
            let overhead = record::size(&Item::Gap { bytes: 0 });
            let room = usize::try_from(self.part_limit.saturating_sub(self.head_size + overhead)).unwrap_or(usize::MAX);
            let (now, later) = rest.split_at(floor_boundary(rest, room));
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
            let (now, later) = rest.split_at(floor_boundary(rest, most).max(1));
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
    fn write_missing(&mut self) -> io::Result<()> {
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

    fn sync(&mut self) -> io::Result<()> {
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

/// The file that tells the number of the head's last piece, once there is a tail.
const HEAD_LAST: &str = "full";

fn read_head_last(dir: &Path) -> Option<u64> {
    fs::read_to_string(dir.join(HEAD_LAST)).ok()?.parse().ok()
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)
}

/// The largest character boundary up to `at`.
fn floor_boundary(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at)
}
