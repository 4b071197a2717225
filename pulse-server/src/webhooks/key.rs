//! The key that calls are signed with: one per installation, made at the first start and sealed in the database.

use crate::access::Secret;
use crate::secrets::DataKey;
use crate::{Error, clock};
use pulse_core::time::Timestamp;
use pulse_store::Store;
use ring::hmac;
use std::fmt::Write as _;
use std::sync::Arc;

/// The setting that holds it, sealed.
const SETTING: &str = "webhook-key";
/// How it begins, so that it is known when it turns up somewhere.
const PREFIX: &str = "pulse_webhook_";

/// The key. Its characters as they are shown are the key of the HMAC.
#[derive(Clone, Debug)]
pub struct SigningKey(Arc<Secret>);

impl SigningKey {
    /// The installation's key, made if there is none yet. `None` without a key to seal it with: then nothing is sent.
    ///
    /// # Errors
    /// When the store fails, or what it holds was sealed with another key.
    pub async fn load(store: &dyn Store, key: Option<&DataKey>) -> Result<Option<Self>, Error> {
        let Some(key) = key else { return Ok(None) };
        let sealed = match store.setting(SETTING).await? {
            Some(sealed) => sealed,
            None => {
                let new = Secret::generate(PREFIX);
                store.keep_setting(SETTING, key.seal(SETTING.as_bytes(), new.reveal().as_bytes())).await?
            }
        };
        let text = key.open(SETTING.as_bytes(), &sealed).and_then(|text| String::from_utf8(text).ok());
        let text = text.ok_or_else(|| Error::config("PULSE_DATA_KEY", "does not open the key of the webhooks"))?;
        Ok(Some(Self(Arc::new(Secret::known(&text)))))
    }

    /// The key, for an administrator.
    pub fn reveal(&self) -> &str {
        self.0.reveal()
    }

    /// The headers of a call that is made now: its time in seconds, and HMAC-SHA256 of that, a dot and the body.
    pub(super) fn sign(&self, body: &str) -> (String, String) {
        self.sign_at(clock::now(), body)
    }

    fn sign_at(&self, now: Timestamp, body: &str) -> (String, String) {
        let timestamp = (now.as_millis() / 1_000).to_string();
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, self.reveal().as_bytes()));
        [timestamp.as_bytes(), b".", body.as_bytes()].into_iter().for_each(|part| context.update(part));
        let mut signature = "sha256=".to_owned();
        for byte in context.sign().as_ref() {
            let _ = write!(signature, "{byte:02x}");
        }
        (timestamp, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_store::{MemoryStore, Settings as _};

    #[tokio::test]
    async fn each_installation_has_its_own_and_keeps_it_sealed() {
        let (data_key, store) = (DataKey::parse(&"a".repeat(64)).unwrap(), MemoryStore::new());
        assert!(SigningKey::load(&store, None).await.unwrap().is_none());
        let first = SigningKey::load(&store, Some(&data_key)).await.unwrap().unwrap();
        let again = SigningKey::load(&store, Some(&data_key)).await.unwrap().unwrap();
        let other = SigningKey::load(&MemoryStore::new(), Some(&data_key)).await.unwrap().unwrap();
        assert_eq!(first.reveal(), again.reveal());
        assert_ne!(first.reveal(), other.reveal());
        assert_eq!(first.reveal().len(), PREFIX.len() + 64);
        let kept = store.setting(SETTING).await.unwrap().unwrap();
        assert!(!String::from_utf8_lossy(&kept).contains(PREFIX));
        assert!(!format!("{first:?}").contains(PREFIX));
        let wrong = DataKey::parse(&"b".repeat(64)).unwrap();
        assert!(SigningKey::load(&store, Some(&wrong)).await.is_err());
    }

    #[test]
    fn signatures_are_what_openssl_makes_of_the_same() {
        // printf '%s.%s' 1795527091 '{"a":1}' | openssl dgst -sha256 -hmac pulse_webhook_test
        let key = SigningKey(Arc::new(Secret::known("pulse_webhook_test")));
        let (timestamp, signature) = key.sign_at(Timestamp::from_millis(1_795_527_091_007), "{\"a\":1}");
        assert_eq!(timestamp, "1795527091");
        assert_eq!(signature, "sha256=f9cee940cf47a77a06e0ee0901b8ee43d6cb6aa5f454854b8ad21cefc7fd3a6a");
    }
}
