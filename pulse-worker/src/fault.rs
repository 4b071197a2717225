//! `PULSE_FAULT=POINT:N` in a supervisor and in the thin binary: this process dies, as by `kill -9`, when it reaches a
//! named point for the Nth time; see [`pulse_core::fault`]. For tests and `pulse bench faults`.

use pulse_core::fault;
use rustix::process::{Signal, getpid, kill_process};
use std::sync::atomic::{AtomicU64, Ordering};

/// The variable.
pub const VARIABLE: &str = "PULSE_FAULT";

/// Installs what the variable asks for; what makes no sense asks for nothing.
pub fn install() {
    let Ok(text) = std::env::var(VARIABLE) else { return };
    let Some((point, count)) = text.split_once(':') else { return };
    let (point, count) = (point.to_owned(), count.parse::<u64>().unwrap_or(0));
    let reached = AtomicU64::new(0);
    fault::install(move |name| {
        if name == point && reached.fetch_add(1, Ordering::Relaxed) + 1 == count {
            let _ = kill_process(getpid(), Signal::KILL);
        }
    });
}
