//! The task that drives one execution while it has something to do.
//!
//! An input that nobody else would give again is not let go while the server runs: while the disk is full or the database
//! cannot be reached, it waits here, and when the journal turns out to be another than was thought, it is decided again.
//! A person is told at once, and their input has no effect then. What is dropped when the server stops is found again in
//! the journals, the summaries, and what workers keep.

use super::decide::decide;
use super::driver::{AGAIN, Driver, Error};
use super::resident::INBOX;
use super::summary::{record, summary};
use crate::live::Topic;
use crate::secrets::Secrets;
use pulse_core::event::{Entry, Event};
use pulse_core::ids::ExecutionId;
use pulse_core::protocol::browser::ToBrowser;
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_engine::{Effect, Input, Plan, State};
use pulse_store::{Append, ExecutionRecord, NewDelivery};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Inputs that are decided together, to be committed together.
const BATCH: usize = 64;
/// How long an execution with commands on workers stays in memory after its last input: those of a short step find it there,
/// and one on a worker that is away costs nothing but what the fleet knows of it.
const IDLE: Duration = if cfg!(test) { Duration::from_millis(200) } else { Duration::from_secs(60) };
/// How often inputs are decided again at once because somebody else wrote to the journal. After that, people are told, and
/// the others wait a moment.
const CONFLICTS: u32 = 3;

/// An input on its way to an execution, and who waits for it to be durable.
pub(super) struct Message {
    pub input: Input,
    pub reply: Option<oneshot::Sender<Result<(), Error>>>,
}

impl Message {
    /// Whether it waits while nothing can be stored. A person does not, and is told.
    fn is_patient(&self) -> bool {
        let is_of_machine = matches!(
            self.input,
            Input::CommandFinished { .. } | Input::CommandStranded { .. } | Input::Timer | Input::Recovered
        );
        self.reply.is_none() || is_of_machine
    }

    /// Says what became of it. Nobody may be waiting any more; what was decided stays decided.
    fn answer(self, id: ExecutionId, result: Result<(), Error>) {
        match (self.reply, result) {
            (Some(reply), result) => drop(reply.send(result)),
            // Its execution has ended or is gone: nobody needs it any more.
            (None, Ok(()) | Err(Error::Refused(_) | Error::NotFound(_))) => {}
            (None, Err(error)) => tracing::error!(execution = %id, %error, "an input had no effect"),
        }
    }
}

/// An execution in memory.
pub(super) struct Loaded {
    pub state: State,
    pub plan: Arc<Plan>,
    pub title: String,
    pub fence: i64,
    /// Its secrets, for its commands and for nothing else.
    pub secrets: Arc<Secrets>,
    /// Whom its workflow tells.
    pub webhook: Option<Arc<str>>,
}

/// Drives an execution until it waits for something outside, has ended, or the server stops. It is folded from its journal
/// when it is not `loaded`.
pub(super) async fn run(driver: Driver, id: ExecutionId, loaded: Option<Loaded>, messages: mpsc::Receiver<Message>) {
    let mut actor = Actor { driver, id, loaded, messages, waiting: VecDeque::new(), most: BATCH, conflicts: 0 };
    while actor.next().await {
        if let Err(error) = actor.go_on().await {
            actor.cope(error).await;
        }
    }
}

struct Actor {
    driver: Driver,
    id: ExecutionId,
    /// None before the journal is folded, and after something that was decided could not be stored: what is in memory was
    /// ahead of the journal then.
    loaded: Option<Loaded>,
    messages: mpsc::Receiver<Message>,
    /// What has been received and not yet been taken, in order.
    waiting: VecDeque<Message>,
    /// How many are decided together: one by one, once the store called a write impossible.
    most: usize,
    /// How often in a row somebody else had written to the journal.
    conflicts: u32,
}

impl Actor {
    /// Waits for inputs. Answers false when there will be none: the execution has left memory.
    async fn next(&mut self) -> bool {
        if self.waiting.is_empty() {
            self.most = BATCH;
            let mut may_leave = self.is_parked();
            loop {
                if may_leave && self.driver.0.resident.leave(self.id, &self.messages) {
                    return false;
                }
                // Somebody has the way here: they may go away without having used it.
                let longest = if may_leave { AGAIN } else { IDLE };
                let first = tokio::select! {
                    biased;
                    () = self.driver.0.stop.cancelled() => None,
                    message = self.messages.recv() => message,
                    () = tokio::time::sleep(longest) => {
                        may_leave = true;
                        continue;
                    }
                };
                self.waiting.extend(first);
                break;
            }
        }
        if self.driver.0.stop.is_cancelled() {
            self.driver.0.resident.remove(self.id);
            return false;
        }
        while self.waiting.len() < INBOX
            && let Ok(message) = self.messages.try_recv()
        {
            self.waiting.push_back(message);
        }
        true
    }

    /// Whether only an input from outside can move the execution on.
    fn is_parked(&self) -> bool {
        let is_at_work = |state: &State| !state.outstanding().is_empty() || !state.stopping.is_empty();
        let is_parked = |state: &State| state.finished.is_some() || !is_at_work(state);
        self.loaded.as_ref().is_none_or(|loaded| is_parked(&loaded.state))
    }

    /// Takes as many inputs as go together. After an error they all wait still, and nothing has come of them.
    async fn go_on(&mut self) -> Result<(), Error> {
        let mut loaded = match self.loaded.take() {
            Some(loaded) => loaded,
            None => match self.load().await {
                Ok(loaded) => loaded,
                Err(error) if error.is_transient() => return Err(error),
                Err(error) => {
                    self.refuse_all(&error);
                    return Ok(());
                }
            },
        };
        let batch: Vec<Message> = self.waiting.drain(..self.waiting.len().min(self.most)).collect();
        match self.take(&mut loaded, &batch).await {
            Ok(results) => {
                self.loaded = Some(loaded);
                self.conflicts = 0;
                for (message, result) in batch.into_iter().zip(results) {
                    message.answer(self.id, result);
                }
                Ok(())
            }
            Err(error) => {
                batch.into_iter().rev().for_each(|message| self.waiting.push_front(message));
                Err(error)
            }
        }
    }

    async fn load(&self) -> Result<Loaded, Error> {
        let loaded = self.driver.load(self.id).await?;
        // The fleet has them, unless they are of before a restart.
        for command in loaded.state.outstanding() {
            self.driver.hand_over(self.id, command, &loaded.secrets, false);
        }
        for command in loaded.state.stopping_commands() {
            self.driver.stop_again(&loaded.state, command, &loaded.secrets);
        }
        Ok(loaded)
    }

    /// Decides a batch of inputs, commits, publishes, acts; answers what each came to. After an error the state is ahead
    /// of the journal.
    async fn take(&mut self, loaded: &mut Loaded, batch: &[Message]) -> Result<Vec<Result<(), Error>>, Error> {
        let (mut entries, mut effects, mut results) = (Vec::new(), Vec::new(), Vec::new());
        for Message { input, .. } in batch {
            if let Input::WorkerOnline { worker_id } = input {
                self.driver.await_still(&loaded.state, *worker_id);
            }
            match decide(&self.driver, &loaded.plan, &mut loaded.state, input.clone()) {
                Ok(transition) => {
                    entries.extend(transition.entries);
                    effects.extend(transition.effects);
                    results.push(Ok(()));
                }
                Err(refused) => results.push(Err(refused.into())),
            }
        }
        if !entries.is_empty()
            && let Some(record) = record(&loaded.state, &loaded.title)
        {
            let is_patient = batch.iter().all(Message::is_patient);
            let deliveries =
                self.driver.0.webhooks.deliveries(loaded.webhook.as_deref(), &loaded.state, &record, &entries);
            self.commit(loaded.fence, &record, &entries, &deliveries, is_patient).await?;
            if !deliveries.is_empty() {
                self.driver.0.webhooks.wake();
            }
            publish(&self.driver, &entries, &record);
        }
        act(&self.driver, &loaded.state, &loaded.secrets, effects);
        for Message { input, .. } in batch {
            match input {
                Input::Recovered => self.driver.take_up(&loaded.state),
                Input::CommandStranded { command_id, worker_id } => {
                    self.driver.settle(&loaded.state, *command_id, *worker_id);
                }
                Input::WorkerOnline { worker_id } => self.driver.await_no_more(&loaded.state, *worker_id),
                _ => {}
            }
        }
        Ok(results)
    }

    /// Makes entries durable. When nobody among those whose inputs led to them wants to be told that it cannot be just
    /// now, it is tried until it can be.
    async fn commit(
        &mut self,
        fence: i64,
        record: &ExecutionRecord,
        entries: &[Entry],
        deliveries: &[NewDelivery],
        is_patient: bool,
    ) -> Result<(), Error> {
        loop {
            let append = Append {
                execution_id: self.id,
                fence,
                entries: entries.to_vec(),
                record: record.clone(),
                idempotency: None,
                secrets: None,
                deliveries: deliveries.to_vec(),
            };
            match self.driver.0.store.append(append).await {
                Ok(_) => return Ok(()),
                Err(error) if is_patient && error.retryable() => {
                    if !self.pause(&error.clone().into()).await {
                        return Err(error.into());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// After inputs could not be taken: says so to whom it has to be said, and waits if it is to be tried again.
    async fn cope(&mut self, error: Error) {
        match &error {
            Error::Store(pulse_store::Error::Conflict { .. }) if self.conflicts < CONFLICTS => self.conflicts += 1,
            // The server ends.
            Error::Store(pulse_store::Error::Failed { .. }) => self.refuse_all(&error),
            error if error.is_transient() => {
                let (patient, others): (Vec<_>, _) = self.waiting.drain(..).partition(Message::is_patient);
                others.into_iter().for_each(|message| message.answer(self.id, Err(error.clone())));
                self.waiting.extend(patient);
                if !self.waiting.is_empty() {
                    self.pause(error).await;
                }
            }
            // One of them cannot be stored, now or ever. Which, is seen when they come one by one.
            _ if self.most > 1 && self.waiting.len() > 1 => self.most = 1,
            _ => {
                if let Some(message) = self.waiting.pop_front() {
                    message.answer(self.id, Err(error));
                }
            }
        }
    }

    fn refuse_all(&mut self, error: &Error) {
        for message in self.waiting.drain(..) {
            message.answer(self.id, Err(error.clone()));
        }
    }

    /// Waits a moment before another try. Whoever comes meanwhile waits too, or is told why nothing can be done. Answers
    /// false when the server stops.
    async fn pause(&mut self, error: &Error) -> bool {
        // That nothing can be stored is said once, for all.
        tracing::debug!(execution = %self.id, %error, "an input waits to be stored; trying again");
        let over = tokio::time::sleep(AGAIN);
        tokio::pin!(over);
        loop {
            tokio::select! {
                biased;
                () = self.driver.0.stop.cancelled() => return false,
                () = &mut over => return true,
                Some(message) = self.messages.recv(), if self.waiting.len() < INBOX => {
                    if !message.is_patient() {
                        message.answer(self.id, Err(error.clone()));
                    } else if !self.has_come_before(&message) {
                        self.waiting.push_back(message);
                    }
                }
            }
        }
    }

    /// Whether the same is waiting already: timers are given again and again while they are due.
    fn has_come_before(&self, message: &Message) -> bool {
        let is_timer = |message: &Message| matches!(message.input, Input::Timer) && message.reply.is_none();
        is_timer(message) && self.waiting.iter().any(is_timer)
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
            Effect::Withdraw { worker_id, command_id } => driver.0.fleet.withdraw(worker_id, command_id),
            Effect::SetTimer { at } => driver.0.timers.set(state.id, at),
            Effect::AwaitWorker { worker_id } => driver.await_worker(state.id, worker_id),
            Effect::AwaitAny => driver.await_any(state.id),
            Effect::StartChild(child) => driver.start_child(state, child),
            Effect::AbortChild { execution_id, reason } => driver.abort_child(execution_id, reason),
            Effect::Finish { status } => driver.ended(state, status),
            // Watchers hear of prompts and results by the events themselves.
            Effect::OpenPrompt { .. } | Effect::ClosePrompt { .. } | Effect::Notify { .. } => {}
        }
    }
}
