//! What a worker needs to know to run.

use crate::supervisor::client::Program;
use std::{collections::BTreeMap, fmt, path::PathBuf, time::Duration};

/// A worker's configuration, checked. Made by hand, or from flags and environment by [`crate::Args`].
#[derive(Clone)]
pub struct Config {
    /// The `ws://` or `wss://` URL of the server's `/ws/worker`.
    pub server: String,
    /// The key sent as `Authorization: Bearer`.
    pub key: String,
    /// The worker's name.
    pub name: String,
    /// Labels for target selectors.
    pub labels: BTreeMap<String, String>,
    /// How many commands run at once.
    pub capacity: u32,
    /// Where the worker keeps its id and what it must not forget. Made when it does not exist.
    pub state_dir: PathBuf,
    /// Time between heartbeats until the server says otherwise.
    pub heartbeat: Duration,
    /// The program that is started as the supervisor: this one, where its `main` calls [`crate::supervise_if_asked`].
    pub supervisor: Program,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("server", &self.server)
            .field("key", &"(hidden)")
            .field("name", &self.name)
            .field("labels", &self.labels)
            .field("capacity", &self.capacity)
            .field("state_dir", &self.state_dir)
            .field("heartbeat", &self.heartbeat)
            .field("supervisor", &self.supervisor)
            .finish()
    }
}
