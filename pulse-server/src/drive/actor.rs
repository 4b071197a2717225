//! The task that drives one execution while it has something to do.

use super::decide::decide;
use super::driver::{Driver, Error};
use super::summary::{record, summary};
use crate::live::Topic;
use crate::secrets::Secrets;
use pulse_core::event::{Entry, Event};
use pulse_core::ids::ExecutionId;
use pulse_core::protocol::browser::ToBrowser;
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_engine::{Effect, Input, Plan, State};
use pulse_store::{Append, ExecutionRecord};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Inputs that are decided together, to be committed together.
const BATCH: usize = 64;
/// Between two tries to store something while the disk is full.
const FULL_RETRY: Duration = Duration::from_secs(1);

/// An input on its way to an execution, and who waits for it to be durable.
pub(super) struct Message {
    pub input: Input,
    pub reply: Option<oneshot::Sender<Result<(), Error>>>,
}

/// An execution in memory.
pub(super) struct Loaded {
    pub state: State,
    pub plan: Arc<Plan>,
    pub title: String,
    pub fence: i64,
    /// Its secrets, for its commands and for nothing else.
    pub secrets: Arc<Secrets>,
}

/// Drives an execution until it waits for something outside, has ended, or the server stops.
pub(super) async fn run(driver: Driver, mut loaded: Loaded, mut messages: mpsc::Receiver<Message>) {
    let id = loaded.state.id;
    loop {
        if is_parked(&loaded.state) && leave(&driver, id, &messages) {
            return;
        }
        let first = tokio::select! {
            biased;
            message = messages.recv() => message,
            () = driver.0.stop.cancelled() => None,
        };
        let Some(first) = first else {
            driver.running().remove(&id);
            return;
        };
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(message) = messages.try_recv()
        {
            batch.push(message);
        }
        if let Err(error) = take(&driver, &mut loaded, batch).await {
            // The state in memory is ahead of the journal: drop it. Whoever comes next folds the journal.
            tracing::error!(execution = %id, %error, "an execution could not go on");
            driver.running().remove(&id);
            return;
        }
    }
}

/// Whether only an input from outside can move the execution on.
fn is_parked(state: &State) -> bool {
    state.origin.is_some() && (state.finished.is_some() || state.outstanding().is_empty())
}

/// Leaves memory, unless somebody is just handing something over.
fn leave(driver: &Driver, id: ExecutionId, messages: &mpsc::Receiver<Message>) -> bool {
    let mut running = driver.running();
    // Senders are only cloned under this lock: with the registry's alone left and nothing queued, nobody can come.
    if messages.is_empty() && messages.sender_strong_count() == 1 {
        running.remove(&id);
        return true;
    }
    false
}

/// Decides a batch of inputs, commits, publishes, acts, answers.
async fn take(driver: &Driver, loaded: &mut Loaded, batch: Vec<Message>) -> Result<(), Error> {
    let (mut entries, mut effects, mut replies) = (Vec::new(), Vec::new(), Vec::new());
    let mut patient = true;
    {
        for Message { input, reply } in batch {
            // Results and timers must not be lost while the disk is full; a person is told at once.
            patient &= matches!(input, Input::CommandFinished { .. } | Input::Timer | Input::Recovered);
            match decide(driver, &loaded.plan, &mut loaded.state, input).await {
                Ok(transition) => {
                    entries.extend(transition.entries);
                    effects.extend(transition.effects);
                    replies.extend(reply);
                }
                Err(refused) => answer(reply, Err(refused.into())),
            }
        }
    }
    let committed = if entries.is_empty() { Ok(None) } else { commit(driver, loaded, &entries, patient).await };
    match committed {
        Ok(record) => {
            if let Some(record) = record {
                publish(driver, &entries, &record);
            }
            act(driver, &loaded.state, &loaded.secrets, effects);
            replies.into_iter().for_each(|reply| answer(Some(reply), Ok(())));
            Ok(())
        }
        Err(error) => {
            replies.into_iter().for_each(|reply| answer(Some(reply), Err(error.clone().into())));
            Err(error.into())
        }
    }
}

fn answer(reply: Option<oneshot::Sender<Result<(), Error>>>, result: Result<(), Error>) {
    if let Some(reply) = reply {
        // Nobody may be waiting any more; what was decided stays decided.
        let _ = reply.send(result);
    }
}

async fn commit(
    driver: &Driver,
    loaded: &Loaded,
    entries: &[Entry],
    patient: bool,
) -> pulse_store::Result<Option<ExecutionRecord>> {
    let Some(record) = record(&loaded.state, &loaded.title) else { return Ok(None) };
    loop {
        let append = Append {
            execution_id: loaded.state.id,
            fence: loaded.fence,
            entries: entries.to_vec(),
            record: record.clone(),
            idempotency: None,
            secrets: None,
        };
        match driver.0.store.append(append).await {
            Ok(_) => return Ok(Some(record)),
            // The disk is full, or the database cannot be reached.
            Err(error) if patient && error.retryable() => {
                tracing::error!(execution = %record.id, %error, "an entry waits to be stored; trying again");
                tokio::select! {
                    () = tokio::time::sleep(FULL_RETRY) => {}
                    () = driver.0.stop.cancelled() => return Err(error),
                }
            }
            Err(error) => return Err(error),
        }
    }
}

/// Tells everybody who watches. What is told is durable.
pub(super) fn publish(driver: &Driver, entries: &[Entry], record: &ExecutionRecord) {
    let (hub, execution_id) = (&driver.0.hub, record.id);
    let is_automated = record.trigger == Trigger::Schedule;
    for entry in entries {
        hub.publish(Topic::Execution(execution_id), Some(entry.seq.0), || ToBrowser::ExecutionEvent {
            execution_id,
            entry: entry.clone(),
        });
        match &entry.event {
            Event::CommandResult { worker, success, .. } => {
                hub.publish(Topic::Executions, None, || ToBrowser::CommandResult {
                    execution_id,
                    worker: worker.worker.to_string(),
                    success: *success,
                    is_automated,
                });
            }
            Event::Prompt { message, options, .. } => {
                hub.publish(Topic::Executions, None, || ToBrowser::ExecutionPrompt {
                    execution_id,
                    workflow: record.workflow.clone(),
                    message: message.clone(),
                    options: options.iter().map(|option| option.label.clone()).collect(),
                });
            }
            Event::ExecutionFinished { status, error } => {
                hub.publish(Topic::Executions, None, || ToBrowser::WorkflowResult {
                    execution_id,
                    workflow: record.workflow.clone(),
                    success: *status == ExecutionStatus::Completed,
                    message: error.clone().unwrap_or_else(|| format!("{} {status}", record.title)),
                    is_automated,
                });
            }
            _ => {}
        }
    }
    hub.publish(Topic::Executions, None, || ToBrowser::ExecutionUpdate { execution: summary(record) });
}

/// Carries out effects; their events are durable.
pub(super) fn act(driver: &Driver, state: &State, secrets: &Arc<Secrets>, effects: Vec<Effect>) {
    for effect in effects {
        match effect {
            Effect::Dispatch(command) => driver.hand_over(state.id, command, secrets, true),
            Effect::Cancel { worker_id, command_id, reason } => {
                driver.0.fleet.cancel(worker_id, command_id, &reason);
            }
            Effect::SetTimer { at } => driver.0.timers.set(state.id, at),
            Effect::AwaitWorker { worker_id } => driver.await_worker(state.id, worker_id),
            Effect::StartChild(child) => driver.start_child(state, child),
            Effect::AbortChild { execution_id, reason } => driver.abort_child(execution_id, reason),
            Effect::Finish { status } => driver.ended(state, status),
            // Watchers hear of prompts and results by the events themselves.
            Effect::OpenPrompt { .. } | Effect::ClosePrompt { .. } | Effect::Notify { .. } => {}
        }
    }
}
