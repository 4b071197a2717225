//! How long what is told to stop goes on: what follows waits for it, ten seconds at most.

use super::failures;

const WORKFLOW: &str = r#"
steps:
  - id: both
    type: parallel
    branches:
      - name: a
        steps:
          - id: quick
            type: parallel
            on_error: undo
            branches:
              - {name: one, steps: [{id: bad, command: "false"}]}
              - {name: two, steps: [{id: long, LONG}]}
          - {id: undo, type: set, values: {undone: "1"}}
      - name: b
        steps: [{id: five, type: wait, duration: 5s}, {id: after_five, type: set, values: {five: "1"}},
          {id: eleven, type: wait, duration: 6s}, {id: after_eleven, type: set, values: {eleven: "1"}}]
"#;

/// The steps that followed, in order, when the one that was told to stop takes this entry.
fn follow(long: &str, given: &str, steps: [&str; 4]) -> Vec<String> {
    let tests = format!(
        "tests:\n  - given:\n      - {{step: bad, exit_code: 1}}\n      - {{step: long, {given}}}\n    expect:\n      \
         path: [both, quick, five, bad, long, {}]\n",
        steps.join(", ")
    );
    failures(&WORKFLOW.replace("LONG", long), &tests)
}

#[test]
fn what_follows_waits_for_commands_and_children_that_were_told_to_stop() {
    for (long, end) in [("command: sleep 60", "exit_code: 0"), ("type: workflow, workflow: w", "status: completed")] {
        let after = |given: &str, steps| assert_eq!(follow(long, given, steps), [""; 0], "{long}, {given}");
        after(&format!("{end}, duration: 1m"), ["undo", "after_five", "eleven", "after_eleven"]);
        after(&format!("{end}, duration: 1m, stops_after: 3s"), ["undo", "after_five", "eleven", "after_eleven"]);
        after(&format!("{end}, duration: 1m, stops_after: 7s"), ["after_five", "eleven", "undo", "after_eleven"]);
        // It is not waited for any longer.
        after(&format!("{end}, duration: 1m, stops_after: 30s"), ["after_five", "eleven", "undo", "after_eleven"]);
        // It ends by itself before.
        after(&format!("{end}, duration: 2s, stops_after: 7s"), ["undo", "after_five", "eleven", "after_eleven"]);
    }
}
