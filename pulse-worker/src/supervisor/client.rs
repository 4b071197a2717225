//! The agent's side: finds the supervisor or starts one, and passes messages both ways. When the supervisor dies another is
//! started at once.
//!
//! A supervisor of another version goes on as long as its commands run, if it speaks a version of the protocol that this
//! program speaks, too; it is replaced as soon as nothing runs. One that speaks none is left to finish: nobody talks to
//! it, so it ends when its commands have, and the results are on the disk.

use super::process::{READY, SOCKET, VERB};
use super::protocol::{self, CURRENT, FromSupervisor, OLDEST, Received, ToSupervisor};
use crate::runner::{Environment, Piece, Portable};
use crate::state::Place;
use crate::{Error, fault};
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::text::one_line;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::process::Command;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// Messages that may wait for the agent. When it is full the socket is not read.
const EVENTS: usize = 64;
/// Messages that may wait for the socket. When it is full the agent keeps them and goes on with everything else.
const OUTGOING: usize = 64;
/// Time for a supervisor to start: it may have to kill what a former one left.
const START: Duration = Duration::from_secs(60);
/// Time for the answer to a hello.
const WELCOME: Duration = Duration::from_secs(30);
/// Between tries to start one, and to reach one that cannot be spoken to; and between two that were reached.
const RETRY: Duration = Duration::from_secs(1);
/// Between tries to reach one that is just ending.
const SOON: Duration = Duration::from_millis(20);
/// The log of the supervisor is begun anew when it is larger.
const LARGEST_LOG: u64 = 1024 * 1024;
/// What a supervisor gets of this process's environment. Commands get theirs from the hello.
const PASSED_ON: [&str; 3] = ["PULSE_LOG", "RUST_BACKTRACE", "TZ"];

/// The program that is started as a supervisor.
#[derive(Debug, Clone)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// Its name in the list of processes.
    pub name: OsString,
}

impl Program {
    /// This one, even when its file has been replaced meanwhile.
    pub fn this() -> Self {
        let name = std::env::args_os().next().unwrap_or_else(|| "pulse".into());
        Self { path: "/proc/self/exe".into(), name }
    }
}

/// What comes from supervisors.
#[derive(Debug)]
pub enum Event {
    /// There is one: nothing that was known before counts.
    Ready(Ready),
    /// It said something.
    Message(FromSupervisor),
    /// A command printed something.
    Piece(CommandId, Piece),
    /// It is gone. Another will come.
    Gone,
    /// None will come: the state directory is not this agent's any more.
    Ended(Error),
}

/// A supervisor that can be used.
#[derive(Debug)]
pub struct Ready {
    /// What it knows: which, whose, and whether its process has ended.
    pub known: Vec<(CommandId, ExecutionId, bool)>,
    /// To it. It is left when this is dropped.
    pub sender: mpsc::Sender<ToSupervisor>,
    /// Its process.
    pub pid: u32,
    /// Whether it is of this program's version.
    pub is_current: bool,
}

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    known: Vec<(CommandId, ExecutionId, bool)>,
    pid: u32,
    is_current: bool,
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
}

/// Finds and starts supervisors.
#[derive(Debug, Clone)]
pub struct Supervisors {
    /// The state directory.
    pub dir: PathBuf,
    /// The agent's own lock there. Without it nothing in the directory is this agent's, a supervisor least of all.
    pub place: Place,
    /// What is started.
    pub program: Program,
    /// What commands are to find around them.
    pub environment: Environment,
    /// Whether this process has started one before.
    pub has_started: Arc<AtomicBool>,
}

impl Supervisors {
    /// Connects to the supervisor; starts one when there is none. Waits for one that cannot be spoken to.
    ///
    /// # Errors
    /// When none can be started, or the directory is not this agent's any more.
    pub async fn open(&self) -> Result<Connection, Error> {
        let mut is_first_wait = true;
        loop {
            match self.try_open().await? {
                Ok(connection) => return Ok(connection),
                Err(version) => {
                    if std::mem::take(&mut is_first_wait) {
                        tracing::warn!(
                            version = %one_line(&version),
                            "a supervisor of another version still runs commands: waiting until they have ended"
                        );
                    }
                    sleep(RETRY).await;
                }
            }
        }
    }

    /// The inner error is the version of one that cannot be spoken to.
    async fn try_open(&self) -> Result<Result<Connection, String>, Error> {
        let deadline = Instant::now() + START;
        let mut last = io::Error::other("it ended again and again");
        while Instant::now() < deadline {
            if !self.place.is_there() {
                return Err(Error::StateGone { path: self.dir.clone() });
            }
            let stream = match self.connect().await {
                Ok(stream) => stream,
                Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
                    self.start().await?;
                    continue;
                }
                // It is just ending, or has no room for another connection now.
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::WouldBlock) => {
                    last = error;
                    sleep(SOON).await;
                    continue;
                }
                Err(error) => return Err(failed(&error.to_string())),
            };
            match timeout(WELCOME, self.greet(stream)).await {
                Ok(Ok(Ok(connection))) if !connection.is_current && connection.known.iter().all(|known| known.2) => {
                    tracing::info!("the supervisor is of another version and nothing runs: replacing it");
                    connection.end().await;
                }
                Ok(Ok(outcome)) => return Ok(outcome),
                Ok(Err(error)) => {
                    // It is just ending.
                    last = error;
                    sleep(SOON).await;
                }
                Err(_elapsed) => return Err(failed("it does not answer")),
            }
        }
        Err(failed(&last.to_string()))
    }

    async fn connect(&self) -> io::Result<UnixStream> {
        // By way of the directory's descriptor: the path to a socket must be short.
        let dir = File::open(&self.dir)?;
        UnixStream::connect(format!("/proc/self/fd/{}/{SOCKET}", dir.as_raw_fd())).await
    }

    async fn start(&self) -> Result<(), Error> {
        let io_failed = |error: io::Error| failed(&error.to_string());
        let log_path = self.dir.join("supervisor.log");
        let is_long = fs::metadata(&log_path).is_ok_and(|log| log.len() > LARGEST_LOG);
        let mut options = OpenOptions::new();
        options.create(true).append(true).mode(0o600);
        let log = options.open(&log_path).map_err(io_failed)?;
        if is_long {
            log.set_len(0).map_err(io_failed)?;
        }
        let mut command = Command::new(&self.program.path);
        command.arg0(&self.program.name).arg(VERB).arg("--state").arg(&self.dir).env_clear();
        let passed_on = PASSED_ON.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.envs(passed_on);
        // Once: the one that takes the place of the one that died is to live.
        if let Some(fault) =
            std::env::var_os(fault::VARIABLE).filter(|_| !self.has_started.swap(true, Ordering::Relaxed))
        {
            command.env(fault::VARIABLE, fault);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().map_err(io_failed)?;
        let mut said = String::new();
        if let Some(stdout) = child.stdout.take() {
            let mut stdout = BufReader::new(stdout);
            match timeout(START, stdout.read_line(&mut said)).await {
                Ok(read) => drop(read.map_err(io_failed)?),
                Err(_elapsed) => return Err(failed("it did not start in time")),
            }
        }
        // It is reaped when it ends, without anybody waiting for it.
        match said.trim_end() {
            READY => Ok(()),
            "" => Err(failed(&format!("it ended at once: {} says why", log_path.display()))),
            reason => Err(failed(reason)),
        }
    }

    async fn greet(&self, stream: UnixStream) -> io::Result<Result<Connection, String>> {
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::new(reader);
        let mut hello = Vec::new();
        let (version, environment) = (env!("CARGO_PKG_VERSION").to_owned(), Portable::from(&self.environment));
        let message = ToSupervisor::Hello { oldest: OLDEST, newest: CURRENT, version, environment };
        protocol::message(&mut hello, &message);
        writer.write_all(&hello).await?;
        let (mut welcome, mut known) = (None, Vec::new());
        while let Some(received) = protocol::receive(&mut reader).await? {
            match received {
                Received::Message(FromSupervisor::Welcome { protocol: None, version, .. }) => return Ok(Err(version)),
                Received::Message(FromSupervisor::Welcome { version, pid, .. }) => welcome = Some((version, pid)),
                Received::Message(FromSupervisor::Known { command_id, execution_id, is_over }) => {
                    known.push((command_id, execution_id, is_over));
                }
                Received::Message(FromSupervisor::Ready) => {
                    let Some((version, pid)) = welcome else { break };
                    let is_current = version == env!("CARGO_PKG_VERSION");
                    return Ok(Ok(Connection { known, pid, is_current, reader, writer }));
                }
                Received::Message(_) | Received::Piece(..) => break,
            }
        }
        Err(io::Error::other("it did not answer the hello"))
    }

    /// Starts the task that keeps a connection up. It ends when its receiver is dropped, or `Ready`'s sender by an agent that
    /// wants no other supervisor (`stop`).
    pub fn spawn(self, first: Connection) -> (mpsc::Receiver<Event>, JoinHandle<()>) {
        let (events, receiver) = mpsc::channel(EVENTS);
        let task = tokio::spawn(async move {
            let mut connection = first;
            loop {
                let since = Instant::now();
                if connection.run(&events).await.is_none() || events.send(Event::Gone).await.is_err() {
                    return;
                }
                // At once, unless that has just been done: one that never stays is not to be started without end.
                tokio::select! {
                    () = sleep_until(since + RETRY) => {}
                    () = events.closed() => return,
                }
                // One line per change, not per try.
                let mut last_failure = String::new();
                connection = loop {
                    match self.open().await {
                        Ok(connection) => break connection,
                        Err(error @ Error::StateGone { .. }) => {
                            let _ = events.send(Event::Ended(error)).await;
                            return;
                        }
                        Err(error) if error.to_string() == last_failure => {}
                        Err(error) => {
                            last_failure = error.to_string();
                            tracing::error!(%error, "trying again");
                        }
                    }
                    tokio::select! {
                        () = sleep(RETRY) => {}
                        () = events.closed() => return,
                    }
                };
            }
        });
        (receiver, task)
    }
}

impl Connection {
    /// Tells it to end, and waits until it has.
    async fn end(mut self) {
        let mut end = Vec::new();
        protocol::message(&mut end, &ToSupervisor::End);
        let _ = self.writer.write_all(&end).await;
        let _ = timeout(WELCOME, async { while let Ok(Some(_)) = protocol::receive(&mut self.reader).await {} }).await;
    }

    /// Passes messages until the supervisor is gone; nothing when the agent wants to go.
    async fn run(self, events: &mpsc::Sender<Event>) -> Option<()> {
        let Self { known, pid, is_current, mut reader, mut writer } = self;
        let (sender, mut requests) = mpsc::channel(OUTGOING);
        events.send(Event::Ready(Ready { known, sender, pid, is_current })).await.ok()?;
        let write = async {
            let mut batch = Vec::new();
            loop {
                // Everything that waits goes in one write.
                match requests.recv().await {
                    Some(request) => protocol::message(&mut batch, &request),
                    None => return None,
                }
                while let Ok(request) = requests.try_recv() {
                    protocol::message(&mut batch, &request);
                }
                if writer.write_all(&batch).await.is_err() {
                    return Some(());
                }
                batch.clear();
            }
        };
        let read = async {
            loop {
                let event = match protocol::receive(&mut reader).await {
                    Ok(Some(Received::Message(message))) => Event::Message(message),
                    Ok(Some(Received::Piece(command_id, piece))) => Event::Piece(command_id, piece),
                    Ok(None) => return Some(()),
                    Err(error) => {
                        tracing::warn!(%error, "the connection to the supervisor broke");
                        return Some(());
                    }
                };
                if events.send(event).await.is_err() {
                    return None;
                }
            }
        };
        tokio::select! {
            ended = write => ended,
            ended = read => ended,
        }
    }
}

fn failed(reason: &str) -> Error {
    Error::Supervisor { reason: one_line(reason) }
}
