//! The handle through which everything reaches an execution. Cheap to clone.

use super::actor::{self, Loaded, Message};
use super::awaited::Awaited;
use super::keys::Keys;
use super::plans::{NoPlan, Plans, compile};
use super::resident::Resident;
use super::starting::Starting;
use super::timers::Timers;
use super::turns::Turns;
use crate::fleet::{Fleet, Verdict};
use crate::live::{Hub, Topic};
use crate::secrets::{DataKey, Secrets};
use crate::webhooks::Webhooks;
use pulse_core::api::OutputChunk;
use pulse_core::command::{CommandEnd, Outcome, Stream};
use pulse_core::event::{Entry, WorkerRef, WorkflowRef};
use pulse_core::ids::{Attempt, CommandId, ExecutionId, StepId, WorkerId};
use pulse_core::protocol::browser::ToBrowser;
use pulse_core::workflow::ParamType;
use pulse_engine::state::Outstanding;
use pulse_engine::{Input, Plan, Refused, State};
use pulse_store::{ExecutionRecord, OutputRecord, Store};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Between two tries of something that was not possible.
pub(super) const AGAIN: Duration = Duration::from_secs(1);
/// How often an input is given to an execution whose task ends without an answer.
const TRIES: u32 = 3;
/// Journal entries that are read from the store at once.
const PAGE: usize = 1_000;

/// Why an input had no effect.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// There is no such execution.
    #[error("there is no execution {0}")]
    NotFound(ExecutionId),
    /// The execution does not take it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The store.
    #[error(transparent)]
    Store(#[from] pulse_store::Error),
    /// Its definition is gone.
    #[error(transparent)]
    NoPlan(#[from] NoPlan),
    /// Its journal does not fold.
    #[error("execution {id}: {misfit}")]
    Damaged {
        /// Which execution.
        id: ExecutionId,
        /// What does not fit.
        misfit: pulse_engine::Misfit,
    },
    /// As many executions of the workflow run as its `concurrency` allows, and it says to skip more.
    #[error("{limit} {} of the workflow {} already, and its concurrency policy is to skip more", if *limit == 1 { "execution" } else { "executions" }, if *limit == 1 { "runs" } else { "run" })]
    Skipped {
        /// How many may run at once.
        limit: u32,
    },
    /// It was given secrets and there is no key to seal them with.
    #[error(
        "this server has no key for secrets, so it takes none: set PULSE_DATA_KEY, like with `openssl rand -hex 32`"
    )]
    NoDataKey,
    /// Its secrets cannot be opened.
    #[error("execution {0}: its secrets are damaged, or sealed with another key")]
    Sealed(ExecutionId),
    /// The server stops, or the execution was interrupted; the same call may succeed later.
    #[error("the server is stopping; try again in a moment")]
    Stopping,
}

impl Error {
    /// Whether the same may succeed in a moment, or at the server's next start.
    pub fn is_transient(&self) -> bool {
        use pulse_store::Error::{Conflict, Failed};
        match self {
            Self::Stopping => true,
            Self::Store(error) | Self::NoPlan(NoPlan::Store(error)) => {
                error.retryable() || matches!(error, Conflict { .. } | Failed { .. })
            }
            _ => false,
        }
    }
}

/// Drives all executions.
#[derive(Clone)]
pub struct Driver(pub(super) Arc<Shared>);

pub(super) struct Shared {
    pub store: Arc<dyn Store>,
    pub fleet: Fleet,
    pub hub: Hub,
    pub plans: Plans,
    pub timers: Timers,
    /// What others are told, and who tells it.
    pub webhooks: Webhooks,
    /// What secrets are sealed with.
    pub key: Option<DataKey>,
    pub stop: CancellationToken,
    pub tasks: TaskTracker,
    /// Who waits for a worker.
    pub awaited: Awaited,
    /// Children on their way into the store.
    pub starting: Starting,
    /// Starts that may be repeated while they are under way.
    pub keys: Keys,
    /// Who runs and who waits its turn, per workflow.
    pub turns: Turns,
    /// The executions that are in memory.
    pub resident: Resident,
}

/// A piece of output as a worker sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Printed {
    /// Which stream.
    pub stream: Stream,
    /// Its number among the command's pieces.
    pub seq: u64,
    /// The text.
    pub data: String,
    /// Set in a marker, where output is missing.
    pub gap_bytes: Option<u64>,
}

/// A command that a worker reports on.
#[derive(Clone, Debug)]
pub struct Reported {
    /// Whose it is.
    pub execution_id: ExecutionId,
    /// Which.
    pub command_id: CommandId,
    /// Of which step.
    pub step: StepId,
    /// On which worker.
    pub worker: WorkerRef,
    /// Which try.
    pub attempt: Attempt,
}

/// Whose a command is that only a worker still knows.
#[derive(Clone, Debug)]
pub enum Report {
    /// The worker's.
    Of(Reported),
    /// Nobody waits for it: its execution was deleted, or its result is in the journal and its step has run again since.
    Nobodys,
    /// Another worker's.
    AnotherWorkers,
}

impl Reported {
    /// A command that the fleet has.
    pub fn of(execution_id: ExecutionId, command: &Outstanding) -> Self {
        Self {
            execution_id,
            command_id: command.command_id,
            step: command.step.clone(),
            worker: command.worker.clone(),
            attempt: command.attempt,
        }
    }
}

impl Driver {
    /// Drives what is in the store, from now on.
    pub fn new(
        store: Arc<dyn Store>,
        fleet: Fleet,
        hub: Hub,
        timers: Timers,
        webhooks: Webhooks,
        key: Option<DataKey>,
        stop: CancellationToken,
    ) -> Self {
        Self(Arc::new(Shared {
            store,
            fleet,
            hub,
            plans: Plans::default(),
            timers,
            webhooks,
            key,
            stop,
            tasks: TaskTracker::new(),
            awaited: Awaited::default(),
            starting: Starting::default(),
            keys: Keys::default(),
            turns: Turns::default(),
            resident: Resident::default(),
        }))
    }

    /// The store.
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.0.store
    }

    /// The workers.
    pub fn fleet(&self) -> &Fleet {
        &self.0.fleet
    }

    /// Live events.
    pub fn hub(&self) -> &Hub {
        &self.0.hub
    }

    /// Calls of webhooks.
    pub(crate) fn webhooks(&self) -> &Webhooks {
        &self.0.webhooks
    }

    /// Runs something that the server waits for when it stops.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.tasks.spawn(task);
    }

    /// Waits until every task has ended, after the stop was signalled.
    pub async fn stopped(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// Waits a moment before another try. Answers false when the server stops: then there is none.
    pub(super) async fn pause(&self) -> bool {
        tokio::select! {
            () = self.0.stop.cancelled() => false,
            () = tokio::time::sleep(AGAIN) => true,
        }
    }

    /// Gives an execution an input and waits until what follows from it is durable. What a person says is taken back when
    /// it cannot be stored; everything else waits until it can be.
    ///
    /// # Errors
    /// When the execution refuses it or cannot be loaded, the store fails, or the server stops: it had no effect. Dropping
    /// the future does not take the input back.
    pub async fn input(&self, id: ExecutionId, input: Input) -> Result<(), Error> {
        for _ in 0..TRIES {
            let (reply, answer) = oneshot::channel();
            let message = Message { input: input.clone(), reply: Some(reply) };
            if self.inbox(id).send(message).await.is_ok()
                && let Ok(result) = answer.await
            {
                return result;
            }
            if self.0.stop.is_cancelled() {
                break;
            }
            // Its task has ended without a word: another takes its place. What has had its effect is refused then.
            tracing::error!(execution = %id, "an input was not answered; it is given again");
        }
        Err(Error::Stopping)
    }

    /// Gives an execution an input that nobody waits for. It is not lost before the server stops, and what is lost then is
    /// given again at the next start.
    pub(super) fn give(&self, id: ExecutionId, input: Input) {
        let inbox = self.inbox(id);
        if let Err(TrySendError::Full(message)) = inbox.try_send(Message { input, reply: None }) {
            self.spawn(async move {
                let _ = inbox.send(message).await;
            });
        }
    }

    /// The way to an execution, which is folded from its journal when it is not in memory.
    pub(super) fn inbox(&self, id: ExecutionId) -> mpsc::Sender<Message> {
        let (inbox, messages) = self.0.resident.enter(id);
        if let Some(messages) = messages {
            self.spawn(actor::run(self.clone(), id, None, messages));
        }
        inbox
    }

    /// Folds an execution from its journal.
    pub(super) async fn load(&self, id: ExecutionId) -> Result<Loaded, Error> {
        let record = self.0.store.execution(id).await?.ok_or(Error::NotFound(id))?;
        let state = self.fold(id).await?;
        let plan = self.plan(&state).await?;
        let secrets = Arc::new(self.secrets(&plan, &state).await?);
        let workflow = state.origin.as_ref().and_then(|origin| origin.workflow.as_ref());
        let webhook = self.webhook(workflow).await?;
        Ok(Loaded { state, plan, title: record.title, fence: record.fence, secrets, webhook })
    }

    /// The secrets of an execution that goes on.
    async fn secrets(&self, plan: &Plan, state: &State) -> Result<Secrets, Error> {
        let has_some = plan.workflow.params.iter().any(|param| param.kind == ParamType::Secret);
        if !has_some || state.finished.is_some() {
            return Ok(Secrets::default());
        }
        match self.0.store.execution_secrets(state.id).await? {
            None => Ok(Secrets::default()),
            Some(sealed) => {
                let key = self.0.key.as_ref().ok_or(Error::Sealed(state.id))?;
                Secrets::open(key, state.id, &sealed).ok_or(Error::Sealed(state.id))
            }
        }
    }

    /// Hands a command to the fleet: a new one, or one of before a restart.
    pub(super) fn hand_over(&self, id: ExecutionId, command: Outstanding, secrets: &Arc<Secrets>, is_new: bool) {
        if let Some(missing) = secrets.missing(&command.spec) {
            // Without its value it must not run; whether one of before a restart has, nobody knows.
            let outcome = if is_new { Outcome::NotStarted } else { Outcome::Lost };
            let end = CommandEnd::without_process(outcome, format!("the value of the secret `{missing}` is gone"));
            let (worker_id, command_id) = (command.worker.worker_id, command.command_id);
            return self.fleet().give_up(Verdict { execution_id: id, worker_id, command_id, end });
        }
        match is_new {
            true => self.fleet().dispatch(id, command, secrets.clone()),
            false => self.fleet().restore(id, command, secrets.clone()),
        }
    }

    /// After a restart: a command that was told to stop is told so again, if it was ever sent.
    pub(super) fn stop_again(&self, state: &State, command: &Outstanding, secrets: &Arc<Secrets>) {
        let (worker_id, command_id) = (command.worker.worker_id, command.command_id);
        let reason = state.given_up_for();
        self.hand_over(state.id, command.clone(), secrets, false);
        self.fleet().cancel(worker_id, command_id, &reason);
    }

    /// What became of a command that the fleet asked about: the journal, folded to this, tells whose it is.
    pub(super) fn settle(&self, state: &State, command_id: CommandId, asked_for: WorkerId) {
        let elsewhere = state.command(command_id).is_some_and(|(_, command)| command.worker.worker_id != asked_for);
        match elsewhere {
            true => self.fleet().withdraw(asked_for, command_id),
            false => self.fleet().stays(asked_for, command_id, state.may_move(command_id)),
        }
    }

    /// The state that an execution's journal folds to.
    ///
    /// # Errors
    /// When it cannot be read or does not fold.
    pub async fn fold(&self, id: ExecutionId) -> Result<State, Error> {
        let mut state = State::new(id);
        loop {
            let page = self.0.store.read(id, state.last_seq, PAGE).await?;
            let full = page.len() == PAGE;
            state = pulse_engine::fold(state, &page).map_err(|misfit| Error::Damaged { id, misfit })?;
            if !full {
                return Ok(state);
            }
        }
    }

    /// The plan of an execution.
    ///
    /// # Errors
    /// When its definition is gone or does not compile.
    pub async fn plan(&self, state: &State) -> Result<Arc<Plan>, Error> {
        let origin = state.origin.as_ref().ok_or(Error::NotFound(state.id))?;
        Ok(match (&origin.workflow, &origin.definition) {
            (Some(workflow), _) => self.0.plans.stored(&*self.0.store, workflow).await?,
            (None, definition) => compile(definition.clone().unwrap_or_default()).await?,
        })
    }

    /// The webhook of the version that an execution runs; a quick command has none.
    pub(super) async fn webhook(&self, workflow: Option<&WorkflowRef>) -> Result<Option<Arc<str>>, Error> {
        match workflow {
            Some(workflow) => Ok(self.0.plans.webhook(&*self.0.store, workflow).await?),
            None => Ok(None),
        }
    }

    /// The plan of a stored version.
    ///
    /// # Errors
    /// When it is not stored or does not compile.
    pub async fn stored_plan(&self, workflow: &WorkflowRef) -> Result<Arc<Plan>, Error> {
        Ok(self.0.plans.stored(&*self.0.store, workflow).await?)
    }

    /// All that the API shows of an execution: its summary, its plan, its state and its journal.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    pub async fn look(&self, id: ExecutionId) -> Result<(ExecutionRecord, Arc<Plan>, State, Vec<Entry>), Error> {
        let record = self.0.store.execution(id).await?.ok_or(Error::NotFound(id))?;
        let (mut state, mut entries) = (State::new(id), Vec::new());
        loop {
            let page = self.0.store.read(id, state.last_seq, PAGE).await?;
            let full = page.len() == PAGE;
            state = pulse_engine::fold(state, &page).map_err(|misfit| Error::Damaged { id, misfit })?;
            entries.extend(page);
            if !full {
                break;
            }
        }
        let plan = self.plan(&state).await?;
        Ok((record, plan, state, entries))
    }

    /// A command that only a worker still knows: looked up in its execution's journal.
    ///
    /// # Errors
    /// When the journal cannot be read, or does not fold.
    pub async fn reported(&self, id: ExecutionId, command_id: CommandId, worker_id: WorkerId) -> Result<Report, Error> {
        Ok(match self.fold(id).await?.command(command_id) {
            None => Report::Nobodys,
            Some((_, command)) if command.worker.worker_id != worker_id => Report::AnotherWorkers,
            Some((step, command)) => Report::Of(Reported {
                execution_id: id,
                command_id,
                step: step.clone(),
                worker: command.worker.clone(),
                attempt: command.attempt,
            }),
        })
    }

    /// Whether a worker may still run a command of an execution that nobody drives any more. One that cannot be read
    /// counts as such.
    pub async fn is_owed(&self, id: ExecutionId, command_id: CommandId) -> bool {
        match self.fold(id).await {
            Ok(state) => state.command(command_id).is_some_and(|(_, command)| command.is_owed()),
            Err(error) => {
                tracing::warn!(execution = %id, command = %command_id, %error, "whether a command has ended cannot be read");
                true
            }
        }
    }

    /// Keeps a piece of output; durable when this returns.
    ///
    /// # Errors
    /// When it cannot be stored; [`pulse_store::Error::NotFound`] when its execution was deleted.
    pub async fn output(&self, of: &Reported, piece: Printed) -> Result<(), Error> {
        let Printed { stream, seq, data, gap_bytes } = piece;
        let mut chunk = OutputChunk {
            cursor: 0,
            command_id: of.command_id,
            step_id: of.step.clone(),
            worker: of.worker.worker.to_string(),
            attempt: of.attempt,
            stream,
            seq,
            data,
            gap_bytes,
        };
        let execution_id = of.execution_id;
        chunk.cursor = self.0.store.append_output(OutputRecord { execution_id, chunk: chunk.clone() }).await?;
        self.0
            .hub
            .publish(Topic::Output(execution_id), Some(chunk.cursor), || ToBrowser::Output { execution_id, chunk });
        Ok(())
    }

    /// A command's result; what follows from it is durable when this returns. One that comes too late to count is kept as
    /// such. A result that nobody can keep (its execution was deleted, or it is in the journal already) is dropped and
    /// counts as taken.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn result(&self, id: ExecutionId, command_id: CommandId, end: CommandEnd) -> Result<(), Error> {
        match self.input(id, Input::CommandFinished { command_id, end: Box::new(end) }).await {
            Err(Error::NotFound(_) | Error::Refused(_)) => {
                tracing::warn!(execution = %id, command = %command_id, "a result that nobody waits for");
                Ok(())
            }
            other => other,
        }
    }
}
