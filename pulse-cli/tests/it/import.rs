//! `pulse import`: dumps of the first PULSE, into a folder or onto a server.

use crate::program::{Ran, pulse, pulse_at, ran};
use crate::stand_in::StandIn;
use crate::story::{ID, Story};
use serde_json::{Value, json};
use std::path::Path;

/// A dump with one good workflow, one that is written differently, one with errors, a name that stands twice, and rows
/// of another table.
fn dump(directory: &Path) {
    let step = |id: &str, command: &str| json!({"id": id, "type": "execute", "command": command});
    let rows = json!([
        {"id": 1, "name": "Disk check", "created_by": "ann", "definition": {"params": [], "steps": [step("a", "df -h")]}},
        {"id": 2, "name": "restart", "webhook_url": "https://hooks.example/x", "definition": json!({"steps": [
            {"id": "a", "type": "execute", "command": "x", "timeout": 900, "condition": "state.n > 1"}]}).to_string()},
        {"id": 3, "name": "broken", "definition": {"steps": [
            {"id": "a", "type": "execute", "command": "x", "condition": "state.list.some(x => x)"}]}},
        {"id": 4, "name": "RESTART", "definition": {"steps": [step("a", "x")]}},
        {"name": "nightly", "schedule_type": "cron", "schedule_value": "0 3 * * *", "command": "x"}
    ]);
    std::fs::write(directory.join("dump.json"), rows.to_string()).unwrap();
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn good_definitions_are_written_and_others_are_told() {
    let directory = tempfile::tempdir().unwrap();
    dump(directory.path());
    let run = |more: &[&str]| -> Ran {
        ran(pulse(directory.path(), &[&["import", "dump.json", "--out", "w"], more].concat()))
    };
    let first = run(&[]);
    assert_eq!((first.code, first.err.as_str()), (1, ""), "{}", first.out);
    for part in [
        "Disk check (dump.json, item 1)\n  taken: 1 step\n  written: w/disk-check-",
        "  changed: steps[0].timeout: 900 s was held to 600 s by the first PULSE",
        "  changed: lenient_conditions: true",
        "  written: w/restart.yaml\n",
        "broken (dump.json, item 3)\n",
        "  error[E013]: steps[0].condition: ",
        "  not imported: it has errors\n",
        "  not imported: another workflow before it has the same name\n",
        "dump.json: schedules (1) are not imported: this version imports workflows only\n",
        "2 of 4 workflows imported\n",
    ] {
        assert!(first.out.contains(part), "{part}: {}", first.out);
    }
    let folder = directory.path().join("w");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    let restart = read(&folder.join("restart.yaml"));
    assert!(restart.starts_with("# Imported from the first PULSE: dump.json, item 2\n# There it was workflow 2\n"));
    for path in std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
        let checked = ran(pulse(directory.path(), &["check", path.to_str().unwrap()]));
        assert_eq!(checked.code, 0, "{}", checked.out);
        assert_eq!(ran(pulse(directory.path(), &["fmt", "--check", path.to_str().unwrap()])).code, 0);
    }
    // Once more: nothing changes; what a person has changed since is left alone.
    assert!(run(&[]).out.contains("unchanged: w/restart.yaml"));
    std::fs::write(folder.join("restart.yaml"), "# mine\n").unwrap();
    assert!(run(&[]).out.contains("not imported: w/restart.yaml is there already and different"));
    assert_eq!(read(&folder.join("restart.yaml")), "# mine\n");
    assert!(run(&["--replace"]).out.contains("written: w/restart.yaml"));
    assert_eq!(read(&folder.join("restart.yaml")), restart);
}

fn view(name: &str, definition: &str) -> Value {
    json!({"id": ID, "name": name, "description": "", "tags": [], "params": [], "version": 1, "created_by": "a",
        "created_at": "2026-11-24T12:00:00.000Z", "updated_at": "2026-11-24T12:00:00.000Z", "definition": definition,
        "webhook": null, "graph": {"nodes": [], "edges": []}, "diagnostics": []})
}

#[test]
fn definitions_are_stored_on_the_server() {
    let directory = tempfile::tempdir().unwrap();
    let server = StandIn::start(Story::default());
    server.answer("POST /api/workflows", 201, view("a", ""));
    let steps = json!({"steps": [{"command": "x"}]});
    let rows = json!([{"name": "a", "definition": steps}, {"name": "b", "definition": steps}]);
    std::fs::write(directory.path().join("d.json"), rows.to_string()).unwrap();
    server.answer("GET /api/workflows/b", 200, view("b", "steps: [{run: y}]"));
    let run = |more: &[&str]| ran(pulse_at(&server.url, directory.path(), &[&["import", "d.json"], more].concat()));
    let first = run(&[]);
    assert_eq!(first.code, 1, "{}{}", first.out, first.err);
    assert!(first.out.contains("a (d.json, item 1)\n  taken: 1 step\n  stored, version 1\n"), "{}", first.out);
    assert!(
        first.out.contains("not imported: the server has another workflow of this name; --replace"),
        "{}",
        first.out
    );
    let posted = server.requests().into_iter().find(|request| request.method == "POST").unwrap();
    let text = posted.body["definition"].as_str().unwrap().to_owned();
    assert!(text.starts_with("# Imported from the first PULSE: d.json, item 1\nname: a\n"), "{text}");
    assert!(posted.body.get("name").is_none(), "{}", posted.body);

    server.answer("GET /api/workflows/a", 200, view("a", &text));
    server.answer(&format!("PUT /api/workflows/{ID}"), 200, view("b", ""));
    let again = run(&["--replace", "--json"]);
    assert_eq!((again.code, again.err.as_str()), (0, ""));
    let told: Value = serde_json::from_str(&again.out).unwrap();
    assert_eq!(told["workflows"][0]["done"], "unchanged on the server");
    assert_eq!(told["workflows"][1]["done"], "stored, version 1");
    assert_eq!(told["left"], json!([]));
    server.refuse(&format!("PUT /api/workflows/{ID}"), 422, "no room");
    let refused = run(&["--replace"]);
    assert!(
        refused.code == 1 && refused.out.contains("not imported: the server refused it: no room"),
        "{}",
        refused.out
    );
}

#[test]
fn files_that_are_no_dumps() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("a.yaml"), "steps: [{run: x}]").unwrap();
    let yaml = ran(pulse(directory.path(), &["import", "a.yaml", "--out", "w"]));
    assert_eq!(yaml.code, 1);
    assert!(
        yaml.err.starts_with("error: a.yaml: it is no JSON:") && yaml.err.contains("need no import"),
        "{}",
        yaml.err
    );
    let none = ran(pulse(directory.path(), &["import", "none.json", "--out", "w"]));
    assert!(none.code == 1 && none.err.starts_with("error: none.json: "), "{}", none.err);
    let nowhere = ran(pulse(directory.path(), &["import", "a.yaml"]));
    assert!(nowhere.err.starts_with("error: no PULSE server is known"), "{}", nowhere.err);
    assert!(!directory.path().join("w").exists());
}
