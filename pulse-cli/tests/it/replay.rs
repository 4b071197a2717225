//! `pulse replay`: a recorded execution through its own definition and through edited ones. What is recorded is
//! what the engine really decides.

use crate::listings::execution;
use crate::program::{Ran, pulse_at, ran};
use crate::stand_in::StandIn;
use crate::story::{ID, Story};
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::event::{Entry, WorkflowRef};
use pulse_core::ids::{WorkerId, WorkflowId};
use pulse_core::status::{Trigger, WorkerStatus};
use pulse_core::time::Timestamp;
use pulse_engine::fleet::{Fleet, FleetWorker};
use pulse_engine::{Context, Input, Start, State, advance, load};
use serde_json::{Value, json};
use std::fs::write;

const WORKFLOW: &str = r#"
name: asks
steps:
  - {id: check, command: echo N=7, parse: kv}
  - {id: ask, type: prompt, message: "{{ n }}?", options: [Go, Stop]}
  - {id: again, command: 'echo "{{ prompt_response }}"', condition: state.n > 5}
"#;

/// A server that has an execution of [`WORKFLOW`], answered with `input`, and a directory with its definition.
pub fn recorded(input: &str) -> (StandIn, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    write(directory.path().join("w.yaml"), WORKFLOW).unwrap();
    let mut story = Story::default();
    story.entries = journal(input.trim());
    let workflow = serde_json::to_value(&story.entries[0]).unwrap()["workflow"]["id"].as_str().unwrap().to_owned();
    let server = StandIn::start(story.clone());
    server.answer("GET /api/executions/0198", 200, execution("completed", story));
    server.answer("GET /api/workers", 200, json!({"items": [], "next": null}));
    server.answer(&format!("GET /api/workflows/{workflow}/versions/1"), 200, view(1));
    (server, directory)
}

/// What the engine decides when the commands end well and the question is answered so.
fn journal(answer: &str) -> Vec<Entry> {
    let plan = load(WORKFLOW).plan.unwrap();
    let id = WorkerId(uuid::Uuid::from_u128(7));
    let worker = FleetWorker {
        id,
        name: "w1".into(),
        labels: Default::default(),
        status: WorkerStatus::Online,
        draining: false,
        active: 0,
        capacity: 4,
    };
    let fleet = Fleet { workers: vec![worker] };
    let workflow = WorkflowRef { id: WorkflowId(uuid::Uuid::from_u128(8)), name: "asks".into(), version: 1 };
    let start = Start {
        workflow: Some(workflow),
        definition: None,
        params: Default::default(),
        targets: None,
        started_by: "ann".into(),
        trigger: Trigger::Api,
        parent: None,
        queue: None,
    };
    let (mut state, mut entries) = (State::new(ID.parse().unwrap()), Vec::<Entry>::new());
    let mut give = |state: &mut State, input: Input| {
        let number = entries.len() as u64;
        let now = Timestamp::from_millis(1_800_000_000_000 + number as i64);
        let cx = Context { now, entropy: number, fleet: &fleet };
        entries.extend(advance(&plan, state, input, &cx).unwrap().entries);
    };
    let finished = |state: &State, stdout: &str| {
        let end = CommandEnd {
            exit_code: Some(0),
            stdout: stdout.to_owned(),
            error: None,
            ..CommandEnd::without_process(Outcome::Exited, "")
        };
        Input::CommandFinished { command_id: state.outstanding()[0].command_id, end: Box::new(end) }
    };
    give(&mut state, Input::Start(Box::new(start)));
    let input = finished(&state, "N=7\n");
    give(&mut state, input);
    let (prompt_id, fields) = (None, Default::default());
    give(&mut state, Input::Answer { prompt_id, response: answer.to_owned(), by: "ann".into(), fields });
    let input = finished(&state, &format!("{answer}\n"));
    give(&mut state, input);
    entries
}

/// The workflow as the API shows it.
fn view(version: u32) -> Value {
    let at = "2026-11-24T12:00:00.000Z";
    json!({
        "id": ID, "name": "asks", "description": "", "tags": [], "params": [], "version": version, "created_by": "admin",
        "created_at": at, "updated_at": at, "definition": WORKFLOW, "webhook": null,
        "graph": {"nodes": [], "edges": []}, "diagnostics": [],
    })
}

fn replay(server: &StandIn, directory: &tempfile::TempDir, arguments: &[&str]) -> Ran {
    ran(pulse_at(&server.url, directory.path(), &[&["replay", "0198"], arguments].concat()))
}

#[test]
fn its_own_definition_goes_the_same_way() {
    let (server, directory) = recorded("Go\n");
    let same = replay(&server, &directory, &[]);
    assert_eq!((same.code, same.err.as_str()), (0, ""), "{}", same.out);
    assert!(same.out.starts_with("✓ execution 0198c2f4-7a1b goes the same way: "), "{}", same.out);
    let with = replay(&server, &directory, &["--with", "w.yaml", "--json"]);
    let report: Value = serde_json::from_str(&with.out).unwrap();
    assert_eq!((with.code, &report["difference"], &report["notes"]), (0, &Value::Null, &json!([])));
}

#[test]
fn the_first_other_way_is_shown() {
    let (server, directory) = recorded("Go\n");
    let edited = WORKFLOW.replace("state.n > 5", "state.n > 8").replace("echo N=7", "printf N=7");
    write(directory.path().join("edited.yaml"), edited).unwrap();
    let other = replay(&server, &directory, &["--with", "edited.yaml"]);
    assert_eq!((other.code, other.err.as_str()), (1, ""), "{}", other.out);
    let lines: Vec<&str> = other.out.lines().map(str::trim).collect();
    assert_eq!(lines[0], "– step `check` runs another command now; its recorded result was used");
    assert!(lines[1].starts_with("✗ execution 0198c2f4-7a1b goes another way after "), "{lines:?}");
    let [.., recorded, now] = &lines[..] else { panic!("{lines:?}") };
    assert!(recorded.ends_with("recorded: step `again` starts"), "{lines:?}");
    assert!(now.ends_with("now:      step `again` is skipped: not state.n > 8"), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("is answered `Go`")), "{lines:?}");
}

#[test]
fn an_older_server_may_still_have_the_version() {
    let (server, directory) = recorded("Go\n");
    let workflow = server.requests();
    assert!(workflow.is_empty());
    let id = {
        // The first call tells which workflow is asked for.
        let _ = replay(&server, &directory, &[]);
        let asked = server.requests();
        let path = asked.iter().map(|request| request.path.clone()).find(|path| path.ends_with("/versions/1")).unwrap();
        path.trim_start_matches("/api/workflows/").trim_end_matches("/versions/1").to_owned()
    };
    server.refuse(&format!("GET /api/workflows/{id}/versions/1"), 404, "there is no such call");
    let gone = replay(&server, &directory, &[]);
    assert!(
        gone.code == 1 && gone.err.contains("workflow `asks`, which the execution ran, has been removed"),
        "{}",
        gone.err
    );
    server.answer(&format!("GET /api/workflows/{id}"), 200, view(3));
    let newer = replay(&server, &directory, &[]);
    assert!(newer.err.contains("version 1 of workflow `asks` cannot be had: the current one is 3"), "{}", newer.err);
    server.answer(&format!("GET /api/workflows/{id}"), 200, view(1));
    assert_eq!(replay(&server, &directory, &[]).code, 0);
}

#[test]
fn what_makes_no_sense_is_said() {
    let (server, directory) = recorded("Go\n");
    write(directory.path().join("bad.yaml"), "steps: [{id: a, comand: x}]").unwrap();
    let bad = replay(&server, &directory, &["--with", "bad.yaml"]);
    assert!(bad.code == 1 && bad.err.starts_with("error: bad.yaml has mistakes: 1:"), "{}", bad.err);
    let missing = replay(&server, &directory, &["--with", "gone.yaml"]);
    assert_eq!(missing.err, "error: gone.yaml: there is no such file\n");
    let unknown = ran(pulse_at(&server.url, directory.path(), &["replay", "9999"]));
    assert!(unknown.code == 1 && unknown.err.contains("hint: `pulse ps -a` lists the executions"), "{}", unknown.err);
}
