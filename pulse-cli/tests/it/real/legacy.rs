//! Agents of the first PULSE against the built program.

use super::installation::{Installation, actions};
use super::legacy_agent::{Agent, ON, heartbeat, key};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;

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
    assert_eq!(agent.sent(), 9);
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
    installation.until("the long command runs", || (agent.sent() == 2).then_some(()));
    installation.kill_and_restart();
    let done = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(installation.output(&id, "stream=stdout"), "before\nlong\nafter\n");
    assert_eq!(agent.seen.connections.load(Ordering::SeqCst), 2);
    assert_eq!(agent.sent(), 3, "nothing was sent twice");
}

#[test]
fn a_new_process_of_it_does_not_know_what_the_old_one_ran() {
    let installation = Installation::start_with(ON);
    let first = Agent::start(&installation, "old-1", 2);
    installation.store("name: old\nsteps: [{id: long, command: sleep 30, targets: old-1}]\n");
    let id = installation.execute("old", json!({}), &[]);
    installation.until("it runs", || (first.sent() == 1).then_some(()));
    drop(first);
    let second = Agent::start(&installation, "old-1", 2);
    let done = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(done["status"], "failed", "{done}");
    assert!(done["error"].as_str().unwrap().contains("lost"), "{done}");
    assert_eq!(second.sent(), 0, "it is not run again");
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

/// The outcomes that stand in an execution's journal, in order.
fn outcomes(execution: &Value) -> Vec<String> {
    let results = execution["logs"].as_array().unwrap().iter().filter(|entry| entry["action"] == "command_result");
    results.map(|entry| entry["outcome"].as_str().unwrap().to_owned()).collect()
}

const MANY: &str = "name: many\nsteps:\n  - id: many\n    type: foreach\n    items: [9, 9, 0, 0, 0, 0]\n    as: n\n    parallel: 6\n    \
                    steps:\n      - {id: one, command: \"sleep {{ n }}\", targets: old-1, on_error: continue}\n";

#[test]
fn what_only_waited_for_it_when_the_server_went_is_sent_after_a_restart() {
    let mut installation = Installation::start_with(ON);
    let agent = Agent::start(&installation, "old-1", 2);
    installation.store(MANY);
    let id = installation.execute("many", json!({}), &[]);
    installation.until("two commands run", || (agent.sent() == 2).then_some(()));
    installation.kill_and_restart();
    let done = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(outcomes(&done), ["exited"; 6], "{done}");
    assert_eq!((agent.sent(), agent.seen.dropped.load(Ordering::SeqCst)), (6, 0), "each was sent once");
}

#[test]
fn what_only_waited_for_it_is_sent_to_a_new_process_of_it() {
    let mut installation = Installation::start_with(ON);
    let first = Agent::start(&installation, "old-1", 2);
    installation.store(MANY);
    let id = installation.execute("many", json!({}), &[]);
    installation.until("two commands run", || (first.sent() == 2).then_some(()));
    installation.stop();
    drop(first);
    installation.start_again();
    let second = Agent::start(&installation, "old-1", 2);
    let done = installation.wait_for(&id, &["completed", "failed"]);
    let mut outcomes = outcomes(&done);
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["exited", "exited", "exited", "exited", "lost", "lost"], "{done}");
    assert_eq!(second.sent(), 4, "what the first one ran is not run again");
}

#[test]
fn a_time_limit_goes_on_while_the_connection_does_not() {
    let mut installation = Installation::start_with(ON);
    let agent = Agent::start(&installation, "old-1", 1);
    installation.store("name: slow\nsteps: [{id: slow, command: sleep 60, targets: old-1, timeout: 8s}]\n");
    for round in 1..=2 {
        let id = installation.execute("slow", json!({}), &[]);
        installation.until("it runs", || (agent.sent() == round).then_some(()));
        match round {
            1 => agent.cut(),
            _ => installation.kill_and_restart(),
        }
        let done = installation.wait_for(&id, &["completed", "failed"]);
        assert_eq!(outcomes(&done), ["timed_out"], "{done}");
    }
}

#[test]
fn what_was_aborted_takes_its_place_until_it_has_ended() {
    let mut installation = Installation::start_with(ON);
    let agent = Agent::start(&installation, "old-1", 1);
    installation.store("name: long\nsteps: [{id: long, command: sleep 9; echo over, targets: old-1}]\n");
    installation
        .store("name: next\nsteps: [{id: next, command: echo next, targets: old-1, on_offline: wait, wait_for: 1m}]\n");
    for round in 1..=2 {
        let long = installation.execute("long", json!({}), &[]);
        installation.until("it runs", || (agent.sent() == 2 * round - 1).then_some(()));
        assert_eq!(installation.call("POST", &format!("/api/executions/{long}/abort"), Some(json!({}))).0, 204);
        installation.wait_for(&long, &["aborted"]);
        if round == 2 {
            installation.kill_and_restart();
        }
        let next = installation.execute("next", json!({}), &[]);
        assert_eq!(installation.wait_for(&next, &["completed", "failed"])["status"], "completed");
        assert_eq!(agent.seen.dropped.load(Ordering::SeqCst), 0, "there was no place before the first one had ended");
        let late = installation.execution(&long);
        assert_eq!((&late["status"], outcomes(&late)), (&json!("aborted"), vec!["exited".to_owned()]), "{late}");
        assert_eq!(installation.output(&long, "stream=stdout"), "over\n");
    }
}

#[test]
fn what_an_idle_agent_told_no_result_of_is_lost_and_holds_up_nothing() {
    let mut installation = Installation::start_with(ON);
    let agent = Agent::start(&installation, "old-1", 1);
    let start = |command: &str| {
        let body = json!({"command": command, "targets": ["old-1"]});
        installation.call("POST", "/api/commands", Some(body)).1["id"].as_str().unwrap().to_owned()
    };
    agent.seen.held.store(true, Ordering::SeqCst);
    let (first, next) = (start("true"), start("echo next"));
    installation.until("it runs", || (agent.seen.active.load(Ordering::SeqCst) == 1).then_some(()));
    let shown = installation.execution(&next);
    assert_eq!((&shown["delivery"], &shown["steps"][0]["commands"][0]["status"]), (&json!("queued"), &json!("queued")));
    // Its result is lost while the server is away.
    installation.stop();
    agent.seen.held.store(false, Ordering::SeqCst);
    installation.until("it has ended", || (agent.seen.active.load(Ordering::SeqCst) == 0).then_some(()));
    installation.start_again();
    let lost = installation.wait_for(&first, &["completed", "failed"]);
    assert_eq!(
        (outcomes(&lost), &lost["steps"][0]["commands"][0]["duration_ms"]),
        (vec!["lost".to_owned()], &json!(null))
    );
    assert!(lost["error"].as_str().unwrap().contains("the agent runs nothing any more"), "{lost}");
    installation.wait_for(&next, &["completed"]);
    assert_eq!(agent.seen.dropped.load(Ordering::SeqCst), 0);
}

#[test]
fn what_was_given_up_takes_its_place_until_it_is_told_or_certainly_over() {
    let installation = Installation::start_with(&[("PULSE_LEGACY_AGENTS", "1"), ("PULSE_LOST_GRACE_SECONDS", "1")]);
    let agent = Agent::start(&installation, "old-1", 1);
    installation.store("name: slow\nsteps: [{id: slow, command: sleep 60, targets: old-1, timeout: 1s}]\n");
    installation.store("name: next\nsteps: [{id: next, command: echo next, targets: old-1}]\n");
    for is_told in [true, false] {
        let before = agent.sent();
        agent.seen.held.store(true, Ordering::SeqCst);
        let slow = installation.execute("slow", json!({}), &[]);
        let lost = installation.wait_for(&slow, &["completed", "failed"]);
        assert_eq!(outcomes(&lost), ["lost"], "{lost}");
        let next = installation.execute("next", json!({}), &[]);
        let beats = agent.seen.beats.load(Ordering::SeqCst);
        installation
            .until("it has beaten again", || (agent.seen.beats.load(Ordering::SeqCst) >= beats + 3).then_some(()));
        assert_eq!(agent.sent(), before + 1, "it still runs the one that was given up");
        if !is_told {
            // Its result is lost on the way, and nobody will ever tell.
            agent.cut();
            installation
                .until("it is away", || (installation.get("/api/workers/old-1")["status"] != "online").then_some(()));
        }
        agent.seen.held.store(false, Ordering::SeqCst);
        let done = installation.wait_for(&next, &["completed", "failed"]);
        assert_eq!((&done["status"], agent.seen.dropped.load(Ordering::SeqCst)), (&json!("completed"), 0), "{done}");
        let after = if is_told { vec!["lost", "timed_out"] } else { vec!["lost"] };
        let slow = installation.execution(&slow);
        assert_eq!(
            (&slow["status"], outcomes(&slow)),
            (&json!("failed"), after.iter().map(|s| s.to_string()).collect()),
            "{slow}"
        );
    }
}

#[test]
fn heartbeats_change_nothing_that_an_administrator_has_changed() {
    let mut installation = Installation::start_with(ON);
    let agent = Agent::start(&installation, "old-1", 2);
    installation.store("name: long\nsteps: [{id: long, command: sleep 4, targets: \"site=berlin\"}]\n");
    assert_eq!(installation.pulse(&["worker", "label", "old-1", "site=berlin"]).code, 0);
    let id = installation.execute("long", json!({}), &[]);
    installation.until("it runs", || (agent.sent() == 1).then_some(()));
    assert_eq!(installation.pulse(&["worker", "drain", "old-1"]).code, 0);
    let after_more_beats = |installation: &Installation| {
        let before = agent.seen.beats.load(Ordering::SeqCst);
        installation
            .until("it has beaten again", || (agent.seen.beats.load(Ordering::SeqCst) >= before + 2).then_some(()));
        let view = installation.get("/api/workers/old-1");
        assert_eq!((&view["draining"], &view["labels"]), (&json!(true), &json!({"site": "berlin"})), "{view}");
        view
    };
    let view = after_more_beats(&installation);
    assert_eq!((&view["active"], &view["status"]), (&json!(1), &json!("online")), "{view}");
    assert_eq!(installation.wait_for(&id, &["completed", "failed"])["status"], "completed");
    installation.kill_and_restart();
    after_more_beats(&installation);
}

#[test]
fn much_output_comes_whole() {
    let installation = Installation::start_with(ON);
    let _agent = Agent::start(&installation, "old-1", 1);
    let command = "head -c 9000000 /dev/zero | tr '\\\\0' x; echo; seq 20000 >&2";
    installation.store(&format!("name: much\nsteps: [{{id: much, command: \"{command}\", targets: old-1}}]\n"));
    let id = installation.execute("much", json!({}), &[]);
    assert_eq!(installation.wait_for(&id, &["completed", "failed"])["status"], "completed");
    let out = installation.output(&id, "stream=stdout");
    assert!(out.len() == 9_000_001 && out.trim_end().bytes().all(|byte| byte == b'x'), "{}", out.len());
    let numbers: Vec<String> = (1..=20_000).map(|n| n.to_string()).collect();
    assert_eq!(installation.output(&id, "stream=stderr"), numbers.join("\n") + "\n");
}

#[test]
fn a_second_agent_of_the_same_name_does_not_take_the_place_of_a_living_one() {
    let installation = Installation::start_with(ON);
    let agent = Agent::start(&installation, "old-1", 2);
    installation.store("name: long\nsteps: [{id: long, command: sleep 3, targets: old-1}]\n");
    let id = installation.execute("long", json!({}), &[]);
    installation.until("it runs", || (agent.sent() == 1).then_some(()));
    let (runtime, key) = (tokio::runtime::Runtime::new().unwrap(), key(&installation));
    let (status, body) = runtime.block_on(heartbeat(&installation.url, &key, "second", "old-1", 2));
    assert_eq!((status, &body["code"]), (409, &json!("duplicate-worker")), "{body}");
    assert!(body["detail"].as_str().unwrap().contains("WORKER_NAME"), "{body}");
    let refused = runtime.block_on(knock(&installation.url, "second", "old-1"));
    assert!(refused.unwrap_err().contains("no heartbeat"));
    assert_eq!(installation.wait_for(&id, &["completed", "failed"])["status"], "completed");
    assert_eq!(agent.seen.connections.load(Ordering::SeqCst), 1);
}

#[test]
fn what_its_socket_knows_it_by_is_shown_and_kept_nowhere() {
    let mut installation = Installation::start_with(ON);
    let agent = Agent::start(&installation, "old-1", 2);
    installation.store("name: one\nsteps: [{id: one, command: echo one, targets: old-1}]\n");
    let id = installation.execute("one", json!({}), &[]);
    let done = installation.wait_for(&id, &["completed", "failed"]);
    assert!(actions(&done).contains(&"command_result".to_owned()));
    let mut shown = vec![done.to_string()];
    for path in ["/api/workers", "/api/workers/old-1", "/api/executions"] {
        shown.push(installation.get(path).to_string());
    }
    assert!(shown[1].contains("maxConcurrentTasks"), "{}", shown[1]);
    for arguments in [&["worker", "ls", "--json"][..], &["show", &id, "--json"], &["ps", "--json"]] {
        shown.push(installation.pulse(arguments).out);
    }
    installation.stop();
    let data = installation.directory.path().join("pulse-data");
    for entry in std::fs::read_dir(data).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
        shown.push(String::from_utf8_lossy(&std::fs::read(entry.path()).unwrap()).into_owned());
    }
    shown.extend(installation.database_contents().map(|contents| String::from_utf8_lossy(&contents).into_owned()));
    for text in shown {
        assert!(!text.contains(&agent.worker_id), "{text}");
    }
}
