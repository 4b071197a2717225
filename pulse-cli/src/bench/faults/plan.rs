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
    /// The server dies when it reaches a named point for the nth time.
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

/// A worker's connection is cut for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// How long it is whole before.
    pub pause: Duration,
    /// Which way.
    pub direction: Direction,
    /// For how long.
    pub time: Duration,
}

/// What is done in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// One after the other.
    pub faults: Vec<Planned>,
    /// Cuts, one after the other for each worker, beside the other workers' and the faults.
    pub cuts: Vec<Vec<Cut>>,
}

/// Requests that are given up in one go.
const CANCELLED_AT_ONCE: u32 = 250;

/// How often a named point is passed before a process dies there, at most: less than it is passed in a few seconds.
fn last_nth(point: &str) -> u32 {
    match point {
        "commit.before" | "commit.after" => 24,
        _ if fault::SERVER.contains(&point) => 4,
        _ => 2,
    }
}

/// The schedule of a seed: the same for the same seed, counts, workers and longest cut.
pub fn schedule(seed: u64, counts: &Counts, workers: usize, longest_cut: Duration) -> Schedule {
    let mut rng = Rng::with_seed(seed);
    let mut faults = Vec::new();
    for n in 0..counts.server_kills {
        faults.push(match n % 2 {
            0 => Fault::KillServer { after: millis(&mut rng, 50..1_200) },
            _ => {
                let point = fault::SERVER[rng.usize(..fault::SERVER.len())];
                Fault::KillServerAt { point, nth: rng.u32(1..=last_nth(point)) }
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
                let point = points[rng.usize(..points.len())];
                Fault::KillWorkerAt { worker, point, nth: rng.u32(1..=last_nth(point)) }
            }
        });
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
    let cuts = cuts(&mut rng, counts.cuts, workers, longest_cut);
    let faults = faults.into_iter().map(|fault| Planned { pause: millis(&mut rng, 50..600), fault }).collect();
    Schedule { faults, cuts }
}

/// Cuts from a second to the longest, short ones as likely as long ones by their order of magnitude. One is drawn from
/// each of as many equal parts of that range, so that there are long ones in every schedule; each goes to the worker that
/// is cut for the least time so far.
fn cuts(rng: &mut Rng, count: u32, workers: usize, longest: Duration) -> Vec<Vec<Cut>> {
    let mut lanes = vec![Vec::<Cut>::new(); workers];
    let length = |lane: &[Cut]| lane.iter().map(|cut| cut.pause + cut.time).sum::<Duration>();
    for n in (0..count).rev() {
        let part = (f64::from(n) + rng.f64()) / f64::from(count);
        let time = Duration::from_secs_f64(longest.as_secs_f64().max(1.0).powf(part));
        let direction = [Direction::ToServer, Direction::ToWorker, Direction::Both][rng.usize(..3)];
        if let Some(lane) = lanes.iter_mut().min_by_key(|lane| length(lane)) {
            lane.push(Cut { pause: millis(rng, 500..2_500), direction, time });
        }
    }
    lanes.iter_mut().for_each(|lane| rng.shuffle(lane));
    lanes
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
        let schedule = |seed| super::schedule(seed, &COUNTS, 3, Duration::from_secs(10));
        assert_eq!(schedule(7), schedule(7));
        assert_ne!(schedule(7), schedule(8));
        let Schedule { faults, cuts } = schedule(7);
        assert_eq!((faults.len(), cuts.len()), (20 + 10 + 4 + 2 + 5, 3));
        assert_eq!(cuts.concat().len(), 10);
    }

    #[test]
    fn cuts_are_short_and_long_and_as_many_for_each_worker() {
        let counts = Counts { cuts: 100, ..Counts::default() };
        for seed in 0..50 {
            let lanes = schedule(seed, &counts, 6, Duration::from_secs(120)).cuts;
            let all = lanes.concat();
            let secs = |cut: &Cut| cut.time.as_secs_f64();
            assert!(all.iter().all(|cut| (1.0..=120.0).contains(&secs(cut))));
            assert!(all.iter().filter(|cut| secs(cut) > 60.0).count() >= 10, "seed {seed}");
            assert!(all.iter().filter(|cut| secs(cut) < 5.0).count() >= 25, "seed {seed}");
            let totals = lanes.iter().map(|lane| lane.iter().map(secs).sum::<f64>());
            let (least, most) = totals.fold((f64::MAX, 0.0_f64), |(l, m), total| (l.min(total), m.max(total)));
            assert!(most - least < 60.0, "seed {seed}: {least} to {most}");
        }
        let counts = Counts { cuts: 50, ..Counts::default() };
        let longest = |seed| schedule(seed, &counts, 6, Duration::from_secs(120)).cuts.concat().into_iter();
        assert!((0..50).all(|seed| longest(seed).any(|cut| cut.time > Duration::from_secs(60))));
    }
}
