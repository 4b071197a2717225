//! One run: set up, load, faults, rest, verify.

use super::Trouble;
use super::cause::Point;
use super::database::{Database, Kind};
use super::disk::SmallDisk;
use super::give_up::FIRST_LIMIT;
use super::ledger::{GivenUp, Ledger};
use super::load::{Caller, Load, WORKFLOWS};
use super::plan::{Counts, Cut, Planned, Schedule, schedule};
use super::processes::{Server, Setup, Worker, free_port};
use super::proxy::Proxy;
use super::verify::{Findings, STUCK, success_percent, verify};
use crate::render::age::now;
use fastrand::Rng;
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Workers under trial: so many that some are connected while others are cut off.
const WORKERS: usize = 6;
/// Commands that each runs at once.
pub const CAPACITY: u32 = 4;
/// Clients.
const CLIENTS: usize = 16;
/// The longest that a worker waits between two tries to connect, and a little more.
pub const RECONNECT: Duration = Duration::from_secs(35);
/// What is told of cuts that are longer than a worker's silence may be: it is unreachable then.
const LONG_CUT: Duration = Duration::from_secs(60);
/// Less than this share of the executions completed: the run proves nothing.
const VOID_BELOW_PERCENT: u64 = 80;
/// With so many kills planned at named points, and less than this share of the points reached: the same.
const ENOUGH_POINTS: u64 = 40;
const REACHED_PERCENT: u64 = 70;
/// With so many requests given up, and less than this share of them not answered, or not answered and with an effect: the
/// same. Only a request that takes effect unanswered was certainly given up in the middle.
const ENOUGH_GIVEN_UP: u64 = 500;
const UNANSWERED_PERCENT: u64 = 40;
const UNANSWERED_STARTED_PERCENT: u64 = 5;
/// The small disks, in MiB.
const DISK_MIB: u32 = 512;

/// What is tried.
#[derive(Clone, Debug)]
pub struct Options {
    /// The schedule's seed.
    pub seed: u64,
    /// How many of each fault.
    pub counts: Counts,
    /// The longest cut of a connection.
    pub longest_cut: Duration,
    /// Where the server keeps its data.
    pub database: Kind,
    /// Where everything goes; it must be empty.
    pub directory: PathBuf,
    /// The program under trial.
    pub program: PathBuf,
}

/// What came of it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// The schedule's seed.
    pub seed: u64,
    /// Faults that were done, by kind.
    pub faults: std::collections::BTreeMap<&'static str, u64>,
    /// Named points at which processes were to die.
    pub points: std::collections::BTreeMap<&'static str, Point>,
    /// What became of requests that were given up half-way.
    pub given_up: GivenUp,
    /// Starts that clients tried.
    pub tried: u64,
    /// Starts that were acknowledged.
    pub acknowledged: u64,
    /// Starts whose end had to be asked for again.
    pub settled: u64,
    /// HTTP calls that failed as they may.
    pub failed_calls: u64,
    /// Share of the executions that completed, in percent.
    pub success_percent: u64,
    /// Why the run proves nothing, if it does not.
    pub void: Vec<String>,
    /// What was found.
    pub findings: Findings,
}

impl Report {
    /// Whether nothing is wrong, and that means something.
    pub fn passed(&self) -> bool {
        self.void.is_empty() && self.findings.violations().iter().all(|(_, found)| found.is_empty())
    }
}

/// What is under trial, and what has been done to it.
pub struct Trial {
    options: Options,
    pub(super) server: Server,
    pub(super) workers: Vec<Worker>,
    pub(super) proxies: Vec<Arc<Proxy>>,
    pub(super) database: Option<Database>,
    pub(super) server_disk: Option<SmallDisk>,
    pub(super) worker_disk: Option<SmallDisk>,
    pub(super) load: Load,
    cuts: JoinSet<Vec<&'static str>>,
    pub(super) done: std::collections::BTreeMap<&'static str, u64>,
    pub(super) points: std::collections::BTreeMap<&'static str, Point>,
    pub(super) rng: Rng,
}

/// Makes a run. `say` is told what happens, a line at a time.
///
/// # Errors
/// When the run could not be made.
pub async fn run(options: Options, say: &mut dyn FnMut(&str)) -> Result<Report, Trouble> {
    let Schedule { faults: planned, cuts } = schedule(options.seed, &options.counts, WORKERS, options.longest_cut);
    let mut trial = Trial::set_up(options).await?;
    let mut clients = JoinSet::new();
    for n in 0..CLIENTS {
        clients.spawn(trial.load.clone().client(Rng::with_seed(trial.options.seed ^ (n as u64 + 1))));
    }
    for (proxy, cuts) in trial.proxies.iter().zip(cuts) {
        trial.cuts.spawn(cut(proxy.clone(), cuts));
    }
    let (total, mut told) = (planned.len(), Instant::now());
    for (n, Planned { pause, fault }) in planned.into_iter().enumerate() {
        sleep(pause).await;
        trial.cause(fault).await?;
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            let started = trial.load.ledger.entries().started.len();
            say(&format!("{} of {total} faults, {started} executions acknowledged", n + 1));
        }
    }
    while let Some(cut) = trial.cuts.join_next().await {
        cut.into_iter().flatten().for_each(|kind| *trial.done.entry(kind).or_default() += 1);
        if !trial.cuts.is_empty() {
            say(&format!("{} workers are still being cut off", trial.cuts.len()));
        }
    }
    say("no more faults; waiting until everything has ended");
    trial.rest(&mut clients).await?;
    say("looking for everything that was acknowledged");
    trial.verify().await
}

/// Cuts a worker off, again and again. Answers what that was called each time.
async fn cut(proxy: Arc<Proxy>, cuts: Vec<Cut>) -> Vec<&'static str> {
    let mut done = Vec::new();
    for cut in cuts {
        done.push(match proxy.cut(cut, RECONNECT).await {
            false => "connection cut before there was one",
            true if cut.time > LONG_CUT => "connection cut for more than a minute",
            true => "connection cut",
        });
    }
    done
}

impl Trial {
    async fn set_up(options: Options) -> Result<Self, Trouble> {
        let directory = options.directory.clone();
        let io = |error: std::io::Error| Trouble::io("the run's directory", &error);
        std::fs::create_dir_all(&directory).map_err(io)?;
        let (server_data, worker_data) = (directory.join("server"), directory.join("workers"));
        std::fs::create_dir_all(&server_data).map_err(io)?;
        std::fs::create_dir_all(&worker_data).map_err(io)?;
        let (server_disk, worker_disk) = match options.counts.full_disks {
            0 => (None, None),
            _ => (Some(SmallDisk::mount(&server_data, DISK_MIB)?), Some(SmallDisk::mount(&worker_data, DISK_MIB)?)),
        };
        let database = match options.database {
            Kind::Sqlite => None,
            kind => Some(Database::start(kind, &directory).await?),
        };
        let listen = free_port().map_err(|error| Trouble::io("a port", &error))?;
        let sqlite = || format!("sqlite://{}", server_data.join("pulse.db").display());
        let secret = || format!("{}{}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        let setup = Setup {
            program: options.program.clone(),
            directory: directory.clone(),
            database: database.as_ref().map_or_else(sqlite, Database::url),
            listen,
            token: secret(),
            worker_key: secret(),
        };
        crate::client::install_crypto();
        let http = reqwest::Client::builder()
            .tls_certs_only([])
            .build()
            .map_err(|error| Trouble::new(format!("HTTP cannot be used: {error}")))?;
        let mut server = Server::new(setup.clone(), http.clone());
        server.up().await?;
        let mut proxies = Vec::new();
        let mut workers = Vec::new();
        for n in 1..=WORKERS {
            let proxy = Proxy::start(listen).await.map_err(|error| Trouble::io("a proxy", &error))?;
            let mut worker = Worker::new(setup.clone(), format!("bench-{n}"), proxy.address, &worker_data);
            worker.start(CAPACITY, None)?;
            workers.push(worker);
            proxies.push(Arc::new(proxy));
        }
        let caller = Caller { http, url: format!("http://{listen}"), token: setup.token.clone() };
        let load = Load {
            caller,
            ledger: Arc::new(Ledger::default()),
            traces: directory.join("traces"),
            given_up_after: Arc::new(AtomicU64::new(FIRST_LIMIT)),
            stop: CancellationToken::new(),
        };
        std::fs::write(&load.traces, "").map_err(io)?;
        let rng = Rng::with_seed(options.seed.rotate_left(32));
        let trial = Self {
            options,
            server,
            workers,
            proxies,
            database,
            server_disk,
            worker_disk,
            load,
            cuts: JoinSet::new(),
            done: Default::default(),
            points: Default::default(),
            rng,
        };
        trial.store_workflows().await?;
        trial.workers_online().await?;
        Ok(trial)
    }

    async fn store_workflows(&self) -> Result<(), Trouble> {
        for (name, definition) in WORKFLOWS {
            let body = json!({"definition": definition});
            let answer = self.load.caller.call(Method::POST, "/api/workflows", None, Some(&body)).await;
            if answer.as_ref().is_none_or(|(status, _)| *status != StatusCode::CREATED) {
                return Err(Trouble::new(format!("the workflow {name} could not be stored: {answer:?}")));
            }
        }
        Ok(())
    }

    async fn workers_online(&self) -> Result<(), Trouble> {
        let deadline = Instant::now() + RECONNECT;
        while Instant::now() < deadline {
            if let Some((StatusCode::OK, page)) = self.load.caller.call(Method::GET, "/api/workers", None, None).await
                && let Some(workers) = page["items"].as_array()
                && workers.iter().filter(|worker| worker["status"] == "online").count() == WORKERS
            {
                return Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err(Trouble::new("the workers did not come online; their logs are in bench-N.log"))
    }

    /// No more faults: everything gets the time it may take to end.
    async fn rest(&mut self, clients: &mut JoinSet<()>) -> Result<(), Trouble> {
        for worker in &mut self.workers {
            worker.start(CAPACITY, None)?;
        }
        self.alive().await?;
        if self.workers_online().await.is_err() {
            self.load.ledger.wrong(format!("not all workers were back within {RECONNECT:?} of the last fault"));
        }
        self.load.ledger.entries().calm_since = now();
        self.load.stop.cancel();
        while clients.join_next().await.is_some() {}
        let settled = async {
            self.load.settle().await;
            Instant::now() + STUCK
        };
        tokio::pin!(settled);
        // Settling and answering go on side by side: neither may hold up what the other waits for.
        let deadline = loop {
            tokio::select! {
                deadline = &mut settled => break deadline,
                () = sleep(Duration::from_millis(200)) => { self.answer_and_count_open(true).await; }
            }
        };
        while Instant::now() < deadline && self.answer_and_count_open(true).await != Some(0) {
            sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    /// Counts what has not ended, and answers the questions that no client follows any more. At most a page of each.
    pub(super) async fn answer_and_count_open(&self, answering: bool) -> Option<usize> {
        let path = "/api/executions?status=queued,running,waiting&limit=200";
        let (status, page) = self.load.caller.call(Method::GET, path, None, None).await?;
        if status != StatusCode::OK {
            return None;
        }
        let open = page["items"].as_array()?;
        for execution in open.iter().filter(|execution| answering && execution["waiting_for_input"] == true) {
            if let Some(id) = execution["id"].as_str() {
                let path = format!("/api/executions/{id}/respond");
                let body = json!({"response": "Stop"});
                let _ = self.load.caller.call(Method::POST, &path, None, Some(&body)).await;
            }
        }
        Some(open.len())
    }

    async fn verify(mut self) -> Result<Report, Trouble> {
        for worker in &mut self.workers {
            worker.stop().await?;
        }
        self.server.stop().await?;
        let url = match &self.database {
            Some(database) => database.url(),
            None => format!("sqlite://{}", self.options.directory.join("server/pulse.db").display()),
        };
        let broken = |error: pulse_store::Error| Trouble::new(format!("the database cannot be read: {error}"));
        let store = pulse_store::open(&url, pulse_store::OpenOptions::default()).await.map_err(broken)?;
        let traces = std::fs::read_to_string(&self.load.traces).map_err(|error| Trouble::io("traces", &error))?;
        let told = std::mem::take(&mut *self.load.ledger.entries());
        let findings = verify(&*store, &told, &traces).await.map_err(broken)?;
        store.close().await;
        Ok(Report {
            seed: self.options.seed,
            faults: self.done,
            void: void(success_percent(&findings), &self.points, told.given_up),
            points: self.points,
            given_up: told.given_up,
            tried: told.tried,
            acknowledged: told.started.len() as u64,
            settled: told.settled,
            failed_calls: told.failed_calls,
            success_percent: success_percent(&findings),
            findings,
        })
    }
}

/// Why a run proves nothing.
fn void(
    success_percent: u64,
    points: &std::collections::BTreeMap<&'static str, Point>,
    given_up: GivenUp,
) -> Vec<String> {
    let mut void = Vec::new();
    if success_percent < VOID_BELOW_PERCENT {
        void.push(format!("{success_percent} % of the executions completed: fewer than {VOID_BELOW_PERCENT} %"));
    }
    let (planned, reached) =
        points.values().fold((0, 0), |(planned, reached), point| (planned + point.planned, reached + point.reached));
    if planned >= ENOUGH_POINTS && reached * 100 < planned * REACHED_PERCENT {
        void.push(format!("{reached} of {planned} named points were reached: fewer than {REACHED_PERCENT} %"));
    }
    let GivenUp { answered, not_started, started } = given_up;
    let all = answered + not_started + started;
    let unanswered = not_started + started;
    if all >= ENOUGH_GIVEN_UP
        && (unanswered * 100 < all * UNANSWERED_PERCENT || started * 100 < all * UNANSWERED_STARTED_PERCENT)
    {
        void.push(format!(
            "of {all} requests that were given up {unanswered} were not answered, {started} of those with an effect: \
             fewer than {UNANSWERED_PERCENT} % and {UNANSWERED_STARTED_PERCENT} %"
        ));
    }
    void
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_proves_nothing_says_why() {
        let points = |planned, reached| [("commit.before", Point { planned, reached })].into_iter().collect();
        let given_up = |answered, not_started, started| GivenUp { answered, not_started, started };
        let nothing = GivenUp::default();
        assert_eq!(void(80, &points(100, 70), given_up(300, 100, 100)), Vec::<String>::new());
        assert_eq!(void(79, &points(0, 0), nothing).len(), 1);
        assert_eq!(void(80, &points(40, 27), nothing).len(), 1);
        assert_eq!(void(80, &points(39, 0), nothing), Vec::<String>::new(), "too few to say");
        assert_eq!(void(80, &points(0, 0), given_up(400, 50, 50)).len(), 1, "mostly answered");
        assert_eq!(void(80, &points(0, 0), given_up(100, 380, 20)).len(), 1, "hardly any took effect");
    }
}
