//! The worker of the simulation: the real ledger of the agent, and a supervisor with a disk and processes that goes on
//! without the agent.

use super::random::Random;
use super::world::{CAPACITY, command_id, number, worker_id};
use pulse_core::command::{CommandEnd, Outcome, Stream};
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::worker::{FromWorker, Hello, PROTOCOL};
use pulse_worker::ledger::{Dialogue, Effect, Ledger};
use std::collections::btree_map::Entry::Vacant;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// A process.
pub struct Process {
    /// Pieces of output still to come.
    pub pieces: u64,
    pub printed: u64,
}

/// What is durable about a command, or about to be.
#[derive(Clone, Copy, Debug)]
enum Entry {
    Accepted(u64),
    Finished(u64, Outcome),
    Forgotten(u64),
}

pub struct Worker {
    pub dialogue: Dialogue,
    /// What survives a crash of the supervisor.
    disk: Vec<Entry>,
    writing: VecDeque<Entry>,
    /// Commands whose acceptance is being written, and whether they are not to be started after all.
    accepting: BTreeMap<u64, bool>,
    /// Durably accepted, not forgotten; with the end once that is durable.
    live: BTreeMap<u64, Option<Outcome>>,
    pub processes: BTreeMap<u64, Process>,
    /// Per command: pieces that are acknowledged, pieces that there are.
    output: BTreeMap<u64, (u64, u64)>,
    /// Every command whose process was ever started.
    pub started: BTreeSet<u64>,
    /// Those that the worker once could not keep: they lose their place in the row.
    pub rejected: BTreeSet<u64>,
    /// Those whose executions were asked about them while the worker drained or was away.
    pub displaced: BTreeSet<u64>,
    /// Those whose dispatch came twice on one connection: the disk does not fail for them, see `SAY_AGAIN`.
    pub doubled: BTreeSet<u64>,
    last_started: u64,
    /// Which life of the supervisor it is.
    pub life: u64,
    /// Whether there is an agent.
    pub up: bool,
}

/// What follows from the ledger's effects.
pub enum Follows {
    Write,
    Run(u64),
    Stop(u64),
}

impl Worker {
    pub fn new() -> Self {
        Self {
            dialogue: dialogue([]),
            disk: Vec::new(),
            writing: VecDeque::new(),
            accepting: BTreeMap::new(),
            live: BTreeMap::new(),
            processes: BTreeMap::new(),
            output: BTreeMap::new(),
            started: BTreeSet::new(),
            rejected: BTreeSet::new(),
            displaced: BTreeSet::new(),
            doubled: BTreeSet::new(),
            last_started: 0,
            life: 0,
            up: true,
        }
    }

    pub fn next_effect(&mut self) -> Option<Follows> {
        loop {
            match self.dialogue.ledger.next_effect()? {
                Effect::Start(dispatch) => {
                    let n = number(dispatch.command_id);
                    if self.live.contains_key(&n) {
                        self.dialogue.ledger.accepted(dispatch.command_id, dispatch.execution_id);
                    } else if let Vacant(place) = self.accepting.entry(n) {
                        place.insert(false);
                        self.writing.push_back(Entry::Accepted(n));
                        return Some(Follows::Write);
                    }
                }
                Effect::Cancel(id, _) => match self.accepting.get_mut(&number(id)) {
                    Some(is_cancelled) => *is_cancelled = true,
                    None => return Some(Follows::Stop(number(id))),
                },
                Effect::Acknowledge(id, seq) => {
                    let (acknowledged, _) = self.output.entry(number(id)).or_default();
                    *acknowledged = seq.max(*acknowledged);
                }
                Effect::Forget(id) => {
                    self.live.remove(&number(id));
                    self.writing.push_back(Entry::Forgotten(number(id)));
                    return Some(Follows::Write);
                }
            }
        }
    }

    /// The disk has done the next write, or has failed to.
    pub fn written(&mut self, fails: bool, random: &mut Random) -> Option<Follows> {
        let entry = self.writing.pop_front()?;
        let mut follows = None;
        match entry {
            Entry::Accepted(n) if fails && !self.doubled.contains(&n) => {
                self.rejected.insert(n);
                self.accepting.remove(&n);
                self.dialogue.ledger.not_accepted(command_id(n), "no space");
                return None;
            }
            Entry::Accepted(n) => {
                let is_cancelled = self.accepting.remove(&n).unwrap_or_default();
                self.live.insert(n, None);
                self.dialogue.ledger.accepted(command_id(n), ExecutionId(command_id(n).0));
                follows = if is_cancelled { self.over(n, Outcome::Cancelled) } else { Some(self.start(n, random)) };
            }
            Entry::Finished(n, outcome) => {
                self.live.insert(n, Some(outcome));
                self.dialogue.ledger.ended(command_id(n), end(outcome));
            }
            Entry::Forgotten(_) => {}
        }
        self.disk.push(entry);
        follows
    }

    fn start(&mut self, n: u64, random: &mut Random) -> Follows {
        assert!(self.started.insert(n), "{n} was started twice");
        if !self.rejected.contains(&n) && !self.displaced.contains(&n) {
            assert!(n > self.last_started, "{n} was started after {}", self.last_started);
            self.last_started = n;
        }
        self.processes.insert(n, Process { pieces: random.below(4), printed: 0 });
        assert!(self.processes.len() <= CAPACITY as usize, "more processes than capacity");
        Follows::Run(n)
    }

    fn over(&mut self, n: u64, outcome: Outcome) -> Option<Follows> {
        self.dialogue.ledger.over(command_id(n));
        self.writing.push_back(Entry::Finished(n, outcome));
        Some(Follows::Write)
    }

    /// A process prints its next piece, or ends. Answers whether it goes on, and what follows.
    pub fn goes_on(&mut self, n: u64) -> (bool, Option<Follows>) {
        let Some(process) = self.processes.get_mut(&n) else { return (false, None) };
        if process.printed < process.pieces {
            process.printed += 1;
            let seq = process.printed;
            self.output.entry(n).or_default().1 = seq;
            self.dialogue.ledger.printed(command_id(n), seq, frame(n, seq));
            return (true, None);
        }
        (false, self.end(n, Outcome::Exited))
    }

    pub fn end(&mut self, n: u64, outcome: Outcome) -> Option<Follows> {
        self.processes.remove(&n)?;
        self.over(n, outcome)
    }

    /// `kill -9` of the agent; with the supervisor, what is not on the disk is gone, and so are the processes.
    pub fn crash(&mut self, with_supervisor: bool) {
        self.up = false;
        if !with_supervisor {
            return;
        }
        self.life += 1;
        self.writing.clear();
        self.processes.clear();
        self.accepting.clear();
        self.output.clear();
        self.live.clear();
        for entry in self.disk.clone() {
            match entry {
                Entry::Accepted(n) => drop(self.live.insert(n, None)),
                Entry::Finished(n, outcome) => drop(self.live.insert(n, Some(outcome))),
                Entry::Forgotten(n) => drop(self.live.remove(&n)),
            }
        }
        for (n, outcome) in self.live.iter_mut().filter(|(_, outcome)| outcome.is_none()) {
            *outcome = Some(Outcome::Lost);
            self.disk.push(Entry::Finished(*n, Outcome::Lost));
        }
    }

    /// A new agent finds the supervisor, and is told all that it knows.
    pub fn restart(&mut self) {
        self.up = true;
        self.dialogue = dialogue(self.known());
        self.tell_all();
    }

    /// Another supervisor, while the agent lives on. Answers whether the connection has to be ended.
    pub fn other_supervisor(&mut self) -> bool {
        let is_told = self.dialogue.unsupervised();
        let is_told_again = self.dialogue.supervised(self.known());
        assert!(!is_told_again, "there is no connection that could have been told");
        self.tell_all();
        is_told
    }

    /// What the supervisor knows: which commands, and whether their processes have ended.
    fn known(&self) -> Vec<(CommandId, ExecutionId, bool)> {
        let is_over = |n: &u64| !self.processes.contains_key(n);
        let live = self.live.keys().map(|n| (*n, is_over(n)));
        let known = self.accepting.keys().map(|n| (*n, false)).chain(live);
        known.map(|(n, is_over)| (command_id(n), ExecutionId(command_id(n).0), is_over)).collect()
    }

    fn tell_all(&mut self) {
        for (n, outcome) in &self.live {
            let (acknowledged, last) = self.output.get(n).copied().unwrap_or_default();
            for seq in acknowledged + 1..=last {
                self.dialogue.ledger.printed(command_id(*n), seq, frame(*n, seq));
            }
            if let Some(outcome) = outcome {
                self.dialogue.ledger.ended(command_id(*n), end(*outcome));
            }
        }
    }
}

/// An agent that has just found its supervisor, which knows these.
fn dialogue(known: impl IntoIterator<Item = (CommandId, ExecutionId, bool)>) -> Dialogue {
    let mut dialogue = Dialogue::new(Ledger::new(CAPACITY));
    assert!(!dialogue.supervised(known), "there is no connection yet");
    dialogue
}

/// What it says first.
pub fn hello(ledger: &Ledger) -> Hello {
    Hello {
        protocol: PROTOCOL,
        worker_id: worker_id(),
        instance: String::new(),
        name: "w".to_owned(),
        version: String::new(),
        labels: Default::default(),
        capacity: CAPACITY,
        metadata: Default::default(),
        commands: ledger.known(),
    }
}

/// A piece of output, as its frame.
fn frame(n: u64, seq: u64) -> Utf8Bytes {
    let (stream, data) = (Stream::Stdout, format!("{n} {seq}"));
    let message = FromWorker::Output { command_id: command_id(n), stream, seq, data, gap_bytes: None };
    serde_json::to_string(&message).unwrap().into()
}

fn end(outcome: Outcome) -> CommandEnd {
    CommandEnd { exit_code: Some(0), ..CommandEnd::without_process(outcome, "") }
}
