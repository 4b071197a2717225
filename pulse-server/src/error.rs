//! Why a server does not start, or stops: one clear line, and a hint where there is one.

/// Why a server does not start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting is unusable. The text names it.
    #[error("{name}: {reason}")]
    Config {
        /// The flag or variable.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The address cannot be listened on.
    #[error("{0}")]
    Listen(String),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] pulse_store::Error),
    /// Another server uses the database file.
    #[error("another server uses the database {}: a database file is one server's", path.display())]
    InUse {
        /// The file.
        path: std::path::PathBuf,
    },
    /// The database file went away while the server ran.
    #[error(
        "the database {} was removed or replaced while the server used it: what was acknowledged since then is not in what \
         is there now",
        path.display()
    )]
    Gone {
        /// The file.
        path: std::path::PathBuf,
    },
    /// What was running cannot be taken up.
    #[error("what was running cannot be taken up: {0}")]
    Recovery(crate::drive::Error),
    /// The database failed while the server ran: it stops, and goes on from the journal at its next start.
    #[error("the database failed: {0}; nothing that was acknowledged is lost, start the server again")]
    Failed(String),
}

impl Error {
    /// A setting that is unusable.
    pub fn config(name: &str, reason: impl Into<String>) -> Self {
        Self::Config { name: name.to_owned(), reason: reason.into() }
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Config { .. } => Some("`pulse server --help` lists all settings"),
            Self::Store(pulse_store::Error::Unavailable { .. }) => {
                Some("--database-url or PULSE_DATABASE_URL chooses the database")
            }
            Self::Store(pulse_store::Error::Full { .. }) => {
                Some("make room on the database's disk, and start the server again; nothing is lost")
            }
            Self::InUse { .. } => Some(
                "stop that server first (`pulse server` or `pulse up`), or give this one another database with --database-url \
                 or PULSE_DATABASE_URL",
            ),
            Self::Gone { .. } => Some(
                "put the file back beside its -wal, or a backup in place of both, while no server runs; then start the server \
                 again",
            ),
            _ => None,
        }
    }
}
