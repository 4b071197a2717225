//! One-time codes for sign-in links: each works once, for a quarter of an hour, and only until the server stops.

use super::Secret;
use pulse_core::time::Timestamp;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

/// How long a link works.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// The codes that have been given out and not used.
#[derive(Debug, Default)]
pub struct OneTimeCodes(Mutex<HashMap<[u8; 32], Timestamp>>);

impl OneTimeCodes {
    /// Makes a code.
    pub fn issue(&self, now: Timestamp) -> Secret {
        let secret = Secret::generate("");
        let mut codes = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        codes.retain(|_, expires| *expires > now);
        codes.insert(secret.hash(), now.plus(LIFETIME));
        secret
    }

    /// Uses a code up. False when it is unknown, used or too old.
    pub fn redeem(&self, code: &str, now: Timestamp) -> bool {
        let mut codes = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        codes.remove(&super::hash(code)).is_some_and(|expires| expires > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_works_once_and_not_for_ever() {
        let codes = OneTimeCodes::default();
        let now = Timestamp::from_millis(1_000);
        let code = codes.issue(now);
        assert!(!codes.redeem("guess", now));
        assert!(codes.redeem(code.reveal(), now));
        assert!(!codes.redeem(code.reveal(), now));
        let old = codes.issue(now);
        assert!(!codes.redeem(old.reveal(), now.plus(LIFETIME)));
    }
}
