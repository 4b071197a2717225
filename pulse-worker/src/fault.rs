//! `PULSE_FAULT=POINT:N`: this process dies, as by `kill -9`, when it reaches a named point for the Nth time. For tests and
//! `pulse bench faults`; see [`pulse_core::fault`].

use pulse_core::fault;
use rustix::process::{Signal, getpid, kill_process};
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable.
pub const VARIABLE: &str = "PULSE_FAULT";

/// Installs what the variable asks for.
///
/// # Errors
/// When it cannot be read: why, in words.
pub fn install() -> Result<(), String> {
    let Some(text) = std::env::var_os(VARIABLE) else { return Ok(()) };
    let text = text.to_string_lossy();
    let (point, count) = text
        .split_once(':')
        .and_then(|(point, count)| Some((point.to_owned(), count.parse::<u64>().ok().filter(|count| *count > 0)?)))
        .ok_or_else(|| format!("{VARIABLE}: `{text}` is not POINT:N, like commit.before:3"))?;
    let reached = AtomicU64::new(0);
    fault::install(move |name| {
        if name == point && reached.fetch_add(1, Ordering::Relaxed) + 1 == count {
            // As hard as it gets: no destructor, no flush.
            let _ = kill_process(getpid(), Signal::KILL);
        }
    });
    Ok(())
}
