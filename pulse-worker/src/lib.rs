//! The worker: takes commands from a server over one WebSocket, runs each in its own process group, streams its output
//! back and keeps every result on disk until the server has it.
//!
//! ```text
//!   link task ──messages──▶ agent (owns the ledger) ──records──▶ log thread (commands.log, fdatasync)
//!      ▲  ◀──frames──────────   │        ▲  ◀──what is durable──────┘
//!      │                     starts   output, ends
//!    server                     ▼        │
//!                          command tasks (runner)
//! ```
//!
//! The [`ledger`] decides and does no I/O; the [`runner`] runs one command and needs no server. What a separate
//! supervisor process will own later is exactly what lies behind the runner's interface, and the log's.

mod agent;
mod args;
mod config;
pub mod dotenv;
mod error;
pub mod ledger;
mod link;
mod machine;
pub mod runner;
mod state;

pub use agent::run;
pub use args::{Args, default_capacity};
pub use config::Config;
pub use error::Error;
pub use machine::hostname;
