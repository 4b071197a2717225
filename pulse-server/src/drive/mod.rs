//! Driving executions: decide → append → commit → act.
//!
//! Each execution that has something to do is a task that owns its state; inputs reach it through a bounded channel.
//! One that waits (for a person, for a time), has ended, or has heard nothing for a minute is nobody: it is folded again from
//! its journal when an input comes. Commits happen in the task, so that a caller who goes away cannot cancel one half-way. An input is not lost while
//! the server runs, whatever the store says, and what was on its way when it stopped is found again at its next start.

mod actor;
mod awaited;
mod children;
mod decide;
mod driver;
#[cfg(test)]
mod fixtures;
mod keys;
mod plans;
mod recover;
mod resident;
mod start;
mod starting;
mod summary;
#[cfg(test)]
mod tests;
mod timers;
mod turns;

pub use driver::{Driver, Error, Printed, Report, Reported};
pub use recover::recover;
pub use start::{Begin, Begun};
pub(crate) use summary::record;
pub use summary::summary;
pub use timers::Timers;
