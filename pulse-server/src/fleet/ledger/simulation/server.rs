//! The server of the simulation: the real ledger, a journal, and sessions that handle messages as the real ones do.

use super::super::{Ledger, Message, Phase};
use super::world::{CAPACITY, command_id, number, worker_id};
use crate::fleet::Verdict;
use pulse_core::command::{CommandSpec, Outcome};
use pulse_core::event::WorkerRef;
use pulse_core::ids::{Attempt, CommandId, ExecutionId};
use pulse_core::protocol::worker::{Dispatch, KnownCommand, ToWorker};
use pulse_core::time::Timestamp;
use pulse_engine::state::Outstanding;
use std::collections::{BTreeMap, HashSet};
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
}

/// A connection's server end.
pub struct Session {
    pub id: u64,
    /// What the worker listed.
    pub known: HashSet<u64>,
}

pub struct Server {
    pub ledger: Ledger,
    pub journal: BTreeMap<u64, Journaled>,
    /// By connection.
    pub sessions: BTreeMap<u64, Session>,
    numbers: u64,
    /// Which life of the server it is.
    pub life: u64,
    pub up: bool,
}

impl Server {
    pub fn new() -> Self {
        Self {
            ledger: Ledger::new(CAPACITY),
            journal: BTreeMap::new(),
            sessions: BTreeMap::new(),
            numbers: 0,
            life: 0,
            up: true,
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
        let Some(journaled) = self.journal.get_mut(&n).filter(|known| known.end.is_none() && !known.aborted) else {
            return false;
        };
        journaled.aborted = true;
        self.ledger.cancel(command_id(n), "aborted");
        true
    }

    /// The execution is deleted. Answers whether it could be.
    pub fn delete(&mut self, n: u64) -> bool {
        let ended = self.journal.get_mut(&n).filter(|known| known.end.is_some() || known.aborted);
        ended.is_some_and(|known| !std::mem::replace(&mut known.deleted, true))
    }

    /// The number of the session that a hello on this connection gets.
    pub fn greeted(&mut self, connection: u64, known: &[KnownCommand]) -> u64 {
        self.numbers += 1;
        let known = known.iter().map(|known| number(known.command_id)).collect();
        self.sessions.insert(connection, Session { id: self.numbers, known });
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
                assert!(
                    !journaled.aborted && journaled.end.is_none(),
                    "{n} is sent, and nobody wants it: {journaled:?}"
                );
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

    /// Whether a session can tell whose a command is, as in `fleet::session`.
    pub fn knows(&self, connection: u64, id: CommandId) -> bool {
        self.ledger.command(id).is_some()
            || self.ledger.stranger(id).is_some()
            || self.sessions.get(&connection).is_some_and(|session| session.known.contains(&number(id)))
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
        self.ledger.finished(command_id(n));
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
        self.numbers = 0;
    }

    pub fn restart(&mut self, now: Timestamp) {
        self.up = true;
        self.ledger = Ledger::new(CAPACITY);
        let open = self.journal.iter().filter(|(_, journaled)| journaled.end.is_none() && !journaled.aborted);
        for n in open.map(|(n, _)| *n).collect::<Vec<_>>() {
            let (execution_id, command) = self.outstanding(n);
            self.ledger.restore(execution_id, command, Arc::default(), now);
        }
    }
}
