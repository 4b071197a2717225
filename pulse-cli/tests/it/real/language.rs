//! The larger parts of the language against real workers: branches, items, children, phases, turns, limits.

use super::installation::{Installation, actions, count};
use serde_json::json;

#[test]
fn branches_items_and_phases_run_on_real_workers() {
    let mut installation = Installation::start();
    installation.worker("w2");
    installation.store(
        r#"
name: wide
steps:
  - id: both
    type: parallel
    branches:
      - name: asks
        steps:
          - {id: ask, message: "Which?", options: [Left, Right], fields: [{name: count, type: integer, min: 1, max: 9}]}
      - name: works
        steps:
          - id: each
            type: foreach
            items: "['a', 'b c', \"d'e\"]"
            parallel: 2
            steps: [{id: say, command: "printf '<%s>' {{ item }}", targets: [w2]}]
  - id: report
    command: "echo {{ prompt_response }} {{ count }} {{ steps.each.results[2].last.stdout }}"
    targets: [w2]
  - {id: break, command: "exit 4", targets: [w2]}
on_failure:
  - {id: undo, command: "echo undone {{ steps.break.results.w2.exit_code }}", targets: [w2]}
finally:
  - {id: always, command: echo always, targets: [w2]}
"#,
    );
    let id = installation.execute("wide", json!({}), &[]);
    // The prompt holds up only its own branch.
    installation
        .until("the items are through", || (count(&installation.execution(&id), "frame_finished") == 4).then_some(()));
    let waiting = installation.execution(&id);
    assert_eq!((waiting["status"].as_str(), &waiting["waiting_for_input"]), (Some("waiting"), &json!(true)));
    assert_eq!(waiting["prompt"]["fields"][0]["name"], "count");
    let respond = format!("/api/executions/{id}/respond");
    let (status, problem) =
        installation.call("POST", &respond, Some(json!({"response": "Left", "fields": {"count": 12}})));
    assert_eq!((status, problem["code"].as_str()), (422, Some("invalid-fields")), "{problem}");
    let answered = installation.pulse(&["respond", &id, "Left", "-f", "count=7"]);
    assert_eq!(answered.code, 0, "{}", answered.err);
    let ended = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(ended["status"], "failed");
    assert_eq!(ended["error"], "step `break`: 1 of 1 failed: w2: exit 4");
    assert_eq!(installation.output(&id, "step=report"), "Left 7 <d'e>\n");
    assert_eq!(installation.output(&id, "step=undo"), "undone 4\n");
    assert_eq!(installation.output(&id, "step=always"), "always\n");
    assert_eq!(ended["state"]["count"], 7);
    let say = ended["steps"].as_array().unwrap().iter().find(|step| step["id"] == "say").unwrap();
    assert_eq!(
        (say["runs"].as_u64(), say["parent"].as_str(), say["commands"].as_array().unwrap().len()),
        (Some(3), Some("each"), 3)
    );
}

#[test]
fn children_are_linked_both_ways_and_survive_a_restart() {
    let mut installation = Installation::start();
    installation.worker("w2");
    installation.store(
        "name: build\nparams: [{name: count, type: integer}]\ntargets: [w2]\nsteps:\n  - {id: work, command: 'sleep 2; echo BUILT={{ count }}', parse: kv}\n",
    );
    installation.store(
        "name: release\nsteps:\n  - {id: sub, workflow: build, params: {count: '{{ 1 + 2 }}'}}\n  - {id: got, type: set, values: {built: steps.sub.state.built}}\n  - {id: none, workflow: nothing, on_error: continue}\n  - {id: bad, workflow: build, params: {count: many}}\n",
    );
    let id = installation.execute("release", json!({}), &[]);
    let child = installation.until("the child runs", || {
        let execution = installation.execution(&id);
        execution["children"][0]["execution_id"].as_str().map(str::to_owned)
    });
    // It begins a moment after its parent's journal names it.
    installation.until("its command runs", || {
        let child = installation.execution(&child);
        (child["logs"].is_array() && count(&child, "command_sent") == 1).then_some(())
    });
    let parent = json!({"execution_id": id, "step_id": "sub", "depth": 1, "title": "release"});
    assert_eq!(installation.execution(&child)["parent"], parent);
    installation.kill_and_restart();
    let ended = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(ended["state"]["built"], "3", "{ended}");
    let log = actions(&ended);
    assert_eq!(log.iter().filter(|action| *action == "child_finished").count(), 3);
    assert!(
        ended["error"].as_str().unwrap().contains("parameter `count` must be a whole number"),
        "{}",
        ended["error"]
    );
    assert_eq!(installation.execution(&child)["trigger"], "workflow");

    // Aborting a parent aborts its child, and what that runs.
    let id = installation.execute("release", json!({}), &[]);
    let child = installation.until("the child runs", || {
        let execution = installation.execution(&id);
        execution["children"][0]["execution_id"].as_str().map(str::to_owned)
    });
    installation.call("POST", &format!("/api/executions/{id}/abort"), Some(json!({})));
    assert_eq!(installation.wait_for(&child, &["aborted", "completed", "failed"])["status"], "aborted");
}

#[test]
fn concurrency_queues_skips_and_cancels() {
    let mut installation = Installation::start();
    for policy in ["queue", "skip", "cancel_oldest"] {
        installation.store(&format!(
            "name: {policy}\nconcurrency: {{limit: 1, policy: {policy}}}\nsteps: [{{id: ask, message: 'Go?'}}]\n"
        ));
    }
    let answer = |installation: &Installation, id: &str| {
        let respond = format!("/api/executions/{id}/respond");
        assert_eq!(installation.call("POST", &respond, Some(json!({"response": "Continue"}))).0, 204);
    };
    let (first, second) =
        (installation.execute("queue", json!({}), &[]), installation.execute("queue", json!({}), &[]));
    assert_eq!(installation.execution(&first)["status"], "waiting");
    assert_eq!(installation.execution(&second)["status"], "queued");
    // A restart keeps the order.
    installation.kill_and_restart();
    assert_eq!(installation.execution(&second)["status"], "queued");
    answer(&installation, &first);
    installation.wait_for(&second, &["waiting"]);
    answer(&installation, &second);
    assert_eq!(installation.wait_for(&second, &["completed", "failed"])["status"], "completed");

    let first = installation.execute("skip", json!({}), &[]);
    let (status, problem) = installation.call("POST", "/api/workflows/skip/execute", Some(json!({})));
    assert_eq!((status, problem["code"].as_str()), (409, Some("concurrency-limit")), "{problem}");
    answer(&installation, &first);
    installation.wait_for(&first, &["completed"]);
    installation.execute("skip", json!({}), &[]);

    let first = installation.execute("cancel_oldest", json!({}), &[]);
    let second = installation.execute("cancel_oldest", json!({}), &[]);
    assert_eq!(installation.wait_for(&first, &["aborted"])["status"], "aborted");
    assert_eq!(installation.wait_for(&second, &["waiting"])["status"], "waiting");
}

#[test]
fn a_workers_coming_is_waited_for_and_time_limits_hold() {
    let mut installation = Installation::start();
    installation.worker("w2");
    installation
        .store("name: patient\nsteps: [{id: go, command: echo here, targets: [w2], on_offline: wait, wait_for: 1m}]\n");
    installation.stop_worker("w2");
    let id = installation.execute("patient", json!({}), &[]);
    assert_eq!(count(&installation.execution(&id), "worker_offline"), 1);
    // Also after a restart.
    installation.kill_and_restart();
    installation.worker("w2");
    let ended = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(ended["status"], "completed", "{ended}");

    installation.store("name: short\ntimeout: 1s\nsteps: [{id: long, command: sleep 60, targets: [w2]}]\nfinally: [{id: last, type: set, values: {end: '1'}}]\n");
    let id = installation.execute("short", json!({}), &[]);
    let ended = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(
        (ended["error"].as_str(), &ended["state"]["end"]),
        (Some("the execution did not end within 1s"), &json!(1))
    );
    installation.until("the command was stopped", || {
        let execution = installation.execution(&id);
        (execution["steps"][0]["commands"][0]["status"] == "cancelled").then_some(())
    });
}
