//! What is going to be done to the installation: a schedule of faults that follows from the seed alone.

use fastrand::Rng;
use pulse_core::fault;
use std::time::Duration;

/// How many of each fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// `kill -9` of the server, at random and at named points.
    pub server_kills: u32,
    /// `kill -9` of workers, and of their supervisors.
    pub worker_kills: u32,
    /// Connections of workers cut.
    pub cuts: u32,
    /// Disks filled.
    pub full_disks: u32,
    /// Restarts of the database.
    pub database_restarts: u32,
    /// HTTP requests given up half-way.
    pub cancelled_requests: u32,
}

/// Which way a connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// What the worker sends does not arrive.
    ToServer,
    /// What the server sends does not arrive.
    ToWorker,
    /// Closed, and not to be opened again.
    Both,
}

/// Whose disk is filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disk {
    /// The server's data.
    Server,
    /// A worker's state directory.
    Worker,
}

/// Which process of a worker dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The agent; its commands run on.
    Agent,
    /// The supervisor; its commands are lost.
    Supervisor,
    /// Both, at once.
    Both,
}

/// A fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server dies so long after it was ready.
    KillServer {
        /// How long after.
        after: Duration,
    },
    /// The server dies when it reaches a named point for the nth time (or after three seconds, if it does not).
    KillServerAt {
        /// The point.
        point: &'static str,
        /// Which time.
        nth: u32,
    },
    /// A worker's process dies.
    KillWorker {
        /// Which worker.
        worker: usize,
        /// Which of its processes.
        victim: Victim,
    },
    /// A worker's agent or supervisor dies when it reaches a named point for the nth time.
    KillWorkerAt {
        /// Which worker.
        worker: usize,
        /// The point.
        point: &'static str,
        /// Which time.
        nth: u32,
    },
    /// A worker's connection is cut for a time.
    Cut {
        /// Which worker.
        worker: usize,
        /// Which way.
        direction: Direction,
        /// For how long.
        time: Duration,
    },
    /// A disk is full for a time.
    FillDisk {
        /// Whose.
        disk: Disk,
        /// For how long.
        time: Duration,
    },
    /// The database is stopped and started again.
    RestartDatabase {
        /// Whether it dies (`kill -9`) or is stopped in order.
        hard: bool,
    },
    /// So many requests are given up half-way.
    CancelRequests {
        /// How many.
        count: u32,
    },
}

/// A fault and the time before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// What the load gets undisturbed before it.
    pub pause: Duration,
    /// The fault.
    pub fault: Fault,
}

/// Requests that are given up in one go.
const CANCELLED_AT_ONCE: u32 = 500;
/// How often a named point is passed before the server dies there, at most.
const LAST_NTH: u32 = 24;

/// The schedule of a seed: the same for the same seed, counts, workers and longest cut.
pub fn schedule(seed: u64, counts: &Counts, workers: usize, longest_cut: Duration) -> Vec<Planned> {
    let mut rng = Rng::with_seed(seed);
    let mut faults = Vec::new();
    for n in 0..counts.server_kills {
        faults.push(match n % 2 {
            0 => Fault::KillServer { after: millis(&mut rng, 50..1_200) },
            _ => {
                let points = fault::SERVER;
                Fault::KillServerAt { point: points[rng.usize(..points.len())], nth: rng.u32(1..=LAST_NTH) }
            }
        });
    }
    for n in 0..counts.worker_kills {
        let worker = rng.usize(..workers);
        faults.push(match n % 2 {
            0 => {
                let victim = [Victim::Agent, Victim::Agent, Victim::Supervisor, Victim::Both][rng.usize(..4)];
                Fault::KillWorker { worker, victim }
            }
            _ => {
                let points = [&fault::WORKER[..], &fault::SUPERVISOR[..]].concat();
                Fault::KillWorkerAt { worker, point: points[rng.usize(..points.len())], nth: rng.u32(1..=LAST_NTH / 3) }
            }
        });
    }
    for _ in 0..counts.cuts {
        let direction = [Direction::ToServer, Direction::ToWorker, Direction::Both][rng.usize(..3)];
        // From a second to the longest, short ones as likely as long ones by their order of magnitude.
        let longest = longest_cut.as_secs_f64().max(1.0);
        let time = Duration::from_secs_f64(longest.powf(rng.f64()));
        faults.push(Fault::Cut { worker: rng.usize(..workers), direction, time });
    }
    for n in 0..counts.full_disks {
        let disk = if n % 2 == 0 { Disk::Server } else { Disk::Worker };
        faults.push(Fault::FillDisk { disk, time: millis(&mut rng, 1_000..3_000) });
    }
    for _ in 0..counts.database_restarts {
        faults.push(Fault::RestartDatabase { hard: rng.bool() });
    }
    let mut left = counts.cancelled_requests;
    while left > 0 {
        let count = left.min(CANCELLED_AT_ONCE);
        faults.push(Fault::CancelRequests { count });
        left -= count;
    }
    rng.shuffle(&mut faults);
    faults.into_iter().map(|fault| Planned { pause: millis(&mut rng, 50..600), fault }).collect()
}

fn millis(rng: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(rng.u64(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTS: Counts = Counts {
        server_kills: 20,
        worker_kills: 10,
        cuts: 10,
        full_disks: 4,
        database_restarts: 2,
        cancelled_requests: 1_001,
    };

    #[test]
    fn a_seed_gives_one_schedule() {
        let longest = Duration::from_secs(10);
        let schedule = |seed| super::schedule(seed, &COUNTS, 3, longest);
        assert_eq!(schedule(7), schedule(7));
        assert_ne!(schedule(7), schedule(8));
        let planned = schedule(7);
        assert_eq!(planned.len(), 20 + 10 + 10 + 4 + 2 + 3);
        for Planned { fault, .. } in planned {
            if let Fault::Cut { time, worker, .. } = fault {
                assert!((Duration::from_secs(1)..=longest).contains(&time) && worker < 3, "{time:?}");
            }
        }
    }
}
