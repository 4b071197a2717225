//! Looking after what is stored: journals held against summaries, summaries made again, old executions deleted.

mod check;
mod summaries;

pub use check::{Checked, check};
