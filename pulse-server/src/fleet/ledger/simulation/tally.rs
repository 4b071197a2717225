//! How much happened in a run, so that a simulation in which hardly anything does is noticed.

use std::collections::BTreeMap;

/// What comes twice at times.
const KINDS: [&str; 10] = [
    "welcome",
    "accepted",
    "output",
    "result",
    "heartbeat",
    "dispatch",
    "cancel",
    "acknowledgement of output",
    "acknowledgement of a result",
    "drain",
];

/// How much happened.
#[derive(Debug, Default)]
pub struct Tally {
    pub started: u64,
    pub cuts: u64,
    pub stalls: u64,
    pub silences: u64,
    pub server_crashes: u64,
    pub worker_crashes: u64,
    pub agent_crashes: u64,
    pub supervisor_crashes: u64,
    /// Messages that came twice, by their kind.
    pub doubled: BTreeMap<&'static str, u64>,
    pub drains: u64,
    pub moved: u64,
    pub stale: u64,
    pub aborts: u64,
    pub rejected: u64,
    pub lost: u64,
    pub late: u64,
    pub never_sent: u64,
    pub deleted: u64,
    pub dropped: u64,
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
        self.supervisor_crashes += other.supervisor_crashes;
        for (kind, count) in &other.doubled {
            *self.doubled.entry(kind).or_default() += count;
        }
        self.drains += other.drains;
        self.moved += other.moved;
        self.stale += other.stale;
        self.aborts += other.aborts;
        self.rejected += other.rejected;
        self.lost += other.lost;
        self.late += other.late;
        self.never_sent += other.never_sent;
        self.deleted += other.deleted;
        self.dropped += other.dropped;
    }

    pub fn faults(&self) -> Vec<(&'static str, u64)> {
        let doubled = KINDS.map(|kind| (kind, self.doubled.get(kind).copied().unwrap_or(0)));
        let others = [
            ("a cut", self.cuts),
            ("a stall", self.stalls),
            ("a long silence", self.silences),
            ("a crash of the server", self.server_crashes),
            ("a crash of the worker", self.worker_crashes),
            ("a crash of the agent alone", self.agent_crashes),
            ("a crash of the supervisor alone", self.supervisor_crashes),
            ("a drain", self.drains),
            ("a command that goes to another worker", self.moved),
            ("a message of a replaced connection", self.stale),
            ("an abort", self.aborts),
            ("a rejected command", self.rejected),
            ("a command given up as lost", self.lost),
            ("a result after that", self.late),
            ("a command cancelled before it was sent", self.never_sent),
            ("an execution deleted while its worker has its command", self.deleted),
            ("output of a deleted execution", self.dropped),
        ];
        doubled.into_iter().chain(others).collect()
    }
}
