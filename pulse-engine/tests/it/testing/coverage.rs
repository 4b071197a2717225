//! Which parts no test went through, and reports as JUnit XML.

use super::run;
use pulse_engine::testing::{Coverage, NotRun, Report, junit};

const WORKFLOW: &str = r#"
steps:
  - {id: check, command: check, on_error: repair, parse: kv}
  - id: decide
    type: route
    conditions: [{if: state.n > 10, goto: ask}, {if: state.n > 5, goto: end}]
  - {id: extra, command: extra, condition: 'state.n > 2', on_error: continue}
  - id: ask
    type: prompt
    message: "{{ n }}"
    options: [{label: "Yes to {{ n }}", value: yes}, No]
    timeout: 10m
    on_timeout: No
    goto: end
  - {id: repair, command: repair}
"#;

fn report(tests: &str) -> Report {
    run(WORKFLOW, &format!("workers: [w]\ntests:\n{tests}")).unwrap()
}

fn missing(coverage: &Coverage) -> Vec<String> {
    coverage.missing().map(|item| format!("{} {} {}", item.step, item.kind.as_str(), item.what)).collect()
}

#[test]
fn what_no_test_went_through_is_told() {
    let one =
        report("  - {given: [{step: check, stdout: N=11}, {step: ask, answer: yes}], expect: {status: completed}}");
    assert!(one.passed(), "{one:#?}");
    assert_eq!(
        missing(&one.coverage),
        [
            "check on_error → repair",
            "decide route state.n > 5 → end",
            "decide route no match",
            "extra step ",
            "extra skipped not state.n > 2",
            "extra on_error continue",
            "ask option No",
            "ask timeout counts as No",
            "repair step ",
        ]
    );
    assert_eq!(one.coverage.counts(), (5, 14));
    let others = report(
        r#"
  - {name: a, given: [{step: check, stdout: N=11}, {step: ask, timeout: true}], expect: {status: completed}}
  - {name: b, given: [{step: check, stdout: N=6}], expect: {status: completed}}
  - {name: c, given: [{step: check, stdout: N=1}, {step: ask, answer: No}], expect: {status: completed}}
  - {name: d, given: [{step: check, stdout: N=3}, {step: extra, exit_code: 1}, {step: ask, answer: No}], expect: {}}
  - {name: e, given: [{step: check, exit_code: 1}, {step: repair}], expect: {status: completed}}
"#
        .replace("expect: {}", "expect: {status: completed}")
        .as_str(),
    );
    assert!(others.passed(), "{others:#?}");
    let mut all = one.coverage.clone();
    all.merge(&others.coverage);
    assert_eq!(missing(&all), [""; 0]);
    assert_eq!(all.items.iter().find(|item| item.what == "No").unwrap().hits, 2);
}

#[test]
fn junit_tells_what_passed_failed_and_could_not_run() {
    let passed = report("  - {given: [{step: check, stdout: N=6}], expect: {status: completed}}");
    let failed = report("  - {name: '<a & \"b\">', given: [{step: check, stdout: N=6}], expect: {status: failed}}");
    let not_run = NotRun {
        file: "x.test.yaml".into(),
        about: "x.test.yaml".into(),
        message: Some("it is not there".into()),
        diagnostics: vec![],
    };
    let xml = junit(&[Ok(passed), Ok(failed), Err(not_run)]);
    let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="pulse test" tests="3" failures="1" errors="1" time="0">
  <testsuite name="w.test.yaml" tests="1" failures="0" errors="0" time="0">
    <testcase name="test 1" classname="w.yaml" file="w.test.yaml" line="4" time="0"/>
  </testsuite>
  <testsuite name="w.test.yaml" tests="1" failures="1" errors="0" time="0">
    <testcase name="&lt;a &amp; &quot;b&quot;&gt;" classname="w.yaml" file="w.test.yaml" line="4" time="0">
      <failure message="the execution is completed" type="status">status: the execution is completed
  expected   got
  failed   ≠ completed</failure>
    </testcase>
  </testsuite>
  <testsuite name="x.test.yaml" tests="1" failures="0" errors="1" time="0">
    <testcase name="x.test.yaml" classname="x.test.yaml" file="x.test.yaml" time="0">
      <error message="x.test.yaml: it is not there" type="not-run"></error>
    </testcase>
  </testsuite>
</testsuites>
"#;
    assert_eq!(xml, expected);
}
