//! What a database's error means for the store: by what has to be done about it.

use crate::Error;
use sea_orm::{DbErr, RuntimeErr};

/// Why a group of writes did not become durable. In every case but `Fatal` nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is no room on the disk.
    Full(String),
    /// The database cannot be had just now.
    Busy(String),
    /// One of the writes is impossible, whatever the state of the database. The others are not to blame.
    Data(String),
    /// Whether it was written is unknown, or the database is damaged.
    Fatal(String),
}

impl Fault {
    pub(super) fn of(error: &DbErr) -> Self {
        let text = message(error);
        match sqlite_code(error) {
            Some(code) => Self::of_sqlite(code, text),
            None => Self::Fatal(text),
        }
    }

    /// By SQLite's extended result code, <https://sqlite.org/rescode.html>.
    fn of_sqlite(code: i32, text: String) -> Self {
        const FULL: i32 = 13;
        /// The `-shm` file could not grow: the first thing that fails on a full disk when there is no such file yet.
        const IOERR_SHMSIZE: i32 = 4874;
        const BUSY: i32 = 5;
        const LOCKED: i32 = 6;
        const TOOBIG: i32 = 18;
        const CONSTRAINT: i32 = 19;
        const MISMATCH: i32 = 20;
        match (code, code & 0xff) {
            (_, FULL) | (IOERR_SHMSIZE, _) => Self::Full(text),
            (_, BUSY | LOCKED) => Self::Busy(text),
            (_, TOOBIG | CONSTRAINT | MISMATCH) => Self::Data(text),
            _ => Self::Fatal(text),
        }
    }

    /// What the callers are told.
    pub(super) fn error(&self, database: &str) -> Error {
        match self.clone() {
            Self::Full(detail) => Error::Full { detail },
            Self::Busy(detail) => Error::Unavailable {
                detail: format!("database {database}: {detail}: another program holds it; try again once it has ended"),
            },
            Self::Data(detail) => Error::Corrupt { what: "a write".to_owned(), detail },
            Self::Fatal(detail) => Error::Failed { detail: format!("database {database}: {detail}") },
        }
    }
}

/// A read that failed, for the caller.
pub(super) fn unreadable(database: &str, error: &DbErr) -> Error {
    Error::Unavailable { detail: format!("database {database} cannot be read: {}", message(error)) }
}

/// The database's own words, without the wrapping.
pub(super) fn message(error: &DbErr) -> String {
    match error {
        DbErr::Conn(inner) | DbErr::Exec(inner) | DbErr::Query(inner) => match inner {
            RuntimeErr::SqlxError(error) => {
                error.as_database_error().map_or_else(|| error.to_string(), ToString::to_string)
            }
            RuntimeErr::Internal(text) => text.clone(),
        },
        other => other.to_string(),
    }
}

/// The extended result code, if it is SQLite that complains.
pub(super) fn sqlite_code(error: &DbErr) -> Option<i32> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => error.as_database_error()?.code()?.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_faults_apart() {
        let of = |code| Fault::of_sqlite(code, String::new());
        assert_eq!(of(13), Fault::Full(String::new()));
        assert_eq!(of(517), Fault::Busy(String::new()));
        assert_eq!(of(2067), Fault::Data(String::new()));
        assert_eq!(of(1034), Fault::Fatal(String::new()), "a failed fsync");
        assert_eq!(of(11), Fault::Fatal(String::new()));
    }
}
