//! Why a worker cannot start or go on. Each says in one line what is wrong, and has a hint where there is one.

use std::{io, path::PathBuf};

/// A permanent error of a worker: trying again without changing something does not help.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is missing or makes no sense.
    #[error("{name}: {reason}")]
    Setting {
        /// The setting's name in the environment.
        name: &'static str,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        hint: Option<String>,
    },
    /// The `.env` file cannot be read.
    #[error("the file {}: {reason}", path.display())]
    EnvFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Another process uses the state directory.
    #[error("another worker process uses the state directory {}", path.display())]
    StateInUse {
        /// The directory.
        path: PathBuf,
    },
    /// The state directory cannot be used.
    #[error("the state directory {}: {reason}", path.display())]
    StateDir {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// The state directory is not the one any more that this process began with.
    #[error("the state directory {} was removed or replaced while this worker used it", path.display())]
    StateGone {
        /// The directory.
        path: PathBuf,
    },
    /// The state directory is a copy of one that may be in use, here or on another machine.
    #[error("the state directory {} is a copy of {}{}, which may still be in use", path.display(), of.display(), place(*elsewhere))]
    StateCopied {
        /// The directory.
        path: PathBuf,
        /// Where the one was that it is a copy of.
        of: PathBuf,
        /// Whether that was on a machine with another id.
        elsewhere: bool,
    },
    /// A file of the state directory is damaged.
    #[error("{}: {reason}", path.display())]
    StateCorrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The supervisor, which owns the commands, cannot be started or reached.
    #[error("the worker's supervisor: {reason}")]
    Supervisor {
        /// What is wrong.
        reason: String,
    },
    /// The server refuses this worker for good.
    #[error("the server refuses this worker ({code}): {detail}")]
    Refused {
        /// The server's stable code, or `http-401` and the like.
        code: String,
        /// The server's reason.
        detail: String,
    },
}

impl Error {
    /// A stable word for the kind of error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Setting { .. } | Self::EnvFile { .. } => "worker-setting",
            Self::StateInUse { .. } => "worker-state-in-use",
            Self::StateDir { .. } => "worker-state-dir",
            Self::StateGone { .. } => "worker-state-gone",
            Self::StateCopied { .. } => "worker-state-copied",
            Self::StateCorrupt { .. } => "worker-state-corrupt",
            Self::Supervisor { .. } => "worker-supervisor",
            Self::Refused { .. } => "worker-refused",
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Setting { hint, .. } => hint.as_deref(),
            Self::EnvFile { .. } => Some("each line is NAME=VALUE; a value with spaces stands in quotes"),
            Self::StateInUse { .. } => {
                Some("stop the other process, or give this one a directory of its own with PULSE_WORKER_STATE")
            }
            Self::StateDir { hint, .. } => Some(hint),
            Self::StateGone { .. } => Some(
                "its commands end with it; put the directory back, or start the worker again: in a new directory it is \
                 another worker, and the server has to forget the old one first (`pulse worker rm`) if it keeps the name",
            ),
            Self::StateCopied { .. } => Some(
                "give this worker an empty directory of its own with PULSE_WORKER_STATE; if the other directory is gone for good \
                 and nothing of it runs any more, remove `origin.json` from this one to go on in it",
            ),
            Self::StateCorrupt { .. } => Some(
                "the file was changed or the disk is failing; move it away to start without what it holds: \
                 the server then asks a person about the commands that were in it",
            ),
            Self::Supervisor { .. } => Some("supervisor.log in the worker's state directory says more"),
            Self::Refused { code, .. } => Some(match code.as_str() {
                "bad-key" | "http-401" | "http-403" => "check WORKER_API_KEY against the server's",
                "name-taken" => "another worker has this name: set WORKER_NAME, or have an admin remove the old worker",
                "duplicate" | "duplicate-worker" => {
                    "another process with this worker id is connected: a state directory must not be copied; \
                     give this one an empty directory with PULSE_WORKER_STATE"
                }
                "protocol" => "worker and server are of different versions: install the same version on both",
                _ => "the server's log says more",
            }),
        }
    }

    pub(crate) fn setting(name: &'static str, reason: impl Into<String>) -> Self {
        Self::Setting { name, reason: reason.into(), hint: None }
    }

    pub(crate) fn setting_with_hint(name: &'static str, reason: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Setting { name, reason: reason.into(), hint: Some(hint.into()) }
    }

    /// A system error about something in the state directory.
    pub(crate) fn state(path: impl Into<PathBuf>, error: &io::Error) -> Self {
        Self::StateDir {
            path: path.into(),
            reason: error.to_string(),
            hint: "the worker needs a directory on a local disk that it may write: set PULSE_WORKER_STATE",
        }
    }
}

fn place(elsewhere: bool) -> &'static str {
    if elsewhere { " on another machine" } else { "" }
}
