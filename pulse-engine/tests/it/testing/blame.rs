//! What a failed execution gives as its reason.

use super::run;

/// The error of an execution of a workflow.
fn error(workflow: &str, given: &str) -> String {
    let tests = format!("tests:\n  - given: {given}\n    expect: {{status: failed, error: '?'}}\n");
    let report = run(workflow, &tests).unwrap_or_else(|error| panic!("{error:#?}"));
    let failure = &report.tests[0].failures[0];
    assert_eq!(failure.message, "the error is another one", "{failure}");
    failure.got.join("\n")
}

#[test]
fn the_step_that_leads_to_fail_is_named() {
    let route = "{id: check, conditions: [{if: \"state.state == 'good'\", goto: end}, {default: true, goto: fail, label: still in recovery}]}";
    let read = "{id: read, command: x, parse: kv}";
    let given = "[{step: read, stdout: STATE=bad}]";
    let expected = "step `check` led to `fail` (still in recovery)";
    assert_eq!(error(&format!("steps: [{read}, {route}]"), given), expected);
    // A failure that counts as success, steps before, is no reason.
    let borne = "{id: fence, command: x, on_error: continue}";
    let given = "[{step: fence, exit_code: 3}, {step: read, stdout: STATE=bad}]";
    assert_eq!(error(&format!("steps: [{borne}, {read}, {route}]"), given), expected);
    // In a branch and a phase of their own.
    let branch = format!("steps: [{{id: p, branches: [{{name: one, steps: [{read}, {route}]}}]}}]");
    assert_eq!(
        error(&branch, "[{step: read, stdout: STATE=bad}]"),
        format!("step `p`: 1 of 1 failed: one: {expected}")
    );
    let finally = format!("steps: [{{id: a, type: set, values: {{a: 1}}}}]\nfinally: [{read}, {route}]");
    assert_eq!(error(&finally, "[{step: read, stdout: STATE=bad}]"), format!("finally: {expected}"));
}

#[test]
fn an_answer_that_leads_to_fail_is_named() {
    let workflow = "\
steps:
  - {id: a, command: x, on_error: b}
  - {id: b, command: repair}
  - {id: ask, message: go on?, options: [{label: Yes, goto: c}, {label: No, goto: fail}]}
  - {id: c, command: x}
";
    let given = "[{step: a, exit_code: 3}, {step: b}, {step: ask, answer: No}]";
    assert_eq!(error(workflow, given), "step `ask` led to `fail` (No)");
}

/// The step that cleans up behind a failure and leads to `fail` is not the reason by itself.
#[test]
fn the_failure_that_led_there_is_told_beside_it() {
    let workflow = "\
steps:
  - {id: work, command: x, on_error: undo, goto: end}
  - {id: undo, command: x, goto: fail}
";
    let given = "[{step: work, exit_code: 2}, {step: undo}]";
    let error = error(workflow, given);
    assert!(error.starts_with("step `undo` led to `fail`, after step `work`: ") && error.contains("exit 2"), "{error}");
}

#[test]
fn a_timeout_may_name_an_option_by_its_label() {
    let workflow = "\
steps:
  - {id: ask, message: go on?, options: [{label: Go on, goto: end}, {label: Stop it, value: stop, goto: c}], timeout: 5m, on_timeout: Stop it}
  - {id: c, command: x}
";
    let tests = "\
tests:
  - given: [{step: ask, timeout: true}, {step: c}]
    expect: {status: completed, path: [ask, c], state: {prompt_response: stop}}
";
    assert_eq!(super::failures(workflow, tests), [""; 0]);
}
