//! Lists and views, as columns and as JSON.

use crate::program::{pulse_at, ran};
use crate::stand_in::StandIn;
use crate::story::{ID, Story, command_id};
use serde_json::{Value, json};
use std::process::Stdio;

/// An execution as the API gives it.
pub fn execution(status: &str, story: Story) -> Value {
    let mut view = summary(ID, status);
    let step = |id: &str, status: &str, commands: Value| {
        json!({"id": id, "name": format!("Name {id}"), "type": "execute", "status": status, "parent": null, "runs": 1,
            "started_at": "2026-11-24T12:00:00.000Z", "finished_at": "2026-11-24T12:00:01.500Z", "commands": commands})
    };
    let command = |worker: &str, code: i32| json!({"id": ID, "worker": worker, "attempt": 1, "status": "completed", "exit_code": code, "duration_ms": 5});
    view["params"] = json!({"limit": 80});
    view["prompt"] = Value::Null;
    view["prompts"] = json!([]);
    view["parent"] = Value::Null;
    view["children"] = json!([]);
    view["state"] = json!({"usage": 91});
    view["logs"] = serde_json::to_value(&story.entries).unwrap();
    view["steps"] = json!([
        step("s1", "completed", json!([command("web-1", 0), command("db", 0)])),
        step("s4", "running", json!([]))
    ]);
    view
}

fn summary(id: &str, status: &str) -> Value {
    json!({
        "id": id, "workflow": "disk-check", "title": "disk-check", "version": 2, "status": status, "started_by": "admin",
        "trigger": "api", "created_at": "2026-11-24T12:00:00.000Z", "started_at": "2026-11-24T12:00:00.000Z",
        "finished_at": "2026-11-24T12:01:15.000Z", "error": null, "waiting_for_input": status == "waiting", "automated": false,
    })
}

fn pulse(server: &StandIn, arguments: &[&str]) -> crate::program::Ran {
    let directory = tempfile::tempdir().unwrap();
    ran(pulse_at(&server.url, directory.path(), arguments))
}

#[test]
fn what_ps_shows_can_be_pasted() {
    let server = StandIn::start(Story::default());
    let other = "0198c2f4-7a1b-7100-8000-000000000001";
    let items = json!([
        summary(ID, "waiting"),
        summary(other, "failed"),
        summary("0198c2f5-0000-7000-8000-000000000001", "queued")
    ]);
    server.answer("GET /api/executions", 200, json!({"items": items, "next": null}));
    let table = pulse(&server, &["ps", "--status", "waiting", "--workflow", "disk-check", "-n", "7"]).out;
    let columns: Vec<Vec<&str>> =
        table.lines().map(|line| line.split("  ").map(str::trim).filter(|c| !c.is_empty()).collect()).collect();
    assert_eq!(columns[0], ["ID", "WORKFLOW", "STATUS", "STARTED BY", "AGE", "DURATION"]);
    assert_eq!(&columns[1][..4], ["0198c2f4-7a1b-70", "disk-check", "waiting (input)", "admin"]);
    assert_eq!((columns[2][0], columns[3][0]), ("0198c2f4-7a1b-71", "0198c2f5-0000"));
    assert_eq!(columns[2][5], "1m 15s");
    let query = &server.requests()[0].query;
    let sent = |name: &str| query.get(name).map(String::as_str);
    assert_eq!((sent("status"), sent("workflow"), sent("limit")), (Some("waiting"), Some("disk-check"), Some("7")));
    let listed: Value = serde_json::from_str(&pulse(&server, &["ps", "--json"]).out).unwrap();
    assert_eq!(listed, json!({"items": items, "next": null}));
}

#[test]
fn all_reads_every_page() {
    let server = StandIn::start(Story::default());
    server.on("GET /api/executions", |request, _| match request.query.get("cursor").map(String::as_str) {
        None => (200, json!({"items": [summary(ID, "queued")], "next": "c/2"})),
        Some("c%2F2") => {
            (200, json!({"items": [summary("0198c2f5-0000-7000-8000-000000000001", "queued")], "next": null}))
        }
        Some(other) => panic!("{other}"),
    });
    assert_eq!(pulse(&server, &["ps", "-a"]).out.lines().count(), 3);
    assert_eq!(pulse(&server, &["ps", "-n", "1"]).out.lines().count(), 2);
}

#[test]
fn show_tells_which_commands_were_not_sent_when_that_was_last_said() {
    let server = StandIn::start(Story::default());
    let about = |action: &str, worker: &str, number: u32| {
        json!({"action": action, "worker_id": ID, "worker": worker, "command_id": command_id(number), "attempt": 1,
            "reason": "draining", "from": {"worker_id": ID, "worker": "db"}})
    };
    let story = Story::begin()
        .started(1)
        .at(1, about("command_held", "web\n1", 1))
        .at(1, about("command_held", "db", 2))
        .at(1, about("command_moved", "db-2", 2));
    let at = story.entries.iter().rev().nth(2).unwrap().timestamp;
    server.answer("GET /api/executions/0198", 200, execution("running", story));
    let shown = pulse(&server, &["show", "0198"]).out;
    let expected = format!("1.5s\n\n  Step 1: not sent yet at {at}, waiting for web\\n1: draining\n");
    assert!(shown.ends_with(&expected), "{shown}");
    let over = Story::begin().started(1).at(1, about("command_held", "db", 2)).ended("aborted", None);
    server.answer("GET /api/executions/0198", 200, execution("aborted", over));
    assert!(!pulse(&server, &["show", "0198"]).out.contains("not sent yet"));
}

#[test]
fn show_tells_all_about_one() {
    let server = StandIn::start(Story::default());
    let mut view = execution("failed", Story::default());
    view["error"] = json!("step s4 failed\nerror: forged");
    server.answer("GET /api/executions/0198", 200, view.clone());
    let shown = pulse(&server, &["show", "0198"]).out;
    let age = shown.lines().find(|line| line.contains("created")).unwrap().to_owned();
    assert_eq!(
        shown.replace(&age, "  created"),
        "\
disk-check  0198c2f4-7a1b-7000-8000-000000000001
  status      failed
  error       step s4 failed\\nerror: forged
  workflow    disk-check (version 2)
  started by  admin (api)
  created
  took        1m 15s
  parameters  limit=80
  state       usage=91

  STEP  NAME     TYPE     STATUS     DURATION  COMMANDS
  1     Name s1  execute  completed  1.5s      exit 0 (db, web-1)
  2     Name s4  execute  running    1.5s
"
    );
    let json = || serde_json::from_str::<Value>(&pulse(&server, &["show", "0198", "--json"]).out).unwrap();
    view["deliveries"] = json!([]);
    assert_eq!(json(), view, "of a server that knows no webhooks");
    let call = json!({"id": ID, "event": "failed", "url": "https://hooks.example/x", "created_at": "2026-11-24T12:00:00.000Z",
        "attempts": 1, "next_try_at": null, "status": "given_up", "answer_status": 500, "answer": "no", "error": "answered 500"});
    server.answer(&format!("GET /api/executions/{ID}/deliveries"), 200, json!({"items": [call], "next": null}));
    let line = format!("\n\n  webhook failed ({ID}) to https://hooks.example/x: given up after 1 try: answered 500\n");
    assert!(pulse(&server, &["show", "0198"]).out.ends_with(&line));
    view["deliveries"] = json!([call]);
    assert_eq!(json(), view);
}

#[test]
fn webhooks_keys_are_printed_alone_and_calls_made_again() {
    let server = StandIn::start(Story::default());
    server.answer("GET /api/webhook-key", 200, json!({"key": "pulse_webhook_1"}));
    assert_eq!(pulse(&server, &["webhook", "key"]).out, "pulse_webhook_1\n");
    server.answer(&format!("POST /api/deliveries/{ID}/retry"), 204, Value::Null);
    assert_eq!(pulse(&server, &["webhook", "retry", ID]).out, format!("called again: {ID}\n"));
    let request = server.requests().pop().unwrap();
    assert_eq!(request.body, json!({}));
    let missing = pulse(&server, &["webhook", "retry", "x"]);
    assert!(missing.code == 1 && missing.err.contains("pulse show EXECUTION"), "{}", missing.err);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let server = StandIn::start(Story::default());
    let items: Vec<Value> =
        (0..200).map(|i| summary(&format!("0198c2f4-7a1b-7000-8000-00000000{i:04}"), "failed")).collect();
    server.answer("GET /api/executions", 200, json!({"items": items, "next": null}));
    let directory = tempfile::tempdir().unwrap();
    for arguments in [&["ps", "-a", "--json"][..], &["completions", "bash"][..]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = pulse_at(&server.url, directory.path(), arguments);
        let ran = crate::program::finished(command.stdout(Stdio::from(writer)).spawn().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (141, ""), "{arguments:?}");
    }
}

#[test]
fn workers_and_tokens() {
    let server = StandIn::start(Story::default());
    let worker = json!({"id": ID, "name": "web-1", "status": "online", "labels": {"role": "web", "zone": "a"}, "capacity": 8,
        "reported_capacity": 8, "capacity_limit": null, "active": 2, "draining": true, "version": "0.1.0", "last_seen": "2026-11-24T12:00:00.000Z", "metadata": {"hostname": "h"}});
    server.answer("GET /api/workers", 200, json!({"items": [worker], "next": null}));
    server.answer("GET /api/workers/web%201", 200, worker);
    let table = pulse(&server, &["worker", "ls"]).out;
    assert!(
        table.lines().nth(1).unwrap().starts_with("web-1  online (draining)  2/8     role=web,zone=a  0.1.0    "),
        "{table}"
    );
    assert!(pulse(&server, &["worker", "show", "web 1"]).out.contains("  hostname           h\n"));

    let token = json!({"id": ID, "name": "ci", "role": "operator", "created_by": "admin",
        "created_at": "2026-11-24T12:00:00.000Z", "expires_at": "2020-01-01T00:00:00.000Z"});
    server.answer("GET /api/tokens", 200, json!({"items": [token], "next": null}));
    server.answer(&format!("DELETE /api/tokens/{ID}"), 204, Value::Null);
    assert!(pulse(&server, &["token", "ls"]).out.contains("expired"));
    assert_eq!(pulse(&server, &["token", "rm", "ci"]).out, "removed: ci\n");
    let missing = pulse(&server, &["token", "rm", "nope"]);
    assert_eq!(
        (missing.code, missing.err.as_str()),
        (1, "error: there is no token `nope`\nhint: `pulse token ls` lists the tokens\n")
    );
    // An argument called TOKEN is not the token that signs in.
    assert!(server.requests().iter().all(|request| request.head.contains("Bearer t0ken")));
    let mut created = token;
    created["token"] = json!("s3cret");
    server.answer("POST /api/tokens", 201, created);
    let made = pulse(&server, &["token", "new", "ci", "--role", "viewer", "--expires-days", "3"]);
    assert_eq!(made.out, "s3cret\n");
    assert!(!made.err.contains("s3cret"));
}

#[test]
fn put_makes_or_updates_and_get_prints() {
    let server = StandIn::start(Story::default());
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("flow.yaml");
    std::fs::write(&file, "name: my flow\nsteps:\n  - command: \"true\"\n").unwrap();
    let view = |version: u32| {
        json!({"id": ID, "name": "my flow", "description": "", "tags": [], "params": [], "version": version, "created_by": "a",
            "created_at": "2026-11-24T12:00:00.000Z", "updated_at": "2026-11-24T12:00:00.000Z", "definition": "name: my flow\n",
            "webhook": "http://hook", "graph": {"nodes": [], "edges": []}, "diagnostics": []})
    };
    let put = || ran(pulse_at(&server.url, directory.path(), &["workflow", "put", "flow.yaml"]));
    server.answer("POST /api/workflows", 201, view(1));
    assert_eq!(put().out, "stored: my flow (version 1)\n");
    server.answer("GET /api/workflows/my%20flow", 200, view(1));
    server.answer(&format!("PUT /api/workflows/{ID}"), 200, view(2));
    assert_eq!(put().out, "updated: my flow (version 2)\n");
    let request = server.requests().into_iter().find(|r| r.method == "PUT").unwrap();
    assert!(request.head.to_lowercase().contains("if-match: \"1\""));
    assert_eq!(request.body["webhook"], "http://hook");
    let got = ran(pulse_at(&server.url, directory.path(), &["workflow", "get", "my flow"]));
    assert_eq!(got.out, "name: my flow\n");
    let found = json!({"code": "E003", "severity": "error", "message": "unknown field `foo`", "path": "foo", "line": 3, "column": 1, "help": "did you mean `for`?"});
    server.answer(
        &format!("PUT /api/workflows/{ID}"),
        422,
        json!({"title": "Unprocessable", "status": 422, "detail": "the definition has 1 error", "code": "invalid", "diagnostics": [found]}),
    );
    assert_eq!(
        put().err,
        "error: the definition has 1 error\n  flow.yaml:3:1: error[E003]: unknown field `foo` (did you mean `for`?)\n"
    );
}
