//! Mistakes in test files: each with its place, all at once, and before anything runs.

use super::run;

const WORKFLOW: &str = r#"
params: [{name: mount, default: /}]
steps:
  - {id: check, command: "df {{ mount }}"}
  - {id: ask, type: prompt, message: "Go?", options: [Go]}
"#;

/// The findings of a test file, as `line:column code message (help)`.
fn findings(tests: &str) -> Vec<String> {
    let error = run(WORKFLOW, tests).expect_err("it has mistakes");
    assert_eq!(error.about, "w.test.yaml");
    let shown = |d: &pulse_core::diagnostic::Diagnostic| {
        format!("{}:{} {} {} ({})", d.line, d.column, d.code, d.message, d.help)
    };
    error.diagnostics.iter().map(shown).collect()
}

#[test]
fn unknown_fields_name_the_nearest() {
    let tests = r#"worker: [a]
tests:
  - nme: x
    given:
      - {step: check, stdot: x}
      - {step: ask, answer: Go, worked: a}
    expect: {stauts: completed, path: [check]}
"#;
    assert_eq!(
        findings(tests),
        [
            "2:1 E005 unknown field `worker` (did you mean `workers`?)",
            "4:5 E005 unknown field `nme` (did you mean `name`?)",
            "6:23 E005 unknown field `stdot` (did you mean `stdout`?)",
            "7:33 E005 unknown field `worked` (did you mean `worker`?)",
            "8:14 E005 unknown field `stauts` (did you mean `status`?)",
        ]
    );
}

#[test]
fn what_the_workflow_does_not_have_is_found() {
    let tests = r#"workers: [web-01]
tests:
  - params: {mont: /data}
    given:
      - {step: chek}
      - {step: check, worker: web-1}
      - {step: check, answer: Go}
      - {step: ask, exit_code: 1}
    expect:
      path: [check, aks]
      commands: {report: x}
"#;
    assert_eq!(
        findings(tests),
        [
            "4:13 E015 test `test 1`: there is no parameter `mont`: did you mean `mount`? (write under `params` what the \
             workflow could be started with)",
            "6:16 E015 the workflow has no step `chek` (did you mean `check`?)",
            "7:9 E015 there is no worker `web-1` (did you mean `web-01`?)",
            "8:9 E020 `check` is of type execute; \"answer `Go`\" belongs to steps of type prompt (name a step of type prompt, \
             or say what becomes of `check`)",
            "9:9 E020 `ask` is of type prompt; \"exit 1\" belongs to steps of type execute (name a step of type execute, \
             or say what becomes of `ask`)",
            "11:21 E015 the workflow has no step `aks` (did you mean `ask`?)",
            "12:18 E015 the workflow has no step `report` (write the id of one: ask, check)",
        ]
    );
}

#[test]
fn wrong_values_are_found() {
    let tests = r#"workers: [a, a, {name: b, status: asleep}]
tests:
  - given:
      - {step: check, exit_code: 300, duration: soon, outcome: late}
      - {step: ask, answer: Go, timeout: true}
      - {step: check, exit_code: 0, outcome: lost}
      - {answer: Go}
      - {step: ask, answer: Go, stops_after: 1s}
    expect: {status: good, steps: {ask: fine}, commands: {check: {a: b}}}
  - name: test 1
  - expect: {}
"#;
    let found = findings(tests);
    for expected in [
        "two workers are called `a`",
        "`status` is `asleep`; it must be one of online, offline, unreachable, draining",
        "`exit_code` is 300; it must be 0 to 255",
        "`duration` is not a duration",
        "`outcome` is `late`; it must be one of exited",
        "`answer` and the other fields belong to different steps",
        "a command with an exit code has ended by itself",
        "an entry of `given` needs `step`",
        "only a command or a child execution can be told to stop",
        "`status` is `good`; it must be one of queued, running",
        "a step's status is one of pending",
        "`commands.check` must be a text or a list of texts, not a mapping",
        "two tests are called `test 1`",
        "test `test 1` expects nothing",
        "nothing is expected (say at least `status`)",
    ] {
        assert!(found.iter().any(|line| line.contains(expected)), "{expected}: {found:#?}");
    }
}

#[test]
fn a_missing_or_broken_workflow_cannot_be_tested() {
    let files = |path: &str| match path {
        "broken.yaml" => Ok("steps: [{id: a, comand: x}]".to_owned()),
        _ => Err("there is no such file".to_owned()),
    };
    let run = |source: &str| pulse_engine::testing::test("t.test.yaml", source, &files).unwrap_err();
    let missing = run("workflow: gone.yaml\ntests: []");
    assert_eq!(
        missing.to_string(),
        "t.test.yaml: 1:11: error[E015]: `gone.yaml`: there is no such file (name the workflow's file as it is found from \
         the test file's own directory)"
    );
    let broken = run("workflow: broken.yaml\ntests: [{expect: {status: completed}}]");
    assert_eq!((broken.about.as_str(), broken.message.as_deref()), ("broken.yaml", Some("broken.yaml has mistakes")));
    assert!(!broken.diagnostics.is_empty());
    for nothing in ["", "[]", "tests: []", "workflow: w.yaml", "workflow: a\ndefinition: b\ntests: []", "a: ["] {
        assert!(!run(nothing).diagnostics.is_empty(), "{nothing}");
    }
}

#[test]
fn a_definition_is_text() {
    let error = pulse_engine::testing::test(
        "w.test.yaml",
        "definition: {steps: [{command: ls}]}\ntests: [{expect: {status: completed}}]\n",
        &|_| Err(String::new()),
    );
    let found = error.expect_err("it is no text").diagnostics;
    assert_eq!(found[0].message, "`definition` must be text, not a mapping");
    assert!(found.iter().all(|d| !d.message.contains("needs `workflow`")), "{found:?}");
}
