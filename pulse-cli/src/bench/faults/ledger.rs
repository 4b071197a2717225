//! What was acknowledged to the clients, to be held against what is there at the end.

use crate::render::age::now;
use pulse_core::ids::ExecutionId;
use pulse_core::time::Timestamp;
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
    /// What became of requests that were given up half-way.
    pub given_up: GivenUp,
    /// Answers that no correct server gives.
    pub wrong_answers: Vec<String>,
    /// HTTP calls that got no answer or a refusal to be tried again; they show that the faults were felt.
    pub failed_calls: u64,
    /// When the last fault was over and every worker connected again.
    pub calm_since: Timestamp,
    /// Whether workers had no room for output at some time.
    pub workers_ran_out_of_room: bool,
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
    /// Whether it was given up half-way on purpose.
    pub given_up: bool,
    /// What the client was told, if it was.
    pub told: Option<ExecutionId>,
}

/// What became of requests that were given up half-way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct GivenUp {
    /// Answered before they were.
    pub answered: u64,
    /// Not answered, and they had no effect.
    pub not_started: u64,
    /// Not answered, and they took effect.
    pub started: u64,
}

/// An execution that was acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Started {
    /// When that was, the last time.
    pub at: Timestamp,
    /// Options that were chosen in answers that were acknowledged.
    pub answers: Vec<String>,
    /// When the first try was made of an abort that was acknowledged.
    pub aborted: Option<Timestamp>,
    /// When it was said to have ended.
    pub over_by: Option<Timestamp>,
}

impl Ledger {
    /// The entries.
    pub fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an acknowledged start.
    pub fn started(&self, id: ExecutionId) {
        self.entries().started.entry(id).or_default().at = now();
    }

    /// Notes an acknowledged answer.
    pub fn answered(&self, id: ExecutionId, option: &str) {
        self.entries().started.entry(id).or_default().answers.push(option.to_owned());
    }

    /// Notes an acknowledged abort, first asked for at a time.
    pub fn aborted(&self, id: ExecutionId, asked: Timestamp) {
        self.entries().started.entry(id).or_default().aborted = Some(asked);
    }

    /// Notes that an execution was said to have ended.
    pub fn over(&self, id: ExecutionId) {
        self.entries().started.entry(id).or_default().over_by = Some(now());
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
