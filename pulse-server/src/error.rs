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
            _ => None,
        }
    }
}
