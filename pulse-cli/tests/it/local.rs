//! `pulse run FILE --local`: real commands on this machine, no server. Every run is killed after a minute: a run that
//! waits for a line that never comes fails its test instead of holding it up.

use crate::program::{Ran, finished_within_a_minute, pulse, ran_within_a_minute};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// A directory with files.
fn directory(files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    directory
}

/// A run of `main.yaml` with lines on standard input, which then ends.
fn run(directory: &TempDir, arguments: &[&str], input: &str) -> Ran {
    let mut all = vec!["run", "main.yaml", "--local"];
    all.extend(arguments);
    let mut command = pulse(directory.path(), &all);
    command.env("USER", "ann").env("PATH", std::env::var_os("PATH").unwrap_or_default());
    ran_within_a_minute(command, input)
}

fn wait_for(path: &Path) {
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(30), "{} never came", path.display());
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The lines in the order given, other lines between them.
fn assert_in_order(text: &str, wanted: &[&str]) {
    let mut rest = text;
    for line in wanted {
        let at = rest.find(line).unwrap_or_else(|| panic!("no {line:?} (in this order) in:\n{text}"));
        rest = &rest[at + line.len()..];
    }
}

const ASKING: &str = r#"
name: asking
params: [{name: who, default: world}]
steps:
  - {id: hello, command: 'echo "hello {{ who }}"; echo N=3', parse: kv}
  - {id: rest, type: wait, duration: 50ms}
  - id: ask
    type: prompt
    message: Go on with {{ n }}?
    options: [Go, Stop]
    fields: [{name: count, type: integer}, {name: why, required: false}]
  - {id: child, type: workflow, workflow: kid, params: {x: '{{ count }}'}}
  - {id: last, command: 'echo "{{ steps.child.state.y }} of {{ prompt_response }}"'}
"#;
const KID: &str = r#"
name: Kid
params: [{name: x, type: integer}]
steps:
  - {id: say, command: 'echo kid {{ x }}'}
  - {id: sure, type: prompt, message: The child asks, options: [Yes, No]}
  - {id: double, type: set, values: {y: params.x * 2}}
"#;

#[test]
fn steps_output_questions_and_children_are_shown_and_answered() {
    let directory = directory(&[("main.yaml", ASKING), ("other.yaml", KID), ("broken.yaml", "steps: [")]);
    // A wrong option, a missing field and a wrong one are asked again.
    let ran = run(&directory, &["-p", "who=you"], "Perhaps\nGo\n\nmany\n7\n\n1\n");
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert_in_order(
        &ran.out,
        &[
            "asking, started by ann, with who=you",
            "hello you",
            "read 1 value: n=3",
            "Go on with 3?",
            "answered by ann: Go",
            "Kid, started by ann, with x=7",
            "kid 7",
            "The child asks",
            "set y=14",
            "14 of Go",
            "completed in",
        ],
    );
    for said in ["that is none of the answers", "`count` must be given", "must be a whole number"] {
        assert!(ran.err.contains(said), "no {said:?} in {}", ran.err);
    }
}

#[test]
fn a_question_that_nobody_can_answer_ends_the_run() {
    let text = format!("{ASKING}finally: [{{id: tidy, command: 'echo tidied'}}]");
    let directory = directory(&[("main.yaml", &text), ("kid.yaml", KID)]);
    // The option alone, then a field is asked for; and not even the option; and a child's question.
    for input in ["Go\n", "", "Go\n7\n\n"] {
        let ran = run(&directory, &[], input);
        assert_eq!(ran.code, 1, "{input:?}: {ran:#?}");
        assert_in_order(&ran.out, &["abort asked for by ann: no answer can come", "tidied"]);
        assert!(ran.err.contains("and standard input has ended\nhint: "), "{input:?}: {}", ran.err);
    }
}

#[test]
fn a_near_time_limit_still_decides() {
    let main = "
steps:
  - {id: ask, type: prompt, message: Hm?, options: [Y, N], timeout: 1s, on_timeout: N}
  - {id: say, command: 'echo it was {{ prompt_response }}'}";
    let ran = run(&directory(&[("main.yaml", main)]), &[], "");
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert!(ran.out.contains("it was N"), "{}", ran.out);
}

#[test]
fn a_failed_step_fails_the_run() {
    let main = "
steps: [{id: bad, command: 'exit 3'}, {id: never, command: 'echo not reached'}]
on_failure: [{id: mend, command: 'echo mending'}]";
    let ran = run(&directory(&[("main.yaml", main)]), &[], "");
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert_in_order(&ran.out, &["exit 3", "mending", "failed"]);
    assert!(!ran.out.contains("not reached"), "{}", ran.out);
}

const HUSH: &str = "
params: [{name: s, type: secret, required: false}]
steps: [{id: use, command: 'touch used', env: {S: '{{ s }}'}}]";

#[test]
fn a_child_whose_name_is_a_template_gets_no_secret_either() {
    let main = "
params: [{name: which, default: hush}]
steps: [{id: sub, type: workflow, workflow: '{{ which }}', params: {s: canary}}]";
    let directory = directory(&[("main.yaml", main), ("hush.yaml", HUSH)]);
    let ran = run(&directory, &[], "");
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(ran.out.contains("the parameter `s` is a secret, and a step cannot give one"), "{}", ran.out);
    assert!(!directory.path().join("used").exists());
}

#[test]
fn mistakes_are_said_before_anything_runs() {
    let first = "{id: first, command: 'touch ran'}";
    let steps = |second: &str| format!("params: [{{name: size, type: integer}}]\nsteps: [{first}, {second}]");
    let plain = steps("{id: b, command: 'true'}");
    let cases: &[(&str, &[&str], &str)] = &[
        (&plain, &[], "parameter `size` is missing"),
        (&plain, &["-p", "size=big"], "must be a whole number"),
        (&plain, &["-p", "size=1", "-p", "sizes=1"], "did you mean `size`?"),
        (&plain, &["-p", "size=1", "--targets", "db-1"], "--targets: target `db-1` matches no known worker"),
        (&steps("{id: b, command: 'true', goto: nowhere}"), &[], "main.yaml:2:"),
        (&steps("{id: b, command: 'true', targets: 'db-*'}"), &[], "step `b`: target `db-*` matches no known worker"),
        (&steps("{id: b, workflow: kod}"), &[], "no file in . has the workflow `kod`; did you mean `Kid`?"),
        (&steps("{id: b, workflow: kid}"), &[], "step `b`: `Kid` needs the parameter `x`"),
        (&steps("{id: b, workflow: kid, params: {x: 1, z: 2}}"), &[], "step `b`: `Kid` has no parameter `z`"),
        (
            &steps("{id: b, workflow: hush, params: {s: x}}"),
            &[],
            "step `b`: `hush` has the secret `s`, and a step cannot",
        ),
    ];
    for (main, arguments, message) in cases {
        let directory = directory(&[("main.yaml", main), ("kid.yaml", KID), ("hush.yaml", HUSH)]);
        let ran = run(&directory, arguments, "");
        assert_eq!(ran.code, 2, "{message}: {ran:#?}");
        assert!(ran.err.contains(message), "no {message:?} in {}", ran.err);
        assert!(ran.err.contains("\nhint: ") && ran.out.is_empty(), "{ran:#?}");
        assert!(!directory.path().join("ran").exists(), "{message}: a command ran");
    }
    assert_eq!(run(&directory(&[]), &[], "").code, 2);
}

#[test]
fn targets_can_be_replaced_and_the_machine_named() {
    let main = "
targets: db-*
steps: [{id: a, command: 'echo on {{ execution.workflow }}'}]";
    let directory = directory(&[("main.yaml", main)]);
    assert_eq!(run(&directory, &["--targets", "all"], "").code, 0);
    let mut command = pulse(directory.path(), &["run", "main.yaml", "--local"]);
    command.env("WORKER_NAME", "db-7");
    let ran = ran_within_a_minute(command, "");
    assert_eq!(ran.code, 0, "{ran:#?}");
    assert_in_order(&ran.out, &["(on db-7)", "on main", "db-7: exit 0"]);
}

const SECRET: &str = "
params: [{name: token, type: secret}]
steps: [{id: use, command: 'echo \"it is $TOKEN, {{ token }}\"; test -n \"$TOKEN\"', env: {TOKEN: '{{ token }}'}}]";

#[test]
fn secrets_come_from_the_environment_and_are_shown_nowhere() {
    let directory = directory(&[("main.yaml", SECRET)]);
    for (variable, json) in [("PULSE_PARAM_token", false), ("PULSE_PARAM_TOKEN", true)] {
        let arguments = ["run", "main.yaml", "--local", "--json"];
        let mut command = pulse(directory.path(), &arguments[..3 + usize::from(json)]);
        command.env(variable, "canary-5711");
        let ran = ran_within_a_minute(command, "");
        assert_eq!(ran.code, 0, "{ran:#?}");
        assert!(ran.out.contains("it is ••••, ••••"), "{ran:#?}");
        assert!(!format!("{ran:?}").contains("5711"), "{ran:#?}");
    }
    assert!(run(&directory, &[], "").err.contains("parameter `token` is missing"));
}

#[test]
fn json_is_the_journal() {
    let directory = directory(&[("main.yaml", ASKING), ("kid.yaml", KID)]);
    let ran = run(&directory, &["--json"], "Go\n7\n\nno\n");
    assert_eq!(ran.code, 0, "{ran:#?}");
    let entries: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry["seq"], index + 1, "{entry}");
    }
    assert_eq!(entries.first().unwrap()["action"], "execution_created");
    let last = entries.last().unwrap();
    assert_eq!((&last["action"], &last["status"]), (&"execution_finished".into(), &"completed".into()));
    let child = entries.iter().find(|entry| entry["action"] == "child_finished").unwrap();
    assert_eq!(child["state"]["y"], 14);
}

/// Starts a run whose first step says in a file that it is there, and waits for that.
fn started(directory: &TempDir) -> (std::process::Child, Pid) {
    let mut command = pulse(directory.path(), &["run", "main.yaml", "--local"]);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).stdin(Stdio::null());
    let child = command.spawn().unwrap();
    wait_for(&directory.path().join("up"));
    let pid = Pid::from_child(&child);
    (child, pid)
}

#[test]
fn ctrl_c_aborts_and_what_follows_an_abort_still_runs() {
    let main = "
steps: [{id: long, command: 'touch up; sleep 300'}, {id: never, command: 'echo not reached'}]
on_failure: [{id: mend, command: 'echo mending'}]
finally: [{id: tidy, command: 'echo tidied'}]";
    for signal in [Signal::INT, Signal::TERM] {
        let directory = directory(&[("main.yaml", main)]);
        let (child, pid) = started(&directory);
        kill_process(pid, signal).unwrap();
        let ran = finished_within_a_minute(child);
        assert_eq!(ran.code, 3, "{ran:#?}");
        assert_in_order(&ran.out, &["abort asked for", "mending", "tidied", "aborted in"]);
        assert!(!ran.out.contains("not reached"), "{}", ran.out);
    }
}

#[test]
fn a_second_ctrl_c_kills_what_runs() {
    let main = "
steps: [{id: long, command: 'echo $$ > pid; touch up; sleep 300'}]
finally: [{id: tidy, command: 'echo $$ > pid; touch tidying; sleep 300'}]";
    let directory = directory(&[("main.yaml", main)]);
    let (child, pid) = started(&directory);
    kill_process(pid, Signal::INT).unwrap();
    wait_for(&directory.path().join("tidying"));
    kill_process(pid, Signal::INT).unwrap();
    let ran = finished_within_a_minute(child);
    assert_eq!(ran.code, 130, "{ran:#?}");
    let left: i32 = std::fs::read_to_string(directory.path().join("pid")).unwrap().trim().parse().unwrap();
    let left = Pid::from_raw(left).unwrap();
    assert!(kill_process(left, Signal::KILL).is_err(), "the command was still there");
}
