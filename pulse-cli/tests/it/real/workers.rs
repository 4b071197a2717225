//! Workers as the server treats them: two processes with one id, draining, labels and capacity, workers that fall silent
//! with a command, and workers that print without end. Some of them are written by hand, over real sockets.

use super::hand::{Hand, exited};
use super::installation::{Installation, actions};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

#[test]
fn of_two_processes_with_one_id_the_living_one_stays() {
    let installation = Installation::start();
    {
        let (first, welcome) = Hand::hello(&installation, "a", json!([]));
        assert_eq!(welcome["type"], "welcome");
        let living = std::thread::spawn(move || {
            let mut first = first;
            let end = first.hear_until_close();
            (first, end)
        });
        let (_second, refusal) = Hand::hello(&installation, "b", json!([]));
        assert_eq!((&refusal["type"], &refusal["code"]), (&json!("error"), &json!("duplicate-worker")));
        let detail = refusal["detail"].as_str().unwrap();
        assert!(detail.contains("from 127.0.0.1:") && detail.contains("since 20"), "{detail}");
        assert!(!living.is_finished(), "the first is still connected");

        // The same process comes in place of itself.
        let (same, welcome) = Hand::hello(&installation, "a", json!([]));
        assert_eq!(welcome["type"], "welcome");
        assert_eq!(living.join().unwrap().1, None, "its older connection is closed");

        // Nobody reads here any more, so nobody answers: another process takes the place.
        let (_other, welcome) = Hand::hello(&installation, "b", json!([]));
        assert_eq!(welcome["type"], "welcome");
        drop(same);
    }
}

#[test]
fn a_draining_worker_gets_nothing_new_whatever_it_says_and_however_often_the_server_starts() {
    let mut installation = Installation::start();
    {
        let (mut hand, _) = Hand::hello(&installation, "a", json!([]));
        let ran = installation.pulse(&["worker", "drain", "hand"]);
        assert_eq!((ran.code, ran.out.as_str()), (0, "hand is draining: nothing runs there\n"), "{}", ran.err);
        assert_eq!(hand.hear_of("drain")["type"], "drain");
        assert!(installation.pulse(&["worker", "ls"]).out.contains("online (draining)"));
        let ran = installation.pulse(&["worker", "label", "hand", "site=berlin", "role-"]);
        assert_eq!((ran.code, ran.out.as_str()), (0, "hand: site=berlin\n"), "{}", ran.err);
        let (status, view) = installation.call("PATCH", "/api/workers/hand", Some(json!({"capacity": 1})));
        assert_eq!((status, &view["capacity"]), (200, &json!(1)), "{view}");
    }
    installation.kill_and_restart();
    {
        let (mut hand, welcome) = Hand::hello(&installation, "a", json!([]));
        assert_eq!((&welcome["type"], &hand.hear()["type"]), (&json!("welcome"), &json!("drain")));
        let view = installation.get("/api/workers/hand");
        assert_eq!((&view["draining"], &view["capacity"]), (&json!(true), &json!(1)));
        assert_eq!(view["labels"], json!({"site": "berlin"}));
        let body = json!({"command": "true", "targets": ["hand"]});
        let id = installation.call("POST", "/api/commands", Some(body)).1["id"].as_str().unwrap().to_owned();
        let failed = installation.wait_for(&id, &["failed"]);
        assert!(actions(&failed).contains(&"worker_offline".to_owned()), "{failed}");
        // A worker goes on after a drain with its next connection.
        let ran = installation.pulse(&["worker", "drain", "hand", "--undo"]);
        assert_eq!((ran.code, ran.out.as_str()), (0, "hand takes commands again\n"), "{}", ran.err);
        assert_eq!(hand.hear_until_close(), None);
        let (mut hand, _) = Hand::hello(&installation, "a", json!([]));
        let body = json!({"command": "true", "targets": ["hand"]});
        let id = installation.call("POST", "/api/commands", Some(body)).1["id"].as_str().unwrap().to_owned();
        let dispatch = hand.hear_of("dispatch");
        hand.say(json!({"type": "accepted", "command_id": dispatch["command_id"]}));
        hand.say(exited(&dispatch["command_id"], ""));
        installation.wait_for(&id, &["completed"]);
    }
}

#[test]
fn the_smaller_of_what_a_worker_takes_and_what_is_set_is_its_capacity() {
    let mut installation = Installation::start();
    let capacities = |installation: &Installation| {
        let view = installation.get("/api/workers/hand");
        [&view["capacity"], &view["reported_capacity"], &view["capacity_limit"]].map(|number| number.as_u64())
    };
    let (mut hand, _) = Hand::hello(&installation, "a", json!([]));
    assert_eq!(capacities(&installation), [Some(2), Some(2), None]);
    let (status, view) = installation.call("PATCH", "/api/workers/hand", Some(json!({"capacity": 4})));
    assert_eq!((status, &view["capacity"], &view["capacity_limit"]), (200, &json!(2), &json!(4)), "{view}");
    let shown = installation.pulse(&["worker", "show", "hand"]).out;
    assert!(shown.contains("2; set to 4, but the worker takes no more than 2\n"), "{shown}");

    // More than the worker takes is not sent: it would only be rejected.
    let body = json!({"command": "true", "targets": ["hand"]});
    let start = || installation.call("POST", "/api/commands", Some(body.clone())).1["id"].as_str().unwrap().to_owned();
    let ids = [start(), start(), start()];
    let sent = [hand.hear_of("dispatch"), hand.hear_of("dispatch")];
    let shown = ids.each_ref().map(|id| installation.pulse(&["show", id]).out);
    assert!(shown[0].contains("  running (hand)") && shown[2].contains("  queued (hand)"), "{shown:?}");
    assert!(installation.pulse(&["ps"]).out.contains("running (queued)"));
    assert_eq!(installation.get("/api/workers/hand")["active"], 2);
    for dispatch in sent {
        hand.say(exited(&dispatch["command_id"], ""));
    }
    let last = hand.hear_of("dispatch");
    hand.say(exited(&last["command_id"], ""));
    for id in ids {
        installation.wait_for(&id, &["completed"]);
    }

    // What is set stays, also while the worker is away; it is the worker's word that changes.
    drop(hand);
    installation.kill_and_restart();
    assert_eq!(capacities(&installation), [Some(2), Some(2), Some(4)]);
    for (reported, capacity) in [(1, 1), (5, 4)] {
        let (_hand, _) = Hand::hello_with(&installation, reported, "a", json!([]));
        assert_eq!(capacities(&installation), [Some(capacity), Some(reported.into()), Some(4)]);
    }
    let shown = installation.pulse(&["worker", "show", "hand"]).out;
    assert!(shown.contains("4, as set; the worker takes 5\n"), "{shown}");
}

#[test]
fn changes_of_workers_are_checked_and_need_an_administrator() {
    let installation = Installation::start();
    let name = installation.get("/api/workers")["items"][0]["name"].as_str().unwrap().to_owned();
    let path = format!("/api/workers/{name}");
    let bad = [
        json!({}),
        json!({"capacity": 0}),
        json!({"capacity": 10_001}),
        json!({"labels": {"a,b": "c"}}),
        json!({"labels": {"a": "b=c"}}),
        json!({"labels": {"": "b"}}),
        json!({"labels": {"a!": "b"}}),
        json!({"labels": {"a": "b\nc"}}),
        json!({"nope": true}),
    ];
    for body in bad {
        assert_eq!(installation.call("PATCH", &path, Some(body.clone())).0, 422, "{body}");
    }
    assert_eq!(installation.call("PATCH", "/api/workers/nobody", Some(json!({"draining": true}))).0, 404);
    assert_eq!(installation.call("PATCH", &path, None).0, 415);
    let token = json!({"name": "op", "role": "operator", "expires_days": 1});
    let token = installation.call("POST", "/api/tokens", Some(token)).1["token"].as_str().unwrap().to_owned();
    let change = || Some(json!({"draining": true}));
    assert_eq!(installation.call_at(&installation.url, &token, "PATCH", &path, change()).0, 403);
    assert_eq!(installation.call_at(&installation.url, "nobody's", "PATCH", &path, change()).0, 401);
    assert_eq!(installation.get(&path)["draining"], false);
}

#[test]
fn an_abort_closes_what_runs_on_a_worker_that_is_away_and_a_late_result_is_kept() {
    let installation = Installation::start();
    {
        let (mut hand, _) = Hand::hello(&installation, "a", json!([]));
        let body = json!({"command": "sleep 60", "targets": ["hand"]});
        let id = installation.call("POST", "/api/commands", Some(body)).1["id"].as_str().unwrap().to_owned();
        let dispatch = hand.hear_of("dispatch");
        let command_id = dispatch["command_id"].clone();
        hand.say(json!({"type": "accepted", "command_id": command_id}));
        drop(hand);
        installation.until("the worker is unreachable", || {
            (installation.get("/api/workers/hand")["status"] == "unreachable").then_some(())
        });
        let away = installation.execution(&id);
        assert_eq!((&away["status"], &away["delivery"]), (&json!("running"), &json!("worker_unreachable")));
        assert_eq!(away["steps"][0]["commands"][0]["unreachable"], true);
        let shown = installation.pulse(&["show", &id]).out;
        assert!(shown.contains("running (worker unreachable)\n"), "{shown}");
        assert!(shown.contains("running, worker unreachable (hand)"), "{shown}");
        assert!(installation.pulse(&["ps"]).out.contains("running (worker unreachable)"));
        assert_eq!(installation.call("POST", &format!("/api/executions/{id}/abort"), Some(json!({}))).0, 204);
        installation.wait_for(&id, &["aborted"]);
        assert_eq!(installation.call("DELETE", "/api/workers/hand", None).0, 409, "it may still tell of its command");

        // Back again, it is told to stop; what it tells is kept and changes nothing.
        let known = json!([{"command_id": command_id, "execution_id": id, "state": "running"}]);
        let (mut hand, _) = Hand::hello(&installation, "a", known);
        assert_eq!(hand.hear_of("cancel")["command_id"], command_id);
        hand.say(exited(&command_id, "after all"));
        assert_eq!(hand.hear_of("ack")["command_id"], command_id);
        let execution = installation.execution(&id);
        assert_eq!(execution["status"], "aborted");
        let late = execution["logs"].as_array().unwrap().iter().find(|entry| entry["action"] == "command_result");
        assert_eq!(late.expect("it is kept")["late"], true, "{execution}");
    }
}

#[test]
fn a_server_that_is_stopped_says_so_and_leaves_commands_running() {
    let mut installation = Installation::start();
    let (mut hand, _) = Hand::hello(&installation, "a", json!([]));
    let body = json!({"command": "sleep 60", "targets": ["hand"]});
    let id = installation.call("POST", "/api/commands", Some(body)).1["id"].as_str().unwrap().to_owned();
    let command_id = hand.hear_of("dispatch")["command_id"].clone();
    hand.say(json!({"type": "accepted", "command_id": command_id}));
    // Ends with exit code 0, though a command runs.
    installation.stop();
    let next = hand.runtime.block_on(hand.socket.next());
    let Some(Ok(Message::Close(Some(frame)))) = next else { panic!("{next:?}") };
    assert_eq!(u16::from(frame.code), 1001);
    installation.start_again();
    let known = json!([{"command_id": command_id, "execution_id": id, "state": "finished"}]);
    let (mut hand, _) = Hand::hello(&installation, "a", known);
    hand.say(exited(&command_id, "done meanwhile"));
    assert_eq!(hand.hear_of("ack")["command_id"], command_id);
    installation.wait_for(&id, &["completed"]);
}

#[test]
fn what_a_worker_says_of_things_that_are_gone_is_taken_from_it() {
    let installation = Installation::start();
    let output = |command_id: &Value, seq: u64| json!({"type": "output", "command_id": command_id, "stream": "stdout", "seq": seq, "data": "x"});
    let start = |targets: &str| {
        let body = json!({"command": "sleep 60", "targets": [targets]});
        installation.call("POST", "/api/commands", Some(body)).1["id"].as_str().unwrap().to_owned()
    };
    let delete = |id: &str| {
        assert_eq!(installation.call("POST", &format!("/api/executions/{id}/abort"), Some(json!({}))).0, 204);
        installation.wait_for(id, &["aborted"]);
        assert_eq!(installation.call("DELETE", &format!("/api/executions/{id}"), None).0, 204);
    };
    let taken = |hand: &mut Hand, command_id: &Value| {
        hand.say(output(command_id, 2));
        assert_eq!(hand.hear_of("ack"), json!({"type": "ack", "command_id": command_id, "output_seq": 2}));
        hand.say(exited(command_id, "xx"));
        assert_eq!(hand.hear_of("ack"), json!({"type": "ack", "command_id": command_id}));
    };
    // Of an execution that is not there, listed and not; of a command that its execution does not have.
    let local = installation.get("/api/workers")["items"][0]["name"].as_str().unwrap().to_owned();
    let other = start(&local);
    let (gone, never, odd) = (json!(uuid::Uuid::now_v7()), json!(uuid::Uuid::now_v7()), json!(uuid::Uuid::now_v7()));
    let known = json!([
        {"command_id": gone, "execution_id": uuid::Uuid::now_v7(), "state": "running"},
        {"command_id": odd, "execution_id": other, "state": "finished"},
    ]);
    let (mut hand, _) = Hand::hello(&installation, "a", known);
    for command_id in [&gone, &never, &odd] {
        taken(&mut hand, command_id);
    }
    // Of one that is deleted while the worker tells of it, on the same connection.
    let id = start("hand");
    let command_id = hand.hear_of("dispatch")["command_id"].clone();
    hand.say(json!({"type": "accepted", "command_id": command_id}));
    hand.say(output(&command_id, 1));
    assert_eq!(hand.hear_of("ack")["output_seq"], 1);
    delete(&id);
    taken(&mut hand, &command_id);
    // What is another worker's is not taken.
    let id = start(&local);
    let command_id = installation.until("it is sent", || {
        let execution = installation.execution(&id);
        let sent = execution["logs"].as_array()?.iter().find(|entry| entry["action"] == "command_sent")?;
        Some(sent["command_id"].clone())
    });
    let known = json!([{"command_id": command_id, "execution_id": id, "state": "running"}]);
    let (mut hand, _) = Hand::hello(&installation, "a", known);
    hand.say(output(&command_id, 1));
    while let Some(message) = hand.hear_until_close() {
        assert_ne!(message["type"], "ack", "{message}");
    }
    assert_eq!(installation.output(&id, ""), "");
}

#[test]
fn a_command_that_no_message_holds_does_not_start_and_holds_up_nothing() {
    let installation = Installation::start();
    let local = installation.get("/api/workers")["items"][0]["name"].as_str().unwrap().to_owned();
    let stdin = "{{ p }}".repeat(8);
    installation.store(&format!(
        "name: big\nparams: [{{name: p}}]\nsteps: [{{id: big, command: cat, stdin: \"{stdin}\", targets: \"{local}\"}}]\n"
    ));
    let big = installation.execute("big", json!({"p": "\"".repeat(450_000)}), &[]);
    let body = json!({"command": "echo next", "targets": [local]});
    let next = installation.call("POST", "/api/commands", Some(body)).1["id"].as_str().unwrap().to_owned();
    assert_eq!(installation.wait_for(&next, &["completed", "failed"])["status"], "completed");
    let big = installation.wait_for(&big, &["completed", "failed"]);
    let error = big["error"].as_str().unwrap();
    assert!(error.contains("has 7200") && error.contains("takes 4194304") && error.contains("a file"), "{error}");
}
