//! Files with definitions, as verbs read them.

use crate::error::Error;
use std::io::Read as _;
use std::path::Path;

/// The server's limit for a definition: larger files need not be read.
const LARGEST: u64 = 256 * 1024;

/// Reads a file, or standard input for `-`.
///
/// # Errors
/// When it cannot be read, is no text, or is larger than any definition.
pub fn read(file: &Path) -> Result<String, Error> {
    let failed = |reason: String| Error::File { path: file.to_owned(), reason };
    let mut text = String::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(LARGEST + 1).read_to_string(&mut text)
    } else {
        let opened = std::fs::File::open(file).map_err(|error| failed(reason(&error)))?;
        opened.take(LARGEST + 1).read_to_string(&mut text)
    };
    read.map_err(|error| failed(reason(&error)))?;
    if text.len() as u64 > LARGEST {
        return Err(failed("a definition has at most 256 KiB".to_owned()));
    }
    Ok(text)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::InvalidData => "it is no text in UTF-8".to_owned(),
        _ => error.to_string(),
    }
}
