//! What a command finds around it, besides what its definition gives it.

use super::reaper::Reaper;
use crate::dotenv;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;
use std::sync::Arc;

/// The variable by which every process of a command can be recognised. Its value is the command's id.
pub const MARKER: &str = "PULSE_COMMAND_ID";

/// The variables and the directory of commands that name none: the worker's own, without what is the worker's own
/// business (its key, everything called `PULSE_…`, for the worker may live in one process with a server and its secrets,
/// and what came from the `.env` file).
#[derive(Debug, Clone)]
pub struct Environment {
    variables: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    reaper: Option<Arc<Reaper>>,
}

impl Environment {
    /// The environment of this process, as it is now.
    pub fn of_this_process() -> Self {
        let own = |name: &OsString| {
            let text = name.to_string_lossy();
            text == "WORKER_API_KEY" || text.starts_with("PULSE_") || dotenv::added().iter().any(|name| *name == text)
        };
        let variables = std::env::vars_os().filter(|(name, _)| !own(name)).collect();
        Self { variables, directory: std::env::current_dir().ok(), reaper: None }
    }

    /// The same where processes that commands leave behind become children of this one, so that all are found.
    #[must_use]
    pub fn with_reaper(self, reaper: Arc<Reaper>) -> Self {
        Self { reaper: Some(reaper), ..self }
    }

    /// The variables.
    pub fn variables(&self) -> &[(OsString, OsString)] {
        &self.variables
    }

    /// The directory.
    pub fn directory(&self) -> Option<&PathBuf> {
        self.directory.as_ref()
    }

    /// What finds processes that are left behind, where there is such a thing.
    pub fn reaper(&self) -> Option<&Arc<Reaper>> {
        self.reaper.as_ref()
    }
}

/// An environment on the wire between agent and supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Portable {
    variables: Vec<(Text, Text)>,
    directory: Option<Text>,
}

/// Text of the operating system, which need not be UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Bytes(Vec<u8>),
}

impl From<OsString> for Text {
    fn from(text: OsString) -> Self {
        text.into_string().map_or_else(|text| Self::Bytes(text.as_bytes().to_vec()), Self::Plain)
    }
}

impl From<Text> for OsString {
    fn from(text: Text) -> Self {
        match text {
            Text::Plain(text) => text.into(),
            Text::Bytes(bytes) => Self::from_vec(bytes),
        }
    }
}

impl From<&Environment> for Portable {
    fn from(environment: &Environment) -> Self {
        let pair = |(name, value): &(OsString, OsString)| (name.clone().into(), value.clone().into());
        Self {
            variables: environment.variables.iter().map(pair).collect(),
            directory: environment.directory.clone().map(|directory| directory.into_os_string().into()),
        }
    }
}

impl From<Portable> for Environment {
    fn from(portable: Portable) -> Self {
        Self {
            variables: portable.variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            directory: portable.directory.map(|directory| OsString::from(directory).into()),
            reaper: None,
        }
    }
}
