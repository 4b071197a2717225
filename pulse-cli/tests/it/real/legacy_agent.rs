//! A stand-in for an agent of the first PULSE that follows the protocol's page to the letter: a heartbeat at the start,
//! which is awaited, and at every interval; a socket at `/` without a header; silence when it is busy; five seconds to a
//! reconnect.

use super::installation::Installation;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::process::Command;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Message;

pub const ON: &[(&str, &str)] = &[("PULSE_LEGACY_AGENTS", "1")];
/// Between heartbeats.
const INTERVAL: Duration = Duration::from_secs(1);

/// What the agent has done.
#[derive(Default)]
pub struct Seen {
    pub active: AtomicUsize,
    pub most: AtomicUsize,
    pub dropped: AtomicUsize,
    pub connections: AtomicUsize,
    pub beats: AtomicUsize,
    pub commands: Mutex<Vec<Value>>,
    /// Its connection breaks.
    cut: Notify,
    /// Something of its commands holds their pipes, whatever became of their shells: they do not end.
    pub held: AtomicBool,
}

/// A running agent; it ends with this.
pub struct Agent {
    pub seen: Arc<Seen>,
    pub worker_id: String,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.runtime.take().expect("it is dropped once").shutdown_background();
    }
}

pub fn key(installation: &Installation) -> String {
    std::fs::read_to_string(installation.directory.path().join("pulse-data/worker.key")).unwrap().trim().to_owned()
}

/// One heartbeat: the answer's status and body; 0 when nobody answers.
pub async fn heartbeat(url: &str, key: &str, worker_id: &str, name: &str, most: usize) -> (u16, Value) {
    beat_with(url, key, worker_id, name, most, 0).await
}

async fn beat_with(url: &str, key: &str, worker_id: &str, name: &str, most: usize, active: usize) -> (u16, Value) {
    let metadata = json!({
        "hostname": name, "platform": "linux", "arch": "x64", "cpus": 2, "totalMem": 1, "freeMem": 1, "uptime": 1,
        "loadavg": [0.0, 0.0, 0.0], "activeTasks": active, "maxConcurrentTasks": most,
    });
    let body = json!({"worker_id": worker_id, "name": name, "metadata": metadata});
    let request = reqwest::Client::new().post(format!("{url}/api/workers/heartbeat")).header("X-API-Key", key);
    let Ok(answer) = request.json(&body).send().await else { return (0, Value::Null) };
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

impl Agent {
    pub fn start(installation: &Installation, name: &str, most: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let seen = Arc::new(Seen::default());
        let (url, key, worker_id) = (installation.url.clone(), key(installation), uuid::Uuid::new_v4().to_string());
        let (status, answer) = runtime.block_on(heartbeat(&url, &key, &worker_id, name, most));
        assert_eq!((status, &answer), (200, &json!({"worker_id": worker_id, "status": "online"})));
        runtime.spawn(beat(url.clone(), key, worker_id.clone(), name.to_owned(), most, seen.clone()));
        runtime.spawn(run(url, worker_id.clone(), name.to_owned(), most, seen.clone()));
        let agent = Self { seen, worker_id, runtime: Some(runtime) };
        installation.until("the agent is online", || {
            (installation.get(&format!("/api/workers/{name}"))["status"] == "online").then_some(())
        });
        agent
    }

    /// How many commands it was sent.
    pub fn sent(&self) -> usize {
        self.seen.commands.lock().unwrap().len()
    }

    /// Breaks its connection; it makes another after five seconds.
    pub fn cut(&self) {
        self.seen.cut.notify_one();
    }
}

/// Heartbeats at every interval. The answers are nothing to it.
async fn beat(url: String, key: String, worker_id: String, name: String, most: usize, seen: Arc<Seen>) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let active = seen.active.load(Ordering::SeqCst);
        if beat_with(&url, &key, &worker_id, &name, most, active).await.0 == 200 {
            seen.beats.fetch_add(1, Ordering::SeqCst);
        }
    }
}

async fn run(url: String, worker_id: String, name: String, most: usize, seen: Arc<Seen>) {
    let (results, mut outgoing) = tokio::sync::mpsc::unbounded_channel::<Value>();
    loop {
        if let Ok((socket, _)) = tokio_tungstenite::connect_async(url.replace("http://", "ws://") + "/").await {
            let (mut sender, mut receiver) = socket.split();
            let hello = json!({"type": "worker_connect", "worker_id": worker_id, "worker_name": name});
            let _ = sender.send(Message::text(hello.to_string())).await;
            // What ended while there was no socket is lost.
            while outgoing.try_recv().is_ok() {}
            seen.connections.fetch_add(1, Ordering::SeqCst);
            loop {
                let message = tokio::select! {
                    Some(result) = outgoing.recv() => {
                        let _ = sender.send(Message::text(result.to_string())).await;
                        continue;
                    }
                    message = receiver.next() => message,
                    () = seen.cut.notified() => break,
                };
                let Some(Ok(message)) = message else { break };
                let Ok(text) = message.to_text() else { continue };
                let Ok(message) = serde_json::from_str::<Value>(text) else { continue };
                match message["type"].as_str() {
                    Some("ping") => _ = results.send(json!({"type": "pong", "worker_id": worker_id})),
                    Some("execute_command") if seen.active.load(Ordering::SeqCst) >= most => {
                        seen.dropped.fetch_add(1, Ordering::SeqCst);
                    }
                    Some("execute_command") => {
                        let active = seen.active.fetch_add(1, Ordering::SeqCst) + 1;
                        seen.most.fetch_max(active, Ordering::SeqCst);
                        seen.commands.lock().unwrap().push(message.clone());
                        tokio::spawn(execute(message, worker_id.clone(), seen.clone(), results.clone()));
                    }
                    other => panic!("the agent does not know {other:?}"),
                }
            }
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

/// Runs a command as Node's `exec` does. A result while the socket is gone is lost.
async fn execute(
    message: Value,
    worker_id: String,
    seen: Arc<Seen>,
    results: tokio::sync::mpsc::UnboundedSender<Value>,
) {
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(message["command"].as_str().unwrap()).kill_on_drop(true);
    let limit = Duration::from_millis(message["timeout"].as_u64().unwrap());
    let ran = tokio::time::timeout(limit, command.output()).await;
    while seen.held.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut result = json!({
        "type": "command_result", "execution_id": message["execution_id"], "worker_id": worker_id,
        "command_id": message["command_id"], "timestamp": "2026-11-24T12:00:00.000Z",
    });
    match ran {
        Ok(Ok(output)) => {
            result["success"] = json!(output.status.success());
            result["stdout"] = json!(String::from_utf8_lossy(&output.stdout));
            result["stderr"] = json!(String::from_utf8_lossy(&output.stderr));
            match output.status.success() {
                true => result["duration"] = json!(3),
                false => result["error"] = json!(format!("Command failed: {}", message["command"].as_str().unwrap())),
            }
        }
        _ => {
            result["success"] = json!(false);
            result["error"] = json!("Command failed");
        }
    }
    seen.active.fetch_sub(1, Ordering::SeqCst);
    let _ = results.send(result);
}
