//! The rows of each table, and how they become records. Nothing in here leaves the store.

pub(super) mod deletion;
pub(super) mod delivery;
pub(super) mod event;
pub(super) mod execution;
pub(super) mod idempotency;
pub(super) mod output;
pub(super) mod secrets;
pub(super) mod session;
pub(super) mod setting;
pub(super) mod text;
pub(super) mod token;
pub(super) mod worker;
pub(super) mod workflow;
pub(super) mod workflow_version;

use crate::{Error, Result};
use std::fmt::Display;

/// A value as the database keeps integers. What does not fit would be a fault of the program long before.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Reads values out of a row, saying which row it was when one cannot be read.
pub(super) struct Reader<'a> {
    /// The table's word for it.
    pub what: &'static str,
    /// Which row.
    pub id: &'a dyn Display,
}

impl Reader<'_> {
    pub(super) fn corrupt(&self, detail: impl Display) -> Error {
        Error::Corrupt { what: format!("{} {}", self.what, self.id), detail: detail.to_string() }
    }

    /// An integer of a narrower or unsigned type.
    pub(super) fn int<T: TryFrom<i64>>(&self, column: &str, value: i64) -> Result<T> {
        T::try_from(value).map_err(|_| self.corrupt(format_args!("{column} is {value}")))
    }

    /// A word, like a status.
    pub(super) fn word<T: std::str::FromStr>(&self, column: &str, text: &str) -> Result<T>
    where
        T::Err: Display,
    {
        text.parse().map_err(|error| self.corrupt(format_args!("{column}: {error}")))
    }

    /// JSON.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&self, column: &str, text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|error| self.corrupt(format_args!("{column}: {error}")))
    }

    /// A SHA-256 digest.
    pub(super) fn digest(&self, bytes: &[u8]) -> Result<[u8; 32]> {
        bytes.try_into().map_err(|_| self.corrupt(format_args!("a hash of {} bytes", bytes.len())))
    }
}

/// JSON for a text column. The types that are kept this way have no form that JSON lacks.
pub(super) fn to_json<T: serde::Serialize>(what: &str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Corrupt { what: what.to_owned(), detail: error.to_string() })
}
