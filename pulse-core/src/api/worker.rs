//! Workers.

use crate::ids::WorkerId;
use crate::status::WorkerStatus;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WorkerView {
    /// Its id.
    pub id: WorkerId,
    /// Its name, unique.
    pub name: String,
    /// Whether it can be given work.
    pub status: WorkerStatus,
    /// For target selectors.
    pub labels: BTreeMap<String, String>,
    /// How many commands it is given at once: what it tells itself, or what an administrator has set, if that is less.
    pub capacity: u32,
    /// How many it tells that it runs at once.
    pub reported_capacity: u32,
    /// How many an administrator has set.
    #[serde(default)]
    pub capacity_limit: Option<u32>,
    /// How many it has now.
    pub active: u32,
    /// Whether it gets no new work.
    pub draining: bool,
    /// The program's version.
    pub version: String,
    /// When it was last heard from.
    pub last_seen: Timestamp,
    /// What it tells about its machine.
    #[cfg_attr(test, ts(type = "Record<string, unknown>"))]
    pub metadata: Map<String, Value>,
}

/// What an administrator changes of a worker. It outlasts the worker's next hello, and a restart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerChange {
    /// All labels, in place of those that the worker itself tells.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub labels: Option<BTreeMap<String, String>>,
    /// Whether it gets no new work.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub draining: Option<bool>,
    /// How many commands it is given at once at most. Where the worker itself tells less, that holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub capacity: Option<u32>,
}
