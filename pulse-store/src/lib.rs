//! Everything PULSE keeps: journals and their summaries, output, calls of webhooks, workflows, workers,
//! tokens and sessions.
//!
//! This crate owns the traits behind which a database stands, their SQLite and in-memory implementations, and (behind
//! the feature `conformance`) the suite that every implementation passes. It decides nothing about executions: it
//! keeps what it is given, durably and in order, and refuses a second writer. Rows and entities never leave it.

mod access;
mod claims;
#[cfg(feature = "conformance")]
pub mod conformance;
mod deliveries;
mod error;
mod executions;
mod journal;
mod memory;
mod open;
mod outputs;
mod settings;
mod sql;
mod store;
mod text;
mod workers;
mod workflows;

pub use access::{Access, SessionRecord, TokenRecord};
pub use claims::{Claim, Claims};
pub use deliveries::{Deliveries, DeliveryProgress, DeliveryRecord, NewDelivery};
pub use error::{Error, Result};
pub use executions::{ExecutionFilter, ExecutionRecord, Executions};
pub use journal::{Append, Appended, IdempotencyKey, Journal};
pub use memory::MemoryStore;
pub use open::{OpenOptions, Synchronous, open};
pub use outputs::{OutputFilter, OutputRecord, Outputs};
pub use settings::Settings;
pub use store::Store;
pub use workers::{WorkerRecord, Workers};
pub use workflows::{SaveWorkflow, WorkflowRecord, WorkflowVersion, Workflows};
