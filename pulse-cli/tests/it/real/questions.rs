//! Questions of a real server, answered at the command line.

use super::installation::Installation;
use crate::program::ran_within_a_minute;
use serde_json::{Value, json};

fn open(installation: &Installation, id: &str, count: usize) -> Value {
    installation.until("its questions are open", || {
        let execution = installation.execution(id);
        (execution["prompts"].as_array().map(Vec::len) == Some(count)).then_some(execution)
    })
}

#[test]
fn questions_about_items_are_told_apart() {
    let installation = Installation::start();
    installation.store(
        "name: each\nsteps:\n  - id: f\n    items: [prod, staging, prod]\n    parallel: 3\n    steps: [{id: ask, message: 'Go on?', options: [Yes, No], fields: [{name: ticket}, {name: count, type: integer, default: 3}]}]\n",
    );
    let id = installation.execute("each", json!({}), &[]);
    open(&installation, &id, 3);
    let shown = installation.pulse(&["show", &id]).out;
    for name in ["ask[#1]", "ask[staging]", "ask[#3]"] {
        assert!(shown.contains(&format!("  {name}\n")), "{shown}");
        assert!(shown.contains(&format!(" OPTION -f ticket=… --step '{name}'`")), "{shown}");
    }
    assert!(shown.contains("also asked: ticket (string, required); count (integer, default 3)"), "{shown}");
    let respond = |arguments: &[&str]| installation.pulse(&[&["respond", id.as_str()], arguments].concat());
    let unclear = respond(&["Yes"]);
    assert_eq!(unclear.code, 1);
    assert!(unclear.err.contains("several questions: ask[#1], ask[staging], ask[#3]"), "{}", unclear.err);
    assert!(unclear.err.contains("--step 'ask[#1]'"), "{}", unclear.err);
    assert!(respond(&["Yes", "--step", "ask[nope]"]).err.contains("no open question `ask[nope]`"));
    let without = respond(&["Yes", "--step", "ask[staging]"]);
    assert!(without.err.contains("also asks for ticket (string, required)"), "{}", without.err);
    assert!(without.err.contains("hint: add -f ticket=…"), "{}", without.err);
    for (name, answer, ticket) in [("ask[#3]", "No", "T-3"), ("ask[staging]", "Yes", "T-2"), ("ask", "Yes", "T-1")] {
        let answered = respond(&[answer, "--step", name, "-f", &format!("ticket={ticket}")]);
        assert_eq!((answered.code, answered.err.as_str()), (0, ""), "{name}");
    }
    let ended = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(ended["status"], "completed", "{ended}");
    // Each answer went to its item.
    let logs = ended["logs"].as_array().unwrap();
    let frame = |index: u64| {
        let started = logs.iter().find(|entry| entry["action"] == "frame_started" && entry["index"] == index);
        started.unwrap()["frame_id"].clone()
    };
    for (index, ticket) in [(0, "T-1"), (1, "T-2"), (2, "T-3")] {
        let frame = frame(index);
        let answer = logs.iter().find(|entry| entry["action"] == "prompt_response" && entry["frame"] == frame);
        assert_eq!(answer.unwrap()["fields"]["ticket"], ticket, "item {index}: {ended}");
    }
}

#[test]
fn a_question_of_a_child_is_seen_from_its_parent() {
    let installation = Installation::start();
    installation.store("name: kid\nsteps: [{id: ask, message: 'Sure?', options: [Yes, No]}]\n");
    installation.store("name: middle\nsteps: [{id: down, workflow: kid}]\n");
    installation.store("name: top\nsteps: [{id: sub, workflow: middle}]\n");
    let id = installation.execute("top", json!({}), &[]);
    let child = |id: &str| {
        installation.until("it has a child", || {
            let (status, execution) = installation.call("GET", &format!("/api/executions/{id}"), None);
            execution["children"][0]["execution_id"].as_str().filter(|_| status == 200).map(str::to_owned)
        })
    };
    let middle = child(&id);
    let kid = child(&middle);
    installation.wait_for(&kid, &["waiting"]);
    let shown = installation.pulse(&["show", &id]).out;
    assert!(shown.contains(&format!("sub: middle as execution {middle}: goes on")), "{shown}");
    assert!(shown.contains(&format!("its child kid ({kid}) asks:")), "{shown}");
    assert!(shown.contains("Sure?") && shown.contains(&format!("`pulse respond {kid} OPTION`")), "{shown}");
    let refused = installation.pulse(&["respond", &id, "Yes"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains(&format!("its child {kid} (kid) asks \"Sure?\"")), "{}", refused.err);
    assert!(refused.err.contains(&format!("hint: `pulse respond {kid} Yes`")), "{}", refused.err);
    assert_eq!(installation.pulse(&["respond", &kid, "Yes"]).code, 0);
    assert_eq!(installation.wait_for(&id, &["completed", "failed"])["status"], "completed");
}

#[test]
fn whoever_follows_a_parent_is_asked_what_its_child_asks() {
    let mut installation = Installation::start();
    installation.worker("w2");
    installation.store(
        "name: kid\ntargets: [w2]\nsteps:\n  - {id: first, command: 'echo from-the-kid'}\n  - {id: ask, message: 'Sure?', options: [Yes, No]}\n  - {id: note, type: set, values: {said: steps.ask.response}}\n",
    );
    installation.store(
        "name: top\ntargets: [w2]\nsteps:\n  - {id: none, workflow: nothing, on_error: continue}\n  - {id: sub, workflow: kid}\n  - {id: last, message: 'Really {{ steps.sub.state.said }}?', options: [Do, Leave]}\n",
    );
    let mut command = crate::program::pulse(installation.directory.path(), &["run", "top", "--follow"]);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let ran = ran_within_a_minute(command, "Yes\nDo\n");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let mut rest = ran.out.as_str();
    for text in [
        "  ┊   │ from-the-kid\n",
        "  ┊   ? Sure?\n",
        "answer> Yes\n",
        "  ┊ ✓ completed in",
        "? Really Yes?\n",
        "answer> Do\n",
    ] {
        let at = rest.find(text).unwrap_or_else(|| panic!("no {text:?} (in this order) in:\n{}", ran.out));
        rest = &rest[at + text.len()..];
    }
}

#[test]
fn a_data_directory_is_named_from_anywhere() {
    let installation = Installation::start();
    let elsewhere = tempfile::tempdir().unwrap();
    let ps = |data: Option<&std::path::Path>| {
        let mut command = crate::program::pulse(elsewhere.path(), &["worker", "ls"]);
        command.envs(data.map(|data| ("PULSE_DATA", data)));
        crate::program::ran(command)
    };
    assert!(ps(None).err.contains("no PULSE server is known"), "{}", ps(None).err);
    let there = ps(Some(&installation.directory.path().join("pulse-data")));
    assert_eq!((there.code, there.err.as_str()), (0, ""));
}
