//! Ledger, the supervisor's book and a model of a server under random cuts, doubled dispatches, deaths of agent and
//! supervisor, and slow disks. A seed gives the same run every time.

use super::tests::{ack, dispatch, end, id};
use super::*;
use crate::spool::Kept;
use crate::state::{Entry, Unacknowledged};
use crate::supervisor::{Book, Effect as Deed};
use pulse_core::command::Outcome;
use std::collections::{BTreeMap, BTreeSet};

const COMMANDS: u128 = 6;
const SEEDS: u64 = 2_000;
const PIECES: u64 = 3;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

/// What the server has committed about a command.
#[derive(Default, Debug)]
struct Committed {
    output: u64,
    end: Option<Outcome>,
}

struct World {
    random: Random,
    ledger: Ledger,
    book: Book,
    /// From agent to supervisor and back.
    requests: VecDeque<Effect>,
    told: VecDeque<Told>,
    /// The worker's disk, and what was asked to be written and is not there yet.
    disk: Vec<Entry>,
    writing: VecDeque<Entry>,
    /// Processes: how many pieces each has printed.
    processes: BTreeMap<u128, u64>,
    /// What each command's output is acknowledged up to, and how many pieces there are.
    output: BTreeMap<u128, (u64, u64)>,
    started: BTreeSet<u128>,
    to_server: VecDeque<Message>,
    to_worker: VecDeque<ToWorker>,
    connected: bool,
    /// The supervisor died at some time.
    lost: bool,
    server: BTreeMap<u128, Committed>,
}

/// What a supervisor tells.
enum Told {
    Accepted(u128),
    Over(u128),
    Piece(u128, u64),
    Ended(u128, CommandEnd),
}

fn number(command_id: CommandId) -> u128 {
    command_id.0.as_u128()
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            random: Random(seed * 0x9e37_79b9 + 1),
            ledger: Ledger::new(3),
            book: Book::default(),
            requests: VecDeque::new(),
            told: VecDeque::new(),
            disk: Vec::new(),
            writing: VecDeque::new(),
            processes: BTreeMap::new(),
            output: BTreeMap::new(),
            started: BTreeSet::new(),
            to_server: VecDeque::new(),
            to_worker: VecDeque::new(),
            connected: false,
            lost: false,
            server: (1..=COMMANDS).map(|n| (n, Committed::default())).collect(),
        }
    }

    fn act(&mut self) {
        while let Some(effect) = self.ledger.next_effect() {
            self.requests.push_back(effect);
        }
        while let Some(deed) = self.book.next_effect() {
            match deed {
                Deed::Log(entry) => self.writing.push_back(entry),
                Deed::Spawn(dispatch) => {
                    let n = number(dispatch.command_id);
                    assert!(self.started.insert(n), "{n} was started twice");
                    let accepted =
                        |entry: &Entry| matches!(entry, Entry::Accepted { command_id, .. } if *command_id == id(n));
                    assert!(self.disk.iter().any(accepted), "{n} was started before it was durable");
                    self.processes.insert(n, 0);
                    self.output.insert(n, (0, 0));
                }
                Deed::Accepted(command_id, _) => self.told.push_back(Told::Accepted(number(command_id))),
                Deed::Ended(command_id) => {
                    let end = self.book.end(command_id).unwrap().as_ref().clone();
                    self.told.push_back(Told::Ended(number(command_id), end));
                }
                Deed::NotAccepted(..) => panic!("nothing keeps it from being accepted"),
                Deed::Stop(..) | Deed::Remove(_) => {}
            }
        }
        while self.connected
            && self.to_server.len() < 4
            && let Some(message) = self.ledger.next_message()
        {
            self.to_server.push_back(message);
        }
    }

    fn write(&mut self) {
        let Some(entry) = self.writing.pop_front() else { return };
        self.disk.push(entry.clone());
        match entry {
            Entry::Accepted { command_id, .. } => self.book.acceptance_written(command_id),
            Entry::Finished { command_id, .. } => self.book.result_written(command_id),
            Entry::Forgotten { .. } => {}
        }
    }

    fn process(&mut self) {
        let running: Vec<u128> = self.processes.keys().copied().collect();
        if running.is_empty() {
            return;
        }
        let n = running[self.random.below(running.len())];
        let printed = self.processes.get_mut(&n).unwrap();
        if *printed < PIECES {
            *printed += 1;
            self.output.get_mut(&n).unwrap().1 = *printed;
            self.told.push_back(Told::Piece(n, *printed));
        } else {
            self.processes.remove(&n);
            self.told.push_back(Told::Over(n));
            self.book.ended(id(n), end(), Kept::default());
        }
    }

    fn supervisor_reads(&mut self) {
        match self.requests.pop_front() {
            Some(Effect::Start(dispatch)) => self.book.start(dispatch),
            Some(Effect::Cancel(id, reason)) => self.book.cancel(id, reason),
            Some(Effect::Acknowledge(id, seq)) => {
                if let Some((acknowledged, _)) = self.output.get_mut(&number(id)) {
                    *acknowledged = seq.max(*acknowledged);
                }
            }
            Some(Effect::Forget(id)) => self.book.forget(id),
            None => {}
        }
    }

    fn agent_reads(&mut self) {
        match self.told.pop_front() {
            Some(Told::Accepted(n)) => self.ledger.accepted(id(n), ExecutionId(id(n).0)),
            Some(Told::Over(n)) => self.ledger.over(id(n)),
            Some(Told::Piece(n, seq)) => self.ledger.printed(id(n), seq, format!("{n} {seq}").into()),
            Some(Told::Ended(n, end)) => self.ledger.ended(id(n), end),
            None => {}
        }
    }

    fn connect(&mut self) {
        self.connected = true;
        self.ledger.connected();
    }

    fn cut(&mut self) {
        self.connected = false;
        self.to_server.clear();
        self.to_worker.clear();
        self.ledger.disconnected();
    }

    /// An agent, old or new, and a supervisor, old or new, find each other.
    fn meet(&mut self) {
        self.cut();
        self.requests.clear();
        self.told.clear();
        self.ledger.supervised(self.book.known().collect::<Vec<_>>());
        for (command_id, _, _) in self.book.known().collect::<Vec<_>>() {
            let n = number(command_id);
            let (acknowledged, last) = self.output.get(&n).copied().unwrap_or_default();
            self.told.extend((acknowledged + 1..=last).map(|seq| Told::Piece(n, seq)));
            if let Some(end) = self.book.end(command_id) {
                self.told.push_back(Told::Ended(n, end.as_ref().clone()));
            }
        }
    }

    /// `kill -9` of the agent.
    fn kill_agent(&mut self) {
        self.ledger = Ledger::new(3);
        self.meet();
    }

    /// `kill -9` of the supervisor: what is not on the disk is gone, and so are the processes.
    fn kill_supervisor(&mut self) {
        self.lost = true;
        self.writing.clear();
        self.processes.clear();
        let mut live: BTreeMap<u128, Option<Arc<CommandEnd>>> = BTreeMap::new();
        for entry in &self.disk {
            match entry {
                Entry::Accepted { command_id, .. } => drop(live.insert(number(*command_id), None)),
                Entry::Finished { command_id, end, .. } => drop(live.insert(number(*command_id), Some(end.clone()))),
                Entry::Forgotten { command_id } => drop(live.remove(&number(*command_id))),
            }
        }
        let mut results = Vec::new();
        for (n, end) in live {
            // A command that was accepted and not started yet is lost all the same: nobody knows.
            self.started.insert(n);
            let end = end.unwrap_or_else(|| Arc::new(CommandEnd::without_process(Outcome::Lost, "stopped")));
            let (command_id, kept) = (id(n), Arc::default());
            self.disk.push(Entry::Finished { command_id, end: end.clone(), kept: Arc::clone(&kept) });
            results.push(Unacknowledged { command_id, execution_id: ExecutionId(id(n).0), end, kept });
        }
        self.book = Book::new(results);
        self.meet();
    }

    /// The server sends every command that has no end, again and again.
    fn dispatch(&mut self) {
        let open: Vec<u128> = self.server.iter().filter(|(_, c)| c.end.is_none()).map(|(n, _)| *n).collect();
        if self.connected && !open.is_empty() {
            let n = open[self.random.below(open.len())];
            self.to_worker.push_back(dispatch(n));
        }
    }

    fn server_reads(&mut self) {
        match self.to_server.pop_front() {
            Some(Message::Frame(text)) => {
                let (n, seq) = text.split_once(' ').unwrap();
                let (n, seq) = (n.parse().unwrap(), seq.parse().unwrap());
                let committed = self.server.get_mut(&n).unwrap();
                assert!(seq <= committed.output + 1, "{n}: piece {seq} after {}", committed.output);
                committed.output = committed.output.max(seq);
                self.to_worker.push_back(ack(n, Some(seq)));
            }
            Some(Message::Plain(message)) => {
                if let FromWorker::Result { command_id, end } = *message {
                    let n = number(command_id);
                    let committed = self.server.get_mut(&n).unwrap();
                    let outcome = *committed.end.get_or_insert(end.outcome);
                    assert_eq!(outcome, end.outcome, "{n} ended twice");
                    assert!(outcome != Outcome::Exited || committed.output == PIECES);
                    self.to_worker.push_back(ack(n, None));
                }
            }
            None => {}
        }
    }

    fn worker_reads(&mut self) {
        if let Some(message) = self.to_worker.pop_front() {
            self.ledger.received(message);
        }
    }

    fn step(&mut self, faults: bool) {
        match self.random.below(if faults { 61 } else { 56 }) {
            0..6 => self.write(),
            6..14 => self.process(),
            14..16 => self.dispatch(),
            16..24 => self.server_reads(),
            24..32 => self.worker_reads(),
            32..42 => self.supervisor_reads(),
            42..52 => self.agent_reads(),
            52..56 if !self.connected => self.connect(),
            56..58 => self.cut(),
            58..60 => self.kill_agent(),
            60 => self.kill_supervisor(),
            _ => {}
        }
        self.act();
    }
}

#[test]
fn nothing_is_run_twice_and_every_command_ends_once() {
    let (mut whole, mut lost) = (0, 0);
    for seed in 1..=SEEDS {
        let mut world = World::new(seed);
        for _ in 0..300 {
            world.step(true);
        }
        // Then the faults stop, and everything comes to its end.
        let mut steps = 0;
        while !(world.server.values().all(|committed| committed.end.is_some()) && world.ledger.known().is_empty()) {
            world.step(false);
            steps += 1;
            assert!(steps < 20_000, "seed {seed} does not come to an end: {:?}", world.server);
        }
        assert!((1..=COMMANDS).all(|n| world.started.contains(&n)), "seed {seed}");
        let ends = world.server.values().filter_map(|committed| committed.end);
        let lost_now = ends.filter(|end| *end == Outcome::Lost).count();
        assert!(lost_now == 0 || world.lost, "seed {seed}: lost without a supervisor's death");
        (whole, lost) = (whole + usize::from(lost_now == 0), lost + lost_now);
    }
    // The runs are of both kinds.
    assert!(whole > 100 && lost > 100, "{whole} {lost}");
}
