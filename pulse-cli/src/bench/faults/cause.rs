//! Causing faults.

use super::Trouble;
use super::plan::{Disk, Fault, Victim};
use super::run::{CAPACITY, RECONNECT, Trial};
use pulse_core::fault;
use pulse_core::ids::ExecutionId;
use reqwest::{Method, StatusCode};
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep, timeout};

/// How long a process may take until it reaches its point, under load.
const POINT_PATIENCE: Duration = Duration::from_secs(20);
/// With room again, a server has to be ready and a worker to take a command within this.
const RECOVERY: Duration = Duration::from_secs(10);
/// How long a worker whose disk is full may go on taking commands: its files have room in themselves, and on a busy machine
/// it takes few.
const ROOM_LEFT: Duration = Duration::from_secs(60);
/// A command that takes longer than this is put off.
const PUT_OFF: Duration = Duration::from_secs(2);
/// Between two looks.
const POLL: Duration = Duration::from_millis(50);

/// How often processes were to die at a point, and did.
#[derive(Clone, Copy, Debug, Default, serde::Serialize)]
pub struct Point {
    /// To die there.
    pub planned: u64,
    /// Died there.
    pub reached: u64,
}

impl Trial {
    /// Causes a fault.
    ///
    /// # Errors
    /// When that cannot be done, or what it hit cannot be started again.
    pub async fn cause(&mut self, fault: Fault) -> Result<(), Trouble> {
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
            Fault::FillDisk { disk: Disk::Server, time } => self.fill_server_disk(time).await?,
            Fault::FillDisk { disk: Disk::Worker, time } => self.fill_workers_disk(time).await?,
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
                self.drained().await;
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
        Ok(self.at_point(point, reached, ["server killed at a named point", "server killed, its point not reached"]))
    }

    /// Counts whether a point was reached, and answers which of the two kinds of fault that was.
    fn at_point(&mut self, point: &'static str, reached: bool, kinds: [&'static str; 2]) -> &'static str {
        let counts = self.points.entry(point).or_default();
        counts.planned += 1;
        counts.reached += u64::from(reached);
        kinds[usize::from(!reached)]
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
        // One that is cut off gets nothing to do, so that it would not reach its point.
        let (n, _whole) = self.uncut(worker).await;
        let worker = &mut self.workers[n];
        let fault = format!("{point}:{nth}");
        worker.kill_agent().await;
        if fault::SUPERVISOR.contains(&point) {
            // The agent hands the point on to the first supervisor that it starts, and starts another when that dies.
            worker.kill_supervisor();
            worker.start(CAPACITY, Some(&fault))?;
            let reached = worker.supervisor_ended_within(POINT_PATIENCE).await;
            worker.kill_agent().await;
            if !reached {
                worker.kill_supervisor();
            }
            worker.start(CAPACITY, None)?;
            let kinds =
                ["worker's supervisor killed at a named point", "worker's supervisor killed, its point not reached"];
            return Ok(self.at_point(point, reached, kinds));
        }
        worker.start(CAPACITY, Some(&fault))?;
        let reached = worker.ended_within(POINT_PATIENCE).await;
        worker.kill_agent().await;
        worker.start(CAPACITY, None)?;
        let kinds = ["worker's agent killed at a named point", "worker's agent killed, its point not reached"];
        Ok(self.at_point(point, reached, kinds))
    }

    /// A worker that is not cut off, and is not while the guard is held: the preferred one if that can be.
    async fn uncut(&self, preferred: usize) -> (usize, Option<OwnedMutexGuard<()>>) {
        let deadline = Instant::now() + POINT_PATIENCE;
        while Instant::now() < deadline {
            let from = (0..self.proxies.len()).map(|n| (preferred + n) % self.proxies.len());
            if let Some((n, whole)) = from.filter_map(|n| Some((n, self.proxies[n].whole()?))).next() {
                return (n, Some(whole));
            }
            sleep(POLL).await;
        }
        (preferred, None)
    }

    /// All workers' state is on one disk; one of them is asked whether it takes commands again.
    async fn fill_workers_disk(&mut self, time: Duration) -> Result<&'static str, Trouble> {
        let (n, whole) = self.uncut(self.workers.len() - 1).await;
        let connected = self.proxies[n].connected(RECONNECT).await && whole.is_some();
        let Some(disk) = &self.worker_disk else { return Ok("") };
        self.load.ledger.entries().workers_ran_out_of_room = true;
        disk.fill()?;
        let name = self.workers[n].name.clone();
        let asked = self.put_off(&name).await;
        sleep(time).await;
        disk.free()?;
        let Some(id) = asked else {
            if connected {
                let what = format!("{name} took everything for {ROOM_LEFT:?} with a full disk");
                self.load.ledger.wrong(what);
            }
            return Ok("workers' disk full");
        };
        let deadline = Instant::now() + RECOVERY;
        while !self.load.has_ended(id).await {
            if Instant::now() > deadline {
                let what =
                    format!("with room again, {name} had not run a command (execution {id}) within {RECOVERY:?}");
                self.load.ledger.wrong(what);
                break;
            }
            sleep(POLL).await;
        }
        Ok("workers' disk full, and a command put off")
    }

    /// Gives a worker commands until one has to wait: its files have some room in themselves when their disk has none.
    async fn put_off(&self, worker: &str) -> Option<ExecutionId> {
        let deadline = Instant::now() + ROOM_LEFT;
        while Instant::now() < deadline {
            let Some(id) = self.load.start_on(worker).await else { continue };
            let patience = Instant::now() + PUT_OFF;
            while !self.load.has_ended(id).await {
                if Instant::now() > patience {
                    return Some(id);
                }
                sleep(POLL).await;
            }
        }
        None
    }

    /// Waits until most of what was started has ended, but not for long.
    async fn drained(&self) {
        let deadline = Instant::now() + super::verify::STUCK;
        while Instant::now() < deadline && self.answer_and_count_open(false).await.is_none_or(|open| open > 50) {
            sleep(POLL).await;
        }
    }

    async fn fill_server_disk(&mut self, time: Duration) -> Result<&'static str, Trouble> {
        let Some(disk) = &self.server_disk else { return Ok("") };
        disk.fill()?;
        sleep(time).await;
        let refused = timeout(RECOVERY, self.refused()).await;
        let started = self.start_on_a_full_disk().await;
        let Some(disk) = &self.server_disk else { return Ok("") };
        disk.free()?;
        let kind = started?.unwrap_or_else(|wrong| {
            self.load.ledger.wrong(format!("started on a full disk, {wrong}"));
            "server's disk full"
        });
        self.alive().await?;
        if let Err(wrong) = refused.unwrap_or_else(|_| Err(format!("the server took everything for {RECOVERY:?}"))) {
            self.load.ledger.wrong(format!("with a full disk, {wrong}"));
        }
        let ready = timeout(RECOVERY, self.server.ready()).await;
        if !matches!(ready, Ok(Ok(true))) {
            self.load.ledger.wrong(format!("with room again, the server was not ready within {RECOVERY:?}"));
            self.alive().await?;
        }
        Ok(kind)
    }

    /// Stops the server or kills it, and starts it while there is no room: it ends with one clear line. Where its files have room in
    /// themselves it may start and say that it is not ready.
    ///
    /// # Errors
    /// When it cannot be stopped or started; within, what no correct server does.
    async fn start_on_a_full_disk(&mut self) -> Result<Result<&'static str, String>, Trouble> {
        if self.rng.bool() {
            self.server.stop().await?;
        } else {
            self.server.kill().await;
        }
        let said = self.server.log_size()?;
        self.server.start(None)?;
        let deadline = Instant::now() + RECOVERY;
        while !self.server.has_ended()? {
            if let Some((StatusCode::SERVICE_UNAVAILABLE, _)) =
                self.load.caller.call(Method::GET, "/readyz", None, None).await
            {
                return Ok(Ok("server's disk full, and a start that was not ready"));
            }
            if Instant::now() > deadline {
                return Ok(Err(format!("the server neither ended nor said that it is not ready within {RECOVERY:?}")));
            }
            sleep(POLL).await;
        }
        let log = self.server.log_since(said)?;
        let errors: Vec<&str> = log.lines().filter(|line| line.starts_with("error")).collect();
        match errors[..] {
            [line] if line.contains("disk is full") => Ok(Ok("server's disk full, and a start refused")),
            _ => Ok(Err(format!("the server ended with {errors:?}, not with one line that says so"))),
        }
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
    pub(super) async fn alive(&mut self) -> Result<(), Trouble> {
        if !self.server.ready().await? {
            self.server.up().await?;
        }
        Ok(())
    }
}
