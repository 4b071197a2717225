//! The load: clients that start executions, answer their questions and wait for their ends, through whatever happens.

use super::ledger::{Ledger, Unsettled};
use fastrand::Rng;
use pulse_core::ids::ExecutionId;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The workflows of the load, by name.
pub const WORKFLOWS: [(&str, &str); 4] = [
    ("bench-line", include_str!("workflows/line.yaml")),
    ("bench-people", include_str!("workflows/people.yaml")),
    ("bench-branches", include_str!("workflows/branches.yaml")),
    ("bench-items", include_str!("workflows/items.yaml")),
];

/// How long a client waits for an answer.
const ANSWER: Duration = Duration::from_secs(20);
/// Between two tries, and two looks.
const AGAIN: Duration = Duration::from_millis(60);
/// How long a client follows one execution before it starts another: one that hangs is found at the end.
const FOLLOW: Duration = Duration::from_secs(20);
/// How long a start that was given up may take to be settled, once there are no faults.
const SETTLE: Duration = Duration::from_secs(30);
/// Most lines that a command prints: 38.9 KB. Of more than 16 KiB a part goes to the worker's disk at once, which may be full;
/// the rest stays in its supervisor's memory until the command ends.
const LINES: u32 = 8_000;

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
    /// Ends the load: nothing more is started.
    pub stop: CancellationToken,
}

impl Load {
    /// One client, until the load ends.
    pub async fn client(self, mut rng: Rng) {
        while !self.stop.is_cancelled() {
            let (workflow, _) = WORKFLOWS[rng.usize(..WORKFLOWS.len())];
            if let Some(id) = self.start(workflow, rng.u32(1..=LINES)).await {
                self.follow(id, &mut rng).await;
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
                    self.ledger.unsettled(Unsettled { key, workflow: workflow.to_owned(), lines, told: None });
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

    /// Starts executions and gives each request up half-way. Afterwards each key has to stand for one execution.
    pub async fn cancel_requests(&self, count: u32, rng: &mut Rng) {
        let mut requests = tokio::task::JoinSet::new();
        for _ in 0..count {
            let (load, key) = (self.clone(), Uuid::new_v4());
            let (limit, lines) = (Duration::from_micros(rng.u64(0..6_000)), rng.u32(1..10));
            requests.spawn(async move {
                let body = load.body(lines);
                // Dropped when its time is over: the connection is closed in the middle of whatever happens.
                let told = tokio::time::timeout(limit, load.try_start(SMALL, key, &body)).await.ok().flatten();
                load.ledger.unsettled(Unsettled { key, workflow: SMALL.to_owned(), lines, told });
            });
            // As many at once as a busy server sees, not as many as there can be.
            while requests.len() >= 64 {
                requests.join_next().await;
            }
        }
        while requests.join_next().await.is_some() {}
    }

    /// Asks again under the key of each request that was given up, so that each has been acknowledged once.
    pub async fn settle(&self) {
        let unsettled = std::mem::take(&mut self.ledger.entries().unsettled);
        self.ledger.entries().settled += unsettled.len() as u64;
        for Unsettled { key, workflow, lines, told } in unsettled {
            let (deadline, body) = (Instant::now() + SETTLE, self.body(lines));
            loop {
                match self.try_start(&workflow, key, &body).await {
                    Some(id) => {
                        self.ledger.started(id);
                        if let Some(before) = told.filter(|before| *before != id) {
                            self.ledger.wrong(format!("one key, two executions: {before} and {id}"));
                        }
                        break;
                    }
                    None if Instant::now() > deadline => {
                        self.ledger.wrong(format!("the start with the key {key} cannot be settled"));
                        break;
                    }
                    None => sleep(AGAIN).await,
                }
            }
        }
    }
}

/// What requests that are given up ask for.
const SMALL: &str = "bench-line";

/// Answers that say that the same call may succeed later: they are no loss.
fn may_come_later(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502 | 503 | 504)
}
