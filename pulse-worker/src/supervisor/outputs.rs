//! Where the output of each command is, in the state directory.

use pulse_core::ids::CommandId;
use std::path::{Path, PathBuf};
use tokio::task::spawn_blocking;

const OUTPUTS: &str = "output";

/// The directory of a command's output.
pub fn of(state: &Path, command_id: CommandId) -> PathBuf {
    state.join(OUTPUTS).join(command_id.to_string())
}

/// Removes what is left of the output of commands that nobody knows any more.
pub async fn remove_unknown(state: PathBuf, known: Vec<CommandId>) {
    let removed = spawn_blocking(move || {
        let Ok(entries) = std::fs::read_dir(state.join(OUTPUTS)) else { return };
        for entry in entries.flatten() {
            let id = entry.file_name().to_str().and_then(|name| name.parse().ok()).map(CommandId);
            if id.is_some_and(|id| !known.contains(&id)) {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    });
    let _ = removed.await;
}
