//! The key that secrets are sealed with. It is never in the database; a sealed text there tells at every start whether
//! the key is still the same.
//!
//! ```text
//! sealed: 1 byte format (1) | 12 bytes nonce | AES-256-GCM of the text | 16 bytes tag
//! ```
//!
//! What a text is for is authenticated with it, so that a row cannot stand in for another one.

use crate::{Error, clock};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use pulse_store::Store;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::fmt;
use std::sync::Arc;

/// The variable that holds the key.
const NAME: &str = "PULSE_DATA_KEY";
/// The setting that is sealed at the first start with a key.
const CHECK: &str = "data-key-check";
/// The first byte of everything sealed.
const FORMAT: u8 = 1;

/// A key for sealing.
#[derive(Clone)]
pub struct DataKey(Arc<LessSafeKey>);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(••••)")
    }
}

impl DataKey {
    /// A key from its text: 32 bytes as 64 hex digits or as Base64.
    ///
    /// # Errors
    /// When the text is neither, without showing it.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bytes = bytes(text.trim()).filter(|bytes| bytes.len() == AES_256_GCM.key_len());
        let key = bytes.and_then(|bytes| UnboundKey::new(&AES_256_GCM, &bytes).ok());
        let key = key.ok_or_else(|| {
            Error::config(NAME, "must be 32 bytes as 64 hex digits or Base64, like `openssl rand -hex 32` makes them")
        })?;
        Ok(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// Seals a text for one purpose, under a random nonce: at far less than 2^32 texts a key, none comes twice.
    pub(crate) fn seal(&self, purpose: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_LEN];
        clock::fill(&mut nonce);
        let mut text = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(purpose), &mut text)
            .expect("a text is shorter than the 64 GiB that can be sealed");
        [&[FORMAT][..], &nonce, &text].concat()
    }

    /// Opens what was sealed for the same purpose with the same key, and is as it was.
    pub(crate) fn open(&self, purpose: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, text) = sealed.strip_prefix(&[FORMAT])?.split_first_chunk::<NONCE_LEN>()?;
        let mut text = text.to_vec();
        let plain =
            self.0.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(purpose), &mut text).ok()?.len();
        text.truncate(plain);
        Some(text)
    }
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if digits.len() == 64 && digits.iter().all(u8::is_ascii_hexdigit) {
        return digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect();
    }
    let padded = match text.len() % 4 {
        0 => text.to_owned(),
        rest => format!("{text}{}", "=".repeat(4 - rest)),
    };
    STANDARD.decode(&padded).or_else(|_| URL_SAFE.decode(&padded)).ok()
}

/// Makes sure that the key is the one that this database has always been used with.
///
/// # Errors
/// When it is another one or is missing, or the store fails.
pub async fn check(store: &dyn Store, key: Option<&DataKey>) -> Result<(), Error> {
    let sealed = store.setting(CHECK).await?;
    match (key, sealed) {
        (None, None) => Ok(()),
        (Some(key), None) => Ok(store.put_setting(CHECK, key.seal(CHECK.as_bytes(), CHECK.as_bytes())).await?),
        (Some(key), Some(sealed)) if key.open(CHECK.as_bytes(), &sealed).is_some() => Ok(()),
        (Some(_), Some(_)) => Err(Error::config(
            NAME,
            "is not the key that the secrets in this database are sealed with: set the one it was started with before \
             (`pulse up` keeps it in the file data.key)",
        )),
        (None, Some(_)) => Err(Error::config(
            NAME,
            "is not set, and the secrets in this database are sealed with a key: set the one it was started with \
             before (`pulse up` keeps it in the file data.key)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_store::MemoryStore;

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    #[test]
    fn a_key_is_read_in_either_form_and_never_shown() {
        let sealed = DataKey::parse(HEX).unwrap().seal(b"a", b"text");
        let base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
        for text in [HEX.to_uppercase(), format!("{base64}=\n"), base64.to_owned()] {
            let key = DataKey::parse(&text).unwrap();
            assert_eq!(key.open(b"a", &sealed).unwrap(), b"text");
            assert_eq!(format!("{key:?}"), "DataKey(••••)");
        }
        for wrong in ["", "hunter2hunter2", &HEX[2..], &format!("{HEX}00"), &base64[2..], "é"] {
            let line = DataKey::parse(wrong).unwrap_err().to_string();
            assert!(line.starts_with("PULSE_DATA_KEY: ") && (wrong.is_empty() || !line.contains(wrong)), "{line}");
        }
    }

    #[test]
    fn only_the_same_key_and_purpose_open_what_is_unchanged() {
        let key = DataKey::parse(HEX).unwrap();
        let sealed = key.seal(b"a", b"text");
        assert_ne!(sealed, key.seal(b"a", b"text"), "no nonce comes twice");
        assert_eq!(key.open(b"b", &sealed), None);
        assert_eq!(DataKey::parse(&"0".repeat(64)).unwrap().open(b"a", &sealed), None);
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(key.open(b"a", &changed), None, "byte {at}");
            assert_eq!(key.open(b"a", &sealed[..at]), None, "cut at {at}");
        }
    }

    #[tokio::test]
    async fn a_database_keeps_to_its_key() {
        let store = MemoryStore::new();
        let (one, other) = (DataKey::parse(HEX).unwrap(), DataKey::parse(&"f".repeat(64)).unwrap());
        check(&store, None).await.unwrap();
        check(&store, Some(&one)).await.unwrap();
        check(&store, Some(&one)).await.unwrap();
        for wrong in [Some(&other), None] {
            let line = check(&store, wrong).await.unwrap_err().to_string();
            assert!(line.starts_with("PULSE_DATA_KEY: ") && !line.contains('\n'), "{line}");
        }
    }
}
