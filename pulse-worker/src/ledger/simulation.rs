//! Ledger and a model of a server under random cuts, doubled dispatches, restarts of the worker and slow disks. A seed
//! gives the same run every time.

use super::tests::{ack, dispatch, end, id};
use super::*;
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
    /// The worker's disk, and what was asked to be written and is not there yet.
    disk: Vec<Entry>,
    writing: VecDeque<Entry>,
    /// Processes: how many pieces each has printed.
    processes: BTreeMap<u128, u64>,
    started: BTreeSet<u128>,
    to_server: VecDeque<Message>,
    to_worker: VecDeque<ToWorker>,
    connected: bool,
    crashed: bool,
    server: BTreeMap<u128, Committed>,
}

fn number(command_id: CommandId) -> u128 {
    command_id.0.as_u128()
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            random: Random(seed * 0x9e37_79b9 + 1),
            ledger: Ledger::new(3, Vec::new()),
            disk: Vec::new(),
            writing: VecDeque::new(),
            processes: BTreeMap::new(),
            started: BTreeSet::new(),
            to_server: VecDeque::new(),
            to_worker: VecDeque::new(),
            connected: false,
            crashed: false,
            server: (1..=COMMANDS).map(|n| (n, Committed::default())).collect(),
        }
    }

    fn act(&mut self) {
        while let Some(effect) = self.ledger.next_effect() {
            match effect {
                Effect::Log(entry) => self.writing.push_back(entry),
                Effect::Start(dispatch) => {
                    let n = number(dispatch.command_id);
                    assert!(self.started.insert(n), "{n} was started twice");
                    let accepted =
                        |entry: &Entry| matches!(entry, Entry::Accepted { command_id, .. } if *command_id == id(n));
                    assert!(self.disk.iter().any(accepted), "{n} was started before it was durable");
                    self.processes.insert(n, 0);
                }
                Effect::Stop { .. } | Effect::Release { .. } => {}
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
            Entry::Accepted { command_id, .. } => self.ledger.acceptance_written(command_id),
            Entry::Finished { command_id, .. } => self.ledger.result_written(command_id),
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
            let seq = *printed;
            self.ledger.printed(id(n), seq, format!("{n} {seq}").into());
        } else {
            self.processes.remove(&n);
            self.ledger.ended(id(n), end());
        }
    }

    fn connect(&mut self) {
        self.connected = true;
        for known in self.ledger.known() {
            assert!(self.started.contains(&number(known.command_id)));
        }
        self.ledger.connected();
    }

    fn cut(&mut self) {
        self.connected = false;
        self.to_server.clear();
        self.to_worker.clear();
        self.ledger.disconnected();
    }

    /// `kill -9` of the worker: what is not on the disk is gone, and so are the processes.
    fn crash(&mut self) {
        self.cut();
        self.crashed = true;
        self.writing.clear();
        self.processes.clear();
        let mut live: BTreeMap<u128, Option<Arc<CommandEnd>>> = BTreeMap::new();
        for entry in &self.disk {
            match entry {
                Entry::Accepted { command_id, .. } => drop(live.insert(number(*command_id), None)),
                Entry::Finished { command_id, end } => drop(live.insert(number(*command_id), Some(end.clone()))),
                Entry::Forgotten { command_id } => drop(live.remove(&number(*command_id))),
            }
        }
        let mut results = Vec::new();
        for (n, end) in live {
            // A command that was accepted and not started yet is lost all the same: nobody knows.
            self.started.insert(n);
            let end = end.unwrap_or_else(|| Arc::new(CommandEnd::without_process(Outcome::Lost, "stopped")));
            self.disk.push(Entry::Finished { command_id: id(n), end: end.clone() });
            results.push(Unacknowledged { command_id: id(n), execution_id: ExecutionId(id(n).0), end });
        }
        self.ledger = Ledger::new(3, results);
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
                    // Output that was not acknowledged is in memory only.
                    assert!(outcome != Outcome::Exited || committed.output == PIECES || self.crashed);
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
        match self.random.below(if faults { 40 } else { 36 }) {
            0..6 => self.write(),
            6..14 => self.process(),
            14..16 => self.dispatch(),
            16..24 => self.server_reads(),
            24..32 => self.worker_reads(),
            32..36 if !self.connected => self.connect(),
            36..39 => self.cut(),
            39 => self.crash(),
            _ => {}
        }
        self.act();
    }
}

#[test]
fn nothing_is_run_twice_and_every_command_ends_once() {
    for seed in 1..=SEEDS {
        let mut world = World::new(seed);
        for _ in 0..200 {
            world.step(true);
        }
        // Then the faults stop, and everything comes to its end.
        let mut steps = 0;
        while !(world.server.values().all(|committed| committed.end.is_some()) && world.ledger.is_empty()) {
            world.step(false);
            steps += 1;
            assert!(steps < 20_000, "seed {seed} does not come to an end: {:?}", world.server);
        }
        assert!((1..=COMMANDS).all(|n| world.started.contains(&n)), "seed {seed}");
    }
}
