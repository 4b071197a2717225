//! The `.env` file of the working directory. The environment wins over it.

use crate::Error;
use std::{io, path::Path, sync::OnceLock};

/// The names that the file added to this process's environment: configuration of the worker, not of its commands.
static ADDED: OnceLock<Vec<String>> = OnceLock::new();

/// Reads `.env` in the working directory, if there is one, into this process's environment.
///
/// Call it first thing in `main`, before any thread exists and before flags are parsed. Variables that come from the
/// file are not handed on to commands.
///
/// # Errors
/// When the file is there and cannot be read.
pub fn load() -> Result<(), Error> {
    load_file(Path::new(".env"))
}

fn load_file(path: &Path) -> Result<(), Error> {
    let error = |error: dotenvy::Error| Error::EnvFile {
        path: path.to_owned(),
        reason: match error {
            dotenvy::Error::LineParse(line, at) => {
                format!("cannot be read at character {} of `{}`", at + 1, name(&line))
            }
            other => other.to_string(),
        },
    };
    let entries = match dotenvy::from_path_iter(path) {
        Ok(entries) => entries,
        Err(dotenvy::Error::Io(missing)) if missing.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(other) => return Err(error(other)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let (name, _) = entry.map_err(error)?;
        if std::env::var_os(&name).is_none() {
            names.push(name);
        }
    }
    dotenvy::from_path(path).map_err(error)?;
    // A second call finds every name set and has nothing to add.
    let _ = ADDED.set(names);
    Ok(())
}

/// The line up to its `=`: what follows may be a secret.
fn name(line: &str) -> &str {
    line.split_once('=').map_or("…", |(name, _)| name.trim())
}

/// The names that [`load`] added.
pub(crate) fn added() -> &'static [String] {
    ADDED.get().map_or(&[], Vec::as_slice)
}
