//! Several workers at once: facts of each, a roll-out in parts, results kept apart.

use super::installation::{Installation, count};
use serde_json::json;

#[test]
fn each_workers_facts_are_kept_and_a_roll_out_goes_in_parts() {
    let mut installation = Installation::start();
    installation.worker("w2");
    installation.worker("w3");
    let id = installation.execute("fleet-facts", json!({}), &[]);
    let ended = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(ended["state"]["answered"], 3);
    let parsed = ended["logs"].as_array().unwrap().iter().find(|entry| entry["action"] == "parse_complete").unwrap();
    assert_eq!(parsed["by_worker"].as_object().unwrap().len(), 3);
    assert!(parsed["by_worker"]["w2"]["kernel"].as_str().unwrap().contains("Linux"));

    let id = installation.execute("rolling-restart", json!({"settle": 0}), &[]);
    installation.wait_for(&id, &["waiting"]);
    let respond = format!("/api/executions/{id}/respond");
    assert_eq!(installation.call("POST", &respond, Some(json!({"response": "Restart"}))).0, 204);
    let waiting = installation.until("it asks again", || {
        let execution = installation.execution(&id);
        (execution["prompt"]["step"] == "outcome").then_some(execution)
    });
    assert_eq!(count(&waiting, "command_retry"), 3, "each worker's first start fails");
    // A quarter of three is one at a time: no second worker starts before the first has ended.
    let mut open = 0_i32;
    for entry in waiting["logs"].as_array().unwrap().iter().filter(|entry| entry["step_id"] == "restart") {
        match entry["action"].as_str().unwrap() {
            "command_sent" => open += 1,
            "command_result" => open -= 1,
            _ => continue,
        }
        assert!((0..=1).contains(&open), "{entry}");
    }
    assert_eq!(installation.call("POST", &respond, Some(json!({"response": "Close"}))).0, 204);
    assert_eq!(installation.wait_for(&id, &["completed", "failed"])["status"], "completed");

    // An abort stops what runs on every worker.
    let (status, body) = installation.call(
        "POST",
        "/api/commands",
        Some(json!({"command": "echo $$ >> pids; sleep 600", "targets": ["all"]})),
    );
    assert_eq!(status, 202, "{body}");
    let id = body["id"].as_str().unwrap();
    let pids = installation.directory.path().join("pids");
    let pids = installation.until("all run", || {
        let text = std::fs::read_to_string(&pids).unwrap_or_default();
        (text.lines().count() == 3).then_some(text)
    });
    assert_eq!(installation.call("POST", &format!("/api/executions/{id}/abort"), Some(json!({}))).0, 204);
    installation.until("no process is left", || {
        pids.lines().all(|pid| !std::path::Path::new(&format!("/proc/{pid}/cmdline")).exists()).then_some(())
    });
    installation.until("the workers' own words are in the journal", || {
        let execution = installation.execution(id);
        (count(&execution, "command_result") == 3).then_some(())
    });
}
