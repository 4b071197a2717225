//! The example of an embedder: it runs, and it stays short enough to be read at a glance.

#[path = "../../../examples/custom_executor.rs"]
#[expect(dead_code, reason = "the example's own main is not called")]
mod custom_executor;

use custom_executor::drive;
use pulse_core::status::ExecutionStatus;

const DEFINITION: &str = r#"
steps:
  - {id: count, command: count, parse: kv}
  - {id: ask, type: prompt, message: "{{ files }}?", options: [Say, Keep quiet]}
  - {id: say, command: "say {{ files }}"}
"#;

#[test]
fn it_drives_an_execution_to_its_end() {
    let mut ran = Vec::new();
    let execute = |script: &str| {
        ran.push(script.to_owned());
        "FILES=7".to_owned()
    };
    let state = drive(DEFINITION, execute).unwrap();
    assert_eq!((state.status(), &state.vars["files"]), (ExecutionStatus::Completed, &"7".into()));
    assert_eq!(ran.len(), 2);
    assert!(drive("steps: []", |_| String::new()).is_err());
}

#[test]
fn it_is_short() {
    let source = include_str!("../../../examples/custom_executor.rs");
    let from = source.find("/// Drives a definition").unwrap();
    assert!(source[from..].lines().count() < 60, "the example is to stay under 60 lines");
}
