//! The slips of every day, and what the help line says about each.

use pulse_engine::expr::{Expr, Scope};
use pulse_engine::{load, load_stored};
use serde_json::json;

/// The findings of a document: code, line, message and help.
fn found(source: &str) -> Vec<String> {
    let shown = |d: &pulse_core::diagnostic::Diagnostic| format!("{}:{} {} => {}", d.code, d.line, d.message, d.help);
    load(source).diagnostics.iter().map(shown).collect()
}

/// Each document has one finding, with this code, line, and these words in its help.
fn each(cases: &[(&str, &str, &str)]) {
    for (source, at, help) in cases {
        let all = found(source);
        let [one] = &all[..] else { panic!("{source}{all:#?}") };
        assert!(one.starts_with(at), "{source}{one}");
        assert!(one.split_once(" => ").unwrap().1.contains(help), "{source}{one}");
    }
}

#[test]
fn text_that_needs_quotes_is_told_so() {
    each(&[
        ("steps:\n  - command: echo a: b\n", "E001:2", r#"`command: "echo a: b"`"#),
        ("steps:\n  - command: echo a:\n    id: x\n", "E001:", r#"`command: "echo a:"`"#),
        ("steps:\n  - id: x\n    command: x\n    condition: a ? b : c\n", "E001:4", r#"`condition: "a ? b : c"`"#),
        ("steps:\n  - command: x\n    targets: *\n", "E001:3", r#"`targets: "*"`"#),
        ("steps:\n  - command: x\n    targets: *.example\n", "E001:3", r#"`targets: "*.example"`"#),
        ("steps:\n  - command: @foo  # why\n", "E001:2", r#"`command: "@foo"`"#),
        ("steps:\n  - command: `date`\n", "E001:2", r#"`command: "`date`"`"#),
        ("steps:\n  - command: x\n    condition: \"a\" == params.x\n", "E001:3", r#"`condition: '"a" == params.x'`"#),
        ("steps:\n\t- command: x\n", "E001:2", "no tabs for indentation"),
        ("steps:\n  - command: x\n\tid: y\n", "E001:", "no tabs for indentation"),
    ]);
}

#[test]
fn a_template_without_quotes_is_one_finding() {
    let bare = "E001:3 this is a YAML mapping and no template";
    let each_of = |cases: &[(&str, &str, &str)]| {
        let with_param = |(step, at, help)| (format!("params: [x]\nsteps:\n  - {step}\n"), at, help);
        let cases: Vec<(String, &str, &str)> = cases.iter().copied().map(with_param).collect();
        each(&cases.iter().map(|(source, at, help)| (source.as_str(), *at, *help)).collect::<Vec<_>>());
    };
    each_of(&[
        ("command: {{ x }}", bare, r#"`command: "{{ x }}"`"#),
        ("command: {{ x }}  # why", bare, r#"`command: "{{ x }}"`"#),
        ("command: {{x}} y\n  - command: z", bare, r#"`command: "{{x}} y"`"#),
        ("command: {{ x | sh }}", bare, r#"`command: "{{ x | sh }}"`"#),
        ("command: {{ x == 'y' }}", bare, r#"`command: "{{ x == 'y' }}"`"#),
        ("{command: {{ x }}, id: y}", bare, r#"put it in quotes: `"{{ x }}"`"#),
        ("command: y\n    targets: [z, {{ x }}]", "E001:4 this", r#"put it in quotes: `"{{ x }}"`"#),
        ("command: y\n    env:\n      A: {{\n        x }}", "E001:5 this", r#"put it in quotes: `"{{ x }}"`"#),
        // Expressions have no braces, and so need no quotes for them.
        ("command: y\n    condition: {{ x }} == 1", "E001:4 this", "no {{ }}: `condition: x == 1`"),
        ("command: y\n    condition: {{ x }}", "E013:4 ", "write `params.x` as it is"),
        ("type: set\n    values: {y: {{ x }}}", "E013:4 ", "write `params.x` as it is"),
        // With quotes it would be as wrong.
        ("command: y\n    timeout: {{ x }}", "E007:4 `timeout`", "write seconds"),
    ]);
    each(&[
        ("{{ x }}\n", "E001:1 this", r#"put it in quotes: `"{{ x }}"`"#),
        ("steps:\n  - command: y\n    ? [z]\n    : y\n", "E001:3 a key must be text", "write a name before the colon"),
        ("steps:\n  - {command: y, { z: a }: y}\n", "E001:2 a key must be text", "write a name before the colon"),
    ]);
    // A mistake that stands further down is one of its own.
    let two = found("params: [x]\nsteps:\n  - command: {{ x }}\n  - command: z\n    targets: *\n");
    assert_eq!(two.len(), 2, "{two:#?}");
}

#[test]
fn a_negation_is_no_tag() {
    let help = |step: &str| {
        let all = found(&format!("params: [{{name: x, type: boolean}}]\nsteps:\n  - {step}\n"));
        all.into_iter().find(|one| one.starts_with("E004:") || one.starts_with("E001:")).expect("a finding")
    };
    for (step, shown) in [
        ("command: a\n    condition: !params.x", r#"`condition: "!params.x"`"#),
        ("command: a\n    condition: !params.x && params.x", r#"`condition: "!params.x && params.x"`"#),
        ("command: a\n    condition: !(params.x && params.x)", r#"`condition: "!(params.x && params.x)"`"#),
        ("command: a\n    condition: !is_empty(state.a) # b", r#"`condition: "!is_empty(state.a)"`"#),
        ("{command: a, condition: !params.x}", r#"`"!params.x"`"#),
        ("conditions: [{if: !params.x , goto: end}, {default: true, goto: fail}]", r#"`"!params.x"`"#),
    ] {
        assert!(help(step).contains(shown), "{}", help(step));
    }
    // Tags of YAML's own are no negation.
    assert!(help("command: !!str 1").ends_with("=> leave the tag out"));
}

#[test]
fn merge_keys_are_named_and_what_they_merge_is_not_missed() {
    let source = "steps:\n  - &a {id: x, command: a}\n  - {<<: *a, id: y}\n  - {<<: [*a], id: z, goto: y}\n";
    let help = "merge keys (`<<`) are not in the language => write the fields out, or have `defaults` say what is the same \
                for all";
    assert_eq!(found(source), [format!("E005:3 {help}"), format!("E005:4 {help}")]);
}

#[test]
fn a_type_as_a_field_is_told_how_it_is_written() {
    each(&[
        ("steps:\n  - wait: 5\n", "E012:2", "did you mean `type: wait`, `duration: 5`?"),
        ("steps:\n  - wait: 10m\n", "E012:2", "did you mean `type: wait`, `duration: 10m`?"),
        ("steps:\n  - wait: now() + 5\n", "E012:2", "did you mean `type: wait`, `until: now() + 5`?"),
        ("steps:\n  - prompt: hi\n", "E012:2", "did you mean `type: prompt`, `message: hi`?"),
        ("steps:\n  - set: {a: 1}\n", "E012:2", "did you mean `type: set`, `values: {…}`?"),
        ("steps:\n  - foreach: [a]\n    steps: []\n", "E012:2", "did you mean `type: foreach`, `items: […]`?"),
        ("steps:\n  - foreach: state.lines\n", "E012:2", "did you mean `type: foreach`, `items: state.lines`?"),
        ("steps:\n  - parallel: [[{command: a}]]\n", "E012:2", "did you mean `type: parallel`, `branches: […]`?"),
        ("steps:\n  - execute: date\n", "E012:2", "did you mean `type: execute`, `command: date`?"),
        ("steps:\n  - id: x\n", "E012:2", "write `type:` (execute, parse,"),
    ]);
}

#[test]
fn an_id_that_a_step_without_one_has_is_said_to_be_so() {
    let given_first = "steps:\n  - {id: step-2, command: a}\n  - command: b\n";
    assert_eq!(
        found(given_first),
        ["E010:3 this step has no id and so is called `step-2`, as another step is => give it an id of its own"]
    );
    let given_last = "steps:\n  - command: b\n  - {id: step-1, command: a}\n";
    assert_eq!(
        found(given_last),
        [
            "E010:3 step id `step-1` stands twice: `steps[0]` has no id and so is called `step-1` => give that step an id, \
          or this one another"
        ]
    );
    let twice = "steps:\n  - {id: a, command: b}\n  - {id: a, command: a}\n";
    assert_eq!(
        found(twice),
        ["E010:3 step id `a` stands twice => give one of them another id: ids are unique in the document"]
    );
}

#[test]
fn on_error_is_told_what_it_takes() {
    let takes = "`on_error` takes fail, continue or the id of a step of its list";
    each(&[
        ("steps:\n  - {command: a, on_error: end}\n", "E011:2", takes),
        ("steps:\n  - {command: a, on_error: whatever}\n", "E011:2", takes),
        ("steps:\n  - {command: a, on_error: Continue}\n", "E011:2", "did you mean `continue`?"),
        ("steps:\n  - {command: a, on_error: Fail}\n", "E011:2", "did you mean `fail`?"),
        ("steps:\n  - {command: a, on_error: undos}\n  - {id: undo, command: a}\n", "E011:2", "did you mean `undo`?"),
        ("steps:\n  - {command: a, goto: END}\n", "E011:2", "did you mean `end`?"),
    ]);
}

#[test]
fn names_that_mean_something_else_are_refused_but_run_where_they_are_stored() {
    let reserved =
        "params state steps execution last prompt_response promptResponse true false null undefined if else in";
    for name in reserved.split(' ') {
        let source = format!("params: [{{name: {name:?}, default: a}}]\nsteps: [{{command: a}}]\n");
        let all = found(&source);
        assert!(
            all.len() == 1 && all[0].starts_with("E024:1 ") && all[0].contains("call it something else"),
            "{all:?}"
        );
        assert!(load(&source).plan.is_none() && load_stored(&source).plan.is_some());
        let source = format!("steps: [{{items: [a], as: {name:?}, steps: [{{command: a}}]}}]\n");
        let all = found(&source);
        assert!(all.len() == 1 && all[0].starts_with("E024:1 ") && all[0].contains("would not be the item"), "{all:?}");
        assert!(load(&source).plan.is_none() && load_stored(&source).plan.is_some());
    }
    // Every other word is the item, also where it would be something else in another language.
    let others =
        "for while let fn return switch import eval print this typeof and or not is None True NaN now len item";
    let words = reserved.split(' ').skip_while(|name| *name != "true");
    for (name, is_item) in others.split(' ').map(|name| (name, true)).chain(words.map(|name| (name, false))) {
        let mut scope = Scope::new();
        scope.set(name, json!(7));
        let alone = Expr::compile_with(name, &[name]).ok().and_then(|expr| expr.eval(&scope).ok());
        assert_eq!(alone == Some(json!(7)), is_item, "{name}: {alone:?}");
    }
    each(&[
        ("steps:\n  - {type: set, values: {steps: '1'}}\n", "E024:2", "call it something else"),
        ("steps:\n  - {command: a, parse: {format: lines, as: last}}\n", "E024:2", "call it something else"),
        ("steps:\n  - {message: a, fields: [execution]}\n", "E024:2", "call it something else"),
        ("steps:\n  - {type: parse, format: regex, pattern: '(?<in>a)'}\n", "E024:2", "call it something else"),
        ("steps:\n  - {items: [a], as: true, steps: [{command: a}]}\n", "E024:2", "call it something else"),
        // Nothing but a person answers, whatever was stored.
        ("steps:\n  - {type: set, values: {prompt_response: '1'}}\n", "E009:2", "call it something else"),
    ]);
    assert!(found("params: [step, item, it]\nsteps: [{command: 'a {{ step }}'}]\n").is_empty());
}

#[test]
fn an_expression_in_braces_is_given_back_with_its_roots() {
    let params = "params: [{name: t, default: a}, {name: u, default: b}]\nsteps:\n";
    let step = |items: &str| format!("{params}  - {{items: {items:?}, steps: [{{command: a}}]}}\n");
    each(&[
        (&step("{{ split(t, ',') }}"), "E013:3", "write `split(params.t, ',')` as it is"),
        (&step("{{ split(t + u, t) }}"), "E013:3", "write `split(params.t + params.u, params.t)` as it is"),
        (&step("{{ split(params.t, 'u') }}"), "E013:3", "write `split(params.t, 'u')` as it is"),
        (&step("{{ split(nope, t) }}"), "E013:3", "write `split(nope, t)` as it is"),
        (&step("{{ t }}"), "E013:3", "write `params.t` as it is"),
    ]);
}

#[test]
fn a_name_is_no_template() {
    each(&[
        ("steps:\n  - name: Check {{ a }}\n    command: a\n", "W014:2", "leave the {{ }} out"),
        ("name: a {{ b }}\nsteps:\n  - command: a\n", "W014:1", "leave the {{ }} out"),
        ("steps:\n  - branches: [{name: 'a {{ b }}', steps: [{command: a}]}]\n", "W014:2", "leave the {{ }} out"),
    ]);
    assert!(found("steps:\n  - name: a {{ b\n    command: a\n").is_empty());
}

#[test]
fn what_is_never_closed_is_called_what_it_is() {
    let command = |line: &str| format!("params: [x]\nsteps:\n  - command: {}\n", serde_json::to_string(line).unwrap());
    for (line, what) in [
        ("echo it's {{ x }}", "W008:3 this single quote is never closed"),
        ("echo $'a {{ x }}", "W008:3 this single quote is never closed"),
        ("echo \"a {{ x }}", "W008:3 this double quote is never closed"),
    ] {
        let all = found(&command(line));
        assert!(all.len() == 1 && all[0].starts_with(what), "{line}: {all:#?}");
    }
}

#[test]
fn fields_of_other_languages_are_told_what_they_are_here() {
    each(&[
        ("steps:\n  - {command: a, if: state.x}\n", "E005:2 unknown field `if`", "did you mean `condition`?"),
        ("steps:\n  - {command: a, when: state.x}\n", "E005:2 unknown field `when`", "did you mean `condition`?"),
        (
            "on: push\nsteps:\n  - command: a\n",
            "E005:1 unknown field `on`",
            "what starts a workflow, and when, is no part",
        ),
        ("cron: daily\nsteps:\n  - command: a\n", "E005:1 unknown field `cron`", "what starts a workflow, and when"),
        // Those of this one are told as before.
        ("env_: {}\nsteps:\n  - command: a\n", "E005:1 unknown field `env_`", "did you mean `env`?"),
    ]);
}
