//! The task that owns a worker's state: it takes events from the link, the log and the commands, lets the ledger decide,
//! and does what that says. It never waits for any of them: what there is no room for stays in the ledger.

use crate::ledger::{Effect, Entry, Ledger, Message, StopReason};
use crate::link::{self, Event as LinkEvent};
use crate::runner::{self, Environment, Output, Piece, Request, Stop, kill_strays};
use crate::state::{self, Log, StateDir, Written};
use crate::{Config, Error, machine};
use futures_util::FutureExt as _;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::ids::{CommandId, WorkerId};
use pulse_core::protocol::worker::{Dispatch, FromWorker, Hello, PROTOCOL, ToWorker};
use pulse_core::text::one_line;
use std::collections::{HashMap, VecDeque};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, sleep_until, timeout_at};
use tokio_tungstenite::tungstenite::Utf8Bytes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Most bytes of output that a command may have unacknowledged, as they stand in its frames.
const WINDOW: usize = 1024 * 1024;
/// Pieces and ends that may wait for the agent. A command waits when it is full.
const EVENTS: usize = 64;
/// Answers that may wait for a server that sends without reading; then no more is read from it.
const MOST_ANSWERS: usize = 256;
/// A stop takes no longer than this, whatever commands and server do, and then [`STOP_TASKS`].
const STOP: Duration = Duration::from_secs(8);
/// Longest time between TERM and KILL while the worker stops.
const STOP_GRACE: Duration = Duration::from_secs(4);
/// From then on output that the server does not take is dropped, so that the results can be written and sent.
const STOP_OUTPUT: Duration = Duration::from_secs(5);
/// Time, once all results are sent, for the server to acknowledge them; else it gets them again at the next start.
const STOP_ACKNOWLEDGE: Duration = Duration::from_secs(2);
/// Time for the tasks and the connection to end after that.
const STOP_TASKS: Duration = Duration::from_secs(2);
/// Time between TERM and KILL for what a former worker process left running.
const LEFT_GRACE: Duration = Duration::from_secs(2);

/// Runs a worker until `stop` is cancelled.
///
/// Then it takes no more commands, ends those that run (their results say that the worker was stopped), and returns
/// within ten seconds. Dropping the future instead leaves what runs to a later start, like a crash.
///
/// # Errors
/// When the state directory cannot be used, or the server refuses this worker for good.
pub async fn run(config: Config, stop: CancellationToken) -> Result<(), Error> {
    let state = StateDir::open(&config.state_dir)?;
    let mut log = Log::open(&state.path)?;
    let unfinished = log.unfinished();
    if !unfinished.is_empty() {
        let found = kill_strays(&unfinished, Some(LEFT_GRACE)).await;
        tracing::warn!(
            commands = unfinished.len(),
            processes = found,
            "an earlier worker process left commands running: lost"
        );
        log.give_up_unfinished("the worker stopped while it ran: nobody knows whether it took effect")?;
    }
    let results = log.results();
    tracing::info!(name = %config.name, worker_id = %state.worker_id, capacity = config.capacity, unacknowledged = results.len(), "worker starts");
    if config.server.starts_with("ws:") && !is_loopback(&config.server) {
        tracing::warn!(server = %config.server, "the connection is not encrypted: the key can be read on the way");
    }
    let (log, written, log_thread) = state::spawn(log);
    let closing = CancellationToken::new();
    let _close = closing.clone().drop_guard();
    let (link, link_task) = link::spawn(&config, closing.clone());
    let (events, from_commands) = mpsc::channel(EVENTS);
    let mut agent = Agent {
        worker_id: state.worker_id,
        instance: Uuid::new_v4().to_string(),
        ledger: Ledger::new(config.capacity, results),
        heartbeats: ticks(config.heartbeat),
        config,
        environment: Arc::new(Environment::of_this_process()),
        link,
        outgoing: None,
        hello: None,
        log,
        entries: VecDeque::new(),
        written,
        events,
        from_commands,
        running: HashMap::new(),
        tasks: TaskTracker::new(),
    };
    let outcome = agent.work(&stop).await;
    agent.stop().await;
    let tasks = agent.tasks.clone();
    // With the agent go the log's sender and the connection's: the thread and the link come to their end.
    drop(agent);
    closing.cancel();
    tasks.close();
    let deadline = Instant::now() + STOP_TASKS;
    let ended = timeout_at(deadline, async {
        tasks.wait().await;
        let _ = log_thread.await;
        let _ = link_task.await;
    });
    if ended.await.is_err() {
        tracing::warn!("something of the worker did not end in time");
    }
    outcome
}

fn is_loopback(server: &str) -> bool {
    let uri: Result<tokio_tungstenite::tungstenite::http::Uri, _> = server.parse();
    let host = uri.as_ref().ok().and_then(|uri| uri.host()).unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn ticks(period: Duration) -> Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

struct Agent {
    config: Config,
    worker_id: WorkerId,
    /// This process, to the server.
    instance: String,
    ledger: Ledger,
    environment: Arc<Environment>,
    link: mpsc::Receiver<LinkEvent>,
    /// To the connection, while there is one.
    outgoing: Option<mpsc::Sender<Message>>,
    /// The first message of a connection, until it is sent.
    hello: Option<Message>,
    log: mpsc::Sender<Entry>,
    /// What the log has no room for yet.
    entries: VecDeque<Entry>,
    written: mpsc::Receiver<Vec<Written>>,
    /// For commands.
    events: mpsc::Sender<Event>,
    from_commands: mpsc::Receiver<Event>,
    running: HashMap<CommandId, Running>,
    tasks: TaskTracker,
    heartbeats: Interval,
}

/// What a command's task says.
#[derive(Debug)]
enum Event {
    Printed { command_id: CommandId, seq: u64, frame: Utf8Bytes },
    Ended { command_id: CommandId, end: CommandEnd },
}

/// The agent's side of a command that runs.
#[derive(Debug)]
struct Running {
    stop: watch::Sender<Option<Stop>>,
    grace: Duration,
    window: Arc<Semaphore>,
}

impl Agent {
    async fn work(&mut self, stop: &CancellationToken) -> Result<(), Error> {
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                result = self.step() => result?,
            }
        }
    }

    /// Ends what runs and says so, within [`STOP`].
    async fn stop(&mut self) {
        let began = Instant::now();
        if self.ledger.active() > 0 {
            tracing::info!(commands = self.ledger.active(), "stopping: ending the commands that run");
        }
        self.ledger.stop();
        let (deadline, mut output_until) = (began + STOP, Some(began + STOP_OUTPUT));
        while !(self.ledger.is_quiet() && self.running.is_empty() && self.entries.is_empty()) {
            tokio::select! {
                // A refusal comes once and ends nothing here: what runs is still to be ended.
                result = self.step() => if matches!(result, Err(Error::LogEnded)) {
                    return;
                },
                () = sleep_until(output_until.unwrap_or(deadline)), if output_until.is_some() => {
                    output_until = None;
                    self.running.values().for_each(|running| running.window.close());
                }
                () = sleep_until(deadline) => return,
            }
            if self.outgoing.is_none() {
                self.running.values().for_each(|running| running.window.close());
            }
        }
        let deadline = deadline.min(Instant::now() + STOP_ACKNOWLEDGE);
        while self.outgoing.is_some() && !self.ledger.is_empty() {
            if timeout_at(deadline, self.step()).await.is_err() {
                return;
            }
        }
    }

    /// Waits for one event and does everything that follows from it. Cancel safe: an event is taken and handled in one go.
    async fn step(&mut self) -> Result<(), Error> {
        self.act();
        let (outgoing, log) = (self.outgoing.clone(), self.log.clone());
        let has_message = self.hello.is_some() || self.ledger.has_message();
        tokio::select! {
            Some(event) = self.link.recv(), if self.ledger.waiting_answers() < MOST_ANSWERS => self.on_link(event)?,
            written = self.written.recv() => match written {
                Some(written) => written.into_iter().for_each(|written| self.on_written(written)),
                None => return Err(Error::LogEnded),
            },
            Some(event) = self.from_commands.recv() => self.on_command(event),
            is_open = has_room(outgoing.as_ref()), if outgoing.is_some() && has_message => {
                if !is_open {
                    self.disconnected();
                }
            }
            _ = has_room(Some(&log)), if !self.entries.is_empty() => {}
            _ = self.heartbeats.tick(), if self.outgoing.is_some() && self.hello.is_none() => {
                let metadata = machine::metadata(self.ledger.active(), self.config.capacity);
                self.ledger.heartbeat(metadata);
            }
        }
        self.act();
        Ok(())
    }

    /// Does what the ledger wants and there is room for.
    fn act(&mut self) {
        while let Some(effect) = self.ledger.next_effect() {
            match effect {
                Effect::Log(entry) => self.entries.push_back(entry),
                Effect::Start(dispatch) => self.start(*dispatch),
                Effect::Stop { command_id, reason } => self.stop_command(command_id, reason),
                Effect::Release { command_id, bytes } => {
                    if let Some(running) = self.running.get(&command_id) {
                        running.window.add_permits(bytes);
                    }
                }
            }
        }
        while !self.entries.is_empty()
            && let Ok(room) = self.log.try_reserve()
            && let Some(entry) = self.entries.pop_front()
        {
            room.send(entry);
        }
        let Some(outgoing) = &self.outgoing else { return };
        while let Ok(room) = outgoing.try_reserve()
            && let Some(message) = self.hello.take().or_else(|| self.ledger.next_message())
        {
            room.send(message);
        }
    }

    fn on_link(&mut self, event: LinkEvent) -> Result<(), Error> {
        match event {
            LinkEvent::Opened(outgoing) => {
                let hello = FromWorker::Hello(Hello {
                    protocol: PROTOCOL,
                    worker_id: self.worker_id,
                    instance: self.instance.clone(),
                    name: self.config.name.clone(),
                    version: env!("CARGO_PKG_VERSION").to_owned(),
                    labels: self.config.labels.clone(),
                    capacity: self.config.capacity,
                    metadata: machine::metadata(self.ledger.active(), self.config.capacity),
                    commands: self.ledger.known(),
                });
                self.outgoing = Some(outgoing);
                self.hello = Some(Message::Plain(Box::new(hello)));
            }
            LinkEvent::Received(ToWorker::Welcome { heartbeat_interval_ms, .. }) => {
                self.heartbeats = ticks(link::heartbeat(heartbeat_interval_ms));
                self.ledger.connected();
            }
            LinkEvent::Received(message) => {
                if matches!(message, ToWorker::Drain) {
                    tracing::info!("draining: taking no more commands");
                }
                self.ledger.received(message);
            }
            LinkEvent::Closed => self.disconnected(),
            LinkEvent::Refused(error) => return Err(error),
        }
        Ok(())
    }

    fn disconnected(&mut self) {
        (self.outgoing, self.hello) = (None, None);
        self.ledger.disconnected();
    }

    fn on_written(&mut self, written: Written) {
        match written {
            Written::Accepted(command_id) => self.ledger.acceptance_written(command_id),
            Written::NotAccepted(command_id, reason) => self.ledger.acceptance_failed(command_id, &reason),
            Written::Finished(command_id) => self.ledger.result_written(command_id),
        }
    }

    fn on_command(&mut self, event: Event) {
        match event {
            Event::Printed { command_id, seq, frame } => self.ledger.printed(command_id, seq, frame),
            Event::Ended { command_id, end } => {
                tracing::debug!(%command_id, end = %one_line(&end.describe()), "command ended");
                self.running.remove(&command_id);
                self.ledger.ended(command_id, end);
            }
        }
    }

    fn start(&mut self, dispatch: Dispatch) {
        let Dispatch { command_id, execution_id, step, attempt, spec, kill_grace_ms, mask, output_limit_bytes: _ } =
            dispatch;
        tracing::debug!(%command_id, %execution_id, step = %one_line(step.as_str()), %attempt, "command starts");
        let grace = Duration::from_millis(kill_grace_ms);
        let window = Arc::new(Semaphore::new(WINDOW));
        let (stop, stopped) = watch::channel(None);
        self.running.insert(command_id, Running { stop, grace, window: window.clone() });
        let request = Request { command_id, spec, kill_grace: grace, mask };
        let (environment, events) = (self.environment.clone(), self.events.clone());
        self.tasks.spawn(async move {
            let output = ToAgent { command_id, window, events: events.clone(), frame: None };
            let run = AssertUnwindSafe(runner::run(&request, &environment, output, stopped)).catch_unwind();
            let end = run.await.unwrap_or_else(|_| {
                CommandEnd::without_process(Outcome::Lost, "the worker made a mistake while it ran: see its log")
            });
            // Fails only when the agent is gone: at the end of a stop.
            let _ = events.send(Event::Ended { command_id, end }).await;
        });
    }

    fn stop_command(&mut self, command_id: CommandId, reason: StopReason) {
        let Some(running) = self.running.get(&command_id) else { return };
        let stop = match reason {
            StopReason::Cancelled(reason) => Stop { outcome: Outcome::Cancelled, reason, grace: running.grace },
            StopReason::WorkerStops => Stop {
                outcome: Outcome::Lost,
                reason: "the worker was stopped while it ran".to_owned(),
                grace: running.grace.min(STOP_GRACE),
            },
        };
        running.stop.send_replace(Some(stop));
    }
}

/// Waits for room in a channel. False when nobody takes anything out any more.
async fn has_room<T>(sender: Option<&mpsc::Sender<T>>) -> bool {
    match sender {
        Some(sender) => sender.reserve().await.is_ok(),
        None => false,
    }
}

/// A command's output on its way to the agent, within its window.
struct ToAgent {
    command_id: CommandId,
    window: Arc<Semaphore>,
    events: mpsc::Sender<Event>,
    /// What was put and is not on its way yet, and whether it has its part of the window.
    frame: Option<(u64, Utf8Bytes, bool)>,
}

impl Output for ToAgent {
    fn put(&mut self, piece: Piece) {
        let Piece { seq, stream, data } = piece;
        let message = FromWorker::Output { command_id: self.command_id, stream, seq, data, gap_bytes: None };
        let text = serde_json::to_string(&message).expect("plain data becomes JSON");
        self.frame = Some((seq, text.into(), false));
    }

    async fn ready(&mut self) {
        let Some((seq, frame, has_room)) = &mut self.frame else { return };
        if !*has_room {
            let size = u32::try_from(frame.len()).unwrap_or(u32::MAX);
            match self.window.acquire_many(size).await {
                Ok(room) => room.forget(),
                // The worker is being stopped and nobody takes output any more.
                Err(_) => return self.frame = None,
            }
            *has_room = true;
        }
        if let Ok(room) = self.events.reserve().await {
            let (command_id, seq) = (self.command_id, *seq);
            room.send(Event::Printed { command_id, seq, frame: frame.clone() });
        }
        self.frame = None;
    }
}
