//! Choices drawn from random bytes. When they are used up, every choice is the first: short inputs make simple cases,
//! which is what shrinking looks for.

pub struct Dice<'b> {
    bytes: std::slice::Iter<'b, u8>,
}

impl<'b> Dice<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes: bytes.iter() }
    }

    /// A number below `sides`.
    pub fn roll(&mut self, sides: usize) -> usize {
        usize::from(self.bytes.next().copied().unwrap_or(0)) % sides.max(1)
    }

    /// True one time in `times`; never when the bytes are used up.
    pub fn one_in(&mut self, times: usize) -> bool {
        self.roll(times) == times - 1
    }

    pub fn pick<'t, T: ?Sized>(&mut self, from: &[&'t T]) -> &'t T {
        from[self.roll(from.len())]
    }
}
