//! The server of the simulation: the real ledger, a journal, and sessions that handle messages as the real ones do.

use super::super::{Ledger, Message, Phase, Stranded};
use super::world::{CAPACITY, command_id, number, worker_id};
use crate::fleet::Verdict;
use crate::fleet::conversation::{Conversation, Following, Heard, Said, Step, Whose};
use pulse_core::command::{CommandSpec, Outcome};
use pulse_core::event::WorkerRef;
use pulse_core::ids::{Attempt, CommandId, ExecutionId};
use pulse_core::protocol::worker::{Dispatch, FromWorker, KnownCommand, ToWorker};
use pulse_core::time::Timestamp;
use pulse_engine::state::Outstanding;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// What is durable about a command.
#[derive(Default, Debug)]
pub struct Journaled {
    pub timeout_ms: u64,
    pub aborted: bool,
    /// How it ended, as its execution sees it: the first end.
    pub end: Option<Outcome>,
    /// How the worker says that it ended.
    pub told: Option<Outcome>,
    pub output: u64,
    /// Its execution was deleted, after its end.
    pub deleted: bool,
    /// It is another worker's.
    pub moved: bool,
}

impl Journaled {
    /// Whether its worker has something to do.
    pub fn is_open(&self) -> bool {
        self.end.is_none() && !self.aborted && !self.moved
    }
}

/// A connection's server end: the real conversation, and who follows which command.
pub struct Session {
    pub id: u64,
    pub conversation: Conversation,
    pub followers: BTreeMap<CommandId, u64>,
}

/// The task that follows a command, which outlives its connection.
pub struct Follower {
    pub connection: u64,
    pub n: u64,
    pub following: Following,
    /// What it was told and has not come to.
    pub said: VecDeque<Said>,
    /// It waits for a commit.
    pub is_busy: bool,
}

pub struct Server {
    pub ledger: Ledger,
    pub journal: BTreeMap<u64, Journaled>,
    /// By connection.
    pub sessions: BTreeMap<u64, Session>,
    pub followers: BTreeMap<u64, Follower>,
    numbers: u64,
    /// Which life of the server it is.
    pub life: u64,
    pub up: bool,
    /// An administrator wants the worker to take no more.
    pub draining: bool,
}

impl Server {
    pub fn new() -> Self {
        Self {
            ledger: Ledger::new(CAPACITY),
            journal: BTreeMap::new(),
            sessions: BTreeMap::new(),
            followers: BTreeMap::new(),
            numbers: 0,
            life: 0,
            up: true,
            draining: false,
        }
    }

    fn outstanding(&self, n: u64) -> (ExecutionId, Outstanding) {
        let spec = CommandSpec {
            command: Some("true".into()),
            argv: Vec::new(),
            shell: None,
            env: Vec::new(),
            cwd: None,
            stdin: None,
            timeout_ms: self.journal[&n].timeout_ms,
            secrets: Vec::new(),
        };
        let worker = WorkerRef { worker_id: worker_id(), worker: "w".into() };
        let command_id = command_id(n);
        let command = Outstanding { command_id, worker, step: "s".into(), attempt: Attempt(1), spec: Arc::new(spec) };
        (ExecutionId(command_id.0), command)
    }

    /// Decide, commit, act.
    pub fn submit(&mut self, n: u64, timeout_ms: u64, now: Timestamp) {
        self.journal.insert(n, Journaled { timeout_ms, ..Journaled::default() });
        let (execution_id, command) = self.outstanding(n);
        self.ledger.dispatch(execution_id, command, Arc::default(), now);
    }

    /// The execution ends; its command is to be stopped. Answers whether there was anything to abort.
    pub fn abort(&mut self, n: u64) -> bool {
        let Some(journaled) = self.journal.get_mut(&n).filter(|known| known.is_open()) else {
            return false;
        };
        journaled.aborted = true;
        self.ledger.cancel(command_id(n), "aborted");
        true
    }

    /// What becomes of a command that was asked about. Answers whether it is another worker's from now on.
    pub fn decide(&mut self, n: u64, moves: bool) -> bool {
        let journaled = self.journal.get_mut(&n).unwrap();
        // Aborted meanwhile, it ends where it is.
        if moves && journaled.is_open() {
            journaled.moved = true;
            self.ledger.withdraw(command_id(n));
        } else {
            self.ledger.stays(command_id(n), Stranded::ForRoom);
        }
        journaled.moved
    }

    /// The execution is deleted. Answers whether it could be.
    pub fn delete(&mut self, n: u64) -> bool {
        let ended = self.journal.get_mut(&n).filter(|known| known.end.is_some() || known.aborted);
        ended.is_some_and(|known| !std::mem::replace(&mut known.deleted, true))
    }

    /// The number of the session that a hello on this connection gets.
    pub fn greeted(&mut self, connection: u64, known: &[KnownCommand]) -> u64 {
        self.numbers += 1;
        let (id, followers) = (self.numbers, BTreeMap::new());
        self.sessions.insert(connection, Session { id, conversation: Conversation::new(id, known), followers });
        self.numbers
    }

    /// The next message on the current connection.
    pub fn next_message(&mut self, now: Timestamp) -> Option<ToWorker> {
        let message = self.ledger.next_message(now)?;
        Some(match message {
            Message::Cancel { command_id, reason } => ToWorker::Cancel { command_id, reason },
            Message::Drain => ToWorker::Drain,
            Message::Dispatch(id) => {
                let n = number(id);
                let journaled = &self.journal[&n];
                assert!(journaled.is_open(), "{n} is sent, and nobody wants it: {journaled:?}");
                assert!(self.ledger.busy() <= CAPACITY, "more in flight than the worker has room for");
                let waits = |m: &u64| self.ledger.command(command_id(*m)).is_some_and(|c| c.phase == Phase::Queued);
                let before: Vec<u64> = self.journal.keys().copied().filter(|m| *m < n).filter(waits).collect();
                assert!(before.is_empty(), "{n} is sent before {before:?}");
                let command = &self.ledger.command(id).unwrap().command;
                ToWorker::Dispatch(Box::new(Dispatch {
                    command_id: id,
                    execution_id: ExecutionId(id.0),
                    step: command.step.clone(),
                    attempt: command.attempt,
                    spec: (*command.spec).clone(),
                    kill_grace_ms: 5_000,
                    mask: Vec::new(),
                    output_limit_bytes: 0,
                }))
            }
        })
    }

    /// Takes what a worker says on a connection; answers for which command there is something to do.
    pub fn hear(&mut self, connection: u64, message: FromWorker, now: Timestamp) -> Option<(CommandId, Said)> {
        let session = self.sessions.get_mut(&connection)?;
        let heard = session.conversation.hear(&mut self.ledger, message, now).expect("it is in its turn");
        match heard.0 {
            Heard::Said(command_id, said) => Some((command_id, said)),
            Heard::Rejected(command_id, reason) => {
                assert!(reason.contains("no space"), "{} was rejected: {reason}", number(command_id));
                None
            }
            Heard::Accepted | Heard::Beat(_) => None,
        }
    }

    /// Hands on what was said of a command to whoever follows it. Answers who that is; and, when it is somebody new, whether
    /// anybody wants it.
    pub fn follow(&mut self, connection: u64, command_id: CommandId, said: Said) -> Option<(u64, Option<bool>)> {
        let session = self.sessions.get_mut(&connection)?;
        let known = session.followers.get(&command_id).copied().filter(|id| self.followers.contains_key(id));
        let (id, wanted) = match known {
            Some(id) => (id, None),
            None => {
                let n = number(command_id);
                let is_wanted = match session.conversation.whose(&self.ledger, command_id) {
                    Whose::Its(of) => {
                        assert_eq!((of.execution_id.0, of.command_id), (command_id.0, command_id));
                        true
                    }
                    Whose::InJournal(_) => !self.journal[&n].deleted,
                    Whose::Nobodys => false,
                };
                self.numbers += 1;
                let (id, following) = (self.numbers, Following::new(is_wanted, u64::MAX));
                let (said, is_busy) = (VecDeque::new(), false);
                self.followers.insert(id, Follower { connection, n, following, said, is_busy });
                (id, Some(is_wanted))
            }
        };
        session.followers.insert(command_id, id);
        self.followers.get_mut(&id)?.said.push_back(said);
        Some((id, wanted))
    }

    /// The next thing that a follower has to do, if it is not at one. One that nobody tells anything any more goes.
    pub fn next_step(&mut self, id: u64) -> Option<Step> {
        let follower = self.followers.get_mut(&id).filter(|follower| !follower.is_busy)?;
        let Some(said) = follower.said.pop_front() else {
            let is_told = |session: &Session| session.followers.values().any(|told| *told == id);
            if !self.sessions.values().any(is_told) {
                self.followers.remove(&id);
            }
            return None;
        };
        let counted = match &said {
            Said::Output(piece) => self.ledger.printed(command_id(follower.n), piece.seq, piece.data.len()),
            Said::Result(_) => None,
        };
        Some(follower.following.next(said, counted))
    }

    pub fn commit_output(&mut self, n: u64, seq: u64) {
        let journaled = self.journal.get_mut(&n).unwrap();
        if journaled.deleted {
            return;
        }
        assert!(seq <= journaled.output + 1, "{n}: piece {seq} after {}", journaled.output);
        journaled.output = journaled.output.max(seq);
    }

    pub fn commit_result(&mut self, n: u64, outcome: Outcome) {
        let journaled = self.journal.get_mut(&n).unwrap();
        let told = *journaled.told.get_or_insert(outcome);
        assert_eq!(told, outcome, "{n} has ended in two ways");
        journaled.end.get_or_insert(outcome);
    }

    pub fn commit_verdict(&mut self, verdict: &Verdict) {
        let outcome = verdict.end.outcome;
        self.journal.get_mut(&number(verdict.command_id)).unwrap().end.get_or_insert(outcome);
        self.ledger.given_up(verdict.command_id, outcome);
    }

    /// `kill -9`: the journal is what is left.
    pub fn crash(&mut self) {
        self.up = false;
        self.life += 1;
        self.sessions.clear();
        self.followers.clear();
        self.numbers = 0;
    }

    pub fn restart(&mut self, now: Timestamp) {
        self.up = true;
        self.ledger = Ledger::new(CAPACITY);
        let open = self.journal.iter().filter(|(_, journaled)| journaled.is_open());
        for n in open.map(|(n, _)| *n).collect::<Vec<_>>() {
            let (execution_id, command) = self.outstanding(n);
            self.ledger.restore(execution_id, command, Arc::default(), now);
        }
        let _ = self.ledger.set_draining(self.draining);
    }
}
