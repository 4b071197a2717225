//! The load: clients that start executions, answer their questions and wait for their ends, through whatever happens.

use super::ledger::{Ledger, Unsettled};
use crate::render::age::now;
use fastrand::Rng;
use pulse_core::ids::ExecutionId;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The workflows of the load, by name: a child before its parent.
pub const WORKFLOWS: [(&str, &str); 11] = [
    ("bench-line", include_str!("workflows/line.yaml")),
    ("bench-people", include_str!("workflows/people.yaml")),
    ("bench-branches", include_str!("workflows/branches.yaml")),
    ("bench-items", include_str!("workflows/items.yaml")),
    ("bench-retries", include_str!("workflows/retries.yaml")),
    (QUEUE, include_str!("workflows/queue.yaml")),
    ("bench-child", include_str!("workflows/child.yaml")),
    ("bench-children", include_str!("workflows/children.yaml")),
    (MUCH, include_str!("workflows/much.yaml")),
    (SMALL, include_str!("workflows/small.yaml")),
    (ROOM, include_str!("workflows/room.yaml")),
];
/// What clients start, each as often as the others.
const USUAL: [&str; 7] =
    ["bench-line", "bench-people", "bench-branches", "bench-items", "bench-retries", QUEUE, "bench-children"];
/// What clients start now and then, because it prints much.
const MUCH: &str = "bench-much";
/// The workflow with a limit of executions at once.
pub const QUEUE: &str = "bench-queue";
/// That limit.
pub const QUEUE_LIMIT: i64 = 2;
/// What requests that are given up ask for.
pub const SMALL: &str = "bench-small";
/// A command for a certain worker.
pub const ROOM: &str = "bench-room";

/// How long a client waits for an answer.
const ANSWER: Duration = Duration::from_secs(20);
/// Between two tries, and two looks.
pub const AGAIN: Duration = Duration::from_millis(60);
/// How long a client follows one execution before it starts another: one that hangs is found at the end.
const FOLLOW: Duration = Duration::from_secs(10);
/// Most lines that a usual command prints: 38.9 KB, and most commands much less. Of more than 16 KiB a part goes to the
/// worker's disk at once, which may be full; the rest stays in its supervisor's memory until the command ends.
const LINES: u32 = 8_000;
/// Lines that the command prints that prints much, to each stream: 109 KB.
const MUCH_LINES: u32 = 20_000;
/// One in so many executions is the one that prints much.
const ONE_MUCH_IN: u32 = 16;
/// One in so many executions is aborted.
const ONE_ABORT_IN: u32 = 8;

/// Calls the server as a client.
#[derive(Clone, Debug)]
pub struct Caller {
    /// For all calls.
    pub http: reqwest::Client,
    /// `http://address`.
    pub url: String,
    /// The administrator's token.
    pub token: String,
}

impl Caller {
    /// A call, and its answer if there is one.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        key: Option<Uuid>,
        body: Option<&Value>,
    ) -> Option<(StatusCode, Value)> {
        let mut request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key.to_string());
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.timeout(ANSWER).send().await.ok()?;
        let status = response.status();
        let body = response.bytes().await.ok()?;
        Some((status, serde_json::from_slice(&body).unwrap_or(Value::Null)))
    }
}

/// What every client knows.
#[derive(Clone)]
pub struct Load {
    /// How the server is called.
    pub caller: Caller,
    /// What was acknowledged.
    pub ledger: Arc<Ledger>,
    /// Where commands leave their ids.
    pub traces: PathBuf,
    /// Requests are given up after so many microseconds at most.
    pub given_up_after: Arc<AtomicU64>,
    /// Ends the load: nothing more is started.
    pub stop: CancellationToken,
}

impl Load {
    /// One client, until the load ends.
    pub async fn client(self, mut rng: Rng) {
        while !self.stop.is_cancelled() {
            let (workflow, lines) = match rng.u32(..ONE_MUCH_IN) {
                0 => (MUCH, MUCH_LINES),
                // As often one digit more as one less.
                _ => (USUAL[rng.usize(..USUAL.len())], f64::from(LINES).powf(rng.f64()) as u32),
            };
            if let Some(id) = self.start(workflow, lines).await {
                match rng.u32(..ONE_ABORT_IN) {
                    0 => {
                        sleep(Duration::from_millis(rng.u64(..1_500))).await;
                        self.abort(id).await;
                    }
                    _ => self.follow(id, &mut rng).await,
                }
            }
        }
    }

    /// Starts an execution, again and again under one key until it is acknowledged.
    async fn start(&self, workflow: &str, lines: u32) -> Option<ExecutionId> {
        self.ledger.entries().tried += 1;
        let (key, body) = (Uuid::new_v4(), self.body(lines));
        loop {
            match self.try_start(workflow, key, &body).await {
                Some(id) => {
                    self.ledger.started(id);
                    return Some(id);
                }
                None if self.stop.is_cancelled() => {
                    let workflow = workflow.to_owned();
                    self.ledger.unsettled(Unsettled { key, workflow, lines, given_up: false, told: None });
                    return None;
                }
                None => sleep(AGAIN).await,
            }
        }
    }

    /// What a start is asked with.
    pub fn body(&self, lines: u32) -> Value {
        json!({"params": {"traces": self.traces, "lines": lines}})
    }

    /// Starts an execution whose command is for a certain worker.
    pub async fn start_on(&self, worker: &str) -> Option<ExecutionId> {
        self.ledger.entries().tried += 1;
        let (key, mut body) = (Uuid::new_v4(), self.body(1));
        body["params"]["worker"] = json!(worker);
        let id = self.try_start(ROOM, key, &body).await?;
        self.ledger.started(id);
        Some(id)
    }

    /// Whether an execution is known to have ended.
    pub async fn has_ended(&self, id: ExecutionId) -> bool {
        let answer = self.caller.call(Method::GET, &format!("/api/executions/{id}"), None, None).await;
        answer.is_some_and(|(status, execution)| {
            status == StatusCode::OK && matches!(execution["status"].as_str(), Some("completed" | "failed" | "aborted"))
        })
    }

    /// One try to start.
    pub async fn try_start(&self, workflow: &str, key: Uuid, body: &Value) -> Option<ExecutionId> {
        let path = format!("/api/workflows/{workflow}/execute");
        match self.caller.call(Method::POST, &path, Some(key), Some(body)).await {
            Some((StatusCode::ACCEPTED, answer)) => {
                let id = answer["id"].as_str().and_then(|id| id.parse().ok());
                if id.is_none() {
                    self.ledger.wrong(format!("202 without an id: {answer}"));
                }
                id
            }
            Some((status, answer)) if !may_come_later(status) => {
                self.ledger.wrong(format!("a start got {status}: {answer}"));
                None
            }
            _ => {
                self.ledger.failed_call();
                None
            }
        }
    }

    /// Waits for an execution's end, and answers its questions.
    async fn follow(&self, id: ExecutionId, rng: &mut Rng) {
        let deadline = Instant::now() + FOLLOW;
        let path = format!("/api/executions/{id}");
        while Instant::now() < deadline {
            match self.caller.call(Method::GET, &path, None, None).await {
                Some((StatusCode::OK, execution)) => match execution["status"].as_str() {
                    Some("completed" | "failed" | "aborted") => return,
                    Some("waiting") if execution["prompt"].is_object() => {
                        let option = if rng.bool() { "Go" } else { "Stop" };
                        self.answer(id, &execution["prompt"]["id"], option).await;
                    }
                    _ => {}
                },
                Some((status, answer)) if !may_come_later(status) => {
                    self.ledger.wrong(format!("execution {id} was acknowledged, and then: {status}: {answer}"));
                    return;
                }
                _ => self.ledger.failed_call(),
            }
            sleep(AGAIN).await;
        }
    }

    /// Answers a question, until that is acknowledged.
    async fn answer(&self, id: ExecutionId, prompt_id: &Value, option: &str) {
        let path = format!("/api/executions/{id}/respond");
        let body = json!({"response": option, "prompt_id": prompt_id});
        let deadline = Instant::now() + FOLLOW;
        let mut tries = 0;
        while Instant::now() < deadline {
            tries += 1;
            match self.caller.call(Method::POST, &path, None, Some(&body)).await {
                Some((status, _)) if status.is_success() => return self.ledger.answered(id, option),
                // An earlier try was taken and its answer lost on the way.
                Some((StatusCode::CONFLICT, _)) if tries > 1 => return self.ledger.answered(id, option),
                Some((status, answer)) if !may_come_later(status) => {
                    return self.ledger.wrong(format!("an answer to {id} got {status}: {answer}"));
                }
                _ => self.ledger.failed_call(),
            }
            sleep(AGAIN).await;
        }
    }

    /// Aborts an execution, until that is acknowledged or it has ended.
    async fn abort(&self, id: ExecutionId) {
        let (path, asked) = (format!("/api/executions/{id}/abort"), now());
        let deadline = Instant::now() + FOLLOW;
        while Instant::now() < deadline {
            match self.caller.call(Method::POST, &path, None, Some(&json!({"reason": "because"}))).await {
                Some((status, _)) if status.is_success() => return self.ledger.aborted(id, asked),
                Some((StatusCode::CONFLICT, answer)) if answer["code"] == "ended" => return self.ledger.over(id),
                Some((status, answer)) if !may_come_later(status) => {
                    return self.ledger.wrong(format!("an abort of {id} got {status}: {answer}"));
                }
                _ => self.ledger.failed_call(),
            }
            sleep(AGAIN).await;
        }
    }
}

/// Answers that say that the same call may succeed later: they are no loss.
pub fn may_come_later(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}
