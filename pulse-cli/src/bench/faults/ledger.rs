//! What was acknowledged to the clients, to be held against what is there at the end.

use pulse_core::ids::ExecutionId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use uuid::Uuid;

/// All that clients were told. Shared by all of them.
#[derive(Debug, Default)]
pub struct Ledger(Mutex<Entries>);

/// What is in a ledger.
#[derive(Debug, Default)]
pub struct Entries {
    /// Executions whose start was acknowledged.
    pub started: HashMap<ExecutionId, Started>,
    /// Starts that were tried.
    pub tried: u64,
    /// Starts that nobody knows the end of: given up half-way, or not acknowledged when the run was over.
    pub unsettled: Vec<Unsettled>,
    /// How many of those were asked for again.
    pub settled: u64,
    /// Answers that no correct server gives.
    pub wrong_answers: Vec<String>,
    /// HTTP calls that got no answer or a refusal to be tried again; they show that the faults were felt.
    pub failed_calls: u64,
}

/// A start that may have taken effect.
#[derive(Clone, Debug)]
pub struct Unsettled {
    /// Its idempotency key.
    pub key: Uuid,
    /// What it asked for.
    pub workflow: String,
    /// With this parameter.
    pub lines: u32,
    /// What the client was told, if it was.
    pub told: Option<ExecutionId>,
}

/// An execution that was acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Started {
    /// Options that were chosen in answers that were acknowledged.
    pub answers: Vec<String>,
}

impl Ledger {
    /// The entries.
    pub fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an acknowledged start.
    pub fn started(&self, id: ExecutionId) {
        self.entries().started.entry(id).or_default();
    }

    /// Notes an acknowledged answer.
    pub fn answered(&self, id: ExecutionId, option: &str) {
        self.entries().started.entry(id).or_default().answers.push(option.to_owned());
    }

    /// Notes a start that nobody knows the end of.
    pub fn unsettled(&self, start: Unsettled) {
        self.entries().unsettled.push(start);
    }

    /// Notes an answer that is wrong whatever happened.
    pub fn wrong(&self, what: String) {
        self.entries().wrong_answers.push(what);
    }

    /// Notes a call that failed as it may while there are faults.
    pub fn failed_call(&self) {
        self.entries().failed_calls += 1;
    }
}
