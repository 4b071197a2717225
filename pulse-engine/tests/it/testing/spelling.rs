//! Where a text is wanted, a number is the text that it is written as; where a number is wanted, it is a number.

use super::failures;
use pulse_engine::load;
use serde_json::json;

const WORKFLOW: &str = r#"
params:
  - {name: text, default: 1.10}
  - {name: code, default: 007}
  - {name: large, default: 12345678901234567890}
  - {name: version, type: choice, options: [1.9, 1.10], default: 1.10}
  - {name: whole, type: integer, default: 0010}
  - {name: ratio, type: number, default: 0.50}
env: {UMASK: 022}
steps:
  - {id: mode, argv: [chmod, 0755, 1.10, True, "{{ text }}", "{{ code }}", "{{ large }}", "{{ version }}"]}
  - {id: numbers, argv: [echo, "{{ whole }}", "{{ ratio }}", "{{ params.whole + 1 }}"]}
  - {id: one, type: set, values: {a: 1.10, b: 0x1f, c: True}, condition: True}
  - {id: ask, message: which?, options: [1.9, 1.10, 007], routes: {1.10: end, 1.9: fail, 007: fail}}
"#;

#[test]
fn numbers_are_the_text_that_they_are_written_as() {
    let tests = r#"
tests:
  - given:
      - {step: mode}
      - {step: numbers}
      - {step: ask, answer: 1.10}
    expect:
      status: completed
      commands:
        mode: chmod 0755 1.10 True 1.10 007 12345678901234567890 1.10
        numbers: echo 10 0.5 11
      state: {a: 1.1, b: 31, c: true, prompt_response: "1.10"}
  - params: {text: 2.50, code: 010, version: 1.9, whole: 7, ratio: 1}
    given:
      - {step: mode}
      - {step: numbers}
      - {step: ask, answer: 007}
    expect:
      status: failed
      commands: {mode: chmod 0755 1.10 True 2.50 010 12345678901234567890 1.9}
"#;
    assert_eq!(failures(WORKFLOW, tests), [""; 0]);
}

/// JSON is read in the same way, and values with a type stay what they are.
#[test]
fn json_keeps_the_spelling_too() {
    let loaded = load(
        r#"{"env": {"VER": 1.10}, "params": [{"name": "t", "default": 1.10}, {"name": "n", "type": "number", "default": 1.10}],
            "steps": [{"argv": ["x", 1.10]}]}"#,
    );
    assert_eq!(loaded.diagnostics, []);
    let workflow = loaded.workflow.unwrap();
    assert_eq!(workflow.env["VER"].text, "1.10");
    assert_eq!(workflow.params[0].default, Some(json!("1.10")));
    assert_eq!(workflow.params[1].default, Some(json!(1.1)));
}

#[test]
fn large_numbers_in_json_output_stay_what_was_printed() {
    let workflow = r#"
steps:
  - {id: read, command: x, parse: json}
  - {id: show, command: "echo {{ state.big }} {{ state.list[0] }}", condition: state.big > 5}
"#;
    let tests = r#"
tests:
  - given:
      - {step: read, stdout: '{"big": 12345678901234567890, "list": [-98765432109876543210], "small": 9223372036854775807}'}
      - {step: show}
    expect:
      status: completed
      state: {big: "12345678901234567890", small: 9223372036854775807}
      commands: {show: echo 12345678901234567890 -98765432109876543210}
"#;
    assert_eq!(failures(workflow, tests), [""; 0]);
}
