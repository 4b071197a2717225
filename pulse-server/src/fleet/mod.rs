//! The workers: who is connected, what each has to do, and what is on its way.
//!
//! ```text
//! engine effect ─▶ queue of the worker ─▶ sent ─▶ running ─▶ result ─▶ (durable) ─▶ acknowledged, forgotten
//!                      ▲                   │
//!                      └── not in hello ◀──┘      (a worker that never got it says so after a reconnect)
//! ```
//!
//! Whether a command that reached a socket runs is found out by asking the worker, never by a timer. What is here can be
//! lost at any moment: after a restart it is made again from the journals and from what the workers say.

mod commands;
mod connections;
mod conversation;
mod delivery;
mod ends;
#[cfg(test)]
pub(crate) mod fixtures;
mod followed;
mod ledger;
pub mod legacy;
mod monitor;
mod overrides;
mod registry;
mod returning;
mod session;
mod worker;

pub use connections::Welcome;
pub(crate) use delivery::Told;
pub use monitor::watch;
pub use registry::{Fleet, Limits, Removal};
pub use session::serve;

use pulse_core::command::CommandEnd;
use pulse_core::ids::{CommandId, ExecutionId, WorkerId};
use pulse_core::time::Timestamp;
use std::time::Duration;

/// Between a worker's heartbeats.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// Silence after which a worker counts as unreachable: three heartbeats.
pub const SILENCE: Duration = Duration::from_secs(45);
/// Between TERM and KILL.
pub const KILL_GRACE: Duration = Duration::from_secs(5);
/// How long after its own time limit a command on an unreachable worker is given up as lost, where nothing else is set.
pub const LOST_GRACE: Duration = Duration::from_secs(60);

/// A command that is to be ended without its worker: given up as lost, or cancelled before it was sent.
#[derive(Debug)]
pub struct Verdict {
    /// Whose it is.
    pub execution_id: ExecutionId,
    /// On which worker.
    pub worker_id: WorkerId,
    /// Which.
    pub command_id: CommandId,
    /// How it ends.
    pub end: CommandEnd,
}

/// A command that was never sent and whose worker is given no work: its execution decides what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stranding {
    /// Whose it is.
    pub execution_id: ExecutionId,
    /// On which worker.
    pub worker_id: WorkerId,
    /// Which.
    pub command_id: CommandId,
}

/// Something about a worker that has to be stored.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Which worker.
    pub worker_id: WorkerId,
    /// When it was heard from.
    pub at: Timestamp,
}
