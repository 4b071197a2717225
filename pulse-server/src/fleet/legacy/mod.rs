//! Agents of the first PULSE: a Node.js program that is served unchanged, while `--legacy-agents` is on.
//!
//! ```text
//! heartbeat (HTTP, key) ─▶ enrol ─▶ a worker of the registry, known by its name
//! socket at `/` (no key) ─▶ only as an agent that a heartbeat has enrolled ─▶ Agent ─▶ the fleet, like any worker
//! ```

mod agent;
mod enrol;
mod known;
mod serve;
#[cfg(test)]
mod tests;
mod text;
mod wire;

pub(super) use known::{Kept, is_agent, read};

pub use enrol::{Heartbeat, NotEnrolled};
pub use serve::serve;
