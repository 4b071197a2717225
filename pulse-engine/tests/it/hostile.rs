//! Definitions of the largest size that are made to take long. None may take a time that grows faster than its size: one that
//! does makes this file take minutes. What is checked is that everything is still found, and counted.

use pulse_core::diagnostic::{Diagnostic, MOST_OF_A_KIND};
use pulse_engine::load;

const SIZE: usize = 250 * 1024;

/// As many of these as fit, and how many they are.
fn many(head: &str, item: impl Fn(usize) -> String) -> (String, usize) {
    let mut text = head.to_owned();
    let mut count = 0;
    loop {
        let next = item(count);
        if text.len() + next.len() > SIZE {
            return (text, count);
        }
        text.push_str(&next);
        count += 1;
    }
}

/// How many findings of a kind there are, and how many of them are listed.
fn count(findings: &[Diagnostic], code: &str) -> (usize, usize) {
    let of: Vec<_> = findings.iter().filter(|found| found.code == code).collect();
    (of.iter().map(|found| found.count()).sum(), of.iter().filter(|found| found.left_out == 0).count())
}

#[test]
fn steps_that_lead_everywhere() {
    let (text, steps) = many("steps:\n", |i| {
        format!("- {{id: s{i}, values: {{a: '1'}}, on_error: s{}, goto: s{}}}\n", i / 2, (i + 1) % 3_000)
    });
    assert!(steps > 3_000);
    let found = load(&text).diagnostics;
    // Round through the first 3,000, and no way out; from each behind them, too. The first also leads to itself.
    assert_eq!(count(&found, "E021"), (steps - 3_000 + 2, MOST_OF_A_KIND));
    assert_eq!(count(&found, "W004").0, steps - 3_000);
    let (text, steps) = many("steps:\n", |i| {
        format!(
            "- {{id: s{i}, conditions: [{{if: state.x, goto: s{}}}, {{default: true, goto: s{}}}]}}\n",
            i / 2,
            i + 1
        )
    });
    let text = format!("{text}- {{id: s{steps}, command: x}}\n");
    assert_eq!(count(&load(&text).diagnostics, "E021"), (steps, MOST_OF_A_KIND));
}

#[test]
fn steps_that_read_what_others_set() {
    // Each reads what the one behind it sets, and there is no way back.
    let (text, steps) = many("steps:\n", |i| format!("- {{id: s{i}, values: {{v{i}: state.v{}}}}}\n", i + 1));
    let text = format!("{text}- {{id: s{steps}, values: {{v{steps}: '1'}}}}\n");
    assert_eq!(count(&load(&text).diagnostics, "W012"), (steps, MOST_OF_A_KIND));
    let inside = |i| format!("- {{id: s{i}, items: [1], steps: [{{id: t{i}, values: {{v{i}: state.v{}}}}}]}}\n", i + 1);
    let (text, steps) = many("steps:\n", inside);
    let text = format!("{text}- {{id: s{steps}, values: {{v{steps}: '1'}}}}\n");
    assert_eq!(count(&load(&text).diagnostics, "W012"), (steps, MOST_OF_A_KIND));
    // With a way back all of them may have been set.
    let text = format!("{text}- {{id: back, message: Again?, options: [{{label: yes, goto: s0}}, no]}}\n");
    assert_eq!(count(&load(&text).diagnostics, "W012"), (0, 0));
}

#[test]
fn mistakes_are_counted_and_the_first_are_listed() {
    for (code, (text, mistakes)) in [
        ("E011", many("steps:\n", |i| format!("- {{id: s{i}, command: x, goto: t{i}}}\n"))),
        ("E010", many("steps:\n- {id: s, command: x}\n", |_| "- {id: s, command: x}\n".to_owned())),
        ("E005", many("steps: [command: x]\n", |i| format!("unknown{i}: 1\n"))),
        ("E003", many("steps: [command: x]\nname: x\n", |_| "name: x\n".to_owned())),
        ("E007", many("steps:\n", |_| "- 1\n".to_owned())),
        ("W006", many("steps:\n- command: |\n", |i| format!("    x {{{{ nope{i} }}}}\n"))),
        ("E014", many("steps:\n- command: |\n", |_| "    x {{ }}\n".to_owned())),
        ("E013", many("steps:\n", |i| format!("- {{command: x, condition: x{i}}}\n"))),
        ("E010", many("steps:\n- message: x\n  options:\n  - x\n", |_| "  - x\n".to_owned())),
    ] {
        let found = load(&text).diagnostics;
        assert_eq!(count(&found, code), (mistakes, MOST_OF_A_KIND), "{code}");
        let last = found.iter().find(|found| found.left_out > 0 && found.code == code).unwrap();
        let number = mistakes - MOST_OF_A_KIND;
        assert_eq!(last.message, format!("{number} more findings of this kind, here and further on, are not listed"));
    }
}

#[test]
fn environments_of_many_entries_in_many_steps() {
    let env: String = (0..4_000).map(|i| format!("E{i}: '{{{{ params.a }}}}', ")).collect();
    let head = format!("params: [{{name: a}}]\nenv: {{{env}}}\nsteps:\n");
    let (text, steps) = many(&head, |i| format!("- {{command: 'eval \"$E{i}\"'}}\n"));
    assert_eq!(count(&load(&text).diagnostics, "W007"), (steps.min(4_000), MOST_OF_A_KIND));
}
