//! How long to wait before the next attempt to connect.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);
/// A person who watches should not wait long once the server is back.
const LONGEST: Duration = Duration::from_secs(5);

/// Doubles from a quarter of a second to five, with jitter.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    pub(super) fn new() -> Self {
        Self { next: FIRST }
    }

    /// The next wait; `random` spreads many clients over its second half.
    pub(super) fn next(&mut self, random: u8) -> Duration {
        let wait = self.next / 2 + self.next / 2 * u32::from(random) / 255;
        self.next = (self.next * 2).min(LONGEST);
        wait
    }

    /// It worked: the next wait is short again.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_a_limit() {
        let mut backoff = Backoff::new();
        let waits: Vec<u128> = (0..8).map(|_| backoff.next(255).as_millis()).collect();
        assert_eq!(waits, [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000]);
        backoff.reset();
        assert_eq!(backoff.next(0).as_millis(), 125);
    }
}
