//! One run: set up, load, faults, rest, verify.

use super::Trouble;
use super::database::{Database, Kind};
use super::disk::SmallDisk;
use super::ledger::Ledger;
use super::load::{Caller, Load, WORKFLOWS};
use super::plan::{Counts, Disk, Fault, Planned, Victim, schedule};
use super::processes::{Server, Setup, Worker, free_port};
use super::proxy::Proxy;
use super::verify::{Findings, succeeded, verify};
use fastrand::Rng;
use pulse_core::fault;
use reqwest::{Method, StatusCode};
use serde::Serialize;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Workers under trial.
const WORKERS: usize = 3;
/// Commands that each runs at once.
const CAPACITY: u32 = 4;
/// Clients.
const CLIENTS: usize = 16;
/// After the last fault everything has to have ended within this.
const STUCK: Duration = Duration::from_secs(30);
/// A server that has not died at its named point by then is killed.
const POINT_PATIENCE: Duration = Duration::from_secs(3);
/// With room again, the server has to be ready within this.
const RECOVERY: Duration = Duration::from_secs(10);
/// Less than this share of the executions completed: the run proves nothing.
const VOID_BELOW_PERCENT: u64 = 80;
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
    /// Whether the run proves nothing.
    pub void: bool,
    /// What was found.
    pub findings: Findings,
}

impl Report {
    /// Whether nothing is wrong, and that means something.
    pub fn passed(&self) -> bool {
        !self.void && self.findings.violations().iter().all(|(_, found)| found.is_empty())
    }
}

struct Trial {
    options: Options,
    server: Server,
    workers: Vec<Worker>,
    proxies: Vec<Arc<Proxy>>,
    database: Option<Database>,
    server_disk: Option<SmallDisk>,
    worker_disk: Option<SmallDisk>,
    load: Load,
    cuts: JoinSet<()>,
    done: std::collections::BTreeMap<&'static str, u64>,
    rng: Rng,
}

/// Makes a run. `say` is told what happens, a line at a time.
///
/// # Errors
/// When the run could not be made.
pub async fn run(options: Options, say: &mut dyn FnMut(&str)) -> Result<Report, Trouble> {
    let planned = schedule(options.seed, &options.counts, WORKERS, options.longest_cut);
    let mut trial = Trial::set_up(options).await?;
    let mut clients = JoinSet::new();
    for n in 0..CLIENTS {
        clients.spawn(trial.load.clone().client(Rng::with_seed(trial.options.seed ^ (n as u64 + 1))));
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
    say("no more faults; waiting until everything has ended");
    trial.rest(&mut clients).await?;
    say("looking for everything that was acknowledged");
    trial.verify().await
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
        let deadline = Instant::now() + STUCK;
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

    async fn cause(&mut self, fault: Fault) -> Result<(), Trouble> {
        let kind = match fault {
            Fault::KillServer { after } => {
                sleep(after).await;
                self.server.kill().await;
                self.server.up().await?;
                "server killed"
            }
            Fault::KillServerAt { point, nth } => self.kill_server_at(point, nth).await?,
            Fault::KillWorker { worker, victim } => self.kill_worker(worker, victim).await?,
            Fault::KillWorkerAt { worker, point, nth } => self.kill_worker_at(worker, point, nth).await?,
            Fault::Cut { worker, direction, time } => {
                let proxy = self.proxies[worker].clone();
                self.cuts.spawn(async move { proxy.cut(direction, time).await });
                "connection cut"
            }
            Fault::FillDisk { disk: Disk::Server, time } => self.fill_server_disk(time).await?,
            Fault::FillDisk { disk: Disk::Worker, time } => {
                let Some(disk) = &self.worker_disk else { return Ok(()) };
                disk.fill()?;
                sleep(time).await;
                disk.free()?;
                "worker's disk full"
            }
            Fault::RestartDatabase { hard } => {
                let Some(database) = &mut self.database else {
                    return Err(Trouble::new(
                        "a SQLite file cannot be restarted: choose --database mariadb or postgres",
                    ));
                };
                database.restart(hard).await?;
                self.alive().await?;
                "database restarted"
            }
            Fault::CancelRequests { count } => {
                self.load.cancel_requests(count, &mut self.rng).await;
                *self.done.entry("requests given up").or_default() += u64::from(count);
                return Ok(());
            }
        };
        *self.done.entry(kind).or_default() += 1;
        Ok(())
    }

    async fn kill_server_at(&mut self, point: &'static str, nth: u32) -> Result<&'static str, Trouble> {
        // The server has to be started with its point, so it dies twice.
        self.server.kill().await;
        self.server.start(Some(&format!("{point}:{nth}")))?;
        let reached = self.server.ended_within(POINT_PATIENCE).await;
        self.server.kill().await;
        self.server.up().await?;
        Ok(if reached { "server killed at a named point" } else { "server killed" })
    }

    async fn kill_worker(&mut self, worker: usize, victim: Victim) -> Result<&'static str, Trouble> {
        let worker = &mut self.workers[worker];
        let mut kind = "worker's agent killed";
        if victim != Victim::Supervisor {
            worker.kill_agent().await;
        }
        if victim != Victim::Agent && worker.kill_supervisor() {
            kind = match victim {
                Victim::Supervisor => "worker's supervisor killed",
                _ => "worker's agent and supervisor killed",
            };
        }
        worker.start(CAPACITY, None)?;
        Ok(kind)
    }

    async fn kill_worker_at(&mut self, worker: usize, point: &'static str, nth: u32) -> Result<&'static str, Trouble> {
        let worker = &mut self.workers[worker];
        let fault = format!("{point}:{nth}");
        worker.kill_agent().await;
        if fault::SUPERVISOR.contains(&point) {
            // The agent hands the point on to the first supervisor that it starts, and starts another when that dies.
            worker.kill_supervisor();
            worker.start(CAPACITY, Some(&fault))?;
            return Ok("supervisor started to die at a named point");
        }
        worker.start(CAPACITY, Some(&fault))?;
        let reached = worker.ended_within(POINT_PATIENCE).await;
        worker.kill_agent().await;
        worker.start(CAPACITY, None)?;
        Ok(if reached { "worker's agent killed at a named point" } else { "worker's agent killed" })
    }

    async fn fill_server_disk(&mut self, time: Duration) -> Result<&'static str, Trouble> {
        let Some(disk) = &self.server_disk else { return Ok("") };
        disk.fill()?;
        sleep(time).await;
        let refused = timeout(RECOVERY, self.refused()).await;
        disk.free()?;
        if let Err(wrong) = refused.unwrap_or_else(|_| Err(format!("the server took everything for {RECOVERY:?}"))) {
            self.load.ledger.wrong(format!("with a full disk, {wrong}"));
        }
        let ready = timeout(RECOVERY, self.server.ready()).await;
        if !matches!(ready, Ok(Ok(true))) {
            self.load.ledger.wrong(format!("with room again, the server was not ready within {RECOVERY:?}"));
            self.alive().await?;
        }
        Ok("server's disk full")
    }

    /// Starts executions until the server refuses one and says that it is not ready: a database's files have some room in
    /// themselves when their disk has none. What is acknowledged until then has to be there afterwards. The error is an
    /// answer that no correct server gives.
    async fn refused(&self) -> Result<(), String> {
        let (path, body) = ("/api/workflows/bench-line/execute", self.load.body(1));
        loop {
            self.load.ledger.entries().tried += 1;
            let key = Some(uuid::Uuid::new_v4());
            match self.load.caller.call(Method::POST, path, key, Some(&body)).await {
                Some((StatusCode::ACCEPTED, answer)) => {
                    let id = answer["id"].as_str().and_then(|id| id.parse().ok());
                    self.load.ledger.started(id.ok_or_else(|| format!("202 without an id: {answer}"))?);
                    continue;
                }
                Some((StatusCode::SERVICE_UNAVAILABLE, _)) => {}
                other => return Err(format!("a start got {other:?}")),
            }
            match self.load.caller.call(Method::GET, "/readyz", None, None).await {
                Some((StatusCode::SERVICE_UNAVAILABLE, _)) => return Ok(()),
                // What made room in the files between the two calls is used up by the next starts.
                Some((StatusCode::OK, _)) => {}
                other => return Err(format!("/readyz got {other:?}")),
            }
        }
    }

    /// The server may have stopped itself because its database failed: then somebody starts it again.
    async fn alive(&mut self) -> Result<(), Trouble> {
        if !self.server.ready().await? {
            self.server.up().await?;
        }
        Ok(())
    }

    /// No more faults: everything gets the time it may take to end.
    async fn rest(&mut self, clients: &mut JoinSet<()>) -> Result<(), Trouble> {
        while self.cuts.join_next().await.is_some() {}
        for proxy in &self.proxies {
            proxy.whole().await;
        }
        for worker in &mut self.workers {
            worker.start(CAPACITY, None)?;
        }
        self.alive().await?;
        self.load.stop.cancel();
        let deadline = Instant::now() + STUCK;
        while clients.join_next().await.is_some() {}
        self.load.settle().await;
        let deadline = deadline.max(Instant::now() + STUCK / 2);
        while Instant::now() < deadline && self.answer_and_count_open().await != Some(0) {
            sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    /// Answers the questions that no client follows any more, and counts what has not ended.
    async fn answer_and_count_open(&self) -> Option<usize> {
        let path = "/api/executions?status=queued,running,waiting&limit=200";
        let (status, page) = self.load.caller.call(Method::GET, path, None, None).await?;
        if status != StatusCode::OK {
            return None;
        }
        let open = page["items"].as_array()?;
        for execution in open.iter().filter(|execution| execution["waiting_for_input"] == true) {
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
        let success_percent = (succeeded(&findings) * 100).checked_div(findings.executions).unwrap_or(0);
        Ok(Report {
            seed: self.options.seed,
            faults: self.done,
            tried: told.tried,
            acknowledged: told.started.len() as u64,
            settled: told.settled,
            failed_calls: told.failed_calls,
            success_percent,
            void: success_percent < VOID_BELOW_PERCENT,
            findings,
        })
    }
}
