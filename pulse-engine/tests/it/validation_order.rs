//! What is read before anything can have set it, and ways that lead round without an end.

use pulse_engine::load;

/// The findings of a document as `code:line`.
fn findings(source: &str) -> Vec<String> {
    load(source).diagnostics.iter().map(|d| format!("{}:{}", d.code, d.line)).collect()
}

/// The findings of steps, one to a line, the first in line 2.
fn of(steps: &[&str]) -> Vec<String> {
    let lines: String = steps.iter().map(|step| format!("  - {step}\n")).collect();
    findings(&format!("steps:\n{lines}"))
}

const SET: &str = "{id: s, type: set, values: {x: '1'}}";
const ASK: &str = "{id: q, message: m, fields: [f]}";
const RUN: &str = "{id: c, command: ls, parse: {format: lines, as: lines}}";

#[test]
fn what_is_read_too_early_is_found() {
    let read = |expression: &str| format!("{{id: r, command: 'echo {{{{ {expression} }}}}'}}");
    for (expression, setter) in [
        ("x", SET),
        ("state.x", SET),
        ("state.x + 1", SET),
        ("steps.s.status", SET),
        ("f", ASK),
        ("prompt_response", ASK),
        ("state.promptResponse", ASK),
        ("steps.q.response", ASK),
        ("lines", RUN),
        ("last.stdout", RUN),
        ("steps.c.results", RUN),
    ] {
        let reader = read(expression);
        assert_eq!(of(&[&reader, setter]), ["W012:2"], "{expression}");
        assert_eq!(of(&[setter, &reader]), [""; 0], "{expression}");
        // A way back, and one that only a failure takes.
        let back = setter.replacen("{id", "{goto: r, id", 1);
        assert_eq!(of(&[&reader, &back]), [""; 0], "{expression}");
        let id = setter.trim_start_matches("{id: ").split(',').next().unwrap();
        let failed = reader.replacen("{id", &format!("{{goto: end, on_error: {id}, id"), 1);
        assert_eq!(of(&[&failed, &back]), [""; 0], "{expression}");
        assert_eq!(of(&[&failed, setter]), ["W012:2"], "{expression}");
        // What counts when it is missing is said.
        assert_eq!(of(&[&read(&format!("{expression} ?? 0")), setter]), [""; 0], "{expression}");
    }
    let found = load(&format!("steps:\n  - {}\n  - {SET}\n", read("x"))).diagnostics.remove(0);
    assert_eq!(found.message, "`x`: no step that can have run before sets `x`");
    assert_eq!(
        found.help,
        "step `s` sets it; no way leads from there to here: set it before, or write `?? …` behind it"
    );
    assert_eq!(found.column, 31);
}

#[test]
fn every_way_that_may_be_taken_counts() {
    let reader = "{id: r, command: 'echo {{ x }} {{ steps.s.status }}'}";
    for (steps, found) in [
        // A condition may let it run, a route may lead there.
        (vec!["{id: s, type: set, values: {x: '1'}, condition: 'execution.id == 1'}", reader], 0),
        (vec!["{conditions: [{if: 'execution.id == 1', goto: s}, {default: true, goto: end}]}", SET, reader], 0),
        // No way leads from the one to the other.
        (
            vec![
                "{conditions: [{if: 'execution.id == 1', goto: s}, {default: true, goto: r}]}",
                "{id: s, type: set, values: {x: '1'}, goto: end}",
                reader,
            ],
            2,
        ),
        // What stands within a step has run when it has.
        (vec!["{items: [a], steps: [{id: s, values: {x: '1'}}]}", reader], 0),
        (vec!["{branches: [[{id: s, values: {x: '1'}}], [{command: ls}]]}", reader], 0),
        // Another branch may be faster, an item may have been before.
        (vec!["{branches: [[{id: s, values: {x: '1'}}], [{id: r, command: 'echo {{ x }} {{ steps.s.status }}'}]]}"], 0),
        (
            vec![
                "{items: [a], steps: [{id: r, command: 'echo {{ x }} {{ steps.s.status }}'}, {id: s, values: {x: '1'}}]}",
            ],
            0,
        ),
        // In one branch the order counts.
        (vec!["{branches: [[{id: r, command: 'echo {{ x }} {{ steps.s.status }}'}, {id: s, values: {x: '1'}}]]}"], 2),
        // What is around a step has started.
        (vec!["{id: s, items: [a], steps: [{id: r, command: 'echo {{ steps.s.status }} {{ steps.r.run }}'}]}"], 0),
        (vec!["{id: s, items: 'state.x', steps: [{id: r, values: {x: '1'}}]}"], 1),
        // Nothing leads there at all: that is the finding.
        (vec!["{command: ls, goto: end}", reader, SET], 0),
    ] {
        let early = of(&steps).into_iter().filter(|finding| finding.starts_with("W012")).count();
        assert_eq!(early, found, "{steps:?}");
    }
}

#[test]
fn phases_follow_each_other() {
    let document = |main: &str, failure: &str, last: &str| {
        findings(&format!("steps: [{main}]\non_failure: [{failure}]\nfinally: [{last}]\n"))
    };
    let (set, read) = ("{id: s, values: {x: '1'}}", "{id: r, command: 'echo {{ x }} {{ steps.s.status }}'}");
    let other = "{command: ls}";
    assert_eq!(document(set, read, other), [""; 0]);
    assert_eq!(document(set, other, read), [""; 0]);
    assert_eq!(document(other, set, read), [""; 0]);
    assert_eq!(document(read, set, other), ["W012:1", "W012:1"]);
    assert_eq!(document(read, other, set), ["W012:1", "W012:1"]);
    assert_eq!(document(other, read, set), ["W012:2", "W012:2"]);
    assert_eq!(document("{message: m}", "{command: 'echo {{ prompt_response }}'}", other), [""; 0]);
}

#[test]
fn output_that_cannot_be_there_is_not_read() {
    let (parse, from) = ("{id: p, type: parse}", "{id: p, type: parse, from: c}");
    for parse in [parse, from] {
        assert_eq!(of(&[parse, "{id: c, command: ls}"]), ["W012:2"], "{parse}");
        assert_eq!(of(&["{id: c, command: ls}", parse]), [""; 0], "{parse}");
    }
    assert_eq!(
        of(&["{command: ls}", "{conditions: [{if: last.success, goto: end}]}", from, "{id: c, command: ls}"]),
        ["W012:4"]
    );
    // Nothing can be told while a step cannot be read.
    assert_eq!(
        of(&["{id: r, command: 'echo {{ steps.c.status }}'}", "{id: c, type: comand, command: ls}"]),
        ["E012:3"]
    );
}

#[test]
fn cycles_that_nothing_leaves_are_found() {
    for (steps, found) in [
        (vec!["{id: a, command: ls, goto: a, on_error: a}"], &["E021:2"][..]),
        (vec!["{id: a, command: ls, goto: a, on_error: continue}"], &["E021:2"]),
        (vec!["{id: a, command: ls, on_error: continue}", "{id: b, command: ls, on_error: a, goto: a}"], &["E021:2"]),
        (
            vec![
                "{id: a, command: ls, on_error: continue}",
                "{id: b, conditions: [{if: last.success, goto: a}, {default: true, goto: a}]}",
            ],
            &["E021:2"],
        ),
        (vec!["{id: a, items: [x], steps: [{command: ls}], goto: a, on_error: a}"], &["E021:2"]),
        (vec!["{id: a, type: set, values: {n: 'int(\"x\")'}, on_error: a}"], &["E021:2"]),
        (vec!["{command: ls}", "{id: a, type: parse, format: json, on_error: a}"], &["E021:3"]),
        (vec!["{command: ls}", "{id: a, conditions: [{if: last.success, goto: end}], on_error: a}"], &["E021:3"]),
        // In a branch and an item as well.
        (vec!["{branches: [[{id: a, command: ls, goto: a, on_error: a}]]}"], &["E021:2"]),
        // Through what runs others, which cannot fail here.
        (
            vec![
                "{id: a, type: set, values: {n: '1'}}",
                "{type: parallel, branches: [[{id: q, type: set, values: {z: '1'}}]], goto: a}",
            ],
            &["E021:2"],
        ),
        (vec!["{id: a, items: [x], steps: [{command: ls, on_error: continue}], goto: a}"], &["E021:2"]),
        (vec!["{id: a, items: [x], steps: [{command: ls}], goto: a}"], &[]),
        (
            vec![
                "{id: a, items: [x], steps: [{command: ls, on_error: continue}, {conditions: [{if: last.success, goto: fail}]}], goto: a}",
            ],
            &[],
        ),
        (vec!["{id: a, items: [x], steps: [{command: ls, on_error: continue}, {message: m}], goto: a}"], &[]),
        // It comes again at once.
        (vec!["{id: a, command: ls, on_error: a}"], &["W013:2"]),
        (vec!["{id: a, command: ls, goto: a}"], &["W013:2"]),
        (vec!["{id: a, command: sleep 5; ls, on_error: a}"], &[]),
        (vec!["{id: a, argv: [sleep, '5'], goto: a}"], &[]),
        (vec!["{id: a, command: ls, retries: 5, on_error: a}"], &[]),
        // Something leads out, takes time, or asks.
        (vec!["{id: a, command: ls, on_error: b, goto: a}", "{id: b, command: ls}"], &[]),
        (vec!["{id: a, command: ls, goto: a, condition: 'execution.id == 1'}"], &[]),
        (
            vec![
                "{id: a, command: ls, retries: 3, on_error: b, goto: end}",
                "{id: b, type: wait, duration: 5s, goto: a}",
            ],
            &[],
        ),
        (vec!["{id: a, command: ls, on_error: continue}", "{id: b, type: wait, duration: 5s, goto: a}"], &[]),
        (vec!["{id: a, command: ls, on_error: continue}", "{id: b, message: m, goto: a}"], &[]),
        (
            vec![
                "{id: a, command: ls, on_error: continue}",
                "{id: b, conditions: [{if: last.success, goto: end}, {default: true, goto: a}]}",
            ],
            &[],
        ),
        (vec!["{id: a, workflow: w, goto: a, on_error: a}"], &[]),
        (vec!["{id: a, items: [x], steps: [{message: m}], goto: a, on_error: a}"], &[]),
        // A time limit, or what happens beside it, ends it; it comes again at once all the same.
        (vec!["{type: parallel, timeout: 1h, branches: [[{id: a, command: ls, goto: a, on_error: a}]]}"], &["W013:2"]),
        (vec!["{branches: [[{id: a, command: ls, goto: a, on_error: a}], [{command: ls}]]}"], &["W013:2"]),
        (
            vec![
                "{type: parallel, fail_fast: false, branches: [[{id: a, command: ls, goto: a, on_error: a}], [{command: ls}]]}",
            ],
            &["E021:2"],
        ),
    ] {
        assert_eq!(of(&steps), found, "{steps:?}");
    }
    assert_eq!(findings("timeout: 1h\nsteps:\n  - {id: a, command: ls, goto: a, on_error: a}\n"), ["W013:3"]);
}

/// What fails and goes on as if it had not goes where the step itself leads.
#[test]
fn a_jump_is_taken_after_a_failure_that_counts_as_success() {
    assert_eq!(
        of(&["{id: a, command: ls, on_error: continue, goto: c}", "{id: b, command: ls}", "{id: c, command: ls}"]),
        ["W004:3"]
    );
    let route = "{id: a, conditions: [{default: true, goto: c}], on_error: continue}";
    assert_eq!(of(&[route, "{id: b, command: ls}", "{id: c, command: ls}"]), [""; 0]);
}

#[test]
fn an_option_without_a_route_is_told_where_it_goes() {
    let help = |goto: &str| {
        let found =
            load(&format!("steps:\n  - {{message: m, options: [a, b], routes: {{a: end}}{goto}}}\n")).diagnostics;
        assert_eq!(found[0].code, "W005");
        found[0].help.clone()
    };
    assert_eq!(help(""), "it goes on with the next step; give it a route to say so");
    assert_eq!(help(", goto: fail"), "it goes where the step's own `goto` leads, to `fail`; give it a route to say so");
}

#[test]
fn what_kv_reads_has_names_in_lower_case() {
    let found = |steps: &str| {
        let found = load(&format!("params: [Limit]\nsteps:\n{steps}")).diagnostics;
        found.iter().map(|d| format!("{}:{} {}", d.code, d.line, d.help)).collect::<Vec<_>>()
    };
    let read = "  - {id: a, command: ls, parse: kv}\n";
    let help = "did you mean `disk_pct`? What `kv` reads gets names in lower case";
    let capitals = format!("{read}  - {{command: 'b {{{{ DISK_PCT }}}}', condition: state.DISK_PCT > params.Limit}}\n");
    assert_eq!(found(&capitals), [format!("W006:4 {help}"), format!("W006:4 {help}")]);
    // Nothing but a person answers.
    assert_eq!(found(&format!("{read}  - {{command: b, condition: 'state.prompt_response == 1'}}\n")).len(), 1);
    for fine in [
        format!("{read}  - {{command: 'b {{{{ disk_pct2 }}}} {{{{ Limit }}}}'}}\n"),
        // A field of an object may have any name.
        format!("{read}  - {{command: ls, parse: json}}\n  - {{command: 'b {{{{ DISK_PCT }}}}'}}\n"),
        format!("{read}  - {{type: set, values: {{DISK_PCT: '1'}}}}\n  - {{command: 'b {{{{ DISK_PCT }}}}'}}\n"),
    ] {
        assert_eq!(found(&fine), [""; 0], "{fine}");
    }
    // What is set by something else is looked for there.
    let before =
        format!("{read}  - {{command: 'b {{{{ DISK_PCT }}}}'}}\n  - {{type: set, values: {{DISK_PCT: '1'}}}}\n");
    assert!(found(&before)[0].starts_with("W012:4 "), "{:?}", found(&before));
}
