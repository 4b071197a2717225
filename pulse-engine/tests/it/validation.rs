//! What is found in definitions: every kind of mistake with its code and line, all of a document at once.

use pulse_core::diagnostic::Severity;
use pulse_engine::{load, load_stored};

/// The findings of a document as `code:line`.
fn findings(source: &str) -> Vec<String> {
    load(source).diagnostics.iter().map(|d| format!("{}:{}", d.code, d.line)).collect()
}

#[test]
fn five_mistakes_give_five_findings_with_their_lines() {
    let source = "\
name: five
params:
  - {name: limit, type: integer, default: many}
steps:
  - id: check
    command: df {{ params.mount }}
    retrys: 3
  - id: decide
    conditions:
      - {if: state.pct >, goto: ask}
      - {default: true, goto: nowhere}
  - {id: ask, message: ok?}
";
    assert_eq!(findings(source), ["E016:3", "E015:6", "E005:7", "E013:10", "E011:11"]);
    let loaded = load(source);
    assert!(loaded.plan.is_none());
    let unknown = &loaded.diagnostics[2];
    assert_eq!((unknown.path.as_str(), unknown.column), ("steps[0].retrys", 5));
    assert_eq!(unknown.help, "did you mean `retries`?");
}

#[test]
fn every_kind_of_mistake_is_found() {
    let step = |fields: &str| format!("steps:\n  - {fields}\n");
    let cases: &[(String, &[&str])] = &[
        ("a: [".to_owned(), &["E001:2"]),
        ("- a".to_owned(), &["E007:1"]),
        ("name: x\nsteps: []".to_owned(), &["E006:2"]),
        ("name: x".to_owned(), &["E006:1"]),
        ("steps:\n  - {command: a, id: x}\n  - {command: b, id: x}".to_owned(), &["E010:3"]),
        (step("{command: a, command: b}"), &["E003:2"]),
        (step("{command: a, type: excute}"), &["E012:2"]),
        (step("{id: x}"), &["E012:2"]),
        (step("{command: a, id: 1x}"), &["E009:2"]),
        (step("{command: a, id: end}"), &["E009:2"]),
        (step("{command: a, timeout: soon}"), &["E007:2"]),
        (step("{command: a, timeout: 2d}"), &["E008:2"]),
        (step("{command: a, retries: 101}"), &["E008:2"]),
        (step("{command: a, retries: many}"), &["E007:2"]),
        (step("{command: a, argv: [b]}"), &["E020:2"]),
        (step("{command: a, goto: b}"), &["E011:2"]),
        (step("{command: a, on_error: b}"), &["E011:2"]),
        (step("{command: 'a {{ b }'}"), &["E014:2"]),
        (step("{command: 'a {{ 1 + }}'}"), &["E014:2"]),
        (step("{command: 'print({{ params.x }})', shell: /usr/bin/python3}"), &["E014:2", "E015:2"]),
        (step("{command: a, condition: 'let x = 1'}"), &["E013:2"]),
        (step("{command: a, condition: 'nope.x'}"), &["E013:2"]),
        (step("{command: a, condition: 'steps.nope.status'}"), &["E015:2"]),
        (step("{command: a, condition: '1 < 2'}"), &["W003:2"]),
        (step("{command: 'a {{ nope }}'}"), &["W006:2"]),
        (step("{command: 'a {{ nope | raw }}'}"), &["W001:2", "W006:2"]),
        (step("{command: 'a {{ nope | up }}'}"), &["E014:2"]),
        (step("{type: parse, format: lines}"), &["E006:2"]),
        (step("{type: parse, format: regex, pattern: '('}"), &["E019:2"]),
        (step("{type: parse, format: regex, pattern: 'x'}"), &["E019:2"]),
        (step("{type: parse, from: nope}"), &["E011:2"]),
        (step("{conditions: [{goto: end}]}"), &["E006:2"]),
        (step("{conditions: [{default: true, goto: end}, {if: state.x, goto: end}]}"), &["E018:2", "W006:2"]),
        (step("{message: m, options: [a, a]}"), &["E010:2"]),
        (step("{message: m, options: [a, b], routes: {a: end}}"), &["W005:2"]),
        (step("{message: m, options: [a], routes: {z: end}}"), &["E015:2"]),
        (step("{message: m, options: [a, {label: b, value: a}]}"), &["E010:2"]),
        (step("{message: m, options: [{label: a, value: b}, b]}"), &["E010:2"]),
        (step("{message: m, options: [{label: a, value: c}, {label: b, value: c}]}"), &["E010:2"]),
        (step("{message: m, options: [{label: a, value: b}, {label: c, value: d}]}"), &[]),
        (step("{message: m, options: [{label: a, goto: end}], routes: {a: fail}}"), &["E020:2"]),
        (step("{message: m, options: [{label: a, value: b}], routes: {a: fail, b: end}}"), &["E020:2"]),
        (step("{type: set, values: {prompt_response: '1'}}"), &["E009:2"]),
        (step("{type: set, values: {promptResponse: '1'}}"), &["E009:2"]),
        (step("{command: a, parse: {format: lines, as: prompt_response}}"), &["E009:2"]),
        (step("{type: parse, format: regex, pattern: '(?<promptResponse>x)'}"), &["E009:2"]),
        (step("{message: m, fields: [prompt_response]}"), &["E009:2"]),
        (step("{type: wait}"), &["E006:2"]),
        (step("{type: wait, duration: 1, until: '2'}"), &["E020:2"]),
        (step("{type: set, values: {1a: '1'}}"), &["E009:2"]),
        (step("{type: parallel, branches: []}"), &["E006:2"]),
        (step("{command: a, on_offline: wait}"), &[]),
        (step("{command: a, strategy: {parallel: 0}}"), &["E008:2"]),
        (step("{command: a, strategy: {parallel: 200%}}"), &["E008:2"]),
        (step("{command: a, env: {A B: x}}"), &["E009:2"]),
        ("env: {PULSE_V1: x}\nsteps: [{command: a}]".to_owned(), &["E009:1"]),
        ("steps:\n  - {command: a, goto: end}\n  - {command: b}".to_owned(), &["W004:3"]),
        ("params: [{name: a-b}]\nsteps: [{command: x}]".to_owned(), &["E009:1"]),
        ("params: [a, a]\nsteps: [{command: x}]".to_owned(), &["E010:1"]),
        ("params: [{name: a, type: choice}]\nsteps: [{command: x}]".to_owned(), &["E006:1"]),
        ("params: [{name: a, type: secret, default: x}]\nsteps: [{command: x}]".to_owned(), &["E016:1"]),
        ("params: [{name: a, type: secret, pattern: '['}]\nsteps: [{command: x}]".to_owned(), &["E019:1"]),
        ("params: [{name: a, type: secret, options: [x]}]\nsteps: [{command: x}]".to_owned(), &["E020:1"]),
        (step("{message: m, fields: [{name: a, type: secret}]}"), &["E022:2"]),
        ("params: [{name: a, type: integer, min: 5, default: 1}]\nsteps: [{command: x}]".to_owned(), &["E016:1"]),
        ("params: [{name: a, pattern: '['}]\nsteps: [{command: x}]".to_owned(), &["E019:1"]),
        ("name: \"\"\nsteps: [{command: x}]".to_owned(), &["E009:1"]),
        ("on_failure: []\nsteps: [{command: x}]".to_owned(), &[]),
    ];
    for (source, expected) in cases {
        assert_eq!(findings(source), *expected, "{source}");
    }
}

#[test]
fn json_and_the_first_forms_of_params_are_read() {
    let loaded = load(r#"{"params": ["a"], "steps": [{"type": "run", "command": "echo {{a}}"}]}"#);
    assert!(loaded.diagnostics.is_empty() && loaded.plan.is_some(), "{:?}", loaded.diagnostics);
    let loaded = load("params:\n  a:\n  b: {default: 1, type: integer}\nsteps: [{command: 'x {{ a }} {{ b }}'}]");
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let params = loaded.workflow.unwrap().params;
    assert!(params[0].required && !params[1].required);
}

#[test]
fn errors_and_warnings_are_told_apart() {
    let loaded = load("steps: [{command: 'a {{ nope }}'}]");
    assert_eq!(loaded.diagnostics[0].severity, Severity::Warning);
    assert!(loaded.plan.is_some());
}

#[test]
fn an_answer_goes_by_all_of_its_names() {
    for name in ["prompt_response", "promptResponse", "state.prompt_response", "state.promptResponse"] {
        let with = format!("steps:\n  - {{message: hm}}\n  - {{command: a, condition: '{name} == \"Continue\"'}}\n");
        assert_eq!(findings(&with), [""; 0], "{name}");
    }
    // Nothing asks here.
    let without = "steps:\n  - {command: a, condition: 'state.promptResponse == \"x\"'}\n";
    assert_eq!(findings(without), ["W006:2"]);
}

#[test]
fn every_step_takes_a_time_limit() {
    let kinds = [
        "type: wait, duration: 5s",
        "workflow: w",
        "items: [a], steps: [{command: a}]",
        "branches: [[{command: a}]]",
        "values: {a: '1'}",
        "type: parse",
        "conditions: [{default: true, goto: end}]",
        "message: hm",
        "command: a",
    ];
    for kind in kinds {
        let findings = |timeout: &str| findings(&format!("steps:\n  - {{{kind}, timeout: {timeout}}}\n"));
        assert_eq!(findings("90"), [""; 0], "{kind}");
        assert_eq!(findings("soon"), ["E007:2"], "{kind}");
        assert_eq!(findings("0"), ["E008:2"], "{kind}");
    }
}

#[test]
fn a_cycle_without_a_way_out_is_found_whatever_it_sets() {
    let steps = |steps: &str| findings(&format!("steps:\n{steps}"));
    let set = "  - {id: a, values: {n: '1'}";
    assert_eq!(steps(&format!("{set}, goto: a}}\n")), ["E021:2"]);
    assert_eq!(steps(&format!("{set}}}\n  - {{id: b, type: parse, goto: a}}\n")), ["E021:2"]);
    let default = "  - {id: r, conditions: [{if: 'state.n > 3', goto: a}, {default: true, goto: a}]}\n";
    assert_eq!(steps(&format!("{set}}}\n{default}")), ["E021:2"]);
    assert_eq!(steps(&format!("{set}, goto: nowhere}}\n")), ["E011:2"]);
    // A way out, a condition that may skip the jump, or something that takes time.
    let out = "  - {id: r, conditions: [{if: 'state.n > 3', goto: end}, {default: true, goto: a}]}\n";
    assert_eq!(steps(&format!("{set}}}\n{out}")), [""; 0]);
    assert_eq!(steps(&format!("{set}, goto: a, condition: 'state.n != 1'}}\n")), [""; 0]);
    assert_eq!(steps(&format!("{set}}}\n  - {{id: w, duration: 5, goto: a}}\n")), [""; 0]);
    assert_eq!(steps(&format!("{set}}}\n  - {{id: c, command: x, goto: a}}\n")), [""; 0]);
}

#[test]
fn a_parameter_that_may_be_missing_is_found_where_it_would_fail_its_step() {
    let params = "params: [{name: note, required: false}, {name: key, type: secret, required: false}, given, {name: d, default: 1}]";
    let found = |steps: &str| findings(&format!("{params}\nsteps:\n{steps}\n"));
    let written = [
        "{command: 'logger {{ note }}'}",
        "{command: 'logger {{ params.note }}'}",
        "{command: 'logger {{ params[\"note\"] }}'}",
        "{command: 'ssh a {{ note | sh }}'}",
        "{argv: [a, 'x {{ note }}']}",
        "{command: a, env: {A: '{{ note }}'}}",
        "{command: a, stdin: '{{ note }}'}",
        "{command: a, cwd: '/srv/{{ note }}'}",
        "{command: a, targets: '{{ note }}'}",
        "{message: 'Well, {{ note }}?'}",
        "{message: a, options: ['{{ note }}', b]}",
        "{conditions: [{if: 'params.given == 1', goto: end, label: '{{ note }}'}]}",
        "{workflow: '{{ note }}'}",
        "{workflow: w, params: {a: 'x {{ note }}'}}",
        "{items: ['{{ note }}'], steps: [{command: a}]}",
        "{items: [a], steps: [{command: 'logger {{ note }}'}]}",
        "{command: 'logger {{ note }}', condition: 'params.given == 1'}",
        "{command: 'logger {{ note ?? 1 }} {{ note }}'}",
    ];
    for step in written {
        assert_eq!(found(&format!("  - {step}")), ["W010:3"], "{step}");
    }
    let looked_at = [
        "{command: 'logger {{ note ?? \"none\" }}'}",
        "{command: 'logger {{ note == () ? 1 : note }}'}",
        "{command: 'logger {{ is_empty(note) }}'}",
        "{command: 'logger {{ note }}', condition: 'params.note != ()'}",
        "{items: [a], condition: '!is_empty(params.note)', steps: [{command: 'logger {{ note }}'}]}",
        "{items: [a], as: note, steps: [{command: 'logger {{ note }}'}]}",
        // A child that is given nothing uses its default.
        "{workflow: w, params: {a: '{{ note }}'}}",
        // A secret that is not given is the empty text.
        "{command: 'logger {{ key }} {{ given }} {{ d }}'}",
    ];
    for step in looked_at {
        assert_eq!(found(&format!("  - {step}")), [""; 0], "{step}");
    }
    // A route may lead around it; what a step sets is read where the parameter has no value.
    let route = "  - {conditions: [{if: 'params.note == ()', goto: end}]}\n  - {command: 'logger {{ note }}'}";
    assert_eq!(found(route), [""; 0]);
    let set = "  - {values: {note: '1'}}\n  - {command: 'logger {{ note }}'}";
    assert_eq!(found(set), [""; 0]);
    assert_eq!(found(&set.replace("{{ note", "{{ params.note")), ["W010:4"]);
    let everywhere = format!("{params}\nenv: {{NOTE: '{{{{ note }}}}'}}\nsteps: [{{command: a}}]");
    assert_eq!(findings(&everywhere), ["W010:2"]);
}

#[test]
fn fields_that_nothing_has_are_found() {
    let with = |expression: &str| {
        format!("steps:\n  - {{id: a, command: uptime}}\n  - {{id: b, command: 'echo {{{{ {expression} }}}}'}}\n")
    };
    for wrong in ["last.stdot", "execution.nope", "steps.a.exit_cod", "steps['a'].nope", "last['nope']"] {
        assert_eq!(findings(&with(&wrong.replace('\'', "''"))), ["E015:3"], "{wrong}");
    }
    for right in [
        "last.stdout",
        "last.exit_code",
        "last.worker",
        "last.success",
        "last.stderr.length",
        "execution.id",
        "execution.workflow",
        "execution.started_by",
        "execution.started_at",
        "steps.a.status",
        "steps.a.run",
        "steps.a.error == ()",
        "steps.a.results[\"w\"].stdout",
        "steps.a.state == ()",
        "len(keys(steps.a.results))",
    ] {
        assert_eq!(findings(&with(right)), Vec::<String>::new(), "{right}");
    }
    let wrong = load(&with("last.stdot"));
    assert_eq!(wrong.diagnostics[0].help, "did you mean `stdout`?");
}

/// A way that leads out of its own list of steps is one to nowhere.
#[test]
fn ways_out_of_their_list_are_found() {
    for way in ["goto: after", "on_error: after"] {
        let source = format!(
            "steps:\n  - id: each\n    type: foreach\n    items: [1]\n    as: n\n    steps:\n      - {{command: a, {way}}}\n  - {{id: after, command: b}}\n"
        );
        assert_eq!(findings(&source), ["E011:7"], "{way}");
    }
    let source = "steps:\n  - type: parallel\n    branches:\n      - name: x\n        steps:\n          - {message: m, options: [y], routes: {y: after}}\n  - {id: after, command: b}\n";
    assert_eq!(findings(source), ["E011:6"]);
}

/// An upgrade must not keep from going on what waits since before.
#[test]
fn what_was_stored_runs_though_a_later_version_calls_it_wrong() {
    for source in [
        "name: x\nsteps: [{id: a, command: ls, targets: 'role==db'}]",
        "name: x\nsteps: [{id: a, type: set, values: {n: '1'}, goto: a}]",
        "name: x\nsteps: [{id: a, type: set, values: {n: steps.b.status}}]",
    ] {
        let (new, stored) = (load(source), load_stored(source));
        assert!(new.plan.is_none() && stored.plan.is_some(), "{source}: {:?}", stored.diagnostics);
        assert_eq!(new.diagnostics, stored.diagnostics);
    }
    // What has no plan has none.
    for source in [
        "name: x\nsteps: [{id: a, command: ls, condition: '1 +'}]",
        "name: x\nsteps: [{id: a, command: 'ls ${{{ x }}}'}]",
        "name: x\nparams: [{name: s, type: secret}]\nsteps: [{id: a, message: '{{ s }}'}]",
        "name: x\nsteps: [{id: a, command: ls, goto: nowhere}]",
    ] {
        assert!(load_stored(source).plan.is_none(), "{source}");
    }
}

/// What is wrong elsewhere hides neither what nothing reaches nor what goes round.
#[test]
fn ways_are_looked_at_beside_other_mistakes() {
    let of = |more: &str| {
        let reach = "steps:\n  - {id: a, command: x, goto: c}\n  - {id: b, command: x}\n  - {id: c, command: x";
        let codes = |source: &str| load(source).diagnostics.into_iter().map(|found| found.code).collect::<Vec<_>>();
        codes(&format!("params: [{{name: p, default: x, type: string}}]\n{reach}{more}}}\n"))
    };
    assert_eq!(of(""), ["W004"]);
    assert_eq!(of(", colour: red"), ["W004", "E005"]);
    assert_eq!(of(", retrys: 3"), ["W004", "E005"]);
    assert_eq!(of(", targets: '=x'"), ["W004", "E023"]);
    // These may lead there.
    for more in ["gto: b", "next: b", "on_success: b", "on_eror: b", "goto: bb"] {
        assert!(!of(&format!(", {more}")).contains(&"W004".to_owned()), "{more}");
    }
    let round = "{id: a, command: x, goto: a, on_error: a";
    assert_eq!(findings(&format!("colour: red\nsteps:\n  - {round}}}\n")), ["E005:1", "E021:3"]);
    // This may be what ends it.
    assert!(!findings(&format!("timout: 1h\nsteps:\n  - {round}}}\n")).contains(&"E021:3".to_owned()));
}

#[test]
fn all_that_is_wrong_with_a_command_is_told_at_once() {
    let found = findings(
        "\
params: [a, b]
steps:
  - env: {X: '{{ params.none }}'}
    command: |
      echo $'{{ a'
      rm {{ b | raw }} {{ steps.none.status }} $'{{ a }}'
",
    );
    assert!(found.contains(&"E014:5".to_owned()), "{found:?}");
    let found = findings(
        "\
params: [a, b]
steps:
  - env: {X: '{{ params.none }}'}
    command: |
      rm {{ b | raw }} {{ steps.none.status }}
      echo ${{{ a }}}
",
    );
    assert_eq!(found, ["E015:3", "W001:5", "E015:5", "E014:6"]);
}

#[test]
fn a_minus_in_the_name_of_a_worker_is_told() {
    let of = |expression: &str| {
        let found = load(&format!(
            "steps:\n  - {{id: web, command: x, parse: kv}}\n  - {{type: set, values: {{x: '{expression}'}}}}\n"
        ));
        found.diagnostics.into_iter().map(|found| format!("{} {}", found.code, found.help)).collect::<Vec<_>>()
    };
    let expected = ["W006 write `steps.web.results[\"web-01\"]`"];
    assert_eq!(of("steps.web.results.web-01.vars.x"), expected);
    assert_eq!(of("1 + steps.web.results.web-01.exit_code"), expected);
    assert_eq!(
        of("steps[\"web\"].results.web-01-b"),
        ["E013 a minus subtracts: write `steps[\"web\"].results[\"web-01-b\"]`"]
    );
    for fine in
        ["steps.web.results[\"web-01\"].vars.x", "steps.web.results.w.exit_code - 1", "steps.web.results.w.vars.x-1"]
    {
        assert_eq!(of(fine), [""; 0], "{fine}");
    }
    let template =
        load("steps:\n  - {id: web, command: x}\n  - {command: 'echo {{ steps.web.results.web-01.stdout }}'}\n");
    assert_eq!(template.diagnostics.iter().map(|found| found.column).collect::<Vec<_>>(), [24]);
}
