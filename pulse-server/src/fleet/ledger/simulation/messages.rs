//! What one side says and the other hears, and the commits that stand between.

use super::network::Way;
use super::world::{Event, Kept, World, command_id, number};
use crate::fleet::conversation::{Said, Step};
use pulse_core::command::Outcome;
use pulse_core::protocol::worker::{FromWorker, Hello, KnownCommand, ToWorker};
use pulse_worker::ledger::{Coming, Heard, Message};

impl World {
    pub fn say_to_server(&mut self, connection: u64, said: Message) {
        let now = self.agenda.now;
        let Some(way) = self.connections.get_mut(&connection) else { return };
        if let Some(at) = way.arrival(Way::ToServer, now, &mut self.random) {
            // Not what begins a connection; and a rejection that comes twice could be one of the command sent once more.
            let kind = match &said {
                Message::Frame(_) => Some("output"),
                Message::Plain(message) => match **message {
                    FromWorker::Accepted { .. } => Some("accepted"),
                    FromWorker::Result { .. } => Some("result"),
                    FromWorker::Heartbeat { .. } => Some("heartbeat"),
                    FromWorker::Rejected { .. } | FromWorker::Output { .. } | FromWorker::Hello(_) => None,
                },
            };
            if let Some(again) = self.again(kind, at) {
                self.agenda.at(again, Event::ToServer(connection, said.clone()));
            }
            self.agenda.at(at, Event::ToServer(connection, said));
        }
    }

    /// Whether a message of this kind comes once more: then when, after others or at once.
    fn again(&mut self, kind: Option<&'static str>, at: u64) -> Option<u64> {
        let kind = kind.filter(|_| self.random.one_in(10))?;
        *self.tally.doubled.entry(kind).or_default() += 1;
        let delay = if self.random.one_in(2) { 0 } else { self.random.below(10_000) };
        Some(at + delay)
    }

    pub fn say_to_worker(&mut self, connection: u64, message: ToWorker) {
        let now = self.agenda.now;
        let Some(way) = self.connections.get_mut(&connection) else { return };
        if let Some(at) = way.arrival(Way::ToWorker, now, &mut self.random) {
            let kind = match &message {
                ToWorker::Error { .. } => None,
                ToWorker::Welcome { .. } => Some("welcome"),
                ToWorker::Dispatch(_) => Some("dispatch"),
                ToWorker::Cancel { .. } => Some("cancel"),
                ToWorker::Ack { output_seq: Some(_), .. } => Some("acknowledgement of output"),
                ToWorker::Ack { output_seq: None, .. } => Some("acknowledgement of a result"),
                ToWorker::Drain => Some("drain"),
            };
            if let Some(again) = self.again(kind, at) {
                if let ToWorker::Dispatch(dispatch) = &message {
                    self.worker.doubled.insert(number(dispatch.command_id));
                }
                self.agenda.at(again, Event::ToWorker(connection, message.clone()));
            }
            self.agenda.at(at, Event::ToWorker(connection, message));
        }
    }

    pub fn server_hears(&mut self, connection: u64, said: Message) {
        if !self.server.up || self.connections.get_mut(&connection).is_none_or(|c| c.is_cut(Way::ToServer)) {
            return;
        }
        let message = match said {
            Message::Frame(text) => serde_json::from_str(&text).expect("a frame is a message"),
            Message::Plain(message) => *message,
        };
        if let FromWorker::Hello(Hello { commands: known, .. }) = message {
            self.server.greeted(connection, &known);
            let delay = if self.random.one_in(4) { self.random.below(30_000) } else { self.random.below(20) };
            return self.agenda.after(delay, Event::Greeted { life: self.server.life, connection, known });
        }
        self.tally.stale += u64::from(self.current.is_some_and(|current| current != connection));
        let now = self.now();
        let Some((command_id, said)) = self.server.hear(connection, message, now) else { return };
        let n = number(command_id);
        let printed = if let Said::Output(piece) = &said { Some(piece.seq) } else { None };
        let Some((follower, wanted)) = self.server.follow(connection, command_id, said) else { return };
        let journaled = &self.server.journal[&n];
        self.tally.dropped += u64::from(printed.is_some() && journaled.deleted);
        // Dropped, so it must be nobody's or durable; what a connection that was replaced hears does not count: no
        // acknowledgement on it reaches the worker.
        let is_durable = printed.map_or(journaled.told.is_some(), |seq| seq <= journaled.output);
        let is_nobodys = journaled.deleted || is_durable;
        let is_current = self.current == Some(connection);
        assert!(
            wanted != Some(false) || is_nobodys || !is_current,
            "what is said of {n} is thrown away: {journaled:?}"
        );
        self.go_on(follower);
    }

    /// A follower does what there is to do, until it waits for a commit.
    fn go_on(&mut self, follower: u64) {
        while let Some(step) = self.server.next_step(follower) {
            let n = self.server.followers[&follower].n;
            match step {
                Step::Keep(piece) => self.commit(n, Kept::Output { follower, n, seq: piece.seq }),
                Step::Acknowledge(seq) => self.acknowledge(follower, Some(seq)),
                Step::Conclude(_, end) => self.commit(n, Kept::Result { follower, n, outcome: end.outcome }),
                Step::Over => self.acknowledge(follower, None),
            }
        }
    }

    /// A follower acknowledges, on its own connection if that is still there.
    fn acknowledge(&mut self, follower: u64, output_seq: Option<u64>) {
        let Some(of) = self.server.followers.get_mut(&follower) else { return };
        of.is_busy = false;
        let (connection, command_id) = (of.connection, command_id(of.n));
        if output_seq.is_none() {
            self.server.ledger.finished(command_id);
            self.server.followers.remove(&follower);
        }
        if self.server.sessions.contains_key(&connection) {
            self.say_to_worker(connection, ToWorker::Ack { command_id, output_seq });
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
        if cut || !self.worker.up {
            return;
        }
        let Some((_, opening)) = self.open.as_mut().filter(|(open, _)| *open == connection) else { return };
        assert_ne!(opening.hear(&message), Coming::OutOfTurn, "something was said before the welcome: {message:?}");
        match self.worker.dialogue.hear(message) {
            Heard::Noted => {}
            Heard::Welcome { heartbeat_interval_ms } => {
                self.agenda.after(heartbeat_interval_ms, Event::Heartbeat(connection));
            }
            Heard::Drain => self.worker.dialogue.ledger.heartbeat(serde_json::Map::new()),
        }
    }

    /// Commits of one command come in order.
    pub fn commit(&mut self, n: u64, what: Kept) {
        if let Kept::Output { follower, .. } | Kept::Result { follower, .. } = &what
            && let Some(of) = self.server.followers.get_mut(follower)
        {
            of.is_busy = true;
        }
        let delay = if self.random.one_in(30) { self.random.below(5_000) } else { self.random.below(15) };
        let last = self.last_commit.entry(n).or_default();
        *last = (*last).max(self.agenda.now + delay);
        self.agenda.at(*last, Event::Committed { life: self.server.life, what });
    }

    pub fn committed(&mut self, life: u64, what: Kept) {
        if life != self.server.life {
            return;
        }
        match what {
            Kept::Output { follower, n, seq } => {
                self.server.commit_output(n, seq);
                if self.server.journal[&n].deleted
                    && let Some(of) = self.server.followers.get_mut(&follower)
                {
                    of.following.is_nobodys();
                }
                self.acknowledge(follower, Some(seq));
                self.go_on(follower);
            }
            Kept::Result { follower, n, outcome } => {
                self.server.commit_result(n, outcome);
                self.acknowledge(follower, None);
            }
            Kept::Verdict(verdict) => {
                self.tally.lost += u64::from(verdict.end.outcome == Outcome::Lost);
                self.server.commit_verdict(&verdict);
            }
        }
    }
}
