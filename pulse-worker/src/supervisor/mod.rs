//! The supervisor: one small process per worker that owns the commands, their pipes and their time limits, and keeps
//! acceptances, output and exits in the state directory. The agent, which talks to the server, can be killed, upgraded and
//! started again meanwhile; it finds the supervisor by its socket and follows the commands again.
//!
//! ```text
//!  server ◀──WebSocket──▶ agent ◀──supervisor.sock──▶ supervisor ──▶ commands
//!                           │                            ├─ commands.log   acceptances, results, short output
//!                         lock, worker.json              ├─ output/<id>/   segments of longer output
//!                                                        ├─ supervisor.lock, supervisor.json
//!                                                        └─ supervisor.log  what it has to say
//! ```
//!
//! It is the same program, started with the hidden verb `supervise`, in a session of its own. There is one: it holds
//! `supervisor.lock`. It ends by itself when no agent is connected and nothing runs, and everything is on the disk by then.
//!
//! # At most once, whoever dies whenever
//!
//! Only the supervisor writes the log, so there is one order of things: acceptance durable → told and started → ended →
//! result durable → told → acknowledged → forgotten. Whoever dies between two of them:
//!
//! | after | the agent dies | the supervisor dies |
//! | --- | --- | --- |
//! | the agent has read the dispatch | nobody knows it: it is sent again | (the same as below) |
//! | the supervisor has it, not durable | it is accepted, runs, and is in the next hello | nobody knows it: it was not started, and is sent again |
//! | the acceptance is durable, not started | it runs | `lost`: nobody can tell it from one that was started |
//! | it was started | it runs on; its output waits | what is left of it is killed; `lost`, with the output that was kept |
//! | it ended, the result is not durable | as before | the same |
//! | the result is durable | it is in the next hello, and told again until it is acknowledged | the same |
//! | the server has acknowledged it | it is told again; the server acknowledges again | the same, until `forgotten` is written |
//!
//! When both die, each row's right side holds. Faults can be put at these points: see
//! [`pulse_core::fault::SUPERVISOR`] and [`pulse_core::fault::WORKER`].
//!
//! What a command prints is numbered once ([`crate::spool`]) and sent as long as the agent has not more than a window of it
//! unacknowledged; a command never waits for that.

mod book;
mod cgroup;
pub mod client;
mod command;
mod feed;
mod keeper;
mod outputs;
mod process;
pub mod protocol;
mod session;

#[cfg(test)]
pub use book::{Book, Effect};
pub use process::supervise_if_asked;
