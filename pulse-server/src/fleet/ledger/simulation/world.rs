//! Both sides, the network between them, and what is done to all three.

use super::network::{Agenda, Connection, Way};
use super::random::Random;
use super::server::Server;
use super::worker::{Follows, Worker};
use crate::fleet::{SILENCE, Verdict};
use pulse_core::command::Outcome;
use pulse_core::ids::{CommandId, WorkerId};
use pulse_core::protocol::worker::{FromWorker, KnownCommand, ToWorker};
use pulse_core::time::Timestamp;
use pulse_worker::ledger::Message;
use std::collections::BTreeMap;

/// What the worker runs at once.
pub const CAPACITY: u32 = 3;
/// Commands of one run.
const COMMANDS: u64 = 40;
/// When the faults stop, in milliseconds.
const HEALED: u64 = 300_000;
/// When everything must have come to its end.
const OVER: u64 = HEALED + 900_000;

pub fn command_id(n: u64) -> CommandId {
    CommandId(uuid::Uuid::from_u128(u128::from(n)))
}

pub fn number(id: CommandId) -> u64 {
    u64::try_from(id.0.as_u128()).unwrap()
}

pub fn worker_id() -> WorkerId {
    WorkerId(uuid::Uuid::from_u128(1 << 100))
}

/// How much happened.
#[derive(Debug, Default)]
pub struct Tally {
    pub started: u64,
    cuts: u64,
    stalls: u64,
    silences: u64,
    server_crashes: u64,
    worker_crashes: u64,
    agent_crashes: u64,
    doubled: u64,
    stale: u64,
    aborts: u64,
    rejected: u64,
    lost: u64,
    late: u64,
    never_sent: u64,
}

impl Tally {
    pub fn add(&mut self, other: &Self) {
        self.started += other.started;
        self.cuts += other.cuts;
        self.stalls += other.stalls;
        self.silences += other.silences;
        self.server_crashes += other.server_crashes;
        self.worker_crashes += other.worker_crashes;
        self.agent_crashes += other.agent_crashes;
        self.doubled += other.doubled;
        self.stale += other.stale;
        self.aborts += other.aborts;
        self.rejected += other.rejected;
        self.lost += other.lost;
        self.late += other.late;
        self.never_sent += other.never_sent;
    }

    pub fn faults(&self) -> [(&'static str, u64); 13] {
        [
            ("a cut", self.cuts),
            ("a stall", self.stalls),
            ("a long silence", self.silences),
            ("a crash of the server", self.server_crashes),
            ("a crash of the worker", self.worker_crashes),
            ("a crash of the agent alone", self.agent_crashes),
            ("a doubled dispatch", self.doubled),
            ("a message of a replaced connection", self.stale),
            ("an abort", self.aborts),
            ("a rejected command", self.rejected),
            ("a command given up as lost", self.lost),
            ("a result after that", self.late),
            ("a command cancelled before it was sent", self.never_sent),
        ]
    }
}

enum Event {
    Submit(u64),
    Abort(u64),
    Fault,
    Heal,
    Connect,
    Heartbeat(u64),
    /// The worker's end of a connection is over.
    WorkerNotices(u64),
    /// The server's end of a connection is over.
    ServerNotices(u64),
    ToServer(u64, Said),
    ToWorker(u64, ToWorker),
    /// The server has stored the worker's record.
    Greeted {
        life: u64,
        connection: u64,
        known: Vec<KnownCommand>,
    },
    Welcomed {
        life: u64,
        session: u64,
    },
    Committed {
        life: u64,
        connection: u64,
        what: Kept,
    },
    Written(u64),
    Process {
        life: u64,
        n: u64,
    },
    Stopped {
        life: u64,
        n: u64,
    },
    Tick(u64),
    ServerRestarts,
    WorkerRestarts,
}

/// What a worker says on a connection.
enum Said {
    Hello(Vec<KnownCommand>),
    Message(Message),
}

enum Kept {
    Output { n: u64, seq: u64 },
    Result { n: u64, outcome: Outcome },
    Verdict(Verdict),
}

pub struct World {
    random: Random,
    agenda: Agenda<Event>,
    server: Server,
    worker: Worker,
    connections: BTreeMap<u64, Connection>,
    /// The connection that the worker has open, and whether it was welcomed on it.
    open: Option<(u64, bool)>,
    /// The connection that the server's ledger speaks on.
    current: Option<u64>,
    /// Commits of one command, and writes of the worker's disk, come in order.
    last_commit: BTreeMap<u64, u64>,
    last_write: u64,
    tally: Tally,
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut world = Self {
            random: Random::new(seed),
            agenda: Agenda::new(),
            server: Server::new(),
            worker: Worker::new(),
            connections: BTreeMap::new(),
            open: None,
            current: None,
            last_commit: BTreeMap::new(),
            last_write: 0,
            tally: Tally::default(),
        };
        let mut at = 0;
        for n in 1..=COMMANDS {
            at += world.random.below(2 * HEALED / COMMANDS / 2);
            world.agenda.at(at, Event::Submit(n));
            if world.random.one_in(3) {
                let delay = world.random.below(40_000);
                world.agenda.at(at + delay, Event::Abort(n));
            }
        }
        // Some runs are calm, some are not.
        let faults = world.random.below(30);
        for _ in 0..faults {
            let at = world.random.below(HEALED);
            world.agenda.at(at, Event::Fault);
        }
        world.agenda.at(HEALED, Event::Heal);
        world.agenda.at(0, Event::Connect);
        world.agenda.at(0, Event::Tick(0));
        world
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.agenda.now).unwrap())
    }

    /// Runs to the end and checks that it is one.
    pub fn run(mut self) -> Tally {
        while self.agenda.now < OVER
            && let Some(event) = self.agenda.next()
        {
            self.happens(event);
            self.act();
            if self.agenda.now > HEALED && self.is_over() {
                break;
            }
        }
        let open: Vec<_> = self.server.journal.iter().filter(|(_, j)| j.end.is_none() && !j.aborted).collect();
        assert!(open.is_empty(), "without an end: {open:?} {:?}", self.server.ledger);
        assert!(self.worker.ledger.known().is_empty(), "not acknowledged: {:?}", self.worker.ledger);
        assert!(self.server.ledger.len() == 0 && self.server.ledger.busy() == 0, "stuck: {:?}", self.server.ledger);
        for (n, journaled) in &self.server.journal {
            let started = self.worker.started.contains(n);
            assert!(!started || journaled.told.is_some(), "the result of {n} was lost: {journaled:?}");
            let never_ran = matches!(journaled.end, Some(Outcome::Cancelled)) && journaled.told.is_none();
            assert!(!(never_ran && started), "{n} ran and is said not to have: {journaled:?}");
            self.tally.never_sent += u64::from(never_ran);
            self.tally.late +=
                u64::from(journaled.end == Some(Outcome::Lost) && journaled.told.is_some_and(|t| t != Outcome::Lost));
        }
        self.tally.started += self.worker.started.len() as u64;
        self.tally.rejected += self.worker.rejected.len() as u64;
        self.tally
    }

    fn is_over(&self) -> bool {
        self.server.journal.len() as u64 == COMMANDS
            && self.server.journal.values().all(|journaled| journaled.end.is_some() || journaled.aborted)
            && self.worker.ledger.known().is_empty()
            && self.server.ledger.len() == 0
            && self.server.ledger.busy() == 0
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::Submit(n) if !self.server.up => self.agenda.after(1_000, Event::Submit(n)),
            Event::Submit(n) => {
                let timeout_ms = self.random.between(1_000, 60_000);
                // Whoever submits later comes later, whatever happened meanwhile.
                match self.server.journal.last_key_value() {
                    Some((last, _)) if last + 1 != n => self.agenda.after(1_000, Event::Submit(n)),
                    _ => self.server.submit(n, timeout_ms, self.now()),
                }
            }
            Event::Abort(n) => {
                if self.server.up && self.server.abort(n) {
                    self.tally.aborts += 1;
                }
            }
            Event::Fault => self.fault(),
            Event::Heal => self.connections.values_mut().for_each(Connection::heal),
            Event::Connect => self.connect(),
            Event::Heartbeat(connection) => {
                if self.open == Some((connection, true)) {
                    self.worker.ledger.heartbeat(serde_json::Map::new());
                    self.agenda.after(15_000, Event::Heartbeat(connection));
                }
            }
            Event::WorkerNotices(connection) => self.worker_notices(connection),
            Event::ServerNotices(connection) => self.server_notices(connection),
            Event::ToServer(connection, said) => self.server_hears(connection, said),
            Event::ToWorker(connection, message) => self.worker_hears(connection, message),
            Event::Greeted { life, connection, known } => self.greeted(life, connection, &known),
            Event::Welcomed { life, session } => {
                if life == self.server.life {
                    self.server.ledger.welcomed(session);
                }
            }
            Event::Committed { life, connection, what } => self.committed(life, connection, what),
            Event::Written(life) if life == self.worker.life => {
                let fails = self.agenda.now < HEALED && self.random.one_in(40);
                let follows = self.worker.written(fails, &mut self.random);
                self.follow(follows);
            }
            Event::Process { life, n } if life == self.worker.life => {
                let (goes_on, follows) = self.worker.goes_on(n);
                self.follow(follows);
                if goes_on {
                    let delay = self.random.between(1, 8_000);
                    self.agenda.after(delay, Event::Process { life, n });
                }
            }
            Event::Stopped { life, n } if life == self.worker.life => {
                let follows = self.worker.end(n, Outcome::Cancelled);
                self.follow(follows);
            }
            Event::Written(_) | Event::Process { .. } | Event::Stopped { .. } => {}
            Event::Tick(life) => {
                if life == self.server.life {
                    let _ = self.server.ledger.tick(self.now());
                    self.agenda.after(1_000, Event::Tick(life));
                }
            }
            Event::ServerRestarts => {
                self.server.restart(self.now());
                self.agenda.after(0, Event::Tick(self.server.life));
            }
            Event::WorkerRestarts => {
                self.worker.restart();
                self.agenda.after(0, Event::Connect);
            }
        }
    }

    fn fault(&mut self) {
        match self.random.below(11) {
            0 | 1 if self.server.up => {
                self.tally.server_crashes += 1;
                self.server.crash();
                self.current = None;
                let open: Vec<u64> = self.connections.keys().copied().collect();
                for connection in open {
                    self.end(connection, 2_000);
                }
                let delay = self.random.between(100, 90_000);
                self.agenda.after(delay, Event::ServerRestarts);
            }
            2 | 10 if self.worker.up => {
                let with_supervisor = self.random.one_in(2);
                self.tally.worker_crashes += u64::from(with_supervisor);
                self.tally.agent_crashes += u64::from(!with_supervisor);
                self.worker.crash(with_supervisor);
                if let Some((connection, _)) = self.open.take() {
                    self.end(connection, 40_000);
                }
                let delay = self.random.between(100, 250_000);
                self.agenda.after(delay, Event::WorkerRestarts);
            }
            // What the worker has sent arrives only after it has given the connection up and opened another.
            3 | 4 => {
                let Some((connection, _)) = self.open else { return };
                self.tally.stalls += 1;
                let delay = self.random.between(3_000, 30_000);
                self.connections.get_mut(&connection).unwrap().stall(Way::ToServer, delay);
                let worker = self.random.below(3_000);
                self.agenda.after(worker, Event::WorkerNotices(connection));
            }
            // The server believes the worker silent, then hears all of it.
            5 => {
                let Some((connection, _)) = self.open else { return };
                self.tally.silences += 1;
                let delay = self.random.between(46_000, 88_000);
                self.connections.get_mut(&connection).unwrap().stall(Way::ToServer, delay);
            }
            6.. => {
                let Some((connection, _)) = self.open else { return };
                self.tally.cuts += 1;
                // In one direction, or in both; in one the other goes on for a while.
                let ways = [&[Way::ToServer][..], &[Way::ToWorker], &[Way::ToServer, Way::ToWorker]];
                for way in ways[usize::try_from(self.random.below(3)).unwrap()] {
                    self.connections.get_mut(&connection).unwrap().cut(*way);
                }
                let longest = if self.random.one_in(3) { 200_000 } else { 5_000 };
                self.end(connection, longest);
            }
            _ => {}
        }
    }

    /// Both ends notice the end of a connection, each in its time. What is on its way still arrives, if it is not cut.
    fn end(&mut self, connection: u64, longest: u64) {
        let (worker, server) = (self.random.below(longest), self.random.below(longest));
        self.agenda.after(worker, Event::WorkerNotices(connection));
        self.agenda.after(server, Event::ServerNotices(connection));
    }

    fn connect(&mut self) {
        if !self.worker.up || self.open.is_some() {
            return;
        }
        if !self.server.up {
            let delay = self.random.between(500, 30_000);
            return self.agenda.after(delay, Event::Connect);
        }
        let connection = self.connections.last_key_value().map_or(0, |(last, _)| last + 1);
        self.connections.insert(connection, Connection::default());
        self.open = Some((connection, false));
        self.say_to_server(connection, Said::Hello(self.worker.ledger.known()));
    }

    fn backoff(&mut self) -> u64 {
        if self.random.one_in(2) { self.random.between(500, 2_000) } else { self.random.between(500, 30_000) }
    }

    fn worker_notices(&mut self, connection: u64) {
        if self.open.is_some_and(|(open, _)| open == connection) {
            self.open = None;
            self.worker.ledger.disconnected();
            // Nothing comes back on it; what it has sent may still arrive.
            self.connections.get_mut(&connection).unwrap().cut(Way::ToWorker);
            let (backoff, longest) = (self.backoff(), 60_000);
            self.agenda.after(backoff, Event::Connect);
            let server = self.random.below(longest);
            self.agenda.after(server, Event::ServerNotices(connection));
        }
    }

    fn server_notices(&mut self, connection: u64) {
        if let Some(session) = self.server.sessions.remove(&connection) {
            self.server.ledger.gone(session.id);
            if self.current == Some(connection) {
                self.current = None;
            }
            self.connections.get_mut(&connection).unwrap().cut(Way::ToServer);
            let longest = self.random.below(10_000);
            self.agenda.after(longest, Event::WorkerNotices(connection));
        }
    }

    fn say_to_server(&mut self, connection: u64, said: Said) {
        let now = self.agenda.now;
        let Some(way) = self.connections.get_mut(&connection) else { return };
        if let Some(at) = way.arrival(Way::ToServer, now, &mut self.random) {
            self.agenda.at(at, Event::ToServer(connection, said));
        }
    }

    fn say_to_worker(&mut self, connection: u64, message: ToWorker) {
        let now = self.agenda.now;
        let Some(way) = self.connections.get_mut(&connection) else { return };
        if let Some(at) = way.arrival(Way::ToWorker, now, &mut self.random) {
            if let ToWorker::Dispatch(dispatch) = &message
                && self.random.one_in(10)
            {
                self.tally.doubled += 1;
                self.worker.doubled.insert(number(dispatch.command_id));
                self.agenda.at(at, Event::ToWorker(connection, message.clone()));
            }
            self.agenda.at(at, Event::ToWorker(connection, message));
        }
    }

    fn server_hears(&mut self, connection: u64, said: Said) {
        if !self.server.up || self.connections.get_mut(&connection).is_none_or(|c| c.is_cut(Way::ToServer)) {
            return;
        }
        let message = match said {
            Said::Hello(known) => {
                self.server.greeted(connection, &known);
                let delay = if self.random.one_in(4) { self.random.below(30_000) } else { self.random.below(20) };
                return self.agenda.after(delay, Event::Greeted { life: self.server.life, connection, known });
            }
            Said::Message(message) => message,
        };
        let Some(session) = self.server.sessions.get(&connection).map(|session| session.id) else { return };
        self.tally.stale += u64::from(self.current.is_some_and(|current| current != connection));
        self.server.ledger.heard(session, self.now());
        match message {
            Message::Frame(text) => {
                let (n, seq) = text.split_once(' ').unwrap();
                let (n, seq) = (n.parse().unwrap(), seq.parse().unwrap());
                if !self.server.knows(connection, command_id(n)) {
                    // The session ends over this, which is right for one that was replaced only.
                    assert!(self.current != Some(connection), "output of {n}, which the session does not know");
                    return self.server_notices(connection);
                }
                self.commit(connection, n, Kept::Output { n, seq });
            }
            Message::Plain(message) => match *message {
                FromWorker::Accepted { command_id } => self.server.ledger.accepted(session, command_id),
                FromWorker::Rejected { command_id, reason } => {
                    assert!(reason.contains("no space"), "{} was rejected: {reason}", number(command_id));
                    self.server.ledger.rejected(session, command_id);
                }
                FromWorker::Result { command_id, end } => {
                    let n = number(command_id);
                    let known = self.server.knows(connection, command_id);
                    self.server.ledger.finishing(command_id);
                    if known {
                        return self.commit(connection, n, Kept::Result { n, outcome: end.outcome });
                    }
                    // An acknowledgement on a connection that was replaced does not reach the worker.
                    let is_told = self.server.journal[&n].told.is_some();
                    assert!(is_told || self.current != Some(connection), "the result of {n} is thrown away");
                    self.say_to_worker(connection, ToWorker::Ack { command_id, output_seq: None });
                }
                FromWorker::Heartbeat { .. } | FromWorker::Output { .. } | FromWorker::Hello(_) => {}
            },
        }
    }

    fn greeted(&mut self, life: u64, connection: u64, known: &[KnownCommand]) {
        if life != self.server.life {
            return;
        }
        let Some(session) = self.server.sessions.get(&connection).map(|session| session.id) else { return };
        if !self.server.ledger.hello(session, known, self.now()) {
            return self.end(connection, 100);
        }
        if let Some(older) = self.current.replace(connection) {
            // Its task is told to end; until it does, it reads on.
            self.end(older, 8_000);
        }
        self.say_to_worker(connection, ToWorker::Welcome { session: String::new(), heartbeat_interval_ms: 15_000 });
        let delay = self.random.below(20);
        self.agenda.after(delay, Event::Welcomed { life, session });
    }

    fn worker_hears(&mut self, connection: u64, message: ToWorker) {
        let cut = self.connections.get_mut(&connection).is_none_or(|c| c.is_cut(Way::ToWorker));
        let Some((open, welcomed)) = self.open.filter(|_| !cut && self.worker.up) else { return };
        if open != connection {
            return;
        }
        if matches!(message, ToWorker::Welcome { .. }) {
            self.open = Some((connection, true));
            self.worker.ledger.connected();
            self.agenda.after(15_000, Event::Heartbeat(connection));
        } else {
            assert!(welcomed, "something was said before the welcome");
            self.worker.ledger.received(message);
        }
    }

    /// Commits of one command come in order.
    fn commit(&mut self, connection: u64, n: u64, what: Kept) {
        let delay = if self.random.one_in(30) { self.random.below(5_000) } else { self.random.below(15) };
        let last = self.last_commit.entry(n).or_default();
        *last = (*last).max(self.agenda.now + delay);
        self.agenda.at(*last, Event::Committed { life: self.server.life, connection, what });
    }

    fn committed(&mut self, life: u64, connection: u64, what: Kept) {
        if life != self.server.life {
            return;
        }
        let (n, output_seq) = match what {
            Kept::Output { n, seq } => {
                self.server.commit_output(n, seq);
                (n, Some(seq))
            }
            Kept::Result { n, outcome } => {
                self.server.commit_result(n, outcome);
                (n, None)
            }
            Kept::Verdict(verdict) => {
                self.tally.lost += u64::from(verdict.end.outcome == Outcome::Lost);
                return self.server.commit_verdict(&verdict);
            }
        };
        if self.server.sessions.contains_key(&connection) {
            self.say_to_worker(connection, ToWorker::Ack { command_id: command_id(n), output_seq });
        }
    }

    /// Everything that the two ledgers want done.
    fn act(&mut self) {
        let now = self.now();
        if self.server.up {
            while let Some(connection) = self.current
                && let Some(message) = self.server.next_message(now)
            {
                self.say_to_worker(connection, message);
            }
            while let Some(verdict) = self.server.ledger.next_end() {
                let n = number(verdict.command_id);
                self.commit(u64::MAX, n, Kept::Verdict(verdict));
            }
            let silence = self.server.ledger.silence(now);
            if let Some(connection) = self.current.filter(|_| silence.is_some_and(|silence| silence > SILENCE * 2)) {
                self.server_notices(connection);
            }
        }
        while self.worker.up
            && let Some(follows) = self.worker.next_effect()
        {
            self.follow(Some(follows));
        }
        while let Some((connection, true)) = self.open
            && let Some(message) = self.worker.ledger.next_message()
        {
            self.say_to_server(connection, Said::Message(message));
        }
    }

    fn follow(&mut self, follows: Option<Follows>) {
        let life = self.worker.life;
        match follows {
            None => {}
            Some(Follows::Write) => {
                let delay = if self.random.one_in(20) { self.random.below(4_000) } else { self.random.below(20) };
                self.last_write = self.last_write.max(self.agenda.now + delay);
                self.agenda.at(self.last_write, Event::Written(life));
            }
            Some(Follows::Run(n)) => {
                let delay = self.random.between(1, 8_000);
                self.agenda.after(delay, Event::Process { life, n });
            }
            Some(Follows::Stop(n)) => {
                let delay = self.random.below(5_000);
                self.agenda.after(delay, Event::Stopped { life, n });
            }
        }
    }
}
