//! Secrets: made here, shown once, kept as SHA-256. They carry 256 random bits, so a plain hash is enough.

use crate::clock;
use sha2::{Digest, Sha256};
use std::fmt;

/// A secret that was just made or just sent. It never appears in a log.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new secret: a prefix that says what it is, and 256 random bits in hex.
    pub fn generate(prefix: &str) -> Self {
        let mut bytes = [0; 32];
        clock::fill(&mut bytes);
        Self(format!("{prefix}{}", hex(&bytes)))
    }

    /// A secret that somebody has kept.
    pub fn known(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The secret's text, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn hash(&self) -> [u8; 32] {
        hash(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(••••)")
    }
}

/// SHA-256 of a secret. Comparing hashes instead of secrets also makes the time a comparison takes tell nothing.
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
