//! The records of a segment, and what is left of a file after a crash.
//!
//! ```text
//! length of the body, u32 LE │ CRC-32 of the body, u32 LE │ body: kind, u8 · text, or so many bytes, u64 LE
//! ```
//!
//! A record that is cut off or does not match its sum ends the file: nothing after it is believed.

use crate::runner::Piece;
use pulse_core::command::Stream;
use std::io::{self, Read};

/// Length and sum.
pub const HEADER: usize = 8;
/// Longest body that is believed: far more than a piece.
const LONGEST: usize = 1024 * 1024;

const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const GAP: u8 = 3;

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A piece's text.
    Text {
        /// Where it was printed.
        stream: Stream,
        /// The text.
        data: String,
    },
    /// So many bytes are missing here.
    Gap {
        /// How many.
        bytes: u64,
    },
}

impl Item {
    /// Bytes of the command's output that it stands for.
    pub fn bytes(&self) -> u64 {
        match self {
            Self::Text { data, .. } => data.len() as u64,
            Self::Gap { bytes } => *bytes,
        }
    }

    /// With its number.
    pub fn into_piece(self, seq: u64) -> Piece {
        match self {
            Self::Text { stream, data } => Piece { seq, stream, data, gap_bytes: None },
            Self::Gap { bytes } => Piece::gap(seq, bytes),
        }
    }
}

/// Appends a record.
pub fn encode(out: &mut Vec<u8>, item: &Item) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER]);
    match item {
        Item::Text { stream, data } => {
            out.push(if *stream == Stream::Stdout { STDOUT } else { STDERR });
            out.extend_from_slice(data.as_bytes());
        }
        Item::Gap { bytes } => {
            out.push(GAP);
            out.extend_from_slice(&bytes.to_le_bytes());
        }
    }
    let body = &out[start + HEADER..];
    let (length, sum) = (u32::try_from(body.len()).unwrap_or(u32::MAX), crc32fast::hash(body));
    out[start..start + 4].copy_from_slice(&length.to_le_bytes());
    out[start + 4..start + HEADER].copy_from_slice(&sum.to_le_bytes());
}

/// How large an item's record is.
pub fn size(item: &Item) -> u64 {
    let body = match item {
        Item::Text { data, .. } => data.len(),
        Item::Gap { .. } => 8,
    };
    (HEADER + 1 + body) as u64
}

/// Reads the next record; none at the end, and where the file is damaged.
///
/// # Errors
/// When the file cannot be read.
pub fn read(file: &mut impl Read) -> io::Result<Option<Item>> {
    let mut header = [0; HEADER];
    if !fill(file, &mut header)? {
        return Ok(None);
    }
    let [a, b, c, d, sum @ ..] = header;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length == 0 || length > LONGEST {
        return Ok(None);
    }
    let mut body = vec![0; length];
    if !fill(file, &mut body)? || crc32fast::hash(&body) != u32::from_le_bytes(sum) {
        return Ok(None);
    }
    Ok(decode(body))
}

fn decode(mut body: Vec<u8>) -> Option<Item> {
    let text = |stream, mut body: Vec<u8>| {
        body.remove(0);
        Some(Item::Text { stream, data: String::from_utf8(body).ok()? })
    };
    match *body.first()? {
        STDOUT => text(Stream::Stdout, body),
        STDERR => text(Stream::Stderr, body),
        GAP => Some(Item::Gap { bytes: u64::from_le_bytes(body.split_off(1).try_into().ok()?) }),
        _ => None,
    }
}

/// False when the file ends before the buffer is full.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
