//! The fault bench: a real server and real workers under a load of executions, while processes are killed, connections
//! cut, disks filled and databases restarted; then everything that was acknowledged is looked for.
//!
//! ```text
//! clients ──▶ server ◀── proxies (cut) ◀── workers ──▶ commands ──▶ a file of command ids
//!    │          ▲                             ▲
//! ledger      kill, fill, restart           kill
//!    └────────────────────▶ verify ◀── database, file of ids
//! ```
//!
//! The schedule of faults follows from a seed. What is measured is what is lost, never how long something took.

mod cause;
mod database;
mod disk;
mod give_up;
mod ledger;
mod load;
mod plan;
mod printed;
mod processes;
mod proxy;
mod run;
mod verify;

pub use database::Kind;
pub use plan::Counts;
pub use run::{Options, Report, run};
pub use verify::Findings;

/// Why a run could not be made. It says nothing about what was tried.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Trouble {
    what: String,
}

impl Trouble {
    fn new(what: impl Into<String>) -> Self {
        Self { what: what.into() }
    }

    fn io(what: &str, error: &std::io::Error) -> Self {
        Self { what: format!("{what}: {error}") }
    }
}
