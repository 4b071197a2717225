//! `pulse exec`: what is sent, what is shown, and what it exits with.

use crate::program::{pulse_at, ran};
use crate::stand_in::StandIn;
use crate::story::Story;
use serde_json::json;

fn story(codes: [i32; 2]) -> Story {
    Story::quick()
        .started(1)
        .targets(1, &["web-1", "db"])
        .sent(1, "web-1", 1, "uptime")
        .sent(1, "db", 2, "uptime")
        .output(1, "web-1", 1, "up\n")
        .result(1, "web-1", 1, codes[0])
        .output(1, "db", 2, "\x1b]0;evil\x07✓ fake\x1b[31m!\n")
        .result(1, "db", 2, codes[1])
}

fn exec(server: &StandIn, arguments: &[&str]) -> crate::program::Ran {
    let directory = tempfile::tempdir().unwrap();
    ran(pulse_at(&server.url, directory.path(), &[&["exec"], arguments].concat()))
}

#[test]
fn all_good() {
    let server = StandIn::start(story([0, 0]).finished(1, "completed", None).ended("completed", None));
    let ran = exec(&server, &["--on", "all", "--parallel", "2", "--timeout", "30s", "--", "echo", "a b", "$HOME"]);
    let out = "web-1 │ up\ndb    │ ✓ fake!\n✓ exit 0  2 workers: db, web-1\n✓ completed in 800ms, 2 of 2 workers succeeded (0198c2f4-7a1b)\n";
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, out, ""));
    assert_eq!(
        server.requests()[0].body,
        json!({"command": "echo 'a b' '$HOME'", "targets": ["all"], "timeout": "30s", "parallel": 2})
    );
}

#[test]
fn one_word_is_a_shell_line_and_dashes_after_it_are_its_own() {
    let server = StandIn::start(story([0, 0]).ended("completed", None));
    exec(&server, &["--on", "all", "--", "df -h | tail -1"]);
    exec(&server, &["--on", "web-1,db", "ls", "-l", "--json"]);
    let bodies: Vec<_> =
        server.requests().iter().map(|r| (r.body["command"].clone(), r.body["targets"].clone())).collect();
    assert_eq!(bodies, [(json!("df -h | tail -1"), json!(["all"])), (json!("ls -l --json"), json!(["web-1", "db"]))]);
}

#[test]
fn some_failed() {
    let server =
        StandIn::start(story([0, 7]).finished(1, "failed", None).ended("failed", Some("1 of 2 workers failed")));
    let ran = exec(&server, &["--on", "all", "--", "x"]);
    assert_eq!(ran.code, 1);
    assert!(
        ran.out.ends_with(
            "✓ exit 0  1 worker: web-1\n✗ exit 7  1 worker: db\n✗ failed in 800ms, 1 of 2 workers succeeded (0198c2f4-7a1b): 1 of 2 workers failed\n"
        ),
        "{}",
        ran.out
    );
}

#[test]
fn a_target_that_was_left_out_is_no_success() {
    let offline = json!({"action": "worker_offline", "worker_id": "0198c2f4-7a1b-7000-8000-0000000d0000", "worker": "web-9", "reason": "offline"});
    let server = StandIn::start(story([0, 0]).at(1, offline).finished(1, "completed", None).ended("completed", None));
    let ran = exec(&server, &["--on", "all", "--", "x"]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("✗ offline  1 worker: web-9\n"), "{}", ran.out);
}

#[test]
fn a_command_that_goes_elsewhere_is_not_missed_where_it_was_to_go() {
    let on = |event: serde_json::Value| {
        let mut event = event;
        event["worker_id"] = json!("0198c2f4-7a1b-7000-8000-0000000d0000");
        event["command_id"] = json!(crate::story::command_id(1));
        event["attempt"] = json!(1);
        event
    };
    let from = json!({"worker_id": "0198c2f4-7a1b-7000-8000-0000000d0001", "worker": "db"});
    let held = on(json!({"action": "command_held", "worker": "db", "reason": "draining"}));
    let moved = on(json!({"action": "command_moved", "worker": "db-2", "from": from, "reason": "draining"}));
    let server = StandIn::start(
        Story::quick()
            .started(1)
            .targets(1, &["db"])
            .sent(1, "db", 1, "x")
            .at(1, held)
            .at(1, moved)
            .ended("aborted", None),
    );
    let ran = exec(&server, &["--on", "any", "--", "x"]);
    assert!(ran.out.contains("… not sent yet, waiting for db: draining\n"), "{}", ran.out);
    assert!(ran.out.contains("→ db is draining: db-2 runs it instead\n"), "{}", ran.out);
    assert!(ran.out.contains("✗ not started  1 worker: db-2\n"), "{}", ran.out);
}

#[test]
fn aborted() {
    let server = StandIn::start(
        Story::quick().started(1).targets(1, &["db"]).sent(1, "db", 1, "x").ended("aborted", Some("by bob")),
    );
    let ran = exec(&server, &["--on", "all", "--", "x"]);
    assert_eq!(ran.code, 3);
    assert!(ran.out.contains("✗ not started  1 worker: db\n■ aborted in 400ms"), "{}", ran.out);
}
