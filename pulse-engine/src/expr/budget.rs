//! What one evaluation may use up: operations, memory and wall time.
//!
//! The budget lives in a thread-local, because the one engine is shared by all evaluations and an evaluation never leaves its thread.
//! Rhai counts the nodes it visits; our functions add what they look at ([`elements`], [`scan`]) and what they make ([`bytes`]), so no
//! single call can do more work than the limits allow.

use super::error::Failure;
use super::{MAX_OPERATIONS, MAX_WALL_MS};
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// Bytes that all values made during one evaluation may take together. Well under the 64 MiB that resident memory may grow by.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Operations between two looks at the clock.
const CLOCK_INTERVAL: u64 = 64;
/// Bytes of text looked at that count as one operation.
const SCAN_UNIT: usize = 1024;

struct Budget {
    deadline: Instant,
    operations: u64,
    bytes: usize,
    next_look: u64,
}

thread_local! {
    static BUDGET: RefCell<Option<Budget>> = const { RefCell::new(None) };
}

#[expect(
    clippy::disallowed_methods,
    reason = "the wall time limit of an expression is the one place that needs a clock"
)]
fn clock() -> Instant {
    Instant::now()
}

/// A running evaluation. The budget ends with it.
pub(super) struct Running(Option<Budget>);

impl Running {
    pub fn start() -> Self {
        let deadline = clock() + Duration::from_millis(MAX_WALL_MS);
        let budget = Budget { deadline, operations: 0, bytes: 0, next_look: CLOCK_INTERVAL };
        Self(BUDGET.with(|b| b.borrow_mut().replace(budget)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        BUDGET.with(|b| *b.borrow_mut() = self.0.take());
    }
}

fn with<T>(f: impl FnOnce(&mut Budget) -> Result<T, Failure>) -> Result<T, Failure>
where
    T: Default,
{
    BUDGET.with(|b| b.borrow_mut().as_mut().map_or_else(|| Ok(T::default()), f))
}

impl Budget {
    fn spend(&mut self, operations: u64) -> Result<(), Failure> {
        self.operations = self.operations.saturating_add(operations);
        if self.operations > MAX_OPERATIONS {
            return Err(Failure::limit(format!("the expression takes more than {MAX_OPERATIONS} operations")));
        }
        if self.operations < self.next_look {
            return Ok(());
        }
        self.next_look = self.operations + CLOCK_INTERVAL;
        self.look()
    }

    fn look(&self) -> Result<(), Failure> {
        if clock() > self.deadline {
            return Err(Failure::limit(format!("the expression takes longer than {MAX_WALL_MS} ms")));
        }
        Ok(())
    }
}

/// One node was visited. Called by the engine.
pub(super) fn step() -> Result<(), Failure> {
    with(|b| b.spend(1))
}

/// A function looks at this many elements.
pub(super) fn elements(count: usize) -> Result<(), Failure> {
    with(|b| b.spend(count as u64))
}

/// A function reads this many bytes of text.
pub(super) fn scan(bytes: usize) -> Result<(), Failure> {
    with(|b| b.spend((bytes / SCAN_UNIT) as u64))
}

/// A function makes a value of this many bytes.
pub(super) fn bytes(count: usize) -> Result<(), Failure> {
    with(|b| {
        b.bytes = b.bytes.saturating_add(count);
        if b.bytes > MAX_BYTES {
            return Err(Failure::limit(format!("the expression makes more than {} MiB of values", MAX_BYTES >> 20)));
        }
        b.spend((count / SCAN_UNIT) as u64)
    })
}

/// Looks at the clock now: for loops that do much work between two operations.
pub(super) fn look() -> Result<(), Failure> {
    with(|b| b.look())
}
