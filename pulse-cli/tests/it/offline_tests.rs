//! `pulse test`: the examples' own tests, what is printed, exit codes, and tests made of executions.

use crate::program::{Ran, pulse, pulse_at, ran};
use crate::replay::recorded;
use serde_json::Value;
use std::fs::{create_dir, read_to_string, write};
use std::path::Path;

const WORKFLOW: &str = r#"
params: [{name: limit, type: integer, default: 80}]
steps:
  - {id: check, command: df, parse: kv, on_error: note}
  - {id: decide, type: route, conditions: [{if: state.pct > params.limit, goto: ask}, {default: true, goto: end}]}
  - {id: ask, type: prompt, message: "{{ pct }} %?", options: [Clean, Leave], goto: end}
  - {id: note, command: note}
"#;

const FULL: &str = r#"
workflow: ../w.yaml
tests:
  - name: full
    given: [{step: check, stdout: PCT=91, duration: 90s}, {step: ask, answer: Clean}]
    expect: {status: completed, path: [check, decide, ask]}
"#;

const ROOM: &str = r#"
workflow: ../w.yaml
tests:
  - {name: room, given: [{step: check, stdout: PCT=9}], expect: {status: completed, path: [check, decide]}}
  - {name: broken, given: [{step: check, exit_code: 1}, {step: note}], expect: {status: completed}}
"#;

/// A directory with a workflow and tests beside it.
fn directory(tests: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    create_dir(directory.path().join("tests")).unwrap();
    write(directory.path().join("w.yaml"), WORKFLOW).unwrap();
    for (name, text) in tests {
        write(directory.path().join("tests").join(name), text).unwrap();
    }
    directory
}

fn test(directory: &Path, arguments: &[&str]) -> Ran {
    ran(pulse(directory, &[&["test"], arguments].concat()))
}

#[test]
fn the_examples_are_covered_by_their_tests() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let ran = test(&examples, &["--coverage", "tests"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let covered: Vec<&str> = ran.out.lines().filter(|line| line.contains("coverage of")).collect();
    assert_eq!(covered.len(), 3, "{}", ran.out);
    assert!(covered.iter().all(|line| line.starts_with("✓ ")), "{}", ran.out);
}

#[test]
fn what_passed_is_told_and_what_no_test_went_through() {
    let directory = directory(&[("a.test.yaml", FULL), ("b.test.yml", ROOM), ("notes.yaml", "no test file")]);
    let ran = test(directory.path(), &["tests", "--coverage"]);
    let expected = "\
tests/a.test.yaml
  ✓ full (1m 30s)
tests/b.test.yml
  ✓ room
  ✓ broken
3 passed
– coverage of tests/../w.yaml: 8 of 9
    option   ask  Leave
";
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, expected, ""));
}

#[test]
fn failures_are_shown_side_by_side() {
    let wrong = FULL.replace("path: [check, decide, ask]", "path: [check, decide, note]").replace("PCT=91", "PCT=90");
    let wrong = wrong.replace("status: completed", "status: failed");
    let directory = directory(&[("a.test.yaml", &wrong)]);
    let ran = test(directory.path(), &["tests/a.test.yaml"]);
    let expected = "\
tests/a.test.yaml
  ✗ full (1m 30s)
      path: the steps that started are not the ones expected (line 4)
        expected   got
        check      check
        decide     decide
        note     ≠ ask
      status: the execution is completed (line 4)
        expected   got
        failed   ≠ completed
0 passed, 1 failed
";
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (1, expected, ""));
}

#[test]
fn what_cannot_be_run_is_no_failure() {
    let misspelt = FULL.replace("given:", "givn:");
    let directory = directory(&[("a.test.yaml", &misspelt), ("b.test.yaml", ROOM)]);
    let ran = test(directory.path(), &["tests"]);
    assert_eq!(ran.code, 2, "{}", ran.out);
    let finding = "tests/a.test.yaml:5:5: error[E005]: unknown field `givn` (did you mean `given`?)";
    assert!(ran.out.contains(finding) && ran.out.ends_with("2 passed, 1 file could not be run\n"), "{}", ran.out);
    for (arguments, says) in [
        (&["nowhere.test.yaml"][..], "there is no such file"),
        (&["tests/../w.yaml"], "unknown field `steps`"),
        (&["."], "2 passed, 1 file could not be run"),
    ] {
        let ran = test(directory.path(), arguments);
        assert!(ran.code == 2 && ran.out.contains(says), "{arguments:?}: {}", ran.out);
    }
    std::fs::remove_file(directory.path().join("w.yaml")).unwrap();
    let gone = test(directory.path(), &["tests/b.test.yaml"]);
    assert!(gone.code == 2 && gone.out.contains("`../w.yaml`: there is no such file"), "{}", gone.out);
    let empty = tempfile::tempdir().unwrap();
    let nothing = test(empty.path(), &["."]);
    assert_eq!((nothing.code, nothing.err.lines().count()), (2, 2), "{}", nothing.err);
    assert_eq!(test(empty.path(), &[]).code, 2);
}

#[test]
fn json_and_junit_say_the_same() {
    let failing = ROOM.replace("status: completed, path", "status: failed, path");
    let directory = directory(&[("a.test.yaml", FULL), ("b.test.yaml", &failing)]);
    let ran = test(directory.path(), &["tests", "--json", "--junit", "report.xml"]);
    assert_eq!((ran.code, ran.err.as_str()), (1, ""));
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&report["passed"], &report["failed"], &report["not_run"]),
        (&2.into(), &1.into(), &Value::Array(vec![]))
    );
    assert_eq!(report["files"][0]["tests"][0]["name"], "full");
    assert_eq!(report["files"][0]["tests"][0]["virtual_ms"], 90_000);
    let failure = &report["files"][1]["tests"][0]["failures"][0];
    assert_eq!(
        (&failure["what"], &failure["expected"][0], &failure["got"][0]),
        (&"status".into(), &"failed".into(), &"completed".into())
    );
    assert_eq!((&report["coverage"][0]["covered"], &report["coverage"][0]["total"]), (&8.into(), &9.into()));
    assert_eq!(report["coverage"][0]["missing"][0]["what"], "Leave");
    let xml = read_to_string(directory.path().join("report.xml")).unwrap();
    assert!(xml.contains(r#"<testsuites name="pulse test" tests="3" failures="1" errors="0""#), "{xml}");
    assert!(xml.contains(r#"<failure message="the execution is completed" type="status">"#), "{xml}");
}

#[test]
fn a_report_that_cannot_be_written_is_no_failure_of_a_test() {
    let directory = directory(&[("a.test.yaml", FULL)]);
    let ran = test(directory.path(), &["tests", "--junit", "nowhere/report.xml"]);
    assert!(ran.code == 2 && ran.err.starts_with("error: nowhere/report.xml: "), "{} {}", ran.code, ran.err);
    assert!(ran.out.ends_with("1 passed\n"), "{}", ran.out);
}

#[test]
fn a_test_made_of_an_execution_passes() {
    let (server, directory) = recorded("Go\n");
    let made = ran(pulse_at(&server.url, directory.path(), &["test", "--from-run", "0198"]));
    assert_eq!((made.code, made.err.as_str()), (0, ""), "{}", made.out);
    write(directory.path().join("made.test.yaml"), &made.out).unwrap();
    let passed = test(directory.path(), &["made.test.yaml"]);
    assert_eq!(passed.code, 0, "{}\n{}", passed.out, made.out);
    for part in ["definition: |", "path:\n    - check\n    - ask\n    - again", "answer: Go", "N=7"] {
        assert!(made.out.contains(part), "{part}: {}", made.out);
    }
    let named = ran(pulse_at(&server.url, directory.path(), &["test", "--from-run", "0198", "--workflow", "w.yaml"]));
    assert!(named.code == 0 && named.out.contains("workflow: w.yaml\n"), "{} {}", named.out, named.err);
    write(directory.path().join("w.yaml"), "steps: [{id: check, command: other}]").unwrap();
    let other = ran(pulse_at(&server.url, directory.path(), &["test", "--from-run", "0198", "--workflow", "w.yaml"]));
    assert!(other.code == 1 && other.err.starts_with("it cannot be run: "), "{}", other.err);
}
