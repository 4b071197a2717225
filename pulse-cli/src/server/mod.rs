//! Which server the program speaks to, and with which token.
//!
//! A token is a secret of one server. It must not travel to an address that came from somewhere less trusted than the
//! token did: a stored token goes only to the address it was stored with, and a token of the environment does not go
//! to another machine that only a file of the current directory names.

mod address;
mod find;
mod stored;

pub use address::Address;
pub use find::{Server, find};
pub use stored::{FILE_NAME, Stored};

use std::fmt;

/// A token. Its debug form does not show it.
#[derive(Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// A token from its text, without the white space around it.
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The text, for the header it goes into.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
