//! One file of a spool. Its name says to which part it belongs, the ordinal of its first item within that part, and how
//! many bytes of text came before: `head-0000000001-00000000000000`.

use super::record::{self, Item};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

/// What of a command's output a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The beginning; kept whole.
    Head,
    /// The end; the oldest segments are dropped.
    Tail,
}

impl Part {
    fn word(self) -> &'static str {
        match self {
            Self::Head => "head",
            Self::Tail => "tail",
        }
    }
}

/// See the module's documentation.
#[derive(Debug, Clone)]
pub struct Segment {
    /// The file.
    pub path: PathBuf,
    /// The ordinal of the first item.
    pub first: u64,
    /// Bytes of text in this part before the first item.
    pub before: u64,
    /// How many items are in it.
    pub count: u64,
    /// Their bytes of text.
    pub bytes: u64,
    /// Bytes of the file that are whole records.
    pub size: u64,
    /// Whether it has been written to since it was last made durable.
    pub is_dirty: bool,
}

impl Segment {
    /// One without items.
    pub fn new(dir: &Path, part: Part, first: u64, before: u64) -> Self {
        let path = dir.join(format!("{}-{first:010}-{before:014}", part.word()));
        Self { path, first, before, count: 0, bytes: 0, size: 0, is_dirty: true }
    }

    /// The ordinal that comes after its last item.
    pub fn next(&self) -> u64 {
        self.first + self.count
    }

    /// Bytes of text in this part up to its end.
    pub fn after(&self) -> u64 {
        self.before + self.bytes
    }

    /// Counts an item that was written to it.
    pub fn add(&mut self, item: &Item) {
        self.count += 1;
        self.bytes += item.bytes();
        self.size += record::size(item);
        self.is_dirty = true;
    }

    /// Reads a file back; none when its name is no segment's. What is torn is not counted.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn found(path: PathBuf) -> io::Result<Option<(Part, Self)>> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let mut words = name.split('-');
        let part = match words.next() {
            Some("head") => Part::Head,
            Some("tail") => Part::Tail,
            _ => return Ok(None),
        };
        let mut number = || words.next().and_then(|word| word.parse().ok());
        let (Some(first), Some(before)) = (number(), number()) else { return Ok(None) };
        let mut file = BufReader::new(File::open(&path)?);
        let mut segment = Self { path, first, before, count: 0, bytes: 0, size: 0, is_dirty: true };
        while let Some(item) = record::read(&mut file)? {
            segment.add(&item);
        }
        Ok(Some((part, segment)))
    }
}
