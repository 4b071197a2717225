//! The lines of `commands.log`, and reading them back after a crash.
//!
//! ```text
//! 5f2c9a01 17. {"record":"accepted","command_id":"…","execution_id":"…"}
//! ^        ^ ^
//! CRC-32   │ `.` ends a batch, `,` goes on
//! of the   number of the batch: what one fdatasync made durable
//! rest
//! ```
//!
//! A crash can tear only the last batch, for the one before it was durable before it began. So a line that cannot be
//! read is dropped together with what follows it when nothing of a later batch follows, and is corruption otherwise.

use super::entry::Entry;
use serde::{Deserialize, Serialize};
use std::io::Write as _;

/// The format of the log.
pub const FORMAT: u32 = 1;

/// One line's content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Record {
    /// The first line of each file.
    Opened {
        /// Its format.
        format: u32,
    },
    /// Something about a command.
    #[serde(untagged)]
    Command(Entry),
}

/// What a file held.
#[derive(Debug, PartialEq)]
pub struct Contents {
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// The last batch's number.
    pub batch: u64,
    /// How many bytes at the end were dropped.
    pub torn_bytes: usize,
}

/// Adds a line.
pub fn encode(out: &mut Vec<u8>, batch: u64, ends_batch: bool, record: &Record) {
    let start = out.len();
    out.extend_from_slice(b"00000000 ");
    let end = if ends_batch { '.' } else { ',' };
    write!(out, "{batch}{end} ").expect("memory can be written");
    serde_json::to_writer(&mut *out, record).expect("plain data becomes JSON");
    let sum = format!("{:08x}", crc32fast::hash(&out[start + 9..]));
    out[start..start + 8].copy_from_slice(sum.as_bytes());
    out.push(b'\n');
}

struct Line {
    batch: u64,
    ends_batch: bool,
    record: Record,
}

fn decode(line: &[u8]) -> Option<Line> {
    let line = std::str::from_utf8(line).ok()?;
    let (sum, rest) = line.split_at_checked(8)?;
    let rest = rest.strip_prefix(' ')?;
    if u32::from_str_radix(sum, 16).ok()? != crc32fast::hash(rest.as_bytes()) {
        return None;
    }
    let (batch, record) = rest.split_once(' ')?;
    let ends_batch = batch.ends_with('.');
    let batch = batch.strip_suffix(['.', ',']).and_then(|n| n.parse().ok())?;
    Some(Line { batch, ends_batch, record: serde_json::from_str(record).ok()? })
}

/// Reads a file's bytes.
///
/// # Errors
/// In words, when the file is damaged elsewhere than at its torn end, or has another format.
pub fn read(bytes: &[u8]) -> Result<Contents, String> {
    let mut contents = Contents { entries: Vec::new(), batch: 0, torn_bytes: 0 };
    let mut batch_is_open = false;
    let mut at = 0;
    for (index, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        let whole = line.strip_suffix(b"\n").and_then(decode);
        let Some(Line { batch, ends_batch, record }) = whole else {
            let torn = contents.batch + u64::from(!batch_is_open);
            return drop_tail(contents, &bytes[at..], torn, index);
        };
        match record {
            Record::Opened { format } if format == FORMAT => {}
            Record::Opened { format } => return Err(format!("has format {format}, this program knows {FORMAT}")),
            Record::Command(_) if index == 0 => return Err("lacks its first line".to_owned()),
            Record::Command(entry) => contents.entries.push(entry),
        }
        (contents.batch, batch_is_open) = (batch, !ends_batch);
        at += line.len();
    }
    Ok(contents)
}

/// `tail` begins with a line that cannot be read and belongs to batch `torn`.
fn drop_tail(mut contents: Contents, tail: &[u8], torn: u64, index: usize) -> Result<Contents, String> {
    let later = tail.split(|b| *b == b'\n').filter_map(decode).any(|line| line.batch > torn);
    // A file comes into being with its first line, by renaming.
    if later || index == 0 {
        return Err(format!("line {} is damaged", index + 1));
    }
    contents.torn_bytes = tail.len();
    Ok(contents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_core::ids::{CommandId, ExecutionId};
    use uuid::Uuid;

    fn entry(n: u128) -> Entry {
        Entry::Accepted { command_id: CommandId(Uuid::from_u128(n)), execution_id: ExecutionId(Uuid::from_u128(n)) }
    }

    /// A header, then batches of the given sizes.
    fn file(batches: &[u128]) -> Vec<u8> {
        let mut out = Vec::new();
        encode(&mut out, 1, true, &Record::Opened { format: FORMAT });
        let mut n = 0;
        for (batch, size) in (2..).zip(batches) {
            for place in 1..=*size {
                n += 1;
                encode(&mut out, batch, place == *size, &Record::Command(entry(n)));
            }
        }
        out
    }

    /// The file with one byte of the given line (from 1) changed.
    fn damaged(mut bytes: Vec<u8>, line: usize) -> Vec<u8> {
        let at = if line == 1 {
            0
        } else {
            bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(line - 2).unwrap().0 + 1
        };
        bytes[at + 12] ^= 1;
        bytes
    }

    #[test]
    fn every_torn_end_is_dropped() {
        let bytes = file(&[1, 2, 3]);
        let lines: Vec<usize> = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect();
        for cut in lines[0]..bytes.len() {
            let read = read(&bytes[..cut]).unwrap();
            let whole = lines.iter().filter(|end| **end <= cut).count();
            assert_eq!(read.entries, (1..whole as u128).map(entry).collect::<Vec<_>>(), "cut at {cut}");
            assert_eq!(read.torn_bytes, cut - lines[whole - 1]);
        }
    }

    #[test]
    fn a_hole_in_the_last_batch_is_torn_and_before_it_is_corruption() {
        let bytes = file(&[1, 2, 3]);
        for line in 5..=7 {
            let read = read(&damaged(bytes.clone(), line)).unwrap();
            assert_eq!(read.entries.len(), line - 2, "line {line}");
        }
        for line in 1..=4 {
            assert!(read(&damaged(bytes.clone(), line)).unwrap_err().contains(&format!("line {line}")), "line {line}");
        }
    }

    #[test]
    fn another_format_or_no_header_is_refused() {
        let mut other = Vec::new();
        encode(&mut other, 1, true, &Record::Opened { format: 2 });
        assert!(read(&other).unwrap_err().contains("format 2"));
        assert!(read(b"garbage\n").is_err());
        assert!(read(b"\0\0\0\0").is_err());
        assert_eq!(read(b"").unwrap().entries, []);
    }
}
