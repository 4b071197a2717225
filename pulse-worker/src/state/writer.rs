//! The thread that owns the log: writes whatever is waiting as one batch with one fdatasync, then says what is durable.

use super::entry::Entry;
use super::log::Log;
use pulse_core::ids::CommandId;
use std::io;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Most entries in one batch: bounds the time that the first one waits for the others.
const LARGEST_BATCH: usize = 256;
/// Requests that may wait for the thread. When it is full the agent keeps them and goes on with everything else.
const QUEUE: usize = 256;
/// Batches whose report may wait for the agent. The thread waits when it is full; the agent never waits for the thread.
const REPORTS: usize = 16;
/// Time between tries to write a log that could not be written.
const RETRY: Duration = Duration::from_secs(1);

/// What became of an entry.
#[derive(Debug, PartialEq)]
pub enum Written {
    /// The acceptance is durable.
    Accepted(CommandId),
    /// The acceptance could not be written, and is not on the disk.
    NotAccepted(CommandId, String),
    /// The result is durable. Comes later when it could not be written at once, but comes.
    Finished(CommandId),
}

/// Starts the thread. It ends when the sender is dropped and everything sent has been written.
pub fn spawn(log: Log) -> (mpsc::Sender<Entry>, mpsc::Receiver<Vec<Written>>, JoinHandle<()>) {
    let (requests, queue) = mpsc::channel(QUEUE);
    let (reports, written) = mpsc::channel(REPORTS);
    let runtime = Handle::current();
    let thread = tokio::task::spawn_blocking(move || write_all(log, queue, &reports, &runtime));
    (requests, written, thread)
}

fn write_all(mut log: Log, mut queue: mpsc::Receiver<Entry>, reports: &mpsc::Sender<Vec<Written>>, runtime: &Handle) {
    let mut batch = Vec::new();
    // Results that are not durable because the log could not be written.
    let mut overdue: Vec<CommandId> = Vec::new();
    loop {
        batch.clear();
        let received = if overdue.is_empty() {
            queue.blocking_recv()
        } else {
            match runtime.block_on(async { tokio::time::timeout(RETRY, queue.recv()).await }) {
                Ok(received) => received,
                Err(_elapsed) => {
                    if log.recover().is_ok() {
                        let report = overdue.drain(..).map(Written::Finished).collect();
                        let _ = reports.blocking_send(report);
                    }
                    continue;
                }
            }
        };
        let Some(first) = received else { return };
        batch.push(first);
        while batch.len() < LARGEST_BATCH
            && let Ok(entry) = queue.try_recv()
        {
            batch.push(entry);
        }
        let report = report(log.commit(&batch), &batch, &mut overdue);
        // Nobody listens any more when the agent is gone; what was asked for is still written.
        if !report.is_empty() {
            let _ = reports.blocking_send(report);
        }
    }
}

fn report(outcome: io::Result<()>, batch: &[Entry], overdue: &mut Vec<CommandId>) -> Vec<Written> {
    match outcome {
        Ok(()) => {
            let entries = batch.iter().filter_map(|entry| match entry {
                Entry::Accepted { command_id, .. } => Some(Written::Accepted(*command_id)),
                Entry::Finished { command_id, .. } => Some(Written::Finished(*command_id)),
                Entry::Forgotten { .. } => None,
            });
            overdue.drain(..).map(Written::Finished).chain(entries).collect()
        }
        Err(error) => batch
            .iter()
            .filter_map(|entry| match entry {
                Entry::Accepted { command_id, .. } => Some(Written::NotAccepted(*command_id, error.to_string())),
                Entry::Finished { command_id, .. } => {
                    overdue.push(*command_id);
                    None
                }
                Entry::Forgotten { .. } => None,
            })
            .collect(),
    }
}
