//! The task that owns everything a supervisor knows: it takes events from the agent, the commands and the log, lets the
//! [`Book`] decide and the [`Feed`] choose what to send, and does what they say. It waits for none of them.

use super::book::{Book, Effect};
use super::command::{self, Shared};
use super::feed::{self, Feed, Next};
use super::outputs;
use super::protocol::{self, FromSupervisor, ToSupervisor};
use super::session::{self, Session};
use crate::runner::{Environment, Piece, Reaper, Request, Stop};
use crate::spool::{Kept, Spool};
use crate::state::{Entry, Place, Unacknowledged, Written};
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::fault;
use pulse_core::ids::CommandId;
use pulse_core::protocol::worker::Dispatch;
use pulse_core::text::one_line;
use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::BufReader;
use tokio::net::UnixListener;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

/// Events that may wait for the keeper. Whoever has one waits when it is full.
const EVENTS: usize = 64;
/// No output is read for the agent while so many bytes of frames wait.
const MOST_PENDING: usize = 512 * 1024;
/// How long it lives without an agent and without a command.
const LINGER: Duration = Duration::from_secs(2);
/// How often it is looked after what needs no event: output that is only in memory, orphans, whether it may end.
const TICK: Duration = Duration::from_secs(1);
/// Longest time between TERM and KILL when the supervisor itself is told to end.
const STOP_GRACE: Duration = Duration::from_secs(4);
/// Such a stop takes no longer than this.
const STOP: Duration = Duration::from_secs(8);

/// What a supervisor begins with.
pub struct Setup {
    /// Answers agents.
    pub listener: UnixListener,
    /// What a former process left.
    pub results: Vec<Unacknowledged>,
    /// To the log.
    pub log: mpsc::Sender<Entry>,
    /// What is durable.
    pub written: mpsc::Receiver<Vec<Written>>,
    /// The log's thread.
    pub log_thread: JoinHandle<()>,
    /// By the lock file, whether the directory is still there.
    pub place: Place,
    /// Finds processes that are left behind.
    pub reaper: Option<Arc<Reaper>>,
    /// The state directory.
    pub dir: PathBuf,
    /// Somebody wants the supervisor and everything it runs to end.
    pub stop: CancellationToken,
}

/// What happens.
pub enum Event {
    /// A command printed: up to this number there is something to send.
    Printed { command_id: CommandId, last: u64 },
    /// A command's process has ended.
    Ended { command_id: CommandId, end: CommandEnd, kept: Kept, last: u64 },
    /// Output was read for the agent.
    Read { command_id: CommandId, pieces: io::Result<Vec<Piece>> },
    /// An agent said hello in a version that is spoken.
    Connected { environment: Environment, reader: BufReader<OwnedReadHalf>, writer: OwnedWriteHalf },
    /// The agent said something.
    Said { session: u64, message: ToSupervisor },
    /// The agent is gone.
    Gone { session: u64 },
}

struct Running {
    stop: watch::Sender<Option<Stop>>,
    grace: Duration,
    started: Instant,
}

struct Keeper {
    book: Book,
    feed: Feed,
    running: HashMap<CommandId, Running>,
    environment: Option<Environment>,
    reaper: Option<Arc<Reaper>>,
    dir: PathBuf,
    log: mpsc::Sender<Entry>,
    /// What the log has no room for yet.
    entries: VecDeque<Entry>,
    events: mpsc::Sender<Event>,
    session: Option<Session>,
    sessions: u64,
    /// Frames for the agent.
    pending: Vec<u8>,
    /// Since when there is no agent.
    alone_since: Instant,
    /// The agent wants it to end, if nothing runs.
    may_end: bool,
}

/// Runs until it may end.
pub async fn run(setup: Setup) {
    let Setup { listener, results, log, mut written, log_thread, place, reaper, dir, stop } = setup;
    let (events, mut from_all) = mpsc::channel(EVENTS);
    let mut keeper = Keeper {
        book: Book::default(),
        feed: Feed::default(),
        running: HashMap::new(),
        environment: None,
        reaper,
        dir,
        log,
        entries: VecDeque::new(),
        events,
        session: None,
        sessions: 0,
        pending: Vec::new(),
        alone_since: Instant::now(),
        may_end: false,
    };
    keeper.take_over(results);
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut deadline = None;
    while !keeper.is_over() && deadline.is_none_or(|deadline| Instant::now() < deadline) {
        let (log, outgoing) = (keeper.log.clone(), keeper.session.as_ref().map(|session| session.outgoing().clone()));
        tokio::select! {
            Some(event) = from_all.recv() => keeper.on_event(event),
            Some(written) = written.recv() => written.into_iter().for_each(|written| keeper.on_written(written)),
            Ok((stream, _)) = listener.accept() => session::greet(stream, keeper.events.clone()),
            room = log.reserve(), if !keeper.entries.is_empty() => {
                if room.is_err() {
                    // Nothing could be promised any more. The next supervisor gives up what ran.
                    tracing::error!("the thread that writes the log is gone: ending everything");
                    break;
                }
            }
            Some(room) = session::room(outgoing.as_ref()), if !keeper.pending.is_empty() => {
                room.send(std::mem::take(&mut keeper.pending));
            }
            _ = ticks.tick() => {
                keeper.look_after();
                if deadline.is_none() && !place.is_there() {
                    tracing::warn!("the state directory is gone: ending everything");
                    stop.cancel();
                }
            }
            () = stop.cancelled(), if deadline.is_none() => {
                deadline = Some(Instant::now() + STOP);
                keeper.end_everything();
            }
            () = sleep_until(deadline.unwrap_or_else(Instant::now)), if deadline.is_some() => {}
        }
        keeper.act();
    }
    drop(listener);
    if let Some(reaper) = &keeper.reaper {
        reaper.kill_everything();
    }
    let Keeper { log, session, pending, .. } = keeper;
    if let Some(session) = &session {
        let _ = timeout(Duration::from_millis(200), session.outgoing().send(pending)).await;
    }
    drop((log, session));
    let _ = timeout_at(Instant::now() + STOP, log_thread).await;
}

impl Keeper {
    fn take_over(&mut self, results: Vec<Unacknowledged>) {
        for Unacknowledged { command_id, kept, .. } in &results {
            match Spool::reopen(outputs::of(&self.dir, *command_id), kept) {
                Ok(spool) => {
                    let (acknowledged, last) = (spool.acknowledged(), spool.last());
                    self.feed.add(*command_id, Shared::new(spool), acknowledged, last);
                }
                Err(error) => {
                    tracing::error!(%command_id, %error, "the output that was kept cannot be read");
                    let spool = Spool::new(outputs::of(&self.dir, *command_id), 0);
                    self.feed.add(*command_id, Shared::new(spool), 0, 0);
                }
            }
        }
        self.book = Book::new(results);
    }

    fn is_over(&self) -> bool {
        let is_idle = self.running.is_empty() && self.book.is_quiet() && self.entries.is_empty();
        is_idle && (self.may_end || (self.session.is_none() && self.alone_since.elapsed() >= LINGER))
    }

    fn on_event(&mut self, event: Event) {
        match event {
            Event::Printed { command_id, last } => self.feed.printed(command_id, last),
            Event::Ended { command_id, end, kept, last } => {
                tracing::debug!(%command_id, end = %one_line(&end.describe()), "command ended");
                self.running.remove(&command_id);
                self.feed.printed(command_id, last);
                self.book.ended(command_id, end, kept);
            }
            Event::Read { command_id, pieces } => self.on_read(command_id, pieces),
            Event::Connected { environment, reader, writer } => self.connected(environment, reader, writer),
            Event::Said { session, message } if self.is_current(session) => self.on_message(message),
            Event::Gone { session } if self.is_current(session) => self.gone(),
            Event::Said { .. } | Event::Gone { .. } => {}
        }
    }

    fn is_current(&self, number: u64) -> bool {
        self.session.as_ref().is_some_and(|session| session.number() == number)
    }

    fn on_message(&mut self, message: ToSupervisor) {
        match message {
            ToSupervisor::Start { dispatch } => {
                self.may_end = false;
                self.book.start(dispatch);
            }
            ToSupervisor::Cancel { command_id, reason } => self.book.cancel(command_id, reason),
            ToSupervisor::Acknowledge { command_id, seq } => {
                if let Some(spool) = self.feed.acknowledged(command_id, seq) {
                    match spool.in_memory() {
                        Some(mut spool) => spool.acknowledge(seq),
                        None => drop(spool.waiting(move |spool| spool.acknowledge(seq))),
                    }
                }
            }
            ToSupervisor::Forget { command_id } => self.book.forget(command_id),
            ToSupervisor::End => self.may_end = true,
            ToSupervisor::Hello { .. } | ToSupervisor::Unknown => {}
        }
    }

    fn on_written(&mut self, written: Written) {
        match written {
            Written::Accepted(command_id) => {
                fault::point("supervisor.accepted");
                self.book.acceptance_written(command_id);
            }
            Written::NotAccepted(command_id, reason) => self.book.acceptance_failed(command_id, &reason),
            Written::Finished(command_id) => {
                fault::point("supervisor.finished");
                self.book.result_written(command_id);
            }
        }
    }

    fn act(&mut self) {
        while let Some(effect) = self.book.next_effect() {
            match effect {
                Effect::Log(entry) => {
                    match entry {
                        Entry::Accepted { .. } => fault::point("supervisor.accept"),
                        Entry::Forgotten { .. } => fault::point("supervisor.forget"),
                        Entry::Finished { .. } => {}
                    }
                    self.entries.push_back(entry);
                }
                Effect::Spawn(dispatch) => self.spawn(*dispatch),
                Effect::Stop(command_id, reason) => self.stop(command_id, Outcome::Cancelled, reason, Duration::MAX),
                Effect::Accepted(command_id, execution_id) => {
                    self.tell(&FromSupervisor::Accepted { command_id, execution_id });
                }
                Effect::NotAccepted(command_id, reason) => {
                    self.tell(&FromSupervisor::NotAccepted { command_id, reason })
                }
                Effect::Ended(command_id) => {
                    // One that never ran has no output.
                    if self.feed.get(command_id).is_none() {
                        let spool = Spool::new(outputs::of(&self.dir, command_id), 0);
                        self.feed.add(command_id, Shared::new(spool), 0, 0);
                    }
                    // Its end comes next, or else when its output has come through.
                    if !self.feed.has_end(command_id) {
                        self.tell(&FromSupervisor::Over { command_id });
                    }
                }
                Effect::Remove(command_id) => {
                    if let Some(spool) = self.feed.remove(command_id)
                        && spool.in_memory().is_none()
                    {
                        spool.waiting(Spool::remove);
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
        self.send();
    }

    /// Gathers what there is to send, and hands it to the socket if that has room.
    fn send(&mut self) {
        if self.session.is_none() {
            return self.pending.clear();
        }
        while self.pending.len() < MOST_PENDING
            && let Some(next) = self.feed.next()
        {
            match next {
                Next::Read(command_id, after) => self.read(command_id, after),
                Next::End(command_id) => {
                    if let Some(end) = self.book.end(command_id) {
                        let end = Box::new(CommandEnd::clone(end));
                        self.tell(&FromSupervisor::Ended { command_id, end });
                    }
                }
            }
        }
        if !self.pending.is_empty()
            && let Some(Ok(room)) = self.session.as_ref().map(|session| session.outgoing().try_reserve())
        {
            room.send(std::mem::take(&mut self.pending));
        }
    }

    fn read(&mut self, command_id: CommandId, after: u64) {
        let Some(outlet) = self.feed.get(command_id) else { return };
        let in_memory = outlet.spool.in_memory().map(|mut spool| spool.read(after, feed::READ));
        if let Some(pieces) = in_memory {
            return self.on_read(command_id, pieces);
        }
        let reading = outlet.spool.waiting(move |spool| spool.read(after, feed::READ));
        let events = self.events.clone();
        tokio::spawn(async move {
            let pieces = reading.await.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
            let _ = events.send(Event::Read { command_id, pieces }).await;
        });
    }

    fn on_read(&mut self, command_id: CommandId, pieces: io::Result<Vec<Piece>>) {
        match pieces {
            Ok(pieces) => {
                for piece in self.feed.read(command_id, pieces) {
                    protocol::piece(&mut self.pending, command_id, &piece);
                }
            }
            Err(error) => {
                tracing::warn!(%command_id, %error, "output that was kept cannot be read, trying again");
                self.feed.could_not_read(command_id);
            }
        }
    }

    fn tell(&mut self, message: &FromSupervisor) {
        if self.session.is_some() {
            protocol::message(&mut self.pending, message);
        }
    }

    fn spawn(&mut self, dispatch: Dispatch) {
        let Dispatch { command_id, execution_id, step, attempt, spec, kill_grace_ms, mask, output_limit_bytes } =
            dispatch;
        tracing::debug!(%command_id, %execution_id, step = %one_line(step.as_str()), %attempt, "command starts");
        let Some(environment) = self.environment.clone() else { return };
        let environment = match &self.reaper {
            Some(reaper) => environment.with_reaper(reaper.clone()),
            None => environment,
        };
        let spool = Shared::new(Spool::new(outputs::of(&self.dir, command_id), output_limit_bytes));
        self.feed.add(command_id, spool.clone(), 0, 0);
        let grace = Duration::from_millis(kill_grace_ms);
        let (stop, stopped) = watch::channel(None);
        self.running.insert(command_id, Running { stop, grace, started: Instant::now() });
        let request = Request { command_id, spec, kill_grace: grace, mask };
        tokio::spawn(command::run(request, environment, spool, stopped, self.events.clone()));
    }

    fn stop(&self, command_id: CommandId, outcome: Outcome, reason: String, longest: Duration) {
        if let Some(running) = self.running.get(&command_id) {
            let grace = running.grace.min(longest);
            running.stop.send_replace(Some(Stop { outcome, reason, grace }));
        }
    }

    fn end_everything(&mut self) {
        tracing::info!(commands = self.running.len(), "stopping: ending the commands that run");
        self.may_end = true;
        self.book.close();
        for command_id in self.running.keys() {
            self.stop(
                *command_id,
                Outcome::Lost,
                "the worker's supervisor was stopped while it ran".into(),
                STOP_GRACE,
            );
        }
    }

    fn look_after(&mut self) {
        if let Some(reaper) = &self.reaper {
            reaper.reap_orphans();
        }
        for (command_id, running) in &self.running {
            if running.started.elapsed() >= TICK
                && let Some(outlet) = self.feed.get(*command_id)
                && outlet.spool.in_memory().is_some_and(|spool| spool.has_unwritten())
            {
                // Then it is in the page cache at least, whatever becomes of this process. Without room it is tried again.
                outlet.spool.waiting(Spool::write_out);
            }
        }
        self.feed.try_again();
    }

    /// An agent takes the place of another: there is one per state directory, so the other is dead or about to notice.
    fn connected(&mut self, environment: Environment, reader: BufReader<OwnedReadHalf>, writer: OwnedWriteHalf) {
        self.environment = Some(environment);
        self.sessions += 1;
        self.pending.clear();
        self.session = Some(Session::new(self.sessions, reader, writer, self.events.clone()));
        self.may_end = false;
        for (command_id, execution_id, is_over) in self.book.known().collect::<Vec<_>>() {
            self.tell(&FromSupervisor::Known { command_id, execution_id, is_over });
        }
        self.tell(&FromSupervisor::Ready);
        let book = &self.book;
        self.feed.connected(|command_id| book.end(command_id).is_some());
    }

    fn gone(&mut self) {
        tracing::debug!("the agent is gone");
        self.session = None;
        self.pending.clear();
        self.alone_since = Instant::now();
        self.feed.disconnected();
    }
}
