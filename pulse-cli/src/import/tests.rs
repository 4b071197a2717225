//! What the first PULSE stored, and what becomes of it.

use super::{Imported, Item, import, read};
use serde_json::{Value, json};

fn items(value: &Value) -> Vec<Item> {
    read(&value.to_string(), "dump.json", "dump").unwrap()
}

fn all(value: &Value) -> Vec<Imported> {
    let rows = items(value).into_iter().filter_map(|item| match item {
        Item::Workflow(row) => Some(import(&row)),
        _ => None,
    });
    rows.collect()
}

/// The only workflow, imported, and its document.
fn one(value: &Value) -> (Imported, Value) {
    let mut all = all(value);
    assert_eq!(all.len(), 1);
    let imported = all.remove(0);
    let text = imported.text.clone().unwrap_or_else(|| panic!("{imported:?}"));
    let mut diagnostics = pulse_core::diagnostic::Diagnostics::default();
    let document = pulse_core::yaml::read(&text, &mut diagnostics).unwrap().to_json();
    (imported, document)
}

/// A row with one step.
fn row(step: Value) -> Value {
    json!({"id": 7, "name": "w", "definition": {"params": ["p"], "steps": [step]}})
}

fn remarks(imported: &Imported) -> Vec<String> {
    imported.changed.iter().chain(&imported.look).map(super::write::told).collect()
}

#[test]
fn a_row_keeps_what_it_says() {
    let definition = json!({
        "params": [{"name": "mount", "default": "/"}],
        "steps": [
            {"id": "check", "name": "Check", "type": "execute", "targets": ["web-01"], "command": "df -h"},
            {"id": "read", "type": "parse"},
            {"id": "ask", "type": "prompt", "message": "{{mount}} is full", "options": ["Clean", "Leave"],
             "routes": {"Clean": "clean", "Leave": "end"}},
            {"id": "clean", "type": "execute", "command": "echo a\necho b\n", "condition": "promptResponse === 'Clean'"}
        ]
    });
    let (imported, document) = one(&json!({
        "id": 3, "name": "disk", "description": "looks", "definition": definition.to_string(),
        "created_by": "ann\n# x", "created_at": "2024-05-01T10:00:00Z", "webhook_url": "https://hooks.example/x"
    }));
    assert_eq!(imported.taken, "4 steps, 1 parameter, a webhook");
    assert_eq!(document["steps"], definition["steps"]);
    assert_eq!(document["webhook"], "https://hooks.example/x");
    assert_eq!(
        remarks(&imported),
        ["lenient_conditions: true: a condition that fails counts as false, as it did in the first PULSE"]
    );
    let text = imported.text.unwrap();
    let head: Vec<&str> = text.lines().take(4).collect();
    assert_eq!(
        head,
        [
            "# Imported from the first PULSE: dump.json",
            "# There it was workflow 3 made by ann\\n# x on 2024-05-01T10:00:00Z",
            "# Changed on the way:",
            "#   lenient_conditions: true: a condition that fails counts as false, as it did in the first PULSE",
        ]
    );
    assert!(text.contains("    command: |\n      echo a\n      echo b\n"), "{text}");
}

#[test]
fn bare_definitions_lists_and_exports_are_read() {
    let bare = json!({"params": ["p"], "steps": [{"type": "execute", "command": "x"}]});
    assert_eq!(one(&bare).1["name"], "dump");
    let row = json!({"name": "a", "definition": bare});
    assert_eq!(all(&json!([row, {"name": "b", "definition": bare.to_string()}])).len(), 2);
    assert_eq!(all(&json!({"workflows": [row], "workers": [{}]})).len(), 1);
    let export = json!([{"type": "header"}, {"type": "table", "name": "workflows", "data": [row]}]);
    assert_eq!(all(&export)[0].from, "dump.json, item 2, row 1");
}

#[test]
fn what_is_no_workflow_is_told() {
    let found = items(&json!([
        {"schedule_type": "cron", "schedule_value": "* * * * *"}, {"schedule_type": "daily"},
        {"name": "web-01", "last_seen": "x"}, 5, {"a": 1}, {"type": "table", "name": "users", "data": [1, 2, 3]}
    ]));
    let told: Vec<String> = found
        .iter()
        .map(|item| match item {
            Item::Other { table, count } => format!("{table} {count}"),
            Item::Unknown { place, reason } => format!("{place}: {reason}"),
            Item::Workflow(row) => row.name.clone(),
        })
        .collect();
    assert_eq!(
        told,
        [
            "schedules 2",
            "workers 1",
            "dump.json, item 4: it is no object",
            "dump.json, item 5: it is no workflow: it has neither `steps` nor `definition`",
            "users 3",
        ]
    );
    assert!(read("name: yaml", "x", "x").unwrap_err().contains("`pulse workflow put` stores them"));
}

#[test]
fn limits_of_the_first_pulse_are_written_out() {
    let (imported, document) = one(&row(json!({
        "type": "execute", "command": "x", "timeout": 3600, "retries": 9, "retryDelayMs": 60000
    })));
    assert_eq!(
        document["steps"][0],
        json!({"type": "execute", "command": "x", "timeout": 600, "retries": 5, "retry_delay": "30s"})
    );
    assert_eq!(imported.changed.len(), 3, "{:?}", imported.changed);
    let (_, document) = one(&row(json!({"command": "x", "timeout": "1", "retries": "2", "retryDelayMs": 1500})));
    assert_eq!(document["steps"][0], json!({"command": "x", "timeout": 5, "retries": 2, "retry_delay": "1500ms"}));
    let (imported, document) = one(&row(json!({"command": "x", "timeout": 60, "retries": 0})));
    assert_eq!((document["steps"][0]["timeout"].clone(), imported.changed.len()), (json!(60), 0));
}

#[test]
fn empty_fields_said_nothing() {
    let (imported, document) =
        one(&row(json!({"id": "a", "command": "x", "goto": "", "condition": " ", "timeout": null})));
    assert_eq!(document["steps"][0], json!({"id": "a", "command": "x"}));
    assert_eq!(imported.changed.len(), 2);
    assert!(document.get("lenient_conditions").is_none());
}

#[test]
fn ids_that_are_none_here_are_renamed_with_the_ways_to_them() {
    let (imported, document) = one(&json!({"name": "w", "definition": {"steps": [
        {"id": 1, "command": "x", "goto": 2},
        {"id": "2", "type": "prompt", "message": "?", "options": [{"label": "a", "goto": "1"}, "b", "c"],
         "routes": {"b": "check disk", "c": "end"}},
        {"id": "check disk", "type": "route", "conditions": [{"default": true, "goto": "2"}]},
        {"id": "check_disk", "command": "y"},
        {"id": "end", "command": "z"}
    ]}}));
    let steps = &document["steps"];
    let ids: Vec<&str> = steps.as_array().unwrap().iter().map(|step| step["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["step_1", "step_2", "check_disk_", "check_disk", "step_end"]);
    assert_eq!((&steps[0]["goto"], &steps[1]["options"][0]["goto"]), (&json!("step_2"), &json!("step_1")));
    assert_eq!(steps[1]["routes"], json!({"b": "check_disk_", "c": "step_end"}));
    assert_eq!(steps[2]["conditions"][0]["goto"], "step_2");
    assert_eq!(imported.changed.len(), 4);
}

#[test]
fn parameters_that_are_something_else_here_are_renamed_with_their_uses() {
    let steps = json!([
        {"id": "steps", "type": "execute", "command": "scale {{steps}} {{ steps }} {{ last }} {{other}} steps",
         "condition": "params.steps > 1 && params?.last !== 'params.steps' && params['last'] && myparams.steps == state.steps"},
        {"id": "ask", "type": "prompt", "message": "{{steps}}?", "options": ["a"], "routes": {"a": "steps"}},
        {"id": "r", "type": "route", "conditions": [
            {"if": "params . steps == \"it\\\"s params.last\" || params.steps_ == params.stepsize", "goto": "steps"},
            {"default": true, "goto": "end"}]},
        {"id": "b", "type": "execute", "command": "{{ params.steps + params.last }} {{ steps"},
    ]);
    let changed = |params: Value| {
        let mut notes = super::change::Notes::default();
        let document = json!({"params": params, "steps": steps}).as_object().cloned().unwrap();
        let document = Value::Object(super::params::renamed(document, &mut notes));
        (document, notes.changed.iter().map(super::write::told).collect::<Vec<_>>())
    };
    // `steps_` stands there for something else.
    let (document, told) = changed(json!(["other", {"name": "steps", "default": "steps"}, "last"]));
    assert_eq!(document["params"], json!(["other", {"name": "steps__", "default": "steps"}, "last_"]));
    let renamed = &document["steps"];
    assert_eq!(renamed[0]["id"], "steps");
    assert_eq!(renamed[0]["command"], "scale {{steps__}} {{ steps__ }} {{ last_ }} {{other}} steps");
    assert_eq!(
        renamed[0]["condition"],
        "params.steps__ > 1 && params?.last_ !== 'params.steps' && params['last_'] && myparams.steps == state.steps"
    );
    assert_eq!((&renamed[1]["message"], &renamed[1]["routes"]), (&json!("{{steps__}}?"), &json!({"a": "steps"})));
    assert_eq!(
        renamed[2]["conditions"][0]["if"],
        "params . steps__ == \"it\\\"s params.last\" || params.steps_ == params.stepsize"
    );
    assert_eq!(renamed[3]["command"], "{{ params.steps__ + params.last_ }} {{ steps");
    assert_eq!(
        told,
        [
            "params[1]: `steps` is something else in expressions here: it is written `steps__`, as are uses of it; what \
             starts the workflow gives `steps__`",
            "params[2]: `last` is something else in expressions here: it is written `last_`, as are uses of it; what \
             starts the workflow gives `last_`",
        ]
    );
    let (document, told) = changed(json!({"last": {"default": "1"}, "other": null}));
    assert_eq!(document["params"], json!({"last_": {"default": "1"}, "other": null}));
    assert!(told[0].starts_with("params.last: "), "{told:?}");
    // A whole definition is imported so.
    let (imported, document) = one(&json!({"name": "w", "definition": {
        "params": ["true", "in"], "steps": [{"command": "x {{true}} {{in}}", "condition": "params.in == 1"}]}}));
    assert_eq!(document["params"], json!(["true_", "in_"]));
    assert_eq!(document["steps"][0], json!({"command": "x {{true_}} {{in_}}", "condition": "params.in_ == 1"}));
    assert_eq!(imported.changed.len(), 3, "{:?}", imported.changed);
}

#[test]
fn what_a_person_should_look_at() {
    let id = "9b2e9f0e-7d0b-4f62-8a55-0f8d5d3f6d11";
    let (imported, document) = one(&row(json!({"command": "ls {{p}}", "targets": [id, "web-01"]})));
    assert_eq!(document["steps"][0]["targets"], json!([id, "web-01"]));
    let told = remarks(&imported);
    assert!(told[0].starts_with("steps[0].command: values reach the shell as data"), "{told:?}");
    assert!(told[1].starts_with(&format!("steps[0].targets: {id} is an id of a worker")), "{told:?}");
    let (imported, _) = one(&row(json!({"command": "echo {{nope}}"})));
    assert!(remarks(&imported).iter().any(|remark| remark.contains("W006")), "{:?}", imported.look);
    let (imported, _) = one(&json!({"name": "w", "enabled": 1, "definition": {"steps": [{"command": "x"}]}}));
    assert_eq!(remarks(&imported), ["the column `enabled` has no counterpart here: it is left out"]);
}

#[test]
fn errors_keep_a_definition_out() {
    for (value, code) in [
        (row(json!({"command": "x", "condition": "state.list.map(x => x + 1)"})), "E013"),
        (row(json!({"command": "x", "condition": "function() { return 1 }"})), "E013"),
        (row(json!({"command": "x", "colour": "green"})), "E005"),
        (row(json!({"type": "http", "url": "x"})), "E012"),
        (json!({"name": "w", "definition": "{\"steps\": ["}), "E001"),
        (json!({"name": "w", "definition": 5}), "E007"),
        (json!({"name": "w", "definition": "[]"}), "E007"),
        (json!({"name": "w", "steps": []}), "E006"),
    ] {
        let imported = &all(&value)[0];
        assert!(imported.text.is_none(), "{value}");
        assert_eq!(imported.findings[0].code, code, "{value}: {:?}", imported.findings);
    }
}

#[test]
fn javascript_conditions_are_taken_as_they_are() {
    for condition in [
        "state.disk_pct !== undefined && parseInt(state.disk_pct) > 80",
        "params.p.toLowerCase().includes('web') ? true : false",
        "promptResponse === null || state.x == 'a'",
    ] {
        let (imported, document) = one(&row(json!({"command": "x", "condition": condition})));
        assert_eq!(document["steps"][0]["condition"], condition, "{imported:?}");
        assert_eq!(document["lenient_conditions"], true);
    }
}

#[test]
fn what_javascript_takes_for_true_is_written_out_or_told() {
    let (imported, document) = one(&json!({"name": "w", "definition": {
        "params": [{"name": "dry", "type": "boolean", "default": false}, {"name": "limit", "default": 80}, "p"],
        "steps": [
            {"id": "a", "type": "execute", "command": "x", "condition": "state.a && !params.dry && promptResponse"},
            {"id": "b", "type": "route", "conditions": [
                {"if": "(state.mode || 'ask') == 'ask'", "goto": "a"},
                {"condition": "!state.a.includes('x')", "goto": "a"},
                {"if": "state.a > params.limit || params.limit", "goto": "a"},
                {"default": true, "goto": "end"}]},
        ]
    }}));
    let steps = &document["steps"];
    assert_eq!(steps[0]["condition"], "!is_empty(state.a) && !params.dry && !is_empty(prompt_response)");
    let conditions = &steps[1]["conditions"];
    assert_eq!(conditions[0]["if"], "(!is_empty(state.mode) ? state.mode : 'ask') == 'ask'");
    assert_eq!(conditions[1]["condition"], "!state.a.includes('x')");
    let told = remarks(&imported);
    for part in [
        "steps[0].condition: `state.a && !params.dry && promptResponse` is written `!is_empty(state.a) && !params.dry \
         && !is_empty(prompt_response)`, so that it means the same here",
        "steps[1].conditions[0].if: `(state.mode || 'ask') == 'ask'` is written",
        "steps[1].conditions[1].condition: `!state.a.includes('x')`: where `state.a` is missing, the whole condition was",
        "steps[1].conditions[2].if: `state.a > params.limit || params.limit`: `params.limit` has a number for its default",
        "steps[1].conditions[2].if: `state.a > params.limit || params.limit`: `params.limit` decides by what JavaScript",
    ] {
        assert!(told.iter().any(|told| told.starts_with(part)), "{part}: {told:#?}");
    }
}
