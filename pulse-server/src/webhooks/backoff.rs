//! When a call that failed is tried again.

use pulse_core::time::Timestamp;
use std::time::Duration;

/// The wait after the first try at most; it doubles with each.
const FIRST: Duration = Duration::from_secs(2);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(3600);
/// How long a call is tried.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// When a call that has failed so often is tried next; `None` when a day has passed since it was caused. The last try is
/// at the end of that day. Half of the wait is random, so that calls which failed together do not come together again.
pub(super) fn next_try(created_at: Timestamp, now: Timestamp, attempts: u32, random: u64) -> Option<Timestamp> {
    let end = created_at.plus(DAY);
    if now >= end {
        return None;
    }
    let doubled = FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    let half = doubled.min(LONGEST) / 2;
    let part = u64::try_from(half.as_millis()).unwrap_or(u64::MAX);
    Some(now.plus(half + Duration::from_millis(random % (part + 1))).min(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_until_a_day_is_over() {
        let created = Timestamp::from_millis(1_795_527_091_007);
        for random in [0, 1, 999_999_999, u64::MAX] {
            let (mut now, mut attempts, mut longest) = (created, 1, Duration::ZERO);
            while let Some(next) = next_try(created, now, attempts, random) {
                let most = FIRST.saturating_mul(1 << (attempts - 1).min(12)).min(LONGEST);
                let wait = next.since(now);
                assert!(wait <= most && (wait >= most / 2 || next == created.plus(DAY)), "{attempts}: {wait:?}");
                longest = longest.max(wait);
                (now, attempts) = (next, attempts + 1);
            }
            assert_eq!(now, created.plus(DAY), "the last try is at its end");
            assert!((30..70).contains(&attempts) && longest >= LONGEST / 2, "{attempts} tries, {longest:?}");
        }
        // One that is caused long before it can be tried is tried once.
        assert_eq!(next_try(created, created.plus(DAY * 2), 1, 7), None);
    }
}
