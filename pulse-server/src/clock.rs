//! The one place of the server that reads a clock or draws random numbers; the engine gets both as inputs.

use pulse_core::time::Timestamp;
use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// What time it is.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A time that only moves forward, at its own pace, whatever is done to the clock: for silences and time limits within
/// this process. Not to be stored or shown.
pub fn steady() -> Timestamp {
    static START: LazyLock<(Instant, Timestamp)> = LazyLock::new(|| (Instant::now(), now()));
    START.1.plus(START.0.elapsed())
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
