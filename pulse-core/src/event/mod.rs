//! The events of a journal. An execution is the fold of its events and nothing else.
//!
//! Names that the first PULSE's log had (`command_sent`, `route_taken`, …) mean the same here. Events are facts in the
//! past tense; what an expression gave is in the event, so that folding never evaluates anything. The format is
//! version 1, said in [`Event::ExecutionCreated`]; fields are only ever added, with defaults.

mod about;
mod kinds;
mod refs;

pub use kinds::Event;
pub use refs::{Next, OpenOption, ParentRef, StepRef, WorkerRef, WorkflowRef};

use crate::ids::Seq;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The version of the event format that this program writes.
pub const FORMAT: u32 = 1;

/// An event at its place in a journal. Served as a log entry in this very shape.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Entry {
    /// Its place, from 1.
    pub seq: Seq,
    /// When it was decided.
    pub timestamp: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}
