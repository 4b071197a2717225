//! Both sides and the network between them, and how a run goes.

use super::network::{Agenda, Connection};
use super::random::Random;
use super::server::{Journaled, Server};
use super::tally::Tally;
use super::worker::{Follows, Worker, hello};
use crate::fleet::{LOST_GRACE, SILENCE, Verdict};
use pulse_core::command::Outcome;
use pulse_core::ids::{CommandId, WorkerId};
use pulse_core::protocol::worker::{KnownCommand, ToWorker};
use pulse_core::time::Timestamp;
use pulse_worker::ledger::{Message, Opening};
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

pub enum Event {
    Submit(u64),
    Abort(u64),
    Delete(u64),
    Fault,
    Heal,
    Connect,
    Heartbeat(u64),
    /// The worker's end of a connection is over.
    WorkerNotices(u64),
    /// The server's end of a connection is over.
    ServerNotices(u64),
    ToServer(u64, Message),
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
    /// An administrator lets the worker take commands again.
    Undrain,
    /// The execution of a command that was asked about has decided, and that is durable.
    Decided {
        life: u64,
        n: u64,
    },
    ServerRestarts,
    WorkerRestarts,
}

pub enum Kept {
    Output { follower: u64, n: u64, seq: u64 },
    Result { follower: u64, n: u64, outcome: Outcome },
    Verdict(Verdict),
}

pub struct World {
    pub random: Random,
    pub agenda: Agenda<Event>,
    pub server: Server,
    pub worker: Worker,
    pub connections: BTreeMap<u64, Connection>,
    /// The connection that the worker has open, and what has come on it.
    pub open: Option<(u64, Opening)>,
    /// The connection that the server's ledger speaks on.
    pub current: Option<u64>,
    /// Commits of one command, and writes of the worker's disk, come in order.
    pub last_commit: BTreeMap<u64, u64>,
    pub last_write: u64,
    pub tally: Tally,
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

    pub fn now(&self) -> Timestamp {
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
        let open: Vec<_> = self.server.journal.iter().filter(|(_, j)| j.is_open()).collect();
        assert!(open.is_empty(), "without an end: {open:?} {:?}", self.server.ledger);
        assert!(self.worker.dialogue.ledger.known().is_empty(), "not acknowledged: {:?}", self.worker.dialogue.ledger);
        assert!(self.server.ledger.len() == 0 && self.server.ledger.busy() == 0, "stuck: {:?}", self.server.ledger);
        for (n, journaled) in &self.server.journal {
            let started = self.worker.started.contains(n);
            assert!(
                !started || journaled.told.is_some() || journaled.deleted,
                "the result of {n} was lost: {journaled:?}"
            );
            let never_ran = matches!(journaled.end, Some(Outcome::Cancelled)) && journaled.told.is_none();
            assert!(!(never_ran && started), "{n} ran and is said not to have: {journaled:?}");
            assert!(!(journaled.moved && started), "{n} ran, and went to another worker: {journaled:?}");
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
            && !self.server.journal.values().any(Journaled::is_open)
            && self.worker.dialogue.ledger.known().is_empty()
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
                    if self.random.one_in(2) {
                        let delay = self.random.below(60_000);
                        self.agenda.after(delay, Event::Delete(n));
                    }
                }
            }
            Event::Delete(n) => {
                let is_known = self.worker.dialogue.ledger.known().iter().any(|known| number(known.command_id) == n);
                let deleted = self.server.up && self.server.delete(n);
                self.tally.deleted += u64::from(deleted && is_known);
            }
            Event::Fault => self.fault(),
            Event::Heal => {
                self.connections.values_mut().for_each(Connection::heal);
                self.set_draining(false);
            }
            Event::Connect => self.connect(),
            Event::Heartbeat(connection) => {
                if self.is_open(connection) && self.worker.dialogue.is_greeted() {
                    self.worker.dialogue.ledger.heartbeat(serde_json::Map::new());
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
            Event::Committed { life, what } => self.committed(life, what),
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
                    let _ = self.server.ledger.tick(self.now(), LOST_GRACE);
                    let mut room_elsewhere = u32::from(self.random.one_in(20));
                    for (_, command_id) in self.server.ledger.stranded(self.now(), &mut room_elsewhere) {
                        let (n, delay) = (number(command_id), self.random.below(3_000));
                        // Others may be sent meanwhile.
                        self.worker.displaced.insert(n);
                        self.agenda.after(delay, Event::Decided { life, n });
                    }
                    self.agenda.after(1_000, Event::Tick(life));
                }
            }
            Event::Undrain => self.set_draining(false),
            Event::Decided { life, n } => {
                if life == self.server.life {
                    let moves = self.random.one_in(5);
                    self.tally.moved += u64::from(self.server.decide(n, moves));
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

    /// Whether the worker has this connection open.
    pub fn is_open(&self, connection: u64) -> bool {
        self.open.as_ref().is_some_and(|(open, _)| *open == connection)
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
                self.commit(n, Kept::Verdict(verdict));
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
        while let Some((connection, _)) = self.open
            && let Some(message) = self.worker.dialogue.next_message(hello)
        {
            self.say_to_server(connection, message);
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
