//! Times as people read them in a list.

use pulse_core::duration;
use pulse_core::time::Timestamp;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The present time. The only clock that what is shown depends on.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// How long ago, to one unit: `5s`, `3m`, `2h`, `4d`.
pub fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.since(then).as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// How long something took, or has taken so far; nothing when it has not started.
pub fn took(started: Option<Timestamp>, finished: Option<Timestamp>, now: Timestamp) -> String {
    started.map(|started| duration::display(coarse(finished.unwrap_or(now).since(started)))).unwrap_or_default()
}

/// A duration without digits that nobody reads: whole seconds from ten seconds on.
pub fn coarse(duration: Duration) -> Duration {
    if duration < Duration::from_secs(10) { duration } else { Duration::from_secs(duration.as_secs()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_is_enough() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1_000);
        for (seconds, text) in [(0, "0s"), (59, "59s"), (61, "1m"), (7_300, "2h"), (200_000, "2d")] {
            assert_eq!(age(at(1_000_000), at(1_000_000 + seconds)), text);
        }
        // A server whose clock is ahead.
        assert_eq!(age(at(10), at(5)), "0s");
        assert_eq!(took(Some(at(0)), None, at(75)), "1m 15s");
        assert_eq!(took(None, None, at(75)), "");
    }
}
