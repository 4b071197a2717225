//! The one place of the server that reads a clock or draws random numbers; the engine gets both as inputs.

use pulse_core::time::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// What time it is.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// New random bits from the operating system.
pub fn entropy() -> u64 {
    let mut bytes = [0; 8];
    fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// Fills a buffer with random bits that nobody can guess.
pub fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bits");
}
