//! An agent of the first PULSE against the built program. The agent is a stand-in that follows the protocol's page to the
//! letter: heartbeat first, a socket at `/` without a header, silence when it is busy, five seconds to a reconnect.

use super::installation::Installation;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::process::Command;
use tokio_tungstenite::tungstenite::Message;

const ON: &[(&str, &str)] = &[("PULSE_LEGACY_AGENTS", "1")];

/// What the agent has done.
#[derive(Default)]
struct Seen {
    active: AtomicUsize,
    most: AtomicUsize,
    dropped: AtomicUsize,
    connections: AtomicUsize,
    commands: Mutex<Vec<Value>>,
}

/// A running agent; it ends with this.
struct Agent {
    seen: Arc<Seen>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.runtime.take().expect("it is dropped once").shutdown_background();
    }
}

fn key(installation: &Installation) -> String {
    std::fs::read_to_string(installation.directory.path().join("pulse-data/worker.key")).unwrap().trim().to_owned()
}

/// One heartbeat: the answer's status and body.
async fn heartbeat(url: &str, key: &str, worker_id: &str, name: &str, most: usize) -> (u16, Value) {
    let metadata = json!({
        "hostname": name, "platform": "linux", "arch": "x64", "cpus": 2, "totalMem": 1, "freeMem": 1, "uptime": 1,
        "loadavg": [0.0, 0.0, 0.0], "activeTasks": 0, "maxConcurrentTasks": most,
    });
    let body = json!({"worker_id": worker_id, "name": name, "metadata": metadata});
    let request = reqwest::Client::new().post(format!("{url}/api/workers/heartbeat")).header("X-API-Key", key);
    let answer = request.json(&body).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or(Value::Null))
}

impl Agent {
    fn start(installation: &Installation, name: &str, most: usize) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let seen = Arc::new(Seen::default());
        let (url, key, worker_id) = (installation.url.clone(), key(installation), uuid::Uuid::new_v4().to_string());
        let (status, answer) = runtime.block_on(heartbeat(&url, &key, &worker_id, name, most));
        assert_eq!((status, &answer), (200, &json!({"worker_id": worker_id, "status": "online"})));
        runtime.spawn(run(url, worker_id, name.to_owned(), most, seen.clone()));
        let agent = Self { seen, runtime: Some(runtime) };
        installation.until("the agent is online", || {
            (installation.get(&format!("/api/workers/{name}"))["status"] == "online").then_some(())
        });
        agent
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

#[test]
fn it_runs_commands_with_values_as_data_and_never_too_many_at_once() {
    let installation = Installation::start_with(ON);
    let agent = Agent::start(&installation, "old-1", 2);
    installation.store(
        "name: old\nparams: [{name: p}]\nsteps:\n  - id: many\n    type: foreach\n    items: [1, 2, 3, 4, 5, 6, 7]\n    as: n\n    \
         parallel: 7\n    steps:\n      - {id: one, command: \"sleep 0.2; printf '%s' {{ p }}\", targets: old-1}\n  - id: bad\n    \
         command: \"echo out; echo err >&2; exit 3\"\n    targets: old-1\n    on_error: continue\n  - id: slow\n    \
         command: sleep 30\n    targets: old-1\n    timeout: 1s\n    on_error: continue\n",
    );
    let hostile = "'; touch /tmp/pulse-legacy-pwned; $(id) `id` \" {{ x }}\nsecond";
    let id = installation.execute("old", json!({"p": hostile}), &[]);
    let done = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(installation.output(&id, "step=one&stream=stdout"), hostile.repeat(7));
    assert!(!std::path::Path::new("/tmp/pulse-legacy-pwned").exists());
    assert_eq!(agent.seen.most.load(Ordering::SeqCst), 2, "both places are used");
    assert_eq!(agent.seen.dropped.load(Ordering::SeqCst), 0, "it was never sent more than it takes");
    let commands = |step: &str| {
        let steps = done["steps"].as_array().unwrap();
        steps.iter().find(|s| s["id"] == step).unwrap()["commands"][0].clone()
    };
    assert_eq!((&commands("bad")["status"], &commands("bad")["exit_code"]), (&json!("failed"), &json!(1)));
    assert_eq!(installation.output(&id, "step=bad"), "out\nerr\n");
    assert_eq!(commands("slow")["status"], "timed_out");
    assert_eq!(agent.seen.commands.lock().unwrap().len(), 9);
}

#[test]
fn it_comes_back_after_a_restart_of_the_server() {
    let mut installation = Installation::start_with(ON);
    let agent = Agent::start(&installation, "old-1", 2);
    installation.store(
        "name: old\nsteps:\n  - {id: before, command: echo before, targets: old-1}\n  - {id: long, command: sleep 9; echo long, targets: \
         old-1}\n  - {id: after, command: echo after, targets: old-1, on_offline: wait, wait_for: 1m}\n",
    );
    let id = installation.execute("old", json!({}), &[]);
    installation.until("the long command runs", || (agent.seen.commands.lock().unwrap().len() == 2).then_some(()));
    installation.kill_and_restart();
    let done = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(installation.output(&id, "stream=stdout"), "before\nlong\nafter\n");
    assert_eq!(agent.seen.connections.load(Ordering::SeqCst), 2);
    assert_eq!(agent.seen.commands.lock().unwrap().len(), 3, "nothing was sent twice");
}

#[test]
fn a_new_process_of_it_does_not_know_what_the_old_one_ran() {
    let installation = Installation::start_with(ON);
    let first = Agent::start(&installation, "old-1", 2);
    installation.store("name: old\nsteps: [{id: long, command: sleep 30, targets: old-1}]\n");
    let id = installation.execute("old", json!({}), &[]);
    installation.until("it runs", || (first.seen.commands.lock().unwrap().len() == 1).then_some(()));
    drop(first);
    let second = Agent::start(&installation, "old-1", 2);
    let done = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(done["status"], "failed", "{done}");
    assert!(done["error"].as_str().unwrap().contains("lost"), "{done}");
    assert_eq!(second.seen.commands.lock().unwrap().len(), 0, "it is not run again");
}

/// Sends one message to the socket at `/`, and answers what comes, or that it was closed.
async fn knock(url: &str, worker_id: &str, name: &str) -> Result<Value, String> {
    let url = url.replace("http://", "ws://") + "/";
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.map_err(|error| error.to_string())?;
    let hello = json!({"type": "worker_connect", "worker_id": worker_id, "worker_name": name});
    socket.send(Message::text(hello.to_string())).await.map_err(|error| error.to_string())?;
    match tokio::time::timeout(Duration::from_secs(20), socket.next()).await {
        Ok(Some(Ok(Message::Text(text)))) => Ok(serde_json::from_str(&text).unwrap()),
        Ok(Some(Ok(Message::Close(frame)))) => Err(frame.map(|frame| frame.reason.to_string()).unwrap_or_default()),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn only_an_agent_with_the_key_gets_in() {
    let installation = Installation::start_with(ON);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (url, key) = (installation.url.clone(), key(&installation));
    let workers = installation.get("/api/workers");
    let local = workers["items"][0]["name"].as_str().unwrap().to_owned();
    runtime.block_on(async {
        assert_eq!(heartbeat(&url, "wrong", "a", "old-1", 2).await.0, 401);
        assert!(knock(&url, "a", "old-1").await.unwrap_err().contains("no heartbeat"));
        assert_eq!(heartbeat(&url, &key, "a", "old-1", 2).await.0, 200);
        assert!(knock(&url, "b", "old-1").await.unwrap_err().contains("no heartbeat"), "another agent's name");
        // The name of a worker of this PULSE is not taken over.
        let (status, body) = heartbeat(&url, &key, "a", &local, 2).await;
        assert_eq!((status, &body["code"]), (409, &json!("name-taken")));
        assert_eq!(heartbeat(&url, &key, "a", "a,b", 2).await.0, 422);
    });
}

#[test]
fn without_the_switch_there_is_nothing_for_it() {
    let installation = Installation::start();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (url, key) = (installation.url.clone(), key(&installation));
    runtime.block_on(async {
        assert_eq!(heartbeat(&url, &key, "a", "old-1", 2).await.0, 404);
        assert!(knock(&url, "a", "old-1").await.is_err());
    });
}
