//! A server for one worker, made of a listener and helpers that say what a test means.

use futures_util::{SinkExt as _, StreamExt as _};
use pulse_core::command::{CommandEnd, CommandSpec, Stream};
use pulse_core::ids::{Attempt, CommandId, ExecutionId, StepId};
use pulse_core::protocol::worker::{Dispatch, FromWorker, Hello, OUTPUT_LIMIT_BYTES, ToWorker};
use pulse_worker::{Config, Error, Program};
use rustix::process::{Pid, Signal};
use std::collections::BTreeMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const KEY: &str = "a-key-4711";

/// Far longer than anything takes: a test fails by it, and is never decided by it.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(60), future).await {
        Ok(value) => value,
        Err(_) => panic!("waited too long for {what}"),
    }
}

pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    soon(what, async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// Whether a process lives; one that ended and was not reaped does not.
pub fn is_alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

pub async fn gone(pids: &[u32]) {
    until("processes to be gone", || !pids.iter().any(|pid| is_alive(*pid))).await;
}

pub fn numbers(text: &str) -> Vec<u32> {
    text.split_whitespace().map(|word| word.parse().unwrap()).collect()
}

/// All plain files below a directory.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .flat_map(|entry| match entry.file_type().unwrap() {
            kind if kind.is_dir() => files(&entry.path()),
            kind if kind.is_file() => vec![entry.path()],
            _ => Vec::new(),
        })
        .collect()
}

/// What the supervisor of a state directory says of itself.
fn supervisor_record(state: &Path) -> Option<serde_json::Value> {
    serde_json::from_slice(&std::fs::read(state.join("supervisor.json")).ok()?).ok()
}

/// The process of a state directory's supervisor.
pub fn supervisor(state: &Path) -> u32 {
    supervisor_record(state).and_then(|record| record["pid"].as_u64()).unwrap().try_into().unwrap()
}

pub fn signal(pid: u32, signal: Signal) {
    rustix::process::kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}

pub struct StandIn {
    listener: TcpListener,
    pub url: String,
}

impl StandIn {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/ws/worker", listener.local_addr().unwrap());
        Self { listener, url }
    }

    /// The next connection, before its hello.
    pub async fn connection(&self) -> Session {
        let (socket, _) = soon("a connection", self.listener.accept()).await.unwrap();
        socket.set_nodelay(true).unwrap();
        #[expect(clippy::result_large_err, reason = "the library's signature")]
        let check = |request: &Request, response: Response| {
            assert_eq!(request.uri().path(), "/ws/worker");
            assert_eq!(request.headers()["authorization"], format!("Bearer {KEY}"));
            Ok(response)
        };
        let socket = tokio_tungstenite::accept_hdr_async(socket, check).await.unwrap();
        Session {
            socket,
            hello: None,
            acks: true,
            mask: Vec::new(),
            output_limit: OUTPUT_LIMIT_BYTES,
            kill_grace_ms: 200,
        }
    }

    /// Answers the next upgrade with a status.
    pub async fn refuse(&self, status: StatusCode) {
        let (socket, _) = soon("a connection", self.listener.accept()).await.unwrap();
        #[expect(clippy::result_large_err, reason = "the library's signature")]
        let check = move |_: &Request, _: Response| {
            let mut response = ErrorResponse::new(None);
            *response.status_mut() = status;
            Err(response)
        };
        assert!(tokio_tungstenite::accept_hdr_async(socket, check).await.is_err());
    }

    /// The next connection, welcomed.
    pub async fn session(&self) -> Session {
        self.session_with(30_000).await
    }

    pub async fn session_with(&self, heartbeat_interval_ms: u64) -> Session {
        let mut session = self.connection().await;
        let FromWorker::Hello(hello) = session.next().await else { panic!("the first message is no hello") };
        session.hello = Some(hello);
        session.send(&ToWorker::Welcome { session: "s".into(), heartbeat_interval_ms }).await;
        session
    }
}

pub struct Session {
    pub socket: WebSocketStream<TcpStream>,
    hello: Option<Hello>,
    /// The limit of the commands it dispatches.
    pub output_limit: u64,
    /// The time between TERM and KILL of the commands it dispatches.
    pub kill_grace_ms: u64,
    /// Whether [`Session::end`] acknowledges what it gets.
    pub acks: bool,
    /// What the next command's output must not show.
    pub mask: Vec<String>,
}

/// What came of a command.
pub struct Ran {
    pub end: CommandEnd,
    pub pieces: Vec<(u64, Stream, String)>,
    /// Numbers and bytes of what is not kept.
    pub gaps: Vec<(u64, u64)>,
}

impl Ran {
    pub fn text(&self, stream: Stream) -> String {
        self.pieces.iter().filter(|(_, s, _)| *s == stream).map(|(_, _, data)| data.as_str()).collect()
    }
}

impl Session {
    pub fn hello(&self) -> &Hello {
        self.hello.as_ref().unwrap()
    }

    pub async fn send(&mut self, message: &ToWorker) {
        let text = serde_json::to_string(message).unwrap();
        soon("the worker to read", self.socket.send(Message::text(text))).await.unwrap();
    }

    /// The next message, or none at the end of the connection.
    pub async fn try_next(&mut self) -> Option<FromWorker> {
        loop {
            match soon("a message", self.socket.next()).await? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    /// The next message that is no heartbeat.
    pub async fn next(&mut self) -> FromWorker {
        loop {
            match self.try_next().await.expect("the connection has ended") {
                FromWorker::Heartbeat { .. } => {}
                message => return message,
            }
        }
    }

    pub async fn dispatch(&mut self, spec: CommandSpec) -> CommandId {
        let command_id = CommandId(Uuid::now_v7());
        self.dispatch_as(command_id, spec).await;
        command_id
    }

    pub async fn dispatch_as(&mut self, command_id: CommandId, spec: CommandSpec) {
        let dispatch = Dispatch {
            command_id,
            execution_id: ExecutionId(Uuid::nil()),
            step: StepId::from("a"),
            attempt: Attempt::FIRST,
            spec,
            kill_grace_ms: self.kill_grace_ms,
            output_limit_bytes: self.output_limit,
            mask: std::mem::take(&mut self.mask),
        };
        self.send(&ToWorker::Dispatch(Box::new(dispatch))).await;
    }

    /// Dispatches and waits for the acceptance.
    pub async fn start(&mut self, spec: CommandSpec) -> CommandId {
        let command_id = self.dispatch(spec).await;
        assert_eq!(self.next().await, FromWorker::Accepted { command_id });
        command_id
    }

    /// The output of a command up to its end; checks that pieces are numbered without gaps after `after`.
    pub async fn end(&mut self, command_id: CommandId, after: u64) -> Ran {
        let (mut pieces, mut gaps) = (Vec::new(), Vec::new());
        loop {
            match self.next().await {
                FromWorker::Output { command_id: id, stream, seq, data, gap_bytes } if id == command_id => {
                    assert_eq!(seq, after + (pieces.len() + gaps.len()) as u64 + 1);
                    assert!(data.len() <= 64 * 1024 && data.is_empty() == gap_bytes.is_some());
                    match gap_bytes {
                        Some(bytes) => gaps.push((seq, bytes)),
                        None => pieces.push((seq, stream, data)),
                    }
                    self.ack(command_id, Some(seq)).await;
                }
                FromWorker::Result { command_id: id, end } if id == command_id => {
                    self.ack(command_id, None).await;
                    return Ran { end, pieces, gaps };
                }
                other => panic!("unexpected {other:?}"),
            }
        }
    }

    pub async fn ack(&mut self, command_id: CommandId, output_seq: Option<u64>) {
        if self.acks {
            self.send(&ToWorker::Ack { command_id, output_seq }).await;
        }
    }

    pub async fn run(&mut self, spec: CommandSpec) -> Ran {
        let command_id = self.start(spec).await;
        self.end(command_id, 0).await
    }

    /// The next piece of output.
    pub async fn piece(&mut self) -> (u64, Stream, String) {
        match self.next().await {
            FromWorker::Output { stream, seq, data, .. } => (seq, stream, data),
            other => panic!("unexpected {other:?}"),
        }
    }

    /// Output until it holds a line's end.
    pub async fn line(&mut self) -> String {
        let mut line = String::new();
        while !line.ends_with('\n') {
            line.push_str(&self.piece().await.2);
        }
        line
    }
}

pub fn script(script: &str) -> CommandSpec {
    CommandSpec { command: Some(script.into()), ..argv(&[]) }
}

pub fn argv(argv: &[&str]) -> CommandSpec {
    CommandSpec {
        command: None,
        argv: argv.iter().map(|word| (*word).to_owned()).collect(),
        shell: None,
        env: Vec::new(),
        cwd: None,
        stdin: None,
        timeout_ms: 60_000,
        secrets: Vec::new(),
    }
}

pub fn config(server: &str, state_dir: &Path) -> Config {
    Config {
        server: server.to_owned(),
        key: KEY.to_owned(),
        name: "w1".to_owned(),
        labels: BTreeMap::from([("role".to_owned(), "db".to_owned())]),
        capacity: 4,
        state_dir: state_dir.to_owned(),
        heartbeat: Duration::from_secs(30),
        supervisor: Program { path: env!("CARGO_BIN_EXE_pulse-worker").into(), name: "pulse-worker".into() },
    }
}

/// A stand-in server and a worker in this process.
pub struct Rig {
    pub server: StandIn,
    pub dir: TempDir,
    pub stop: CancellationToken,
    pub worker: JoinHandle<Result<(), Error>>,
}

impl Rig {
    pub async fn new() -> Self {
        Self::with_capacity(4).await
    }

    pub async fn with_capacity(capacity: u32) -> Self {
        let server = StandIn::new().await;
        let dir = tempfile::tempdir().unwrap();
        let stop = CancellationToken::new();
        let worker = tokio::spawn(pulse_worker::run(
            Config { capacity, ..config(&server.url, &dir.path().join("state")) },
            stop.clone(),
        ));
        Self { server, dir, stop, worker }
    }

    /// A rig with its first session.
    pub async fn connected() -> (Self, Session) {
        let rig = Self::new().await;
        let session = rig.server.session().await;
        (rig, session)
    }

    /// Stops the worker, in order. Its connection goes first: nobody would answer its closing.
    pub async fn stop(self, session: Session) {
        drop(session);
        self.stop.cancel();
        soon("the worker to stop", self.worker).await.unwrap().unwrap();
    }

    pub async fn outcome(self) -> Result<(), Error> {
        soon("the worker to end", self.worker).await.unwrap()
    }

    pub fn path(&self, name: &str) -> String {
        self.dir.path().join(name).display().to_string()
    }
}
