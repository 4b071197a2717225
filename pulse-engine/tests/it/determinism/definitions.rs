//! Random definitions: every kind of step, with conditions, jumps, failures borne, retries and roll-outs, nested two deep.

use super::dice::Dice;
use serde_json::{Map, Value, json};

/// What conditions and values are made of: some hold, some do not, some fail when they are evaluated.
const CONDITIONS: &[&str] = &[
    "state.n > 3",
    "state.n < params.n",
    "last.exit_code == 0",
    "last.stdout.contains(\"N=\")",
    "prompt_response == \"yes\"",
    "state.missing.deeper == ()",
    "state.text > 1",
    "len(state.lines) > 1",
    "params.p == \"x\" && state.n != 2",
    "now() > 0",
    "parseInt(state.text) > 1",
];
const VALUES: &[&str] =
    &["state.n + 1", "params.n", "1", "\"text\"", "last.stdout", "split(params.p, \",\")", "state.n / 2", "now()"];
const COMMANDS: &[&str] =
    &["true", "echo {{ p }} {{ n }}", "echo \"{{ state.n }}\"", "cat <<X\n{{ p }}\nX", "echo {{ execution.id }}"];
const TARGETS: &[&str] = &["all", "any", "w1", "w*", "role=db", "w1, w3", "{{ p }}"];

/// With `forward`, no jump leads back: such a definition cannot loop, whatever its steps are.
pub fn definition(bytes: &[u8], forward: bool) -> String {
    let mut dice = Dice::new(bytes);
    let dice = &mut dice;
    let mut document = Map::new();
    document.insert(
        "params".into(),
        json!([{"name": "p", "default": "w2"}, {"name": "n", "type": "integer", "default": 3}]),
    );
    // Longer than anything here takes: a command that ends by itself has not reached its time limit.
    document.insert("defaults".into(), json!({"timeout": "24h"}));
    document.insert("max_steps".into(), json!(12 + dice.roll(20)));
    document.insert("lenient_conditions".into(), json!(dice.one_in(4)));
    if dice.one_in(4) {
        document.insert("timeout".into(), json!("10m"));
    }
    document.insert("steps".into(), list(dice, "s", 0, forward));
    for (name, prefix) in [("on_failure", "f"), ("finally", "z")] {
        if dice.one_in(4) {
            document.insert(name.into(), list(dice, prefix, 1, forward));
        }
    }
    Value::Object(document).to_string()
}

fn list(dice: &mut Dice<'_>, prefix: &str, depth: usize, forward: bool) -> Value {
    let count = 1 + dice.roll(if depth == 0 { 6 } else { 3 });
    let ids: Vec<String> = (0..count).map(|index| format!("{prefix}{index}")).collect();
    let steps = ids.iter().enumerate().map(|(index, id)| {
        let others = if forward { &ids[index + 1..] } else { &ids[..] };
        let ways: Vec<&str> = others.iter().map(String::as_str).chain(["end", "fail"]).collect();
        let mut step = kind(dice, id, &ways, depth, forward);
        step.insert("id".into(), json!(id));
        if dice.one_in(4) {
            step.insert("condition".into(), json!(dice.pick(CONDITIONS)));
        }
        if dice.one_in(5) {
            step.insert("goto".into(), json!(dice.pick(&ways)));
        }
        match dice.roll(5) {
            3 => drop(step.insert("on_error".into(), json!("continue"))),
            4 if !others.is_empty() => drop(step.insert("on_error".into(), json!(others[dice.roll(others.len())]))),
            _ => {}
        }
        Value::Object(step)
    });
    Value::Array(steps.collect())
}

fn kind(dice: &mut Dice<'_>, id: &str, ways: &[&str], depth: usize, forward: bool) -> Map<String, Value> {
    let nested = if depth < 2 { 11 } else { 8 };
    let step = match dice.roll(nested) {
        0..=2 => return execute(dice),
        3 => json!({"type": "parse", "format": dice.pick(&["kv", "json"])}),
        4 => {
            let mut conditions: Vec<Value> =
                (0..1 + dice.roll(2)).map(|_| json!({"if": dice.pick(CONDITIONS), "goto": dice.pick(ways)})).collect();
            if dice.one_in(2) {
                conditions.push(json!({"default": true, "goto": dice.pick(ways)}));
            }
            json!({"type": "route", "conditions": conditions})
        }
        5 => return prompt(dice, ways),
        6 => match dice.roll(3) {
            0 => json!({"type": "wait", "duration": "90s"}),
            1 => json!({"type": "wait", "duration": 0}),
            _ => json!({"type": "wait", "until": dice.pick(&["now() + 30", "state.n", "\"2027-02-01T00:00:00Z\""])}),
        },
        7 => json!({"type": "set", "values": {"n": dice.pick(VALUES), "text": dice.pick(VALUES)}}),
        8 => {
            let mut branch = |index: usize| {
                let steps = list(dice, &format!("{id}b{index}"), depth + 1, forward);
                json!({"name": format!("b{index}"), "steps": steps})
            };
            let branches = [branch(0), branch(1)];
            json!({"type": "parallel", "branches": branches, "fail_fast": dice.one_in(2)})
        }
        9 => {
            let items = match dice.roll(3) {
                0 => json!(["a", "b", "c"]),
                1 => json!("split(params.p, \",\")"),
                _ => json!("state.n"),
            };
            let steps = list(dice, &format!("{id}i"), depth + 1, forward);
            json!({"type": "foreach", "items": items, "as": "item", "parallel": 1 + dice.roll(3), "steps": steps})
        }
        _ => json!({"type": "workflow", "workflow": "other", "params": {"x": "{{ n }}"}}),
    };
    match step {
        Value::Object(step) => step,
        _ => Map::new(),
    }
}

fn execute(dice: &mut Dice<'_>) -> Map<String, Value> {
    let mut step = Map::from_iter([("command".to_owned(), json!(dice.pick(COMMANDS)))]);
    let mut add = |name: &str, value: Value| drop(step.insert(name.to_owned(), value));
    add("targets", json!(dice.pick(TARGETS)));
    if dice.one_in(3) {
        add("retries", json!(dice.roll(3)));
        add("retry_delay", json!(dice.roll(2) * 20));
        add("backoff", json!(dice.pick(&["fixed", "exponential"])));
        add("jitter", json!(dice.one_in(2)));
    }
    if dice.one_in(3) {
        let width = [json!(1), json!("50%"), json!("all")][dice.roll(3)].clone();
        add("strategy", json!({"parallel": width, "max_failures": dice.roll(2)}));
    }
    if dice.one_in(3) {
        add("parse", json!("kv"));
    }
    match dice.roll(5) {
        3 => add("on_offline", json!("fail")),
        4 => {
            add("on_offline", json!("wait"));
            add("wait_for", json!("5m"));
        }
        _ => {}
    }
    if dice.one_in(4) {
        add("on_lost", json!("retry"));
    }
    step
}

fn prompt(dice: &mut Dice<'_>, ways: &[&str]) -> Map<String, Value> {
    let mut yes = json!({"label": "Yes {{ n }}", "value": "yes"});
    let mut no = json!({"label": "no"});
    if dice.one_in(2) {
        (yes["goto"], no["goto"]) = (json!(dice.pick(ways)), json!(dice.pick(ways)));
    }
    let mut step = Map::from_iter([
        ("type".to_owned(), json!("prompt")),
        ("message".to_owned(), json!(dice.pick(&["Go on?", "{{ p }}?", "{{ state.n }}?"]))),
        ("options".to_owned(), json!([yes, no])),
        ("timeout".to_owned(), json!("2m")),
    ]);
    match dice.roll(4) {
        1 => drop(step.insert("on_timeout".to_owned(), json!("no"))),
        2 => drop(step.insert("on_timeout".to_owned(), json!(dice.pick(ways)))),
        _ => {}
    }
    step
}
