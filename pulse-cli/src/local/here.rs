//! This machine as a worker: runs commands by the worker's own runner, as many at once as a worker would.

use futures_util::FutureExt as _;
use pulse_core::api::OutputChunk;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::event::WorkerRef;
use pulse_core::ids::{CommandId, ExecutionId, WorkerId};
use pulse_core::status::WorkerStatus;
use pulse_engine::fleet::{Fleet, FleetWorker};
use pulse_engine::state::Outstanding;
use pulse_worker::runner::{self, Environment, Output, Piece, Request, Stop};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// Between TERM and KILL for a command that is stopped: what the server gives by default.
const KILL_GRACE: Duration = Duration::from_secs(10);
/// Pieces and ends that may wait to be shown. A command waits when it is full.
const TOLD: usize = 64;

/// What a command does.
#[derive(Debug)]
pub enum Told {
    /// It has printed something.
    Printed {
        /// Of which execution.
        execution: ExecutionId,
        /// What.
        chunk: OutputChunk,
    },
    /// It has ended.
    Ended {
        /// Of which execution.
        execution: ExecutionId,
        /// Which.
        command_id: CommandId,
        /// How.
        end: Box<CommandEnd>,
    },
}

/// A command with the values of its secrets in place.
struct Job {
    execution: ExecutionId,
    command: Outstanding,
    request: Request,
}

/// This machine.
pub struct Here {
    worker: WorkerRef,
    capacity: u32,
    environment: Arc<Environment>,
    waiting: VecDeque<Job>,
    running: HashMap<CommandId, watch::Sender<Option<Stop>>>,
    events: mpsc::Sender<Told>,
    told: mpsc::Receiver<Told>,
}

impl std::fmt::Debug for Here {
    /// Without what is run: it may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Here")
            .field("worker", &self.worker)
            .field("running", &self.running.len())
            .finish_non_exhaustive()
    }
}

impl Here {
    /// The machine under a name.
    pub fn new(name: &str) -> Self {
        let worker = WorkerRef { worker_id: WorkerId(uuid::Uuid::now_v7()), worker: name.into() };
        let (events, told) = mpsc::channel(TOLD);
        Self {
            worker,
            capacity: pulse_worker::default_capacity(),
            environment: Arc::new(Environment::of_this_process()),
            waiting: VecDeque::new(),
            running: HashMap::new(),
            events,
            told,
        }
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.worker.worker
    }

    /// The workers, as the engine sees them: this one.
    pub fn fleet(&self) -> Fleet {
        let here = FleetWorker {
            id: self.worker.worker_id,
            name: self.worker.worker.clone(),
            labels: BTreeMap::new(),
            status: WorkerStatus::Online,
            draining: false,
            active: u32::try_from(self.running.len() + self.waiting.len()).unwrap_or(u32::MAX),
            capacity: self.capacity,
        };
        Fleet { workers: vec![here] }
    }

    /// Whether nothing runs or waits to run.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty() && self.waiting.is_empty()
    }

    /// Runs a command as soon as there is room for it.
    ///
    /// # Errors
    /// The name of a secret that it needs and that is not there.
    pub fn dispatch(
        &mut self,
        execution: ExecutionId,
        command: Outstanding,
        secrets: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        let (spec, mask) = command.spec.with_secrets(secrets)?;
        let request = Request { command_id: command.command_id, spec, kill_grace: KILL_GRACE, mask };
        self.waiting.push_back(Job { execution, command, request });
        self.start_waiting();
        Ok(())
    }

    /// Stops a command. Its end, if it had not begun; else that is told when it has ended.
    pub fn cancel(&mut self, command_id: CommandId, reason: String) -> Option<CommandEnd> {
        if let Some(index) = self.waiting.iter().position(|job| job.request.command_id == command_id) {
            self.waiting.remove(index);
            return Some(CommandEnd::without_process(Outcome::Cancelled, reason));
        }
        if let Some(stop) = self.running.get(&command_id) {
            stop.send_replace(Some(Stop { outcome: Outcome::Cancelled, reason, grace: KILL_GRACE }));
        }
        None
    }

    /// Kills everything that runs, and forgets what waits.
    pub fn kill_all(&mut self) {
        self.waiting.clear();
        for stop in self.running.values() {
            let reason = "killed".to_owned();
            stop.send_replace(Some(Stop { outcome: Outcome::Cancelled, reason, grace: Duration::ZERO }));
        }
    }

    /// What a command does next. Waits for ever when none runs. Cancel safe.
    pub async fn told(&mut self) -> Told {
        let told = self.told.recv().await;
        // This side keeps a sender, so the channel is never closed.
        let told = told.expect("a channel with a sender is open");
        if let Told::Ended { command_id, .. } = &told {
            self.running.remove(command_id);
            self.start_waiting();
        }
        told
    }

    fn start_waiting(&mut self) {
        while self.running.len() < self.capacity as usize
            && let Some(Job { execution, command, request }) = self.waiting.pop_front()
        {
            let (stop, stopped) = watch::channel(None);
            let command_id = request.command_id;
            self.running.insert(command_id, stop);
            let (events, environment) = (self.events.clone(), self.environment.clone());
            tokio::spawn(async move {
                let output = Printing { execution, command, events: events.clone(), piece: None };
                let run = AssertUnwindSafe(runner::run(&request, &environment, output, stopped)).catch_unwind();
                let end = run.await.unwrap_or_else(|_| {
                    CommandEnd::without_process(Outcome::Lost, "the program made a mistake while it ran")
                });
                // Fails only when nobody is left to hear of it.
                let _ = events.send(Told::Ended { execution, command_id, end: Box::new(end) }).await;
            });
        }
    }
}

/// A command's output on its way to whoever shows it.
struct Printing {
    execution: ExecutionId,
    command: Outstanding,
    events: mpsc::Sender<Told>,
    piece: Option<Piece>,
}

impl Output for Printing {
    fn put(&mut self, piece: Piece) {
        self.piece = Some(piece);
    }

    async fn ready(&mut self) {
        if self.piece.is_none() {
            return;
        }
        let room = self.events.reserve().await;
        let (Some(Piece { seq, stream, data, gap_bytes }), Ok(room)) = (self.piece.take(), room) else { return };
        let Outstanding { command_id, worker, step, attempt, .. } = &self.command;
        let chunk = OutputChunk {
            // Shown in the order in which it comes: nobody looks for a gap.
            cursor: 0,
            command_id: *command_id,
            step_id: step.clone(),
            worker: worker.worker.to_string(),
            attempt: *attempt,
            stream,
            seq,
            data,
            gap_bytes,
        };
        room.send(Told::Printed { execution: self.execution, chunk });
    }
}
