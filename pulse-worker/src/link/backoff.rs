//! The time between tries: random, so that thousands of workers do not come back at once, up to a limit that doubles.

use std::time::Duration;

/// Shortest wait.
const SHORTEST: Duration = Duration::from_millis(500);
/// Longest wait.
pub const LONGEST: Duration = Duration::from_secs(30);

/// See the module's documentation.
#[derive(Debug, Default)]
pub struct Backoff {
    tries: u32,
}

impl Backoff {
    /// How long to wait before the next try.
    pub fn next(&mut self) -> Duration {
        let share = getrandom::u32().map_or(0.5, |random| f64::from(random) / f64::from(u32::MAX));
        self.next_with(share)
    }

    /// There was a connection, if only for a moment: the server is there, or will be soon.
    pub fn shorten(&mut self) {
        self.tries = self.tries.min(1);
    }

    /// The last connection was a good one.
    pub fn reset(&mut self) {
        self.tries = 0;
    }

    /// `share` is a random number from 0 to 1.
    fn next_with(&mut self, share: f64) -> Duration {
        self.tries = (self.tries + 1).min(10);
        let limit = LONGEST.min(SHORTEST * 2_u32.pow(self.tries));
        SHORTEST + (limit - SHORTEST).mul_f64(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_limit_and_start_again() {
        let mut backoff = Backoff::default();
        let longest: Vec<u128> = (0..8).map(|_| backoff.next_with(1.0).as_millis()).collect();
        assert_eq!(longest, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
        assert_eq!(backoff.next_with(0.0), SHORTEST);
        backoff.shorten();
        assert_eq!(backoff.next_with(1.0).as_millis(), 2_000);
        backoff.reset();
        assert_eq!(backoff.next_with(1.0).as_millis(), 1_000);
    }
}
