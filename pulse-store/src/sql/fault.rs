//! What a database's error means for the store: by what has to be done about it.

use crate::Error;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::mysql::MySqlDatabaseError;
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::sqlx::{self, sqlite::SqliteError};
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};

/// Why a group of writes did not become durable. In every case but `Unknown` and `Fatal` nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// There is no room on the disk.
    Full(String),
    /// The database cannot be had just now, or has been closed.
    Busy(String),
    /// One of the writes is impossible in the state of the database, or in any. The others are not to blame.
    Data(String),
    /// Another writer was in the way, and the whole transaction was rolled back: it may be tried again at once.
    Clash(String),
    /// The connection is gone, or could not be made.
    Lost(String),
    /// It was lost while the commit was under way.
    Unknown(String),
    /// Whether it was written is unknown, or the database is damaged.
    Fatal(String),
}

impl Fault {
    pub(super) fn of(error: &DbErr) -> Self {
        let text = message(error);
        let Some(error) = driver_error(error) else {
            return match error {
                DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => Self::Lost(text),
                DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => Self::Busy(text),
                _ => Self::Fatal(text),
            };
        };
        match error {
            sqlx::Error::Database(error) => Self::of_database(&**error, text),
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed => Self::Lost(text),
            sqlx::Error::PoolClosed => Self::Busy(text),
            _ => Self::Fatal(text),
        }
    }

    fn of_database(error: &dyn DatabaseError, text: String) -> Self {
        if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
            return Self::of_mariadb(error.number(), text);
        }
        if let Some(error) = error.try_downcast_ref::<PgDatabaseError>() {
            return Self::of_postgres(error.code(), text);
        }
        match error.code().and_then(|code| code.parse().ok()) {
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

    /// By MariaDB's error number, <https://mariadb.com/kb/en/mariadb-error-code-reference/>.
    fn of_mariadb(number: u16, text: String) -> Self {
        match number {
            // Disk full, table full.
            1021 | 1114 => Self::Full(text),
            // `Got error 28 from storage engine`, `Error writing file (errno: 28)`: ENOSPC. 122 is a quota.
            3 | 1030 | 1026 if names_number(&text, &["28", "122"]) => Self::Full(text),
            // Changed since it was read, lock wait timeout, deadlock.
            1020 | 1205 | 1213 => Self::Clash(text),
            // Shutdown, killed, interrupted, too many connections, read only, packets cut short, timeouts.
            1040
            | 1053
            | 1077
            | 1152
            | 1158..=1161
            | 1184
            | 1203
            | 1290
            | 1317
            | 1836
            | 1927
            | 1969
            | 2006
            | 2013
            | 4150
            | 4151 => Self::Lost(text),
            // Null, duplicate, packet too large, out of range, foreign keys, no such character, too long, checks.
            1022
            | 1048
            | 1062
            | 1153
            | 1169
            | 1216
            | 1217
            | 1264..=1267
            | 1300
            | 1364
            | 1366
            | 1406
            | 1451
            | 1452
            | 1586
            | 1644
            | 4025 => Self::Data(text),
            _ => Self::Fatal(text),
        }
    }

    /// By SQLSTATE, <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    fn of_postgres(code: &str, text: String) -> Self {
        match (code, code.get(..2).unwrap_or_default()) {
            ("53100", _) => Self::Full(text),
            // Serialization failure, deadlock, lock not available, a statement that was cancelled.
            ("40001" | "40P01" | "55P03" | "57014", _) => Self::Clash(text),
            // Read only (a standby), a transaction that idled too long.
            ("25006" | "25P02" | "25P03" | "25P04", _) => Self::Lost(text),
            // Data, integrity, raised by a trigger; connections, resources, the operator.
            (_, "22" | "23" | "P0" | "54") => Self::Data(text),
            (_, "08" | "53" | "57") => Self::Lost(text),
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
            Self::Clash(detail) => Error::Unavailable {
                detail: format!("database {database}: {detail}: other writers were in the way; try again"),
            },
            Self::Lost(detail) => Error::Unavailable {
                detail: format!("database {database} cannot be reached, nothing was written: {detail}"),
            },
            Self::Data(detail) => Error::Corrupt { what: "a write".to_owned(), detail },
            Self::Unknown(detail) | Self::Fatal(detail) => {
                Error::Failed { detail: format!("database {database}: {detail}") }
            }
        }
    }
}

/// A read that failed, for the caller.
pub(super) fn unreadable(database: &str, error: &DbErr) -> Error {
    Error::Unavailable { detail: format!("database {database} cannot be read: {}", message(error)) }
}

/// The database's own words, without the wrapping, in one line.
pub(super) fn message(error: &DbErr) -> String {
    let text = match (driver_error(error), error) {
        (Some(error), _) => error.as_database_error().map_or_else(|| error.to_string(), words),
        (None, DbErr::Conn(RuntimeErr::Internal(text)) | DbErr::Exec(RuntimeErr::Internal(text))) => text.clone(),
        (None, other) => other.to_string(),
    };
    text.replace('\n', " ")
}

/// What a database says. PostgreSQL's driver adds a line of the server's source.
fn words(error: &(dyn DatabaseError + 'static)) -> String {
    match error.try_downcast_ref::<PgDatabaseError>() {
        Some(error) => format!("{} ({})", error.message(), error.code()),
        None => error.to_string(),
    }
}

/// An error of our own, as sea-orm's.
pub(super) fn custom(text: &str) -> DbErr {
    DbErr::Custom(text.to_owned())
}

/// The driver's error in sea-orm's.
pub(super) fn driver_error(error: &DbErr) -> Option<&sqlx::Error> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}

/// The extended result code, if it is SQLite that complains.
pub(super) fn sqlite_code(error: &DbErr) -> Option<i32> {
    driver_error(error)?.as_database_error()?.try_downcast_ref::<SqliteError>()?.code()?.parse().ok()
}

/// Whether MariaDB's text names one of these numbers of the operating system as its reason.
fn names_number(text: &str, numbers: &[&str]) -> bool {
    ["error ", "errno: ", "Errcode: "].iter().any(|word| {
        text.match_indices(word).any(|(at, word)| {
            let number = text[at + word.len()..].split(|c: char| !c.is_ascii_digit()).next();
            number.is_some_and(|number| numbers.contains(&number))
        })
    })
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

    #[test]
    fn tells_mariadbs_faults_apart() {
        let of = |number, text: &str| Fault::of_mariadb(number, text.to_owned());
        let full = "Got error 28 \"No space left on device\" from storage engine InnoDB";
        assert_eq!(of(1030, full), Fault::Full(full.to_owned()));
        assert_eq!(
            of(1030, "Got error 1 from storage engine"),
            Fault::Fatal("Got error 1 from storage engine".to_owned())
        );
        for broken in [
            "Error writing file './pulse/#sql-28_1' (errno: 5 \"Input/output error\")",
            "Got error 128 from storage engine",
        ] {
            assert_eq!(of(1026, broken), Fault::Fatal(broken.to_owned()));
        }
        let full = "Error writing file './pulse/a.MAI' (errno: 28 \"No space left on device\")";
        assert_eq!(of(3, full), Fault::Full(full.to_owned()));
        assert_eq!(of(1213, ""), Fault::Clash(String::new()));
        assert_eq!(of(1062, ""), Fault::Data(String::new()));
        assert_eq!(of(1927, ""), Fault::Lost(String::new()));
        assert_eq!(of(1146, ""), Fault::Fatal(String::new()), "a table is missing");
    }

    #[test]
    fn tells_postgres_faults_apart() {
        let of = |code| Fault::of_postgres(code, String::new());
        assert_eq!(of("53100"), Fault::Full(String::new()));
        assert_eq!(of("53300"), Fault::Lost(String::new()), "too many connections");
        assert_eq!(of("40P01"), Fault::Clash(String::new()));
        assert_eq!(of("23505"), Fault::Data(String::new()));
        assert_eq!(of("57P01"), Fault::Lost(String::new()), "it shuts down");
        assert_eq!(of("42P01"), Fault::Fatal(String::new()), "a table is missing");
        assert_eq!(of(""), Fault::Fatal(String::new()));
    }
}
