//! What one side says and the other hears, and the commits that stand between.

use super::network::Way;
use super::world::{Event, Kept, Said, World, command_id, number};
use pulse_core::command::Outcome;
use pulse_core::protocol::worker::{FromWorker, KnownCommand, ToWorker};
use pulse_worker::ledger::Message;

impl World {
    pub fn say_to_server(&mut self, connection: u64, said: Said) {
        let now = self.agenda.now;
        let Some(way) = self.connections.get_mut(&connection) else { return };
        if let Some(at) = way.arrival(Way::ToServer, now, &mut self.random) {
            self.agenda.at(at, Event::ToServer(connection, said));
        }
    }

    pub fn say_to_worker(&mut self, connection: u64, message: ToWorker) {
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

    pub fn server_hears(&mut self, connection: u64, said: Said) {
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
                self.tally.dropped += u64::from(self.server.journal[&n].deleted);
                if !self.server.knows(connection, command_id(n)) {
                    // Dropped, so it must be nobody's; what a connection that was replaced hears does not count.
                    let is_nobodys = self.server.journal[&n].deleted;
                    assert!(is_nobodys || self.current != Some(connection), "output of {n} is thrown away");
                    let (command_id, output_seq) = (command_id(n), Some(seq));
                    return self.say_to_worker(connection, ToWorker::Ack { command_id, output_seq });
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
                    let journaled = &self.server.journal[&n];
                    let is_nobodys = journaled.told.is_some() || journaled.deleted;
                    assert!(is_nobodys || self.current != Some(connection), "the result of {n} is thrown away");
                    self.say_to_worker(connection, ToWorker::Ack { command_id, output_seq: None });
                }
                FromWorker::Heartbeat { .. } | FromWorker::Output { .. } | FromWorker::Hello(_) => {}
            },
        }
    }

    pub fn greeted(&mut self, life: u64, connection: u64, known: &[KnownCommand]) {
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

    pub fn worker_hears(&mut self, connection: u64, message: ToWorker) {
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
    pub fn commit(&mut self, connection: u64, n: u64, what: Kept) {
        let delay = if self.random.one_in(30) { self.random.below(5_000) } else { self.random.below(15) };
        let last = self.last_commit.entry(n).or_default();
        *last = (*last).max(self.agenda.now + delay);
        self.agenda.at(*last, Event::Committed { life: self.server.life, connection, what });
    }

    pub fn committed(&mut self, life: u64, connection: u64, what: Kept) {
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
}
