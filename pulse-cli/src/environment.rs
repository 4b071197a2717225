//! What the program finds around it: variables, the `.env` file, directories. Read once and handed on as a value, so
//! that tests need no real ones.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Variables and the current directory.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
    /// The current directory.
    pub directory: PathBuf,
}

impl Environment {
    /// Those of this process. Variables that are no text are left out.
    pub fn of_process() -> Self {
        let variables = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Self { variables: variables.collect(), directory: std::env::current_dir().unwrap_or_else(|_| ".".into()) }
    }

    /// Given ones.
    pub fn new(directory: &Path, variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Self { variables, directory: directory.to_owned() }
    }

    /// A variable; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Where `pulse up` keeps what it stores: `$PULSE_DATA`, or `pulse-data` of the current directory.
    pub fn data_directory(&self) -> PathBuf {
        self.directory.join(self.get("PULSE_DATA").unwrap_or("pulse-data"))
    }

    /// Where the user's own settings are: `$XDG_CONFIG_HOME/pulse` or `~/.config/pulse`; none without a home.
    pub fn config_directory(&self) -> Option<PathBuf> {
        let base = match self.get("XDG_CONFIG_HOME").map(Path::new) {
            // The XDG base directory specification: relative paths are to be ignored.
            Some(path) if path.is_absolute() => path.to_owned(),
            _ => Path::new(self.get("HOME")?).join(".config"),
        };
        Some(base.join("pulse"))
    }

    /// Whether colours are unwanted: <https://no-color.org>, or a terminal that knows none.
    pub fn no_colour(&self) -> bool {
        self.get("NO_COLOR").is_some() || self.get("TERM") == Some("dumb")
    }
}
