//! Executions of a real server as tests and replays: what happened there is told by its journal alone.

use super::installation::Installation;
use crate::program::ran_with_input;
use std::fs::write;

#[test]
fn what_happened_becomes_a_test_that_passes_and_replays_the_same_way() {
    let mut installation = Installation::start();
    installation.worker("w2");
    let directory = installation.directory.path().to_owned();
    let mut command = crate::program::pulse(&directory, &["run", "rolling-restart", "--follow", "-p", "settle=0"]);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    assert_eq!(ran_with_input(command, "Restart\nClose\n").code, 0);
    let facts = installation.execute("fleet-facts", serde_json::json!({}), &[]);
    installation.wait_for(&facts, &["completed"]);
    let page = installation.get("/api/executions");
    let ids: Vec<String> =
        page["items"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids.len(), 2);
    for id in &ids {
        let made = installation.pulse(&["test", "--from-run", id]);
        assert_eq!((made.code, made.err.as_str()), (0, ""), "{}", made.out);
        write(directory.join("made.test.yaml"), &made.out).unwrap();
        let passed = installation.pulse(&["test", "made.test.yaml"]);
        assert_eq!(passed.code, 0, "{}", passed.out);
        let same = installation.pulse(&["replay", id]);
        assert_eq!((same.code, same.err.as_str()), (0, ""), "{}", same.out);
    }
    // An edited definition: the old version is still what replaying without a file looks at.
    let example = include_str!("../../../../examples/fleet-facts.yaml");
    let edited = example.replace("state.answered > 1", "state.answered > 5");
    write(directory.join("edited.yaml"), &edited).unwrap();
    let put = installation.pulse(&["workflow", "put", "edited.yaml"]);
    assert_eq!(put.code, 0, "{}", put.err);
    assert_eq!(installation.pulse(&["replay", &facts]).code, 0);
    let other = installation.pulse(&["replay", &facts, "--with", "edited.yaml"]);
    assert!(other.code == 1 && other.out.contains("now:      step `enough` goes to `one`"), "{}", other.out);
}

#[test]
fn secrets_left_out_and_ids_of_children_become_passing_tests() {
    let mut installation = Installation::start();
    installation.worker("w2");
    installation.store(
        "name: kid
steps:
  - {id: bad, command: exit 3, targets: [w2]}
",
    );
    installation.store(
        "name: main
params: [{name: given, type: secret}, {name: spare, type: secret, required: false}]
targets: [w2]
steps:
  - {id: use, command: 'echo [{{ given }}] [{{ spare }}]'}
  - {id: sub, workflow: kid, on_error: tell}
  - {id: tell, command: 'echo {{ steps.sub.execution_id }} {{ steps.sub.error }}'}
",
    );
    let id = installation.execute("main", serde_json::json!({"given": "canary"}), &[]);
    let ended = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(ended["status"], "completed", "{ended}");
    let made = installation.pulse(&["test", "--from-run", &id]);
    assert_eq!((made.code, made.err.as_str()), (0, ""), "{}", made.out);
    assert!(made.out.contains("spare: null") && made.out.contains("execution_id: "), "{}", made.out);
    write(installation.directory.path().join("made.test.yaml"), &made.out).unwrap();
    let passed = installation.pulse(&["test", "made.test.yaml"]);
    assert_eq!(passed.code, 0, "{}", passed.out);
    // It looks at what it says.
    write(installation.directory.path().join("made.test.yaml"), made.out.replace("spare: null", "spare: ••••"))
        .unwrap();
    assert_eq!(installation.pulse(&["test", "made.test.yaml"]).code, 1);
}
