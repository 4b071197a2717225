//! Every kind of entry as lines.

use crate::story::{ID, Story, command_id};
use pulse_cli::render::steps::Steps;
use pulse_cli::render::style::Style;
use serde_json::{Value, json};

fn lines(story: &Story) -> String {
    let mut steps = Steps::new(Style::plain());
    story.entries.iter().flat_map(|entry| steps.lines(entry)).map(|line| line + "\n").collect()
}

/// The lines of one entry about a running step.
fn one(event: Value) -> String {
    let story = Story::begin().started(1).targets(1, &["web-1", "db"]);
    let before = lines(&story).len();
    lines(&story.at(1, event))[before..].to_owned()
}

fn worker(mut event: Value) -> Value {
    event["worker_id"] = json!(ID);
    event["worker"] = json!("web-1");
    event["command_id"] = json!(command_id(1));
    event
}

fn result(more: Value) -> Value {
    let mut event = worker(json!({
        "action": "command_result", "attempt": 1, "success": false, "duration_ms": 1200, "stdout": "", "stderr": "",
        "stdout_bytes": 0, "stderr_bytes": 0,
    }));
    event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    event
}

#[test]
fn commands_and_their_ends() {
    for (event, line) in [
        (result(json!({"outcome": "exited", "exit_code": 3})), "  ✗ web-1: exit 3 in 1.2s\n"),
        (
            result(json!({"outcome": "exited", "exit_code": 0, "success": true, "attempt": 2})),
            "  ✓ web-1: exit 0 in 1.2s (attempt 2)\n",
        ),
        (result(json!({"outcome": "exited", "signal": 9})), "  ✗ web-1: ended by signal 9 in 1.2s\n"),
        (result(json!({"outcome": "timed_out", "late": true})), "  ✗ web-1: timed out in 1.2s, too late to count\n"),
        (
            result(json!({"outcome": "not_started", "error": "no\nsuch", "duration_ms": 0})),
            "  ✗ web-1: not started: no\\nsuch\n",
        ),
        (
            worker(
                json!({"action": "command_retry", "attempt": 2, "retry_at": "2026-11-24T12:00:00Z", "delay_ms": 2000}),
            ),
            "  ↻ web-1: tried again in 2s (attempt 2)\n",
        ),
        (
            worker(json!({"action": "command_moved", "attempt": 1, "reason": "draining",
                "from": {"worker_id": ID, "worker": "web-2"}})),
            "  → web-2 is draining: web-1 runs it instead\n",
        ),
        (
            worker(json!({"action": "command_held", "attempt": 1, "reason": "off\nline"})),
            "  … not sent yet, waiting for web-1: off\\nline\n",
        ),
        (worker(json!({"action": "worker_offline", "reason": "draining"})), "  – web-1: draining\n"),
        (json!({"action": "no_workers", "selector": ["role=db", "x"]}), "  ✗ no worker is online for role=db, x\n"),
        (
            json!({"action": "rollout_stopped", "failures": 2, "not_started": [{"worker_id": ID, "worker": "db"}]}),
            "  ✗ roll-out stopped after 2 failures; not started: db\n",
        ),
    ] {
        assert_eq!(one(event), line);
    }
}

#[test]
fn the_rest_of_a_step() {
    for (event, line) in [
        (
            json!({"action": "step_skipped", "condition": "x > 1", "next": "end"}),
            "– 1 Step 1: skipped, as x > 1 does not hold\n",
        ),
        (
            json!({"action": "condition_error", "condition": "x", "message": "no `x`"}),
            "  ! condition x counts as false: no `x`\n",
        ),
        (json!({"action": "wait_started", "until": "2026-11-24T12:00:30.400Z"}), "  … waiting for 30s\n"),
        (json!({"action": "wait_finished"}), ""),
        (
            json!({"action": "prompt_timeout", "prompt_id": ID, "response": "no"}),
            "  ! nobody answered in time: counts as no\n",
        ),
        (json!({"action": "prompt_timeout", "prompt_id": ID}), "  ! nobody answered in time\n"),
        (json!({"action": "route_unmatched", "next": "end"}), "✓ 1 Step 1: completed, no condition held\n"),
        (json!({"action": "values_set", "values": {"a": [1]}, "next": "end"}), "✓ 1 Step 1: completed, set a=[1]\n"),
        (
            json!({"action": "parse_complete", "from": "s1", "parsed_count": 0, "parsed": {}, "by_worker": {}, "next": null}),
            "  read 0 values\n",
        ),
        (
            json!({"action": "step_finished", "status": "failed", "error": "exit 3\n✓ fake", "next": "fail"}),
            "✗ 1 Step 1: failed in 200ms: exit 3\\n✓ fake\n",
        ),
        (json!({"action": "step_finished", "status": "aborted", "next": "fail"}), "■ 1 Step 1: aborted in 200ms\n"),
    ] {
        assert_eq!(one(event), line);
    }
}

#[test]
fn the_execution_as_a_whole() {
    let story = Story::quick()
        .add(json!({"action": "server_restart_recovery", "running_commands": 1}))
        .add(json!({"action": "abort_requested", "by": "bob", "reason": "enough"}))
        .add(json!({"action": "workflow_error", "message": "too many steps"}))
        .ended("failed", None);
    assert_eq!(
        lines(&story),
        "\
● quick command, started by admin
↻ the server restarted and goes on, with 1 command on workers
■ abort asked for by bob: enough
✗ error: too many steps
✗ failed in 400ms
"
    );
}

#[test]
fn a_long_command_is_shortened_and_a_repeated_one_shown_once() {
    let script: String = (1..10).map(|n| format!("echo {n}\n")).collect();
    let workers = ["w1", "w2", "w3", "w4", "w5", "w6"];
    let mut story = Story::begin().started(1).targets(1, &workers);
    for (number, worker) in workers.iter().enumerate() {
        story = story.sent(1, worker, u32::try_from(number).unwrap(), &script);
    }
    let shown = lines(&story);
    let body = shown.split_once("Step 1\n").unwrap().1;
    assert_eq!(
        body,
        "  $ echo 1  (on w1, w2, w3, w4, w5 and 1 more)\n    echo 2\n    echo 3\n    echo 4\n    echo 5\n    echo 6\n    … 3 more lines\n"
    );
    let hostile = lines(&Story::begin().started(1).targets(1, &["w"]).sent(1, "w", 1, "x\x1b[2J\r✓ fake"));
    assert!(hostile.ends_with("  $ x\\u{1b}[2J\\r✓ fake  (on w)\n"), "{hostile}");
}
