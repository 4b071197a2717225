//! Connections. Within one, each direction delivers in order, at its own pace, until it is cut; each end learns of the
//! end of a connection by itself. Between connections there is no order.

use super::random::Random;
use std::collections::BTreeMap;

/// What happens, and when. Events of one moment happen in the order in which they were planned.
pub struct Agenda<E> {
    pub now: u64,
    planned: u64,
    events: BTreeMap<(u64, u64), E>,
}

impl<E> Agenda<E> {
    pub fn new() -> Self {
        Self { now: 0, planned: 0, events: BTreeMap::new() }
    }

    /// Plans something for a time, in milliseconds.
    pub fn at(&mut self, time: u64, event: E) {
        self.planned += 1;
        self.events.insert((time.max(self.now), self.planned), event);
    }

    pub fn after(&mut self, delay: u64, event: E) {
        self.at(self.now + delay, event);
    }

    pub fn next(&mut self) -> Option<E> {
        let ((time, _), event) = self.events.pop_first()?;
        self.now = time;
        Some(event)
    }
}

/// One direction of a connection.
#[derive(Default, Clone)]
struct Direction {
    cut: bool,
    /// When the last message arrives: a later one does not arrive earlier.
    last: u64,
    /// How much later than usual messages arrive.
    stalled: u64,
}

/// A connection.
#[derive(Default, Clone)]
pub struct Connection {
    to_server: Direction,
    to_worker: Direction,
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    ToServer,
    ToWorker,
}

impl Connection {
    fn direction(&mut self, way: Way) -> &mut Direction {
        match way {
            Way::ToServer => &mut self.to_server,
            Way::ToWorker => &mut self.to_worker,
        }
    }

    /// When a message that is sent now arrives; never, once the direction is cut.
    pub fn arrival(&mut self, way: Way, now: u64, random: &mut Random) -> Option<u64> {
        let delay = if random.one_in(40) { random.between(100, 3_000) } else { random.between(1, 40) };
        let direction = self.direction(way);
        if direction.cut {
            return None;
        }
        direction.last = direction.last.max(now + delay + direction.stalled);
        Some(direction.last)
    }

    /// Whatever is on its way now, or sent later, does not arrive.
    pub fn cut(&mut self, way: Way) {
        self.direction(way).cut = true;
    }

    /// What is sent from now on arrives so much later.
    pub fn stall(&mut self, way: Way, delay: u64) {
        self.direction(way).stalled = delay;
    }

    /// What is sent from now on arrives as usual.
    pub fn heal(&mut self) {
        (self.to_server.stalled, self.to_worker.stalled) = (0, 0);
    }

    pub fn is_cut(&mut self, way: Way) -> bool {
        self.direction(way).cut
    }
}
