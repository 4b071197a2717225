//! Connections that begin and end, and what else goes wrong: crashes, stalls, silences, cuts.

use super::network::{Connection, Way};
use super::world::{Event, World};
use pulse_worker::ledger::Opening;

impl World {
    pub fn fault(&mut self) {
        match self.random.below(12) {
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
                if with_supervisor && self.random.one_in(2) {
                    self.tally.supervisor_crashes += 1;
                    self.worker.up = true;
                    if self.worker.other_supervisor()
                        && let Some((connection, _)) = self.open.take()
                    {
                        self.end(connection, 40_000);
                        let backoff = self.backoff();
                        self.agenda.after(backoff, Event::Connect);
                    }
                    return;
                }
                if let Some((connection, _)) = self.open.take() {
                    self.end(connection, 40_000);
                }
                let delay = self.random.between(100, 250_000);
                self.agenda.after(delay, Event::WorkerRestarts);
            }
            // What the worker has sent arrives only after it has given the connection up and opened another.
            3 | 4 => {
                let Some(connection) = self.open.as_ref().map(|(connection, _)| *connection) else { return };
                self.tally.stalls += 1;
                let delay = self.random.between(3_000, 30_000);
                self.connections.get_mut(&connection).unwrap().stall(Way::ToServer, delay);
                let worker = self.random.below(3_000);
                self.agenda.after(worker, Event::WorkerNotices(connection));
            }
            // The server believes the worker silent, then hears all of it.
            5 => {
                let Some(connection) = self.open.as_ref().map(|(connection, _)| *connection) else { return };
                self.tally.silences += 1;
                let delay = self.random.between(46_000, 88_000);
                self.connections.get_mut(&connection).unwrap().stall(Way::ToServer, delay);
            }
            11 => {
                self.tally.drains += 1;
                self.set_draining(true);
                let delay = self.random.between(100, 60_000);
                self.agenda.after(delay, Event::Undrain);
            }
            6.. => {
                let Some(connection) = self.open.as_ref().map(|(connection, _)| *connection) else { return };
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

    /// An administrator drains the worker, or lets it take commands again: for that, one that was told has to come again.
    pub fn set_draining(&mut self, draining: bool) {
        self.server.draining = draining;
        if self.server.up
            && self.server.ledger.set_draining(draining)
            && let Some(connection) = self.current
        {
            self.end(connection, 100);
        }
    }

    /// Both ends notice the end of a connection, each in its time. What is on its way still arrives, if it is not cut.
    pub fn end(&mut self, connection: u64, longest: u64) {
        let (worker, server) = (self.random.below(longest), self.random.below(longest));
        self.agenda.after(worker, Event::WorkerNotices(connection));
        self.agenda.after(server, Event::ServerNotices(connection));
    }

    pub fn connect(&mut self) {
        if !self.worker.up || self.open.is_some() {
            return;
        }
        if !self.server.up {
            let delay = self.random.between(500, 30_000);
            return self.agenda.after(delay, Event::Connect);
        }
        let connection = self.connections.last_key_value().map_or(0, |(last, _)| last + 1);
        self.connections.insert(connection, Connection::default());
        self.open = Some((connection, Opening::default()));
        self.worker.dialogue.opened();
    }

    fn backoff(&mut self) -> u64 {
        if self.random.one_in(2) { self.random.between(500, 2_000) } else { self.random.between(500, 30_000) }
    }

    pub fn worker_notices(&mut self, connection: u64) {
        if self.is_open(connection) {
            self.open = None;
            self.worker.dialogue.closed();
            // Nothing comes back on it; what it has sent may still arrive.
            self.connections.get_mut(&connection).unwrap().cut(Way::ToWorker);
            let (backoff, longest) = (self.backoff(), 60_000);
            self.agenda.after(backoff, Event::Connect);
            let server = self.random.below(longest);
            self.agenda.after(server, Event::ServerNotices(connection));
        }
    }

    pub fn server_notices(&mut self, connection: u64) {
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
}
