//! What tests are given and what comes of it.

use super::{failures, run};
use pulse_core::status::ExecutionStatus;

/// The workflow of the specification's example.
const DISK_CLEANUP: &str = r#"
name: disk-cleanup
params:
  - {name: mount, default: /}
  - {name: limit, type: integer, default: 80}
steps:
  - {id: check, command: "df -P {{ mount }}", targets: any}
  - {id: parse, type: parse}
  - id: decide
    type: route
    conditions:
      - {if: state.disk_pct > params.limit, goto: ask}
      - {default: true, goto: end}
  - id: ask
    type: prompt
    message: "Clean {{ mount }}?"
    options: [{label: Clean, goto: clean}, {label: Leave, goto: end}]
  - {id: clean, command: "rm -rf '{{ mount }}/tmp'", targets: web-02}
"#;

#[test]
fn the_example_of_the_specification_passes() {
    let found = failures(
        DISK_CLEANUP,
        r#"
workers: [web-01, web-02]
tests:
  - name: a full disk asks, then cleans
    params: {mount: /data}
    given:
      - {step: check, stdout: "DISK_PCT=91"}
      - {step: clean, worker: web-02, exit_code: 1, stderr: busy}
      - {step: ask, answer: Clean}
    expect:
      status: failed
      error: "web-02: exit 1"
      path: [check, parse, decide, ask, clean]
      state: {disk_pct: "91"}
      commands: {clean: "rm -rf '/data/tmp'"}
      prompt: {ask: "Clean /data?"}
      steps: {ask: completed, clean: failed}
"#,
    );
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn failures_show_both_sides() {
    let found = failures(
        DISK_CLEANUP,
        r#"
workers: [web-01, web-02]
tests:
  - given: [{step: check, stdout: "DISK_PCT=9"}, {step: ask, answer: Clean}]
    expect:
      status: failed
      error: full
      path: [check, parse, decide, ask]
      state: {disk_pct: 9, free: 1}
      commands: {check: "df -P /data", clean: []}
      prompt: {ask: "Clean /?"}
      steps: {ask: completed}
"#,
    );
    let expected = r#"path: the steps that started are not the ones expected
  expected   got
  check      check
  parse      parse
  decide     decide
  ask      ≠ -
status: the execution is completed
  expected   got
  failed   ≠ completed
error: there is no error
  expected   got
  full     ≠ -
state: values differ
  expected       got
  disk_pct = 9 ≠ disk_pct = "9"
  free = 1     ≠ free is not set
commands.check: the command of step `check` is another one
  expected      got
  df -P /data ≠ df -P /
prompt.ask: step `ask` made no question
  expected   got
  Clean /? ≠ -
steps.ask: step `ask` is pending
  expected    got
  completed ≠ pending
given: never used: answer `Clean` at step `ask`"#;
    assert_eq!(found.join("\n"), expected);
}

#[test]
fn what_is_asked_and_not_given_is_listed() {
    let tests = r#"
workers: [web-01, web-02]
tests:
  - given:
      - {step: check, stdout: "DISK_PCT=91"}
      - {step: ask, answer: Clean}
      - {step: clean, worker: web-01}
    expect: {status: completed}
"#;
    let expected = "\
given.clean: step `clean` asked for something that no entry of `given` fits: on web-02, attempt 1: rm -rf '//tmp'
  expected                got
  on web-02, attempt 1: ≠ exit 0 on web-01
  rm -rf '//tmp'        ≠ -";
    assert_eq!(failures(DISK_CLEANUP, tests).join("\n"), expected);
    let nothing = failures(DISK_CLEANUP, "workers: [web-02]\ntests: [{expect: {status: completed}}]");
    assert!(nothing[0].contains("`given` has nothing for it: on web-02, attempt 1: df -P /"), "{nothing:?}");
}

#[test]
fn a_question_without_an_answer_is_a_failure_unless_waiting_is_expected() {
    let tests = |expect: &str| {
        format!("workers: [web-02]\ntests: [{{given: [{{step: check, stdout: DISK_PCT=91}}], expect: {expect}}}]")
    };
    let found = failures(DISK_CLEANUP, &tests("{status: completed}"));
    assert_eq!(found[0], "given: nobody answers `ask`: give an answer or `timeout: true`");
    assert!(found[2].starts_with("ask: Clean /?") || found[2].contains("ask: Clean /? ≠ (nothing)"), "{found:?}");
    let found = failures(DISK_CLEANUP, &tests("{status: waiting, prompt: {ask: Clean /?}, steps: {ask: waiting}}"));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn entries_are_used_in_order_for_attempts_loops_and_workers() {
    let workflow = r#"
steps:
  - {id: try, command: work, retries: 2, retry_delay: 60, retry_on: [75], backoff: exponential, parse: kv}
  - {id: again, type: route, conditions: [{if: 'state.more == "yes"', goto: try}, {default: true, goto: end}]}
"#;
    let report = run(
        workflow,
        r#"
workers: [a, b]
tests:
  - name: twice, the first time with retries on one worker
    given:
      - {step: try, worker: b, exit_code: 75, duration: 10s}
      - {step: try, worker: b, attempt: 3, stdout: "MORE=yes"}
      - {step: try, worker: b, exit_code: 75}
      - {step: try, stdout: "MORE=yes", duration: 2s}
      - {step: try, stdout: "MORE=no"}
    expect:
      status: completed
      path: [try, again, try, again]
      commands: {try: [work, work, work, work, work, work]}
"#,
    )
    .unwrap();
    let test = &report.tests[0];
    assert!(test.passed, "{:#?}", test.failures);
    // 10 s, a delay of 60 s, a delay of 120 s. In the second round both take the last entry, which is the second for any
    // worker, though `b` never used the first.
    assert_eq!(test.virtual_ms, 190_000);
}

#[test]
fn an_entry_may_serve_several_times() {
    let workflow = "max_steps: 40\nsteps: [{id: spin, command: 'true', goto: spin}]";
    let found =
        failures(workflow, "tests: [{given: [{step: spin, times: 40}], expect: {status: failed, error: max_steps}}]");
    assert!(found.is_empty(), "{found:?}");
    let found = failures(
        "steps: [{id: a, command: 'true'}]",
        "tests: [{given: [{step: a, times: 3}], expect: {status: completed}}]",
    );
    assert_eq!(found, ["given: used 1 of 3 times: exit 0 at step `a`"]);
}

#[test]
fn time_is_virtual() {
    let workflow = r#"
steps:
  - {id: ask, type: prompt, message: Go?, options: [Go], timeout: 3d, on_timeout: pause}
  - {id: pause, type: wait, duration: 2h}
  - {id: slow, command: sleep, timeout: 1m, on_error: continue}
"#;
    let report = run(
        workflow,
        r#"
tests:
  - name: nobody answers
    given: [{step: ask, timeout: true}, {step: slow, duration: 10m, stdout: cut}]
    expect: {status: completed, path: [ask, pause, slow], steps: {slow: failed}}
  - name: somebody answers late
    given: [{step: ask, answer: Go, duration: 1d}, {step: slow, outcome: lost}]
    expect: {status: completed}
  - name: too late
    given: [{step: ask, answer: Go, duration: 4d}]
    expect: {status: completed}
"#,
    )
    .unwrap();
    let [first, second, third] = &report.tests[..] else { panic!("{report:?}") };
    assert!(first.passed && second.passed, "{report:#?}");
    assert_eq!(first.virtual_ms, (3 * 24 + 2) * 3_600_000 + 60_000);
    assert_eq!(second.virtual_ms, (24 + 2) * 3_600_000);
    // The answer comes to nobody: it is not used in time, and `slow` is asked for without an entry.
    assert!(!third.passed && third.path == first.path, "{third:#?}");
}

#[test]
fn any_takes_the_worker_that_an_entry_names() {
    let workflow =
        "steps: [{id: a, command: one, targets: any}, {id: b, command: 'on {{ last.worker }}', targets: any}]";
    let found = failures(
        workflow,
        r#"
workers: [w1, w2, {name: w3, status: offline, labels: {role: db}}]
tests:
  - given: [{step: a, worker: w2}, {step: b}]
    expect: {status: completed, commands: {b: on w2}}
"#,
    );
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn branches_items_children_and_aborts() {
    let workflow = r#"
steps:
  - id: both
    type: parallel
    branches:
      - {name: left, steps: [{id: left, command: left}]}
      - {name: right, steps: [{id: question, type: prompt, message: Right?, options: [Yes]}]}
  - {id: each, type: foreach, items: [x, y], as: item, steps: [{id: one, command: 'do {{ item }}'}]}
  - {id: child, type: workflow, workflow: other, params: {a: 1}}
  - {id: pause, type: wait, duration: 1h}
finally:
  - {id: tidy, command: tidy}
"#;
    let report = run(
        workflow,
        r#"
workers: [w]
tests:
  - name: to the end
    given:
      - {step: left, duration: 5m}
      - {step: question, answer: Yes, duration: 1m}
      - {step: one, times: 2}
      - {step: child, state: {found: 3}, duration: 10s}
      - {step: tidy}
    expect:
      status: completed
      path: [both, left, question, each, one, one, child, pause, tidy]
      commands: {one: [do x, do y]}
  - name: aborted while it waits
    given:
      - {step: left}
      - {step: question, answer: Yes}
      - {step: one, times: 2}
      - {step: child, status: completed}
      - {step: pause, abort: wrong night, by: ann, duration: 20m}
      - {step: tidy}
    expect: {status: aborted, error: wrong night, steps: {pause: aborted, tidy: completed}}
  - name: the child fails
    given:
      - {step: left}
      - {step: question, answer: Yes}
      - {step: one, times: 2}
      - {step: child, status: failed, error: no luck}
      - {step: tidy}
    expect: {status: failed, error: no luck}
"#,
    )
    .unwrap();
    assert!(report.passed(), "{:#?}", report.tests);
    assert_eq!(report.tests[1].virtual_ms, 20 * 60_000);
}

#[test]
fn a_worker_that_is_waited_for_may_come_or_not() {
    let workflow = "steps: [{id: a, command: go, on_offline: wait, wait_for: 10m}]";
    let report = run(
        workflow,
        r#"
workers: [w1, {name: w2, status: offline}]
tests:
  - name: it comes
    given: [{step: a, worker: w2, online: true, duration: 4m}, {step: a}]
    expect: {status: completed, commands: {a: [go, go]}}
  - name: it does not
    given: [{step: a}]
    expect: {commands: {a: [go]}}
"#,
    )
    .unwrap();
    assert!(report.passed(), "{:#?}", report.tests);
    assert_eq!((report.tests[0].virtual_ms, report.tests[1].virtual_ms), (4 * 60_000, 10 * 60_000));
}

#[test]
fn what_expressions_see_of_the_execution_can_be_said() {
    let workflow = "steps: [{id: a, command: 'echo {{ execution.started_by }} {{ now() }}'}]";
    let report = run(
        workflow,
        r#"
tests:
  - execution: {started_by: ann, at: 2026-03-01T00:00:00Z}
    given: [{step: a}]
    expect: {commands: {a: echo ann 1772323200}}
"#,
    )
    .unwrap();
    assert!(report.passed(), "{:#?}", report.tests);
    assert_eq!(report.tests[0].status, ExecutionStatus::Completed);
}

#[test]
fn the_execution_of_a_test_has_every_field() {
    let command =
        "echo {{ execution.workflow }} {{ execution.id }} {{ execution.started_at }} {{ execution.started_by }}";
    let tests = |name: &str| {
        let said = format!("echo {name} 019b7700-0000-7000-8000-000000000001 2026-01-01T00:00:00.000Z tester");
        format!("tests: [{{given: [{{step: a}}], expect: {{status: completed, commands: {{a: \"{said}\"}}}}}}]")
    };
    let steps = format!("steps: [{{id: a, command: '{command}'}}]");
    assert_eq!(failures(&format!("name: nightly\n{steps}"), &tests("nightly")), [""; 0]);
    // What has no name goes by that of its file.
    assert_eq!(failures(&steps, &tests("w")), [""; 0]);
}

#[test]
fn an_answer_that_is_no_option_is_refused() {
    let workflow = "steps: [{id: ask, type: prompt, message: Go?, options: [Go, Stop]}]";
    let found = failures(workflow, "tests: [{given: [{step: ask, answer: Perhaps}], expect: {status: completed}}]");
    let line = "given: answer `Perhaps` at step `ask` was refused: `Perhaps` is no option; choose one of: Go, Stop";
    assert_eq!(found, [line]);
}

#[test]
fn secrets_need_not_be_given_and_are_never_seen() {
    let workflow = r#"
params: [{name: token, type: secret, pattern: "^hush-"}, {name: host, default: web}]
steps: [{id: a, command: "login {{ host }} {{ token }}"}]
"#;
    let tests = r#"
tests:
  - {name: without, given: [{step: a}], expect: {status: completed, commands: {a: login web ••••}}}
  - {name: with, params: {token: hush-x}, given: [{step: a}], expect: {commands: {a: login web ••••}}}
"#;
    let found = failures(workflow, tests);
    assert!(found.is_empty(), "{found:?}");
}

/// Whoever is first, the last target wins: that is what the language says.
#[test]
fn outputs_are_read_in_target_order() {
    let found = failures(
        "steps: [{id: a, command: go, parse: kv}]",
        r#"
workers: [w1, w2]
tests:
  - given: [{step: a, worker: w1, stdout: N=1, duration: 9s}, {step: a, worker: w2, stdout: N=2}]
    expect: {status: completed, state: {n: "2"}}
"#,
    );
    assert!(found.is_empty(), "{found:?}");
}

/// A value that is set to nothing is not one that is missing.
#[test]
fn nothing_is_a_value() {
    let workflow = "steps: [{id: a, command: show, parse: json}]";
    let tests = |output: &str| {
        format!(
            "tests:\n  - given: [{{step: a, stdout: '{output}'}}]\n    expect: {{status: completed, state: {{x: null}}}}\n"
        )
    };
    assert_eq!(failures(workflow, &tests("{\"x\": null}")), [""; 0]);
    let missing = failures(workflow, &tests("{\"y\": 1}")).join(" ");
    assert!(missing.contains("x is not set"), "{missing}");
    assert!(!failures(workflow, &tests("{\"x\": 0}")).is_empty());
}

/// Output longer than what a worker keeps is cut as there, for expressions, and not read by `parse`.
#[test]
fn long_output_is_cut_as_a_worker_cuts_it() {
    let workflow = |parse: &str| {
        format!(
            "steps:\n  - {{id: a, command: go{parse}}}\n  - {{id: b, type: set, values: {{size: len(last.stdout)}}}}"
        )
    };
    let tests = |length: usize, more: &str, expect: &str| {
        format!("tests: [{{given: [{{step: a, stdout: 'KEEP={}'{more}}}], expect: {expect}}}]", "x".repeat(length - 5))
    };
    let error = "{status: failed, error: '`parse` reads no more than 65536', path: [a]}";
    for format in ["kv", "json", "lines", "{format: regex, pattern: '(?<keep>x)'}"] {
        let found = failures(&workflow(&format!(", parse: {format}")), &tests(65_537, "", error));
        assert_eq!(found, [""; 0], "{format}");
    }
    let parse = workflow(", parse: kv");
    assert_eq!(failures(&parse, &tests(65_536, "", "{status: completed, state: {size: 65536}}")), [""; 0]);
    assert_eq!(failures(&parse, &tests(10, ", stdout_bytes: 65537", error)), [""; 0]);
    assert_eq!(failures(&workflow(""), &tests(70_000, "", "{status: completed, state: {size: 65536}}")), [""; 0]);
}
