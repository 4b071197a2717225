//! `kill -9` of the server: an execution goes on where it was, following the command that still runs on its worker, or
//! waiting at its prompt; nothing is run twice and no output is lost or doubled.

use super::hand::{Hand, exited};
use super::installation::{Installation, count};
use crate::program::finished;
use serde_json::json;

const SLOW: &str = r#"
name: slow
steps:
  - id: work
    command: |
      echo "$PULSE_COMMAND_ID" >> started.txt
      for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "line $i"; sleep 0.25; done
      echo RESULT=42
  - {id: read, type: parse}
  - {id: ask, message: "{{ result }}?", options: [{label: "Yes", goto: last}, {label: "No", goto: fail}]}
  - {id: last, command: 'echo "the answer is {{ result }}"'}
"#;

#[test]
fn an_execution_goes_on_after_the_server_was_killed() {
    let mut installation = Installation::start();
    installation.worker("w2");
    installation.store(SLOW);
    let following = installation.spawn(&["run", "slow", "--follow", "--targets", "w2"]);
    let id = installation.until("it runs", || {
        let page = installation.get("/api/executions?workflow=slow");
        page["items"][0]["id"].as_str().map(str::to_owned)
    });

    // While the command runs.
    installation.until("output is stored", || installation.output(&id, "step=work").contains("line 2").then_some(()));
    installation.kill_and_restart();
    let running = installation.execution(&id);
    assert_eq!(running["status"], "running", "the command runs on: {running}");
    let waiting = installation.wait_for(&id, &["waiting", "failed", "completed"]);
    assert_eq!(waiting["status"], "waiting", "{waiting}");
    assert_eq!(waiting["prompt"]["message"], "42?");
    assert_eq!(count(&waiting, "server_restart_recovery"), 1);
    assert_eq!(count(&waiting, "command_sent"), 1, "one attempt");

    // While the prompt waits.
    installation.kill_and_restart();
    let still = installation.execution(&id);
    assert_eq!((&still["status"], &still["prompt"]["id"]), (&json!("waiting"), &waiting["prompt"]["id"]));
    let (status, body) =
        installation.call("POST", &format!("/api/executions/{id}/respond"), Some(json!({"response": "Yes"})));
    assert_eq!(status, 204, "{body}");
    let ended = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(ended["status"], "completed", "{ended}");

    let started = std::fs::read_to_string(installation.directory.path().join("started.txt")).unwrap();
    assert_eq!(started.lines().count(), 1, "started once: {started}");
    assert_eq!(started.trim(), ended["steps"][0]["commands"][0]["id"].as_str().unwrap());
    let lines: String = (1..=12).map(|i| format!("line {i}\n")).collect();
    assert_eq!(installation.output(&id, "step=work"), format!("{lines}RESULT=42\n"));
    assert_eq!(installation.output(&id, "step=last"), "the answer is 42\n");

    // The command line saw it all, across both restarts, each line once.
    let ran = finished(following);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    for i in 1..=12 {
        assert_eq!(ran.out.matches(&format!("line {i}\n")).count(), 1, "line {i}: {}", ran.out);
    }
}

#[test]
fn a_command_whose_worker_died_with_the_server_is_lost_and_not_run_again() {
    let mut installation = Installation::start();
    installation.store(SLOW);
    let id = installation.execute("slow", json!({}), &[]);
    installation.until("output is stored", || installation.output(&id, "step=work").contains("line 2").then_some(()));
    // The server, its worker, and the supervisor that owns the command: all at once.
    installation.kill_all_and_restart();
    let ended = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(ended["status"], "failed", "{ended}");
    assert!(ended["error"].as_str().unwrap().contains("lost"), "{}", ended["error"]);
    assert_eq!(count(&ended, "command_sent"), 1);
    assert_eq!(ended["steps"][0]["commands"][0]["status"], "lost");
}

#[test]
fn a_command_of_the_local_worker_runs_on_while_pulse_up_is_killed_or_stopped() {
    let mut installation = Installation::start();
    installation.store(SLOW);
    for stops_in_order in [false, true] {
        let id = installation.execute("slow", json!({}), &[]);
        installation
            .until("output is stored", || installation.output(&id, "step=work").contains("line 2").then_some(()));
        if stops_in_order {
            installation.stop();
            installation.start_again();
        } else {
            installation.kill_and_restart();
        }
        let waiting = installation.wait_for(&id, &["waiting", "failed", "completed"]);
        assert_eq!(waiting["status"], "waiting", "{waiting}");
        assert_eq!(count(&waiting, "command_sent"), 1, "one attempt");
        let lines: String = (1..=12).map(|i| format!("line {i}\n")).collect();
        assert_eq!(installation.output(&id, "step=work"), format!("{lines}RESULT=42\n"));
    }
    let started = std::fs::read_to_string(installation.directory.path().join("started.txt")).unwrap();
    assert_eq!(started.lines().count(), 2, "each started once: {started}");
}

#[test]
fn what_waits_for_a_worker_is_sent_in_its_order_after_a_kill_of_the_server() {
    let mut installation = Installation::start();
    let (mut hand, _) = Hand::hello_with(&installation, 1, "a", json!([]));
    let body = json!({"command": "true", "targets": ["hand"]});
    let start = || installation.call("POST", "/api/commands", Some(body.clone())).1["id"].as_str().unwrap().to_owned();
    let ids: Vec<String> = (0..12).map(|_| start()).collect();
    let first = hand.hear_of("dispatch")["command_id"].clone();
    installation.kill_and_restart();
    let known = json!([{"command_id": first, "execution_id": ids[0], "state": "running"}]);
    let (mut hand, _) = Hand::hello_with(&installation, 1, "a", known);
    hand.say(exited(&first, ""));
    for id in &ids[1..] {
        let dispatch = hand.hear_of("dispatch");
        assert_eq!(dispatch["execution_id"].as_str(), Some(id.as_str()), "of {ids:?}");
        hand.say(exited(&dispatch["command_id"], ""));
    }
    ids.iter().for_each(|id| drop(installation.wait_for(id, &["completed"])));
}

#[test]
fn a_start_that_was_repeated_with_its_key_starts_once() {
    let installation = Installation::start();
    let post = |command: &str| {
        let body = json!({"command": command, "targets": ["all"]});
        installation.call_with("POST", "/api/commands", &[("idempotency-key", "k1")], Some(body))
    };
    let (first, again, other) = (post("true"), post("true"), post("false"));
    assert_eq!((first.0, &first.1), (202, &again.1));
    assert_eq!((other.0, other.1["code"].as_str()), (409, Some("idempotency-key-reused")));
    assert_eq!(installation.get("/api/executions")["items"].as_array().unwrap().len(), 1);
}

#[test]
fn a_repeated_start_takes_nobodys_place() {
    let installation = Installation::start();
    let start = |workflow: &str, key: &str| {
        let path = format!("/api/workflows/{workflow}/execute");
        installation.call_with("POST", &path, &[("idempotency-key", key)], Some(json!({})))
    };
    for policy in ["cancel_oldest", "skip"] {
        let ask = "steps: [{id: ask, message: Well?}]";
        installation.store(&format!("name: {policy}\nconcurrency: {{limit: 1, policy: {policy}}}\n{ask}"));
        let (first, again) = (start(policy, "k1"), start(policy, "k1"));
        assert_eq!((first.0, again.0, &first.1["id"]), (202, 202, &again.1["id"]), "{policy}: {}", again.1);
        let id = first.1["id"].as_str().unwrap();
        assert_eq!(installation.wait_for(id, &["waiting", "aborted"])["status"], "waiting", "{policy}");
        // Another request does what the policy says.
        let other = start(policy, "k2");
        if policy == "skip" {
            assert_eq!((other.0, other.1["code"].as_str()), (409, Some("concurrency-limit")), "{}", other.1);
        } else {
            assert_eq!(other.0, 202, "{}", other.1);
            assert_eq!(installation.wait_for(id, &["aborted"])["status"], "aborted");
            assert_eq!(start(policy, "k1").1["id"], id, "it stands for the same still");
        }
    }
}

#[test]
fn parents_and_children_outlast_stops_and_starts() {
    let mut installation = Installation::start();
    installation.store("name: child\nsteps: [{id: a, type: wait, duration: 50ms}]");
    let items: Vec<u32> = (1..=20).collect();
    let steps = "steps: [{id: sub, workflow: child}]";
    installation
        .store(&format!("name: parent\nsteps: [{{id: all, type: foreach, items: '{items:?}', parallel: 5, {steps}}}]"));
    installation
        .store("name: turns\nconcurrency: {limit: 2, policy: queue}\nsteps: [{id: a, type: wait, duration: 50ms}]");
    let mut ids = Vec::new();
    for _ in 0..3 {
        for _ in 0..15 {
            ids.push(installation.execute("parent", json!({}), &[]));
            ids.push(installation.execute("turns", json!({}), &[]));
        }
        // While children start and end, and turns change.
        installation.stop();
        installation.start_again();
    }
    for id in ids {
        let ended = installation.wait_for(&id, &["completed", "failed", "aborted"]);
        assert_eq!(ended["status"], "completed", "{}: {}", ended["workflow"], ended["error"]);
    }
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let mut installation = Installation::start_with(&[("PULSE_LOG", "debug")]);
    installation.stop();
    // The log of the server, its local worker and that worker's supervisor is on a disk that is full from now on.
    for log in ["up.log", "pulse-data/worker/supervisor.log"] {
        let log = installation.directory.path().join(log);
        std::fs::remove_file(&log).unwrap();
        std::os::unix::fs::symlink("/dev/full", log).unwrap();
    }
    installation.start_again();
    installation.store("name: simple\nsteps: [{id: a, command: seq 1 5000}]");
    let id = installation.execute("simple", json!({}), &[]);
    assert_eq!(installation.wait_for(&id, &["completed", "failed"])["status"], "completed");
    assert_eq!(installation.output(&id, "step=a").lines().count(), 5000);
    installation.stop();
}
