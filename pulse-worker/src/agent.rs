//! The task that owns an agent's state: it takes events from the link and the supervisor, lets the ledger decide, and does
//! what that says. It never waits for either: what there is no room for stays in the ledger.

use crate::ledger::{Dialogue, Effect, Heard, Ledger, Message};
use crate::link::{self, Event as LinkEvent};
use crate::runner::{Environment, Piece};
use crate::state::{Place, StateDir};
use crate::supervisor::client::{Event as SupervisorEvent, Ready, Supervisors};
use crate::supervisor::protocol::{FromSupervisor, ToSupervisor};
use crate::{Config, Error, machine};
use pulse_core::fault;
use pulse_core::ids::{CommandId, WorkerId};
use pulse_core::protocol::worker::{FromWorker, Hello, PROTOCOL};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at, timeout_at};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Most answers that may wait for a server that sends without reading; then no more is read from it.
const MOST_ANSWERS: usize = 256;
/// Most requests that may wait for a supervisor that does not read; then no more is read from the server.
const MOST_REQUESTS: usize = 1024;
/// How often it is looked whether the state directory is still there.
const LOOK: Duration = Duration::from_secs(5);
/// Time, while the agent stops, for the server to acknowledge results; else it gets them again at the next start.
const STOP_ACKNOWLEDGE: Duration = Duration::from_secs(2);
/// Time for what waits for the supervisor to reach it.
const STOP_REQUESTS: Duration = Duration::from_secs(2);
/// Time for the tasks and the connections to end after that.
const STOP_TASKS: Duration = Duration::from_secs(2);

/// Runs a worker's agent until `stop` is cancelled.
///
/// Then it takes no more commands and returns within ten seconds. What runs goes on, followed by the supervisor, and is
/// delivered after the next start. Dropping the future instead is like a crash: it loses nothing either.
///
/// # Errors
/// When the state directory cannot be used or goes away, the supervisor cannot be started, or the server refuses this worker for good.
pub async fn run(config: Config, stop: CancellationToken) -> Result<(), Error> {
    let state = StateDir::open(&config.state_dir)?;
    let supervisors = Supervisors {
        dir: state.path.clone(),
        place: state.place.clone(),
        program: config.supervisor.clone(),
        environment: Environment::of_this_process(),
        has_started: Arc::new(AtomicBool::new(false)),
    };
    let first = tokio::select! {
        first = supervisors.open() => first?,
        () = stop.cancelled() => return Ok(()),
    };
    tracing::info!(name = %config.name, worker_id = %state.worker_id, capacity = config.capacity, "worker starts");
    if config.server.starts_with("ws:") && !is_loopback(&config.server) {
        tracing::warn!(server = %config.server, "the connection is not encrypted: the key can be read on the way");
    }
    let (supervisor, supervisor_task) = supervisors.spawn(first);
    let closing = CancellationToken::new();
    let _close = closing.clone().drop_guard();
    let (link, link_task) = link::spawn(&config, closing.clone());
    let mut agent = Agent {
        worker_id: state.worker_id,
        instance: Uuid::new_v4().to_string(),
        state_dir: state.path.clone(),
        place: state.place.clone(),
        looks: ticks(LOOK),
        dialogue: Dialogue::new(Ledger::new(config.capacity)),
        heartbeats: ticks(config.heartbeat),
        config,
        link,
        outgoing: None,
        supervisor,
        requests: None,
        waiting: VecDeque::new(),
        supervisor_is_current: true,
        supervisor_pid: 0,
    };
    let outcome = agent.work(&stop).await;
    agent.stop(outcome.as_ref().err()).await;
    // In this order: the link would make another connection of the one that goes with the agent.
    closing.cancel();
    // With the agent go the senders of both connections: their tasks come to their end.
    drop(agent);
    let deadline = Instant::now() + STOP_TASKS;
    let ended = timeout_at(deadline, async {
        let _ = supervisor_task.await;
        let _ = link_task.await;
    });
    if ended.await.is_err() {
        tracing::warn!("something of the worker did not end in time");
    }
    drop(state);
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
    state_dir: PathBuf,
    place: Place,
    looks: Interval,
    dialogue: Dialogue,
    link: mpsc::Receiver<LinkEvent>,
    /// To the connection, while there is one.
    outgoing: Option<mpsc::Sender<Message>>,
    supervisor: mpsc::Receiver<SupervisorEvent>,
    /// To the supervisor, while there is one.
    requests: Option<mpsc::Sender<ToSupervisor>>,
    /// What that has no room for yet.
    waiting: VecDeque<ToSupervisor>,
    supervisor_is_current: bool,
    supervisor_pid: u32,
    heartbeats: Interval,
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

    /// Takes no more commands, and gives the server a moment for the results that it has or is about to get.
    async fn stop(&mut self, because: Option<&Error>) {
        self.dialogue.ledger.stop();
        match self.dialogue.ledger.active() {
            0 => tracing::info!("stopping"),
            // It says itself what becomes of them.
            _ if matches!(because, Some(Error::StateGone { .. })) => {}
            running => tracing::warn!(
                running,
                supervisor = self.supervisor_pid,
                "stopping: the commands run on, and their results are delivered after the next start; to end them, \
                 abort their executions first, or end the supervisor"
            ),
        }
        let deadline = Instant::now() + STOP_ACKNOWLEDGE;
        while because.is_none() && self.outgoing.is_some() && self.dialogue.ledger.has_results() {
            if !matches!(timeout_at(deadline, self.step()).await, Ok(Ok(()))) {
                break;
            }
        }
        self.act();
        self.waiting.push_back(ToSupervisor::End);
        let Some(requests) = self.requests.take() else { return };
        let waiting = std::mem::take(&mut self.waiting);
        let _ = timeout_at(Instant::now() + STOP_REQUESTS, async {
            for request in waiting {
                requests.send(request).await.ok()?;
            }
            Some(())
        })
        .await;
    }

    /// Waits for one event and does everything that follows from it. Cancel safe: an event is taken and handled in one go.
    async fn step(&mut self) -> Result<(), Error> {
        self.act();
        let (outgoing, requests) = (self.outgoing.clone(), self.requests.clone());
        let has_message = self.dialogue.has_message();
        let may_read = self.dialogue.ledger.waiting_answers() < MOST_ANSWERS && self.waiting.len() < MOST_REQUESTS;
        tokio::select! {
            Some(event) = self.link.recv(), if may_read => self.on_link(event)?,
            Some(event) = self.supervisor.recv() => self.on_supervisor(event)?,
            is_open = has_room(outgoing.as_ref()), if outgoing.is_some() && has_message => {
                if !is_open {
                    self.disconnected();
                }
            }
            is_open = has_room(requests.as_ref()), if requests.is_some() && !self.waiting.is_empty() => {
                if !is_open {
                    self.requests = None;
                    self.dialogue.supervisor_fails();
                }
            }
            _ = self.heartbeats.tick(), if self.outgoing.is_some() && self.dialogue.is_greeted() => {
                self.heartbeat();
            }
            _ = self.looks.tick() => {
                if !self.place.is_there() {
                    return Err(Error::StateGone { path: self.state_dir.clone() });
                }
            }
        }
        self.act();
        Ok(())
    }

    /// Does what the ledger wants and there is room for.
    fn act(&mut self) {
        while let Some(effect) = self.dialogue.ledger.next_effect() {
            let request = match effect {
                Effect::Start(dispatch) => {
                    fault::point("worker.dispatched");
                    ToSupervisor::Start { dispatch }
                }
                Effect::Cancel(command_id, reason) => ToSupervisor::Cancel { command_id, reason },
                Effect::Acknowledge(command_id, seq) => ToSupervisor::Acknowledge { command_id, seq },
                Effect::Forget(command_id) => {
                    fault::point("worker.acknowledged");
                    ToSupervisor::Forget { command_id }
                }
            };
            self.waiting.push_back(request);
        }
        if let Some(requests) = &self.requests {
            while !self.waiting.is_empty()
                && let Ok(room) = requests.try_reserve()
                && let Some(request) = self.waiting.pop_front()
            {
                room.send(request);
            }
        }
        while self.dialogue.has_message()
            && let Some(Ok(room)) = self.outgoing.as_ref().map(mpsc::Sender::try_reserve)
            && let Some(message) = self.dialogue.next_message(|ledger| Hello {
                protocol: PROTOCOL,
                worker_id: self.worker_id,
                instance: self.instance.clone(),
                name: self.config.name.clone(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                labels: self.config.labels.clone(),
                capacity: self.config.capacity,
                metadata: metadata(ledger, self.config.capacity, &self.state_dir),
                commands: ledger.known(),
            })
        {
            room.send(message);
        }
    }

    /// Tells that the worker lives.
    fn heartbeat(&mut self) {
        let metadata = metadata(&self.dialogue.ledger, self.config.capacity, &self.state_dir);
        self.dialogue.ledger.heartbeat(metadata);
    }

    fn on_link(&mut self, event: LinkEvent) -> Result<(), Error> {
        match event {
            LinkEvent::Opened(outgoing) => {
                self.outgoing = Some(outgoing);
                self.dialogue.opened();
            }
            LinkEvent::Received(message) => match self.dialogue.hear(message) {
                Heard::Noted => {}
                Heard::Welcome { heartbeat_interval_ms } => {
                    self.heartbeats = ticks(link::heartbeat(heartbeat_interval_ms));
                }
                Heard::Drain => {
                    tracing::info!(running = self.dialogue.ledger.active(), "draining: taking no more commands");
                    self.heartbeat();
                }
            },
            LinkEvent::Closed => self.disconnected(),
            LinkEvent::Refused(error) => return Err(error),
        }
        Ok(())
    }

    fn disconnected(&mut self) {
        self.outgoing = None;
        self.dialogue.closed();
    }

    fn on_supervisor(&mut self, event: SupervisorEvent) -> Result<(), Error> {
        match event {
            SupervisorEvent::Ready(Ready { known, sender, pid, is_current }) => {
                let running = known.iter().filter(|(.., is_over)| !is_over).count();
                tracing::info!(pid, running, unacknowledged = known.len() - running, "the supervisor is there");
                (self.supervisor_is_current, self.supervisor_pid) = (is_current, pid);
                self.waiting.clear();
                if self.dialogue.supervised(known) {
                    self.outgoing = None;
                }
                self.requests = Some(sender);
            }
            SupervisorEvent::Gone => {
                tracing::warn!(pid = self.supervisor_pid, "the supervisor is gone: starting another");
                self.requests = None;
                self.waiting.clear();
                if self.dialogue.unsupervised() {
                    self.outgoing = None;
                }
            }
            SupervisorEvent::Piece(command_id, piece) => {
                let seq = piece.seq;
                self.dialogue.ledger.printed(command_id, seq, frame(command_id, piece));
            }
            SupervisorEvent::Message(message) => self.on_message(message),
            SupervisorEvent::Ended(error) => return Err(error),
        }
        Ok(())
    }

    fn on_message(&mut self, message: FromSupervisor) {
        match message {
            FromSupervisor::Accepted { command_id, execution_id } => {
                fault::point("worker.handed-over");
                self.dialogue.ledger.accepted(command_id, execution_id);
            }
            FromSupervisor::NotAccepted { command_id, reason } => {
                self.dialogue.ledger.not_accepted(command_id, &reason)
            }
            FromSupervisor::Over { command_id } => self.dialogue.ledger.over(command_id),
            FromSupervisor::Ended { command_id, end } => {
                fault::point("worker.told");
                self.dialogue.ledger.ended(command_id, *end);
            }
            FromSupervisor::Welcome { .. }
            | FromSupervisor::Known { .. }
            | FromSupervisor::Ready
            | FromSupervisor::Unknown => {}
        }
        if !self.supervisor_is_current && self.dialogue.ledger.active() == 0 {
            // It ends if really nothing runs, and one of this version takes its place.
            self.waiting.push_back(ToSupervisor::End);
        }
    }
}

/// What the worker tells of its machine and of itself.
fn metadata(ledger: &Ledger, capacity: u32, state_dir: &Path) -> serde_json::Map<String, serde_json::Value> {
    let mut metadata = machine::metadata(ledger.active(), capacity, state_dir);
    metadata.insert("draining".into(), ledger.is_draining().into());
    metadata
}

/// Waits for room in a channel. False when nobody takes anything out any more.
async fn has_room<T>(sender: Option<&mpsc::Sender<T>>) -> bool {
    match sender {
        Some(sender) => sender.reserve().await.is_ok(),
        None => false,
    }
}

/// The text of an output message's frame.
fn frame(command_id: CommandId, piece: Piece) -> tokio_tungstenite::tungstenite::Utf8Bytes {
    let Piece { seq, stream, data, gap_bytes } = piece;
    let message = FromWorker::Output { command_id, stream, seq, data, gap_bytes };
    serde_json::to_string(&message).expect("plain data becomes JSON").into()
}
