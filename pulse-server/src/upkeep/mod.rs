//! Looking after what is stored: journals held against summaries, summaries made again, old executions deleted.

mod check;
mod rebuild;
mod retention;
mod room;
mod summaries;
#[cfg(test)]
mod tests;

pub use check::{Checked, check};
pub use rebuild::{Rebuilt, rebuild};
pub(crate) use retention::run as retention;
pub(crate) use room::{probe, run as room};
