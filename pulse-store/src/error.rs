//! What can go wrong with a store, by what the caller can do about it.

use pulse_core::ids::{ExecutionId, Seq};

/// What a store's calls answer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a store did not do what it was asked. Unless a variant says otherwise, nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Another writer appended to the journal, or the entries do not follow on it.
    #[error("execution {execution_id}: an entry {expected} was to be appended where {actual} comes next")]
    Conflict {
        /// Whose journal.
        execution_id: ExecutionId,
        /// The sequence number the append started with.
        expected: Seq,
        /// The one that comes next.
        actual: Seq,
    },
    /// Another server owns the execution by now: an append came under an old fence.
    #[error("execution {execution_id}: another server has taken it over")]
    Fenced {
        /// Which execution.
        execution_id: ExecutionId,
    },
    /// An execution that still goes on cannot be deleted.
    #[error("execution {execution_id} has not ended")]
    NotEnded {
        /// Which execution.
        execution_id: ExecutionId,
    },
    /// There is no such thing.
    #[error("there is no {what} {id}")]
    NotFound {
        /// Its kind, like `execution`.
        what: &'static str,
        /// What it was asked for by.
        id: String,
    },
    /// The name belongs to another workflow or worker; upper and lower case count as equal.
    #[error("the name `{name}` is taken")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A name that no index takes.
    #[error("the {what} has more than 255 characters")]
    TooLong {
        /// Whose name.
        what: &'static str,
    },
    /// The workflow is not at the version that the change was made from (`If-Match`).
    #[error("the workflow is at version {current}")]
    VersionConflict {
        /// Its version; 0 when it does not exist.
        current: u32,
    },
    /// A row that cannot be read, or something that could not be kept so that it can be read.
    #[error("{what} is damaged: {detail}")]
    Corrupt {
        /// What.
        what: String,
        /// In which way.
        detail: String,
    },
    /// The database cannot be opened, read, or written just now. One line that says which and what to do.
    #[error("{detail}")]
    Unavailable {
        /// The line.
        detail: String,
    },
    /// The database was written by a newer program.
    #[error(
        "the database has been used by a newer PULSE (it knows `{found}`, this program does not): start that version, \
         or restore a backup from before"
    )]
    TooNew {
        /// The first migration that this program does not know.
        found: String,
    },
    /// The SQLite library has the WAL-reset fault, which can damage a database.
    #[error("SQLite {sqlite} can damage its database: PULSE needs SQLite 3.51.3 or later")]
    TooOld {
        /// Its version.
        sqlite: String,
    },
    /// No room. It may be tried again once there is.
    #[error("no room to store anything: {detail}")]
    Full {
        /// What the database said.
        detail: String,
    },
    /// A commit failed: whether it is durable is unknown, and the store takes no more writes until it is opened again.
    #[error("the database failed and takes no more writes until the server is started again: {detail}")]
    Failed {
        /// What the database said.
        detail: String,
    },
}

impl Error {
    /// A stable word for it, as in problem+json.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Conflict { .. } => "conflict",
            Self::Fenced { .. } => "fenced",
            Self::NotEnded { .. } => "not-ended",
            Self::NotFound { .. } => "not-found",
            Self::NameTaken { .. } => "name-taken",
            Self::TooLong { .. } => "too-long",
            Self::VersionConflict { .. } => "version-conflict",
            Self::Corrupt { .. } => "corrupt",
            Self::Unavailable { .. } => "database-unavailable",
            Self::TooNew { .. } => "database-too-new",
            Self::TooOld { .. } => "sqlite-too-old",
            Self::Full { .. } => "storage-full",
            Self::Failed { .. } => "storage-failed",
        }
    }

    /// Whether the very same call may succeed later.
    pub fn retryable(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Unavailable { .. })
    }
}
