//! Journals for tests: short to write, with the shapes of the wire.

use pulse_core::api::OutputChunk;
use pulse_core::event::Entry;
use serde_json::{Value, json};

/// The execution all tests are about.
pub const ID: &str = "0198c2f4-7a1b-7000-8000-000000000001";

/// Entries, and output in its place between them.
#[derive(Clone, Default)]
pub struct Story {
    pub entries: Vec<Entry>,
    pub output: Vec<OutputChunk>,
    millis: u64,
}

pub fn command_id(number: u32) -> String {
    format!("0198c2f4-7a1b-7000-8000-0000000c{number:04}")
}

fn worker_id(name: &str) -> String {
    let number: u32 = name.bytes().map(u32::from).sum();
    format!("0198c2f4-7a1b-7000-8000-0000000d{number:04}")
}

impl Story {
    /// Begins with the creation of an execution of `disk-check`.
    pub fn begin() -> Self {
        let workflow = json!({"id": "0198c2f4-7a1b-7000-8000-00000000000a", "name": "disk-check", "version": 2});
        Self::default().add(json!({
            "action": "execution_created", "format": 1, "workflow": workflow, "params": {"limit": 80},
            "started_by": "admin", "trigger": "api",
        }))
    }

    /// Begins with the creation of a quick command.
    pub fn quick() -> Self {
        Self::default().add(json!({
            "action": "execution_created", "format": 1, "workflow": null, "definition": "steps: []", "params": {},
            "started_by": "admin", "trigger": "command",
        }))
    }

    /// Adds an event, 100 ms after the one before.
    pub fn add(mut self, mut event: Value) -> Self {
        self.millis += 100;
        event["seq"] = json!(self.entries.len() + 1);
        event["timestamp"] = json!(format!("2026-11-24T12:00:{:02}.{:03}Z", self.millis / 1_000, self.millis % 1_000));
        self.entries.push(serde_json::from_value(event).unwrap());
        self
    }

    /// Adds an event about a step, called by its number.
    pub fn at(self, step: u32, mut event: Value) -> Self {
        event["frame"] = json!(0);
        event["step"] = json!(step);
        event["step_id"] = json!(format!("s{step}"));
        event["step_name"] = json!(format!("Step {step}"));
        self.add(event)
    }

    pub fn started(self, step: u32) -> Self {
        self.at(step, json!({"action": "step_started", "run": 1}))
    }

    pub fn finished(self, step: u32, status: &str, error: Option<&str>) -> Self {
        let event = json!({"action": "step_finished", "status": status, "error": error, "next": "end"});
        self.at(step, event)
    }

    pub fn targets(self, step: u32, workers: &[&str]) -> Self {
        let targets: Vec<Value> = workers.iter().map(|w| json!({"worker_id": worker_id(w), "worker": w})).collect();
        self.at(step, json!({"action": "targets_resolved", "selector": ["all"], "targets": targets}))
    }

    pub fn sent(self, step: u32, worker: &str, command: u32, line: &str) -> Self {
        let event = json!({
            "action": "command_sent", "worker_id": worker_id(worker), "worker": worker,
            "command_id": command_id(command), "attempt": 1, "spec": {"command": line, "timeout_ms": 1000}, "command": line,
        });
        self.at(step, event)
    }

    pub fn output(mut self, step: u32, worker: &str, command: u32, data: &str) -> Self {
        let cursor = self.output.last().map_or(1, |last| last.cursor + 3);
        let chunk = json!({
            "cursor": cursor, "command_id": command_id(command), "step_id": format!("s{step}"), "worker": worker,
            "attempt": 1, "stream": "stdout", "seq": 1, "data": data,
        });
        self.output.push(serde_json::from_value(chunk).unwrap());
        self
    }

    pub fn result(self, step: u32, worker: &str, command: u32, exit_code: i32) -> Self {
        let id = command_id(command);
        let mine = self.output.iter().filter(|chunk| chunk.command_id.to_string() == id);
        let bytes: usize = mine.map(|chunk| chunk.data.len()).sum();
        let event = json!({
            "action": "command_result", "worker_id": worker_id(worker), "worker": worker, "command_id": id,
            "attempt": 1, "success": exit_code == 0, "outcome": "exited", "exit_code": exit_code, "duration_ms": 50,
            "stdout": "", "stderr": "", "stdout_bytes": bytes, "stderr_bytes": 0,
        });
        self.at(step, event)
    }

    pub fn prompt(self, step: u32, number: u32) -> Self {
        let options = json!([{"label": "Yes", "value": "yes"}, {"label": "Wipe all", "value": "wipe", "danger": true}]);
        let event = json!({
            "action": "prompt", "prompt_id": prompt_id(number), "message": "Clean up?", "options": options, "output": "",
            "output_hash": "", "deadline": "2026-11-24T13:00:00.000Z",
        });
        self.at(step, event)
    }

    pub fn answered(self, step: u32, number: u32, response: &str, by: &str) -> Self {
        let event =
            json!({"action": "prompt_response", "prompt_id": prompt_id(number), "response": response, "by": by});
        self.at(step, event)
    }

    pub fn ended(self, status: &str, error: Option<&str>) -> Self {
        self.add(json!({"action": "execution_finished", "status": status, "error": error}))
    }

    /// A whole run on two workers, one after the other, with everything that a cut could lose or double. One order of
    /// entries and output is right.
    pub fn whole() -> Self {
        Self::begin()
            .started(1)
            .targets(1, &["web-1", "db"])
            .sent(1, "web-1", 1, "df -P /")
            .output(1, "web-1", 1, "one\ntwo\n")
            .result(1, "web-1", 1, 0)
            .sent(1, "db", 2, "df -P /")
            .output(1, "db", 2, "half ")
            .output(1, "db", 2, "whole\n")
            .result(1, "db", 2, 0)
            .finished(1, "completed", None)
            .at(2, json!({"action": "parse_complete", "from": "s1", "parsed_count": 1, "parsed": {"usage": 91}, "by_worker": {}, "next": {"step": "s3"}}))
            .at(3, json!({"action": "route_taken", "condition": "usage > 80", "label": "full", "goto": "s4", "next": {"step": "s4"}}))
            .started(4)
            .targets(4, &["db"])
            .sent(4, "db", 3, "clean")
            .output(4, "db", 3, "cleaned\n")
            .result(4, "db", 3, 0)
            .finished(4, "completed", None)
            .ended("completed", None)
    }
}

pub fn prompt_id(number: u32) -> String {
    format!("0198c2f4-7a1b-7000-8000-0000000e{number:04}")
}

/// What `pulse run --follow` prints for [`Story::whole`].
pub const WHOLE: &str = "\
execution 0198c2f4-7a1b-7000-8000-000000000001
● disk-check (version 2), started by admin, with limit=80
▸ 1 Step 1
  $ df -P /  (on web-1, db)
  web-1 │ one
  web-1 │ two
  ✓ web-1: exit 0 in 50ms
  db    │ half whole
  ✓ db: exit 0 in 50ms
✓ 1 Step 1: completed in 600ms
✓ 2 Step 2: completed, read 1 value: usage=91
✓ 3 Step 3: completed ⇒ s4 (full)
▸ 4 Step 4
  $ clean  (on db)
  │ cleaned
  ✓ db: exit 0 in 50ms
✓ 4 Step 4: completed in 400ms
✓ completed in 1.5s
";
