//! Following: order, cuts, lag, exit codes, JSON, Ctrl-C.

use crate::program::{Running, pulse_at, ran};
use crate::stand_in::StandIn;
use crate::story::{ID, Story, WHOLE};
use serde_json::{Value, json};

fn run(server: &StandIn, more: &[&str]) -> crate::program::Ran {
    let directory = tempfile::tempdir().unwrap();
    let arguments = [&["run", "disk-check", "--follow"], more].concat();
    ran(pulse_at(&server.url, directory.path(), &arguments))
}

#[test]
fn tells_every_step_and_sends_parameters_as_text() {
    let server = StandIn::start(Story::whole());
    let ran = run(&server, &["-p", "limit=80", "-p", "q=a=b", "--targets", "web-1,db", "--targets", "role=a,b!=c"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, WHOLE, ""));
    let request = &server.requests()[0];
    assert_eq!(request.body, json!({"params": {"limit": "80", "q": "a=b"}, "targets": ["web-1", "db", "role=a,b!=c"]}));
    let head = request.head.to_lowercase();
    assert!(head.contains("authorization: bearer t0ken") && head.contains("idempotency-key: "), "{head}");
}

#[test]
fn output_that_comes_first_still_stands_in_its_place() {
    let server = StandIn::start(Story::whole());
    server.output_first();
    assert_eq!(run(&server, &[]).out, WHOLE);
}

#[test]
fn a_cut_anywhere_loses_and_doubles_nothing() {
    let messages = Story::whole().entries.len() + Story::whole().output.len() + 1;
    let mut runs = Vec::new();
    for cut in 0..messages {
        let server = StandIn::start(Story::whole());
        // Twice: the second connection is cut as well, one message further on.
        server.cut_after(&[cut, 1]);
        let directory = tempfile::tempdir().unwrap();
        let child = Running::start(pulse_at(&server.url, directory.path(), &["run", "disk-check", "--follow"]));
        runs.push((cut, server, directory, child));
    }
    for (cut, server, _directory, child) in runs {
        let ran = child.finished();
        assert_eq!((ran.code, ran.out.as_str()), (0, WHOLE), "cut after {cut}");
        let whole = Story::whole();
        if cut < whole.entries.len() {
            assert!(ran.err.contains(" lost (") && server.subscriptions().len() > 1, "cut after {cut}: {}", ran.err);
        }
    }
}

#[test]
fn says_when_it_is_connected_again() {
    let server = StandIn::start(Story::begin().started(1));
    server.cut_after(&[2]);
    let directory = tempfile::tempdir().unwrap();
    let child = Running::start(pulse_at(&server.url, directory.path(), &["run", "disk-check", "--follow"]));
    server.wait_for_subscriptions(2);
    server.goes_on(|story| story.finished(1, "completed", None).ended("completed", None));
    let ran = child.finished();
    let lines: Vec<&str> = ran.err.lines().collect();
    assert!(
        lines[0].starts_with("connection to http://127.0.0.1:") && lines[0].ends_with("; trying again"),
        "{lines:?}"
    );
    assert_eq!(&lines[1..], ["connected again"]);
    assert_eq!(ran.out.matches("started by admin").count(), 1, "{}", ran.out);
}

#[test]
fn what_was_left_out_is_read_from_the_store() {
    let messages = Story::whole().entries.len() + Story::whole().output.len();
    for omitted in [vec![1], vec![3, 4, 5], (6..messages).collect()] {
        let server = StandIn::start(Story::whole());
        server.omit(&omitted);
        let ran = run(&server, &[]);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, WHOLE, ""), "without {omitted:?}");
        assert!(server.requests().iter().any(|r| r.path.ends_with("/events")));
    }
}

#[test]
fn exit_codes_tell_the_outcome() {
    for (status, error, code, line) in [
        ("failed", Some("step 1 failed"), 1, "✗ failed in 200ms: step 1 failed"),
        ("aborted", Some("by bob"), 3, "■ aborted in 200ms: by bob"),
    ] {
        let server = StandIn::start(Story::begin().started(1).ended(status, error));
        let ran = run(&server, &[]);
        assert_eq!((ran.code, ran.out.lines().last()), (code, Some(line)));
    }
}

#[test]
fn output_that_never_comes_holds_nothing_up_for_long() {
    let mut story = Story::whole();
    story.output.pop();
    let server = StandIn::start(story);
    let ran = run(&server, &[]);
    assert_eq!((ran.code, ran.out), (0, WHOLE.replace("  │ cleaned\n", "")));
}

#[test]
fn without_a_terminal_it_only_starts() {
    let server = StandIn::start(Story::begin());
    let directory = tempfile::tempdir().unwrap();
    let plain = ran(pulse_at(&server.url, directory.path(), &["run", "disk-check"]));
    assert_eq!((plain.code, plain.out), (0, format!("{ID}\n")));
    let json = ran(pulse_at(&server.url, directory.path(), &["run", "disk-check", "--no-follow", "--json"]));
    assert_eq!(json.out, format!("{{\"id\":\"{ID}\"}}\n"));
    assert!(server.subscriptions().is_empty());
}

#[test]
fn json_is_one_entry_per_line() {
    let server = StandIn::start(Story::whole());
    let ran = run(&server, &["--json"]);
    let entries: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let expected: Vec<Value> = Story::whole().entries.iter().map(|e| serde_json::to_value(e).unwrap()).collect();
    assert_eq!((ran.code, entries), (0, expected));
}

#[test]
fn ctrl_c_leaves_it_running() {
    let server = StandIn::start(Story::begin().started(1));
    let directory = tempfile::tempdir().unwrap();
    let child = Running::start(pulse_at(&server.url, directory.path(), &["run", "disk-check", "--follow"]));
    server.wait_for_subscriptions(1);
    rustix::process::kill_process(child.pid(), rustix::process::Signal::INT).unwrap();
    let ran = child.finished();
    assert_eq!(ran.code, 130);
    assert!(ran.err.starts_with("still running; `pulse abort 0198c2f4-7a1b` stops it"), "{}", ran.err);
}

#[test]
fn a_token_that_is_refused_ends_it() {
    let server = StandIn::start(Story::begin());
    let directory = tempfile::tempdir().unwrap();
    let mut command = pulse_at(&server.url, directory.path(), &["run", "disk-check", "--follow"]);
    command.env("PULSE_TOKEN", "wrong");
    let ran = ran(command);
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("error: no such token\nhint: the token is missing, wrong or expired"), "{}", ran.err);
}

#[test]
fn logs_prints_output_alone() {
    let server = StandIn::start(Story::whole());
    let directory = tempfile::tempdir().unwrap();
    server.answer("GET /api/executions/0198", 200, crate::listings::execution("running", Story::whole()));
    let logs = |more: &[&str]| ran(pulse_at(&server.url, directory.path(), &[&["logs", "0198"], more].concat()));
    let both = "web-1 │ one\nweb-1 │ two\ndb    │ half whole\ndb    │ cleaned\n";
    assert_eq!(logs(&[]).out, both);
    assert_eq!(logs(&["-f"]).out, both);
    assert_eq!(logs(&["-f", "--step", "Name s4"]).out, "cleaned\n");
    assert_eq!(logs(&["-f", "--worker", "db"]).out, "half whole\ncleaned\n");
    let bad = logs(&["--step", "nope"]);
    assert_eq!((bad.code, bad.err.as_str()), (1, "error: the execution has no step `nope`\nhint: its steps: s1, s4\n"));
}
