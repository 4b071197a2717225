//! Processes of a command that left its group, found by the marker in their environment.
//!
//! A process that changed its environment as well is not found; only a cgroup would hold it.

use super::environment::MARKER;
use pulse_core::ids::CommandId;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open, pidfd_send_signal};
use std::fs;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Between looking again whether anything is left.
const POLL: Duration = Duration::from_millis(10);
/// How often it is looked again: a process can be forked while the others are being killed.
const ROUNDS: usize = 20;

/// Ends every process that belongs to one of the commands: by TERM and, after `grace`, KILL; at once without a grace.
/// Returns how many were found at first.
pub async fn kill_strays(commands: &[CommandId], grace: Option<Duration>) -> usize {
    if commands.is_empty() {
        return 0;
    }
    let markers: Vec<Vec<u8>> = commands.iter().map(|id| format!("{MARKER}={id}").into_bytes()).collect();
    // Reading /proc does not wait for anything, but takes milliseconds on a busy machine.
    tokio::task::spawn_blocking(move || {
        let found = signal_all(&markers, if grace.is_some() { Signal::TERM } else { Signal::KILL });
        let deadline = grace.and_then(|grace| Instant::now().checked_add(grace));
        while let Some(deadline) = deadline
            && Instant::now() < deadline
            && !find(&markers).is_empty()
        {
            std::thread::sleep(POLL);
        }
        if found > 0 {
            for _ in 0..ROUNDS {
                if signal_all(&markers, Signal::KILL) == 0 {
                    break;
                }
                std::thread::sleep(POLL);
            }
        }
        found
    })
    .await
    .unwrap_or(0)
}

fn signal_all(markers: &[Vec<u8>], signal: Signal) -> usize {
    let found = find(markers);
    for process in &found {
        // It may have ended meanwhile.
        let _ = match &process.descriptor {
            Some(descriptor) => pidfd_send_signal(descriptor, signal),
            None => kill_process(process.pid, signal),
        };
    }
    found.len()
}

struct Stray {
    pid: Pid,
    /// So that a signal cannot reach a process that got the number of one that ended; Linux before 5.3 has none.
    descriptor: Option<OwnedFd>,
}

/// The living processes with one of the markers.
fn find(markers: &[Vec<u8>]) -> Vec<Stray> {
    let own = std::process::id().cast_signed();
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    processes
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid != own)
        .filter_map(|pid| {
            // Read first: opening a descriptor for every process on the machine costs more. Then again, because the
            // number may have changed hands in between.
            has_marker(pid, markers).then_some(())?;
            let number = Pid::from_raw(pid)?;
            let descriptor = pidfd_open(number, PidfdFlags::empty()).ok();
            has_marker(pid, markers).then_some(Stray { pid: number, descriptor })
        })
        .collect()
}

/// The marker in a process's environment, `NAME=ID`.
pub(super) fn marker_of(pid: i32) -> Option<String> {
    let environment = fs::read(format!("/proc/{pid}/environ")).ok()?;
    let mut variables = environment.split(|b| *b == 0).filter_map(|variable| std::str::from_utf8(variable).ok());
    variables.find(|variable| variable.split_once('=').is_some_and(|(name, _)| name == MARKER)).map(str::to_owned)
}

/// What has ended has no environment any more; what belongs to others cannot be read.
fn has_marker(pid: i32, markers: &[Vec<u8>]) -> bool {
    let Ok(environment) = fs::read(format!("/proc/{pid}/environ")) else { return false };
    environment.split(|b| *b == 0).any(|variable| markers.iter().any(|marker| marker == variable))
}
