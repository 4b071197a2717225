//! The processes under trial: the built program as server and workers, started, killed and started again.

use super::Trouble;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

/// How long a server may take until it is ready, and a process until it has ended in order.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether a server is ready.
const POLL: Duration = Duration::from_millis(10);

/// What servers and workers are started with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The program.
    pub program: PathBuf,
    /// Where logs and state go.
    pub directory: PathBuf,
    /// The database's URL.
    pub database: String,
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The administrator's token.
    pub token: String,
    /// The workers' key.
    pub worker_key: String,
}

impl Setup {
    /// A command without this process's own settings.
    fn command(&self, log: &str) -> Result<Command, Trouble> {
        let log = open_log(&self.directory.join(log)).map_err(|error| Trouble::io("a log", &error))?;
        let mut command = Command::new(&self.program);
        command.current_dir(&self.directory).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).kill_on_drop(true);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("PULSE_") || text.starts_with("WORKER_") {
                command.env_remove(&name);
            }
        }
        command.env("PULSE_LOG", "info").env("NO_COLOR", "1");
        Ok(command)
    }
}

/// A port that is free now.
///
/// # Errors
/// When there is none.
pub fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn open_log(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Where the server's log goes.
const SERVER_LOG: &str = "server.log";

/// The server.
#[derive(Debug)]
pub struct Server {
    setup: Setup,
    child: Option<Child>,
    http: reqwest::Client,
}

impl Server {
    /// A server that is not started.
    pub fn new(setup: Setup, http: reqwest::Client) -> Self {
        Self { setup, child: None, http }
    }

    /// Starts it; with a point at which it dies, as `PULSE_FAULT` takes it. It may be dead again at any time.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, fault: Option<&str>) -> Result<(), Trouble> {
        let mut command = self.setup.command(SERVER_LOG)?;
        command
            .arg("server")
            .env("PULSE_DATABASE_URL", &self.setup.database)
            .env("PULSE_LISTEN", self.setup.listen.to_string())
            .env("PULSE_ADMIN_TOKEN", &self.setup.token)
            .env("WORKER_API_KEY", &self.setup.worker_key);
        if let Some(fault) = fault {
            command.env(pulse_worker::fault::VARIABLE, fault);
        }
        self.child = Some(command.spawn().map_err(|error| Trouble::io("the server", &error))?);
        Ok(())
    }

    /// Waits until it is ready. Answers false when it died before.
    ///
    /// # Errors
    /// When it lives and does not become ready.
    pub async fn ready(&mut self) -> Result<bool, Trouble> {
        let url = format!("http://{}/readyz", self.setup.listen);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if self.has_ended()? {
                return Ok(false);
            }
            let answer = self.http.get(&url).timeout(Duration::from_secs(2)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(true);
            }
            sleep(POLL).await;
        }
        Err(Trouble::new(format!("the server was not ready within {PATIENCE:?}; its log is in server.log")))
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// When it does not come up.
    pub async fn up(&mut self) -> Result<(), Trouble> {
        self.start(None)?;
        match self.ready().await? {
            true => Ok(()),
            false => Err(Trouble::new("the server ended at its start; its log is in server.log")),
        }
    }

    /// Whether its process is gone.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn has_ended(&mut self) -> Result<bool, Trouble> {
        match &mut self.child {
            None => Ok(true),
            Some(child) => Ok(child.try_wait().map_err(|error| Trouble::io("the server", &error))?.is_some()),
        }
    }

    /// Waits until it has ended by itself, but no longer than `limit`. Answers whether it has.
    pub async fn ended_within(&mut self, limit: Duration) -> bool {
        ended_within(&mut self.child, limit).await
    }

    /// How many bytes it has said in all its lives.
    ///
    /// # Errors
    /// When that cannot be found out.
    pub fn log_size(&self) -> Result<u64, Trouble> {
        let path = self.setup.directory.join(SERVER_LOG);
        Ok(std::fs::metadata(path).map_err(|error| Trouble::io("the server's log", &error))?.len())
    }

    /// What it has said since it had said so many bytes.
    ///
    /// # Errors
    /// When that cannot be read.
    pub fn log_since(&self, size: u64) -> Result<String, Trouble> {
        let read = || -> io::Result<String> {
            let mut file = File::open(self.setup.directory.join(SERVER_LOG))?;
            file.seek(io::SeekFrom::Start(size))?;
            let mut said = Vec::new();
            file.read_to_end(&mut said)?;
            Ok(String::from_utf8_lossy(&said).into_owned())
        };
        read().map_err(|error| Trouble::io("the server's log", &error))
    }

    /// `kill -9`.
    pub async fn kill(&mut self) {
        kill(&mut self.child).await;
    }

    /// Stops it in order.
    ///
    /// # Errors
    /// When it does not end, or not with success.
    pub async fn stop(&mut self) -> Result<(), Trouble> {
        stop("the server", &mut self.child).await
    }
}

/// A worker.
#[derive(Debug)]
pub struct Worker {
    setup: Setup,
    /// Its name.
    pub name: String,
    /// How it reaches the server: through a proxy.
    by: SocketAddr,
    state: PathBuf,
    child: Option<Child>,
}

impl Worker {
    /// A worker that is not started, with its state below `state`.
    pub fn new(setup: Setup, name: String, by: SocketAddr, state: &Path) -> Self {
        let state = state.join(&name);
        Self { setup, name, by, state, child: None }
    }

    /// Starts its agent, unless it runs; with a point at which it dies, as `PULSE_FAULT` takes it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&mut self, capacity: u32, fault: Option<&str>) -> Result<(), Trouble> {
        if let Some(child) = &mut self.child
            && matches!(child.try_wait(), Ok(None))
        {
            return Ok(());
        }
        let mut command = self.setup.command(&format!("{}.log", self.name))?;
        command
            .arg("worker")
            .env("WORKER_NAME", &self.name)
            .env("WORKER_API_KEY", &self.setup.worker_key)
            .env("PULSE_SERVER", format!("http://{}", self.by))
            .env("PULSE_WORKER_STATE", &self.state)
            .env("MAX_CONCURRENT_TASKS", capacity.to_string());
        if let Some(fault) = fault {
            command.env(pulse_worker::fault::VARIABLE, fault);
        }
        self.child = Some(command.spawn().map_err(|error| Trouble::io("a worker", &error))?);
        Ok(())
    }

    /// Waits until the agent has ended by itself, but no longer than `limit`. Answers whether it has.
    pub async fn ended_within(&mut self, limit: Duration) -> bool {
        ended_within(&mut self.child, limit).await
    }

    /// Waits until its first supervisor has ended, but no longer than `limit`. Answers whether it has.
    pub async fn supervisor_ended_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut first = None;
        while Instant::now() < deadline {
            let now = self.supervisors();
            match first {
                None => first = now.first().copied(),
                Some(first) if !now.contains(&first) => return true,
                Some(_) => {}
            }
            sleep(POLL).await;
        }
        false
    }

    /// `kill -9` of the agent.
    pub async fn kill_agent(&mut self) {
        kill(&mut self.child).await;
    }

    /// `kill -9` of its supervisor. Answers whether there was one.
    pub fn kill_supervisor(&self) -> bool {
        let supervisors = self.supervisors();
        for pid in &supervisors {
            let _ = rustix::process::kill_process(*pid, rustix::process::Signal::KILL);
        }
        !supervisors.is_empty()
    }

    /// The supervisors of this worker's state directory, by their command lines.
    fn supervisors(&self) -> Vec<rustix::process::Pid> {
        let agent = self.child.as_ref().and_then(Child::id);
        let state = self.state.as_os_str().as_encoded_bytes();
        let Ok(processes) = std::fs::read_dir("/proc") else { return Vec::new() };
        let supervises = |pid: i32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut words = line.split(|byte| *byte == 0);
            let is_ours = words.any(|word| word.starts_with(b"supervise"));
            is_ours && line.windows(state.len()).any(|part| part == state)
        };
        processes
            .flatten()
            .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
            .filter(|pid| u32::try_from(*pid).ok() != agent && supervises(*pid))
            .filter_map(rustix::process::Pid::from_raw)
            .collect()
    }

    /// Stops the agent in order, and then what it leaves running.
    ///
    /// # Errors
    /// When it does not end in order.
    pub async fn stop(&mut self) -> Result<(), Trouble> {
        let stopped = stop(&self.name, &mut self.child).await;
        self.kill_supervisor();
        stopped
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.kill_supervisor();
    }
}

async fn ended_within(child: &mut Option<Child>, limit: Duration) -> bool {
    match child {
        None => true,
        Some(child) => timeout(limit, child.wait()).await.is_ok(),
    }
}

async fn kill(child: &mut Option<Child>) {
    if let Some(mut child) = child.take() {
        // An error means that it has ended already.
        let _ = child.kill().await;
    }
}

async fn stop(what: &str, child: &mut Option<Child>) -> Result<(), Trouble> {
    let Some(mut child) = child.take() else { return Ok(()) };
    if let Some(pid) = child.id().and_then(|pid| rustix::process::Pid::from_raw(i32::try_from(pid).unwrap_or(0))) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
    }
    match timeout(PATIENCE, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(Trouble::new(format!("{what} was stopped in order and ended with {status}"))),
        Ok(Err(error)) => Err(Trouble::io(what, &error)),
        Err(_) => Err(Trouble::new(format!("{what} did not end within {PATIENCE:?} of TERM"))),
    }
}
