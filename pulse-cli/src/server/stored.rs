//! `client.json`: a server's address and a token for it, readable only by its owner. `pulse up` writes one into
//! `./pulse-data`, `pulse login` one into the user's settings.

use super::Secret;
use crate::error::Error;
use crate::files;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::Path;

/// The file's name, in whatever directory.
pub const FILE_NAME: &str = "client.json";

/// What is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The server's address.
    pub url: String,
    /// A token for it.
    pub token: Secret,
}

impl Stored {
    /// Reads the file of a directory; `None` when there is none.
    ///
    /// # Errors
    /// When there is one that cannot be read or understood.
    pub fn read(directory: &Path) -> Result<Option<Self>, Error> {
        let path = directory.join(FILE_NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            Err(error) => return Err(Error::File { path, reason: error.to_string() }),
        };
        // serde_json's message would be fine, but it may quote the text, and the text holds a token.
        let reason = || "it is not {\"url\": …, \"token\": …}; write it anew with `pulse login URL`".to_owned();
        serde_json::from_str(&text).map(Some).map_err(|_| Error::File { path, reason: reason() })
    }

    /// Writes the file of a directory, with mode 0600 from its first byte on, in one step.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, directory: &Path) -> Result<(), Error> {
        let path = directory.join(FILE_NAME);
        let failed = |error: io::Error| Error::File { path: path.clone(), reason: error.to_string() };
        let text = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        fs::create_dir_all(directory).map_err(failed)?;
        files::replace_private(&path, &text).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn only_its_owner_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let stored = Stored { url: "http://x".into(), token: Secret::new("t0ken") };
        assert_eq!(Stored::read(directory.path()).unwrap(), None);
        for _ in 0..2 {
            stored.write(&directory.path().join("deep")).unwrap();
        }
        let file = directory.path().join("deep").join(FILE_NAME);
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Stored::read(&directory.path().join("deep")).unwrap(), Some(stored));
        fs::write(&file, r#"{"token": "t0ken", "url": 5}"#).unwrap();
        let error = Stored::read(&directory.path().join("deep")).unwrap_err();
        assert!(!error.to_string().contains("t0ken"), "{error}");
    }
}
