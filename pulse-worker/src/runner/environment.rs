//! What of the worker's own environment its commands get.

use crate::dotenv;
use std::ffi::OsString;

/// The variable by which every process of a command can be recognised. Its value is the command's id.
pub const MARKER: &str = "PULSE_COMMAND_ID";

/// The worker's environment without what is the worker's own business: its key, everything called `PULSE_…` (the worker
/// may live in one process with a server and its secrets) and what came from the `.env` file.
#[derive(Debug, Clone)]
pub struct Environment {
    withheld: Vec<OsString>,
}

impl Environment {
    /// The environment of this process, as it is now.
    pub fn of_this_process() -> Self {
        let own = |name: &OsString| {
            let text = name.to_string_lossy();
            text == "WORKER_API_KEY" || text.starts_with("PULSE_") || dotenv::added().iter().any(|name| *name == text)
        };
        Self { withheld: std::env::vars_os().map(|(name, _)| name).filter(own).collect() }
    }

    /// The names that commands do not get.
    pub fn withheld(&self) -> &[OsString] {
        &self.withheld
    }
}
