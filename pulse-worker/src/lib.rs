//! The worker: takes commands from a server over one WebSocket, runs each in its own process group, streams its output
//! back and keeps every result on disk until the server has it. Two processes:
//!
//! ```text
//!   agent                                               supervisor
//!   link task ──messages──▶ agent (owns the ledger) ◀──socket──▶ keeper (owns the book) ──▶ log thread (fdatasync)
//!      ▲  ◀──frames──────────                                       │        ▲
//!    server                                                      starts   output, ends
//!                                                                   ▼        │
//!                                                          command tasks (runner) ──▶ spools
//! ```
//!
//! The agent can be killed and started again while its commands run on: the `supervisor` owns them. The [`ledger`] and
//! the supervisor's book decide and do no I/O; the [`runner`] runs one command and needs no server, worker or supervisor.

mod agent;
mod args;
mod config;
pub mod dotenv;
mod error;
pub mod fault;
pub mod ledger;
mod link;
mod machine;
mod recent;
pub mod runner;
mod spool;
mod state;
mod supervisor;

pub use agent::run;
pub use args::{Args, default_capacity};
pub use config::Config;
pub use error::Error;
pub use machine::hostname;
pub use supervisor::client::Program;
pub use supervisor::supervise_if_asked;
