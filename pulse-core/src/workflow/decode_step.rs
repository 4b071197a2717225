//! From a mapping to a [`Step`]: the fields all steps share, then those of its kind.

use super::decode::{MAX_EXECUTION, MAX_TIMEOUT, MIN_TIMEOUT, check_env, check_shown, check_value_name, is_name};
use super::decode_nested::{StepReader, child};
use super::decode_prompt::prompt;
use super::hints;
use super::model::{Defaults, OnError, Source};
use super::params::{PATTERN_HELP, compile};
use super::steps::*;
use crate::diagnostic::{Code, Diagnostics, did_you_mean, nearest};
use crate::text::{one_line, shorten};
use crate::yaml::{Fields, Key, Node, NodeKind};
use std::time::Duration;

/// Longest delay between attempts and longest wait for an offline worker.
const MAX_DELAY: Duration = Duration::from_secs(86_400);
/// Longest wait and longest time a prompt stays open: ten years, so that times stay in range.
pub(super) const MAX_WAIT: Duration = Duration::from_secs(10 * 365 * 86_400);

/// How long an offline worker is waited for when the step does not say.
const DEFAULT_WAIT_FOR: Duration = Duration::from_secs(600);

const TYPES: &[(&str, &str)] = &[
    ("execute", "execute"),
    ("command", "execute"),
    ("run", "execute"),
    ("parse", "parse"),
    ("route", "route"),
    ("prompt", "prompt"),
    ("wait", "wait"),
    ("set", "set"),
    ("parallel", "parallel"),
    ("foreach", "foreach"),
    ("workflow", "workflow"),
];

/// The types, for a help line.
const KINDS: &str = "execute, parse, route, prompt, wait, set, parallel, foreach, workflow";

/// Fields that tell a step's type, the surest first.
const TELLING: &[(&str, &str)] = &[
    ("command", "execute"),
    ("argv", "execute"),
    ("run", "execute"),
    ("conditions", "route"),
    ("message", "prompt"),
    ("duration", "wait"),
    ("until", "wait"),
    ("values", "set"),
    ("branches", "parallel"),
    ("items", "foreach"),
    ("workflow", "workflow"),
    ("format", "parse"),
    ("from", "parse"),
];
/// Fields of every step: by themselves they tell nothing.
const COMMON: [&str; 7] = ["id", "name", "type", "condition", "goto", "on_error", "timeout"];

/// Reads one step; the reader's count gives it its default id.
pub(super) fn step(
    node: &Node,
    path: &str,
    reader: &mut StepReader<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Step> {
    let mut fields = Fields::open(node, path, "a step", diagnostics)?;
    if !fields.has("id") {
        reader.unnamed.insert(path.to_owned());
    }
    let id = id(&mut fields, reader.count);
    let name = fields.text("name").unwrap_or_else(|| id.clone());
    check_shown("a step", &name, &mut fields);
    let condition = fields.expression("condition");
    let goto = fields.text("goto").map(|text| Goto::from_text(&text));
    let goto_at = fields.place("goto");
    let on_error_at = fields.place("on_error");
    let on_error = match fields.text("on_error").as_deref() {
        None | Some("fail") => OnError::Fail,
        Some("continue") => OnError::Continue,
        Some(id) => OnError::Step(id.into()),
    };
    let Some(step_type) = step_type(node, &mut fields) else {
        reader.unread.insert(id);
        return None;
    };
    let timeout = match step_type {
        // Theirs is of one attempt, and until an answer.
        "execute" | "prompt" => None,
        // They end at once, within the limits of their expressions: it has no effect.
        "parse" | "route" | "set" => fields.duration_within("timeout", MIN_TIMEOUT, MAX_EXECUTION).and(None),
        _ => fields.duration_within("timeout", MIN_TIMEOUT, MAX_EXECUTION),
    };
    let kind = match step_type {
        "execute" => execute(&mut fields, reader.defaults).map(|execute| StepKind::Execute(Box::new(execute))),
        "parse" => parse(&mut fields).map(StepKind::Parse),
        "route" => route(&mut fields).map(StepKind::Route),
        "prompt" => prompt(&mut fields).map(|prompt| StepKind::Prompt(Box::new(prompt))),
        "wait" => wait(&mut fields).map(StepKind::Wait),
        "set" => set(&mut fields).map(StepKind::Set),
        "parallel" => reader.parallel(&mut fields).map(StepKind::Parallel),
        "foreach" => reader.foreach(&mut fields).map(StepKind::Foreach),
        _ => child(&mut fields).map(StepKind::Workflow),
    };
    let concerning = (path.to_owned(), node.at);
    fields.finish_with(hints::field_of_step);
    let Some(kind) = kind else {
        reader.unread.insert(id);
        return None;
    };
    let id = id.as_str().into();
    Some(Step { id, name, condition, goto, goto_at, on_error, on_error_at, timeout, kind, concerning })
}

fn id(fields: &mut Fields<'_, '_>, number: usize) -> String {
    let node = fields.get("id");
    let Some(id) = fields.text("id") else {
        return format!("step-{number}");
    };
    let valid = is_name(&id.replace('-', "_")) && !id.starts_with('-') && id.len() <= 120;
    if !valid {
        let at = node.map_or(fields.at, |node| node.at);
        let help = "write letters, digits, _ and -, starting with a letter or _, 120 at most";
        fields.add(Code::BadName, "id", at, format!("`{id}` is no step id"), help);
    }
    if matches!(id.as_str(), "end" | "fail" | "continue") {
        let at = node.map_or(fields.at, |node| node.at);
        let message = format!("a step cannot be called `{id}`: jumps use that word");
        fields.add(Code::BadName, "id", at, message, format!("call it something else, like `{id}_`"));
    }
    id
}

/// The step's type: said, or told from its fields.
fn step_type(node: &Node, fields: &mut Fields<'_, '_>) -> Option<&'static str> {
    if let Some(said) = fields.text("type") {
        let found = TYPES.iter().find(|(word, _)| *word == said).map(|(_, kind)| *kind);
        if found.is_none() {
            let at = fields.get("type").map_or(node.at, |node| node.at);
            let help = did_you_mean(&said, TYPES.iter().map(|(word, _)| *word));
            let help = help.unwrap_or_else(|| format!("write {KINDS}"));
            fields.add(Code::UnknownStepType, "type", at, format!("unknown step type `{said}`"), help);
        }
        return found;
    }
    let told = TELLING.iter().find(|(name, _)| node.get(name).is_some()).map(|(_, kind)| *kind);
    let told = told.or_else(|| misspelt(node));
    if told.is_none() {
        let help = hints::type_as_field(node).unwrap_or_else(|| format!("write `type:` ({KINDS})"));
        let message = "the step's type cannot be told from its fields";
        fields.add(Code::UnknownStepType, "type", node.at, message, help);
    }
    told
}

/// The type that a misspelt field tells. The field is found to be unknown later, like any other.
fn misspelt(node: &Node) -> Option<&'static str> {
    let NodeKind::Map(entries) = &node.kind else { return None };
    let near = |(key, value): &(Key, Node)| {
        let (apart, name) = nearest(&key.name, TELLING.iter().map(|(name, _)| *name).chain(COMMON))?;
        // Farther than that it can be anything.
        let close = apart <= (name.len() / 3).max(1);
        let said = value.scalar_text().filter(|_| name == "type");
        let said = TYPES.iter().find(|(word, _)| said.as_deref() == Some(*word));
        let told = TELLING.iter().find(|(telling, _)| *telling == name);
        said.or(told).filter(|_| close).map(|(_, kind)| (apart, *kind))
    };
    entries.iter().filter_map(near).min_by_key(|(apart, _)| *apart).map(|(_, kind)| kind)
}

fn execute(fields: &mut Fields<'_, '_>, defaults: &Defaults) -> Option<Execute> {
    let shell = fields.text("shell").unwrap_or_else(|| defaults.shell.clone());
    let script = fields.get_any(&["command", "run"]).and_then(|(name, _)| fields.source(name));
    let argv = argv(fields);
    let at = fields.at;
    let program = match (script, argv) {
        (Some(_), Some(_)) => {
            let help = "keep `command` for a line of shell, `argv` for a program and its arguments";
            fields.add(Code::Conflict, "argv", at, "a step has either `command` or `argv`, not both", help);
            None
        }
        (Some(script), None) if script.text.trim().is_empty() => {
            let message = "the command is empty: there is nothing to run";
            let help = "write one, or take the step out";
            fields.diagnostics.add(Code::MissingField, &script.path, script.at, message, help);
            None
        }
        (Some(script), None) => Some(Program::Script { shell, script }),
        (None, Some(argv)) if argv.first().is_some_and(|program| program.text.trim().is_empty()) => {
            let message = "the first of `argv` is the program to run: it is empty";
            let help = "write the program's name or path, as in [systemctl, restart, nginx]";
            fields.diagnostics.add(Code::MissingField, &argv[0].path, argv[0].at, message, help);
            None
        }
        (None, Some(argv)) if !argv.is_empty() => Some(Program::Argv(argv)),
        _ => {
            if !fields.misspelt(&["command", "run", "argv"]) {
                let help = "add what is to run, as in `command: df -h /`";
                fields.add(Code::MissingField, "command", at, "an execute step needs `command` or `argv`", help);
            }
            None
        }
    };
    let execute = Execute {
        program: program.unwrap_or(Program::Argv(Vec::new())),
        targets: fields.targets(),
        env: fields.source_map("env").unwrap_or_default(),
        cwd: fields.source("cwd"),
        stdin: fields.source("stdin"),
        success_codes: success_codes(fields),
        retry: retry(fields, defaults),
        timeout: fields.duration_within("timeout", MIN_TIMEOUT, MAX_TIMEOUT).unwrap_or(defaults.timeout),
        strategy: strategy(fields),
        on_offline: on_offline(fields),
        retry_lost: fields.word("on_lost", &[("fail", false), ("retry", true)]).unwrap_or(false),
        parse: fields.get("parse").is_some().then(|| parse_shorthand(fields)).flatten(),
    };
    check_env(&execute.env, fields);
    Some(execute)
}

/// The program and its arguments. One text may be a program, but no command line: nothing splits it.
fn argv(fields: &mut Fields<'_, '_>) -> Option<Vec<Source>> {
    let node = fields.get("argv")?;
    if let Some(help) = node.scalar_text().and_then(|text| hints::command_line(&text)) {
        fields.wrong("argv", node, "a list: the program and its arguments", &help);
    }
    fields.sources("argv")
}

fn success_codes(fields: &mut Fields<'_, '_>) -> Vec<i32> {
    if let Some(node) = fields.get("success_codes").filter(|node| node.kind == NodeKind::List(Vec::new())) {
        let help = "leave it out for 0 alone";
        let message = "no exit code counts as success: the step would always fail";
        fields.add(Code::OutOfRange, "success_codes", node.at, message, help);
    }
    fields.integers("success_codes", 0..=255).unwrap_or_else(|| vec![0])
}

fn retry(fields: &mut Fields<'_, '_>, defaults: &Defaults) -> Retry {
    let millis = fields.integer("retryDelayMs", 0..=86_400_000).map(|n| Duration::from_millis(n.unsigned_abs()));
    let delay = fields.duration_within("retry_delay", Duration::ZERO, MAX_DELAY);
    if let (Some(_), Some(_)) = (millis, delay) {
        let at = fields.at;
        let message = "`retryDelayMs` and `retry_delay` mean the same";
        fields.add(Code::Conflict, "retryDelayMs", at, message, "keep `retry_delay`");
    }
    let most = fields.duration_within("max_delay", Duration::ZERO, MAX_DELAY);
    if let (Some(delay), Some(most)) = (delay.or(millis), most)
        && most < delay
    {
        let (path, at) = fields.place("max_delay");
        let (most, delay) = (crate::duration::display(most), crate::duration::display(delay));
        let message = format!("`max_delay` ({most}) is shorter than the delay before the first retry ({delay})");
        let help = "make it longer, or leave it out: it bounds what `backoff: exponential` grows to";
        fields.diagnostics.add(Code::Conflict, &path, at, message, help);
    }
    let backoff = [("fixed", Backoff::Fixed), ("exponential", Backoff::Exponential)];
    Retry {
        retries: fields.integer("retries", 0..=100).map_or(defaults.retries, |n| n as u32),
        delay: delay.or(millis).unwrap_or(Duration::from_secs(2)),
        backoff: fields.word("backoff", &backoff).unwrap_or(Backoff::Fixed),
        max_delay: most.unwrap_or(Duration::from_secs(300)),
        jitter: fields.boolean("jitter").unwrap_or(false),
        on: fields.integers("retry_on", 0..=255).unwrap_or_default(),
    }
}

/// The beginning of what a field with that value must be.
fn must_be(name: &str, value: &str) -> String {
    match value {
        "" => format!("`{name}` must be"),
        value => format!("`{name}` is {}; it must be", shorten(&one_line(value), 40)),
    }
}

fn strategy(fields: &mut Fields<'_, '_>) -> Strategy {
    let mut strategy = Strategy { parallel: Width::All, max_failures: Threshold::Count(0) };
    let path = fields.path_of("strategy");
    let Some(node) = fields.get("strategy") else {
        return strategy;
    };
    let Some(mut fields) = Fields::open(node, &path, "`strategy`", fields.diagnostics) else {
        return strategy;
    };
    let percent = |text: &str| text.strip_suffix('%').and_then(|n| n.trim().parse::<u32>().ok()).filter(|n| *n <= 100);
    if let Some(node) = fields.get("parallel") {
        let text = node.value_text().unwrap_or_default();
        let count = text.parse::<u32>().ok().filter(|n| *n > 0).map(Width::Count);
        let width = if text == "all" {
            Some(Width::All)
        } else {
            percent(&text).filter(|n| *n > 0).map(Width::Percent).or(count)
        };
        match width {
            Some(width) => strategy.parallel = width,
            None => {
                let help = "write how many targets run at once: 10, 25% of them, or all";
                let message = format!("{} a whole number from 1, 1% to 100%, or all", must_be("parallel", &text));
                fields.add(Code::OutOfRange, "parallel", node.at, message, help)
            }
        }
    }
    if let Some(node) = fields.get("max_failures") {
        let text = node.value_text().unwrap_or_default();
        match percent(&text).map(Threshold::Percent).or_else(|| text.parse::<u32>().ok().map(Threshold::Count)) {
            Some(threshold) => strategy.max_failures = threshold,
            None => {
                let help = "write how many targets may fail before no other is started: 0, 3, or 20% of them";
                let message = format!("{} a whole number from 0, or 0% to 100%", must_be("max_failures", &text));
                fields.add(Code::OutOfRange, "max_failures", node.at, message, help);
            }
        }
    }
    fields.finish();
    strategy
}

fn on_offline(fields: &mut Fields<'_, '_>) -> OnOffline {
    let wait_for = fields.duration_within("wait_for", Duration::ZERO, MAX_DELAY);
    let wait = OnOffline::Wait(wait_for.unwrap_or(DEFAULT_WAIT_FOR));
    let words = [("skip", OnOffline::Skip), ("fail", OnOffline::Fail), ("wait", wait)];
    let chosen = fields.word("on_offline", &words).unwrap_or(OnOffline::Skip);
    if wait_for.is_some() && chosen != wait {
        let at = fields.at;
        let help = "write `on_offline: wait` beside it, or leave it out";
        fields.add(Code::Conflict, "wait_for", at, "`wait_for` belongs to `on_offline: wait`", help);
    }
    chosen
}

/// `parse:` of an execute step: a word, or a mapping like a parse step's fields.
fn parse_shorthand(fields: &mut Fields<'_, '_>) -> Option<ParseFormat> {
    let node = fields.get("parse")?;
    let path = fields.path_of("parse");
    match &node.kind {
        NodeKind::Map(_) => {
            let mut inner = Fields::open(node, &path, "`parse`", fields.diagnostics)?;
            let format = format(&mut inner);
            inner.finish();
            format
        }
        _ => match node.scalar_text().as_deref() {
            Some("kv") => Some(ParseFormat::KeyValue),
            Some("json") => Some(ParseFormat::Json),
            Some("lines") => Some(ParseFormat::Lines { name: "lines".into() }),
            _ => {
                let help = "write one of the words, or {format: regex, pattern: '…'}";
                fields.add(Code::OutOfRange, "parse", node.at, "`parse` must be kv, json, lines, or a mapping", help);
                None
            }
        },
    }
}

fn parse(fields: &mut Fields<'_, '_>) -> Option<Parse> {
    let from = fields.text("from").map(|id| id.as_str().into());
    let from_at = fields.place("from");
    Some(Parse { from, from_at, format: format(fields)? })
}

fn format(fields: &mut Fields<'_, '_>) -> Option<ParseFormat> {
    let word = fields.word("format", &[("kv", 0), ("json", 1), ("lines", 2), ("regex", 3)]).unwrap_or(0);
    let as_at = fields.get("as").map(|node| node.at);
    let name = fields.text("as");
    let pattern = fields.source("pattern");
    let at = fields.at;
    match (word, &name, &pattern) {
        (2, None, _) => {
            let help = "add it, as in `as: hosts`: they are `state.hosts` then";
            fields.add(Code::MissingField, "as", at, "`format: lines` needs `as`: the name for the lines", help);
            return None;
        }
        (3, _, None) => {
            let help = "add it, with a name for each part to keep, as in `pattern: 'load (?<load>[0-9.]+)'`";
            fields.add(Code::MissingField, "pattern", at, "`format: regex` needs `pattern`", help);
            return None;
        }
        _ => {}
    }
    if let (Some(name), Some(at)) = (&name, as_at) {
        let path = fields.path_of("as");
        check_value_name(name, &path, at, fields.diagnostics);
    }
    if name.is_some() && word != 2 {
        let help = "write `format: lines` beside it, or leave it out";
        fields.add(Code::Conflict, "as", at, "`as` belongs to `format: lines`", help);
    }
    if let Some(pattern) = &pattern {
        if word != 3 {
            let help = "write `format: regex` beside it, or leave it out";
            fields.add(Code::Conflict, "pattern", pattern.at, "`pattern` belongs to `format: regex`", help);
        }
        match compile(&pattern.text) {
            Ok(regex) if regex.capture_names().flatten().next().is_none() => {
                let help = "write the parts to keep as (?<name>…)";
                fields.add(Code::BadPattern, "pattern", pattern.at, "the pattern has no named group", help);
            }
            Ok(regex) => {
                let groups = regex.capture_names().flatten();
                groups.for_each(|group| check_value_name(group, &pattern.path, pattern.at, fields.diagnostics));
            }
            Err(message) => fields.add(Code::BadPattern, "pattern", pattern.at, message, PATTERN_HELP),
        }
    }
    Some(match word {
        1 => ParseFormat::Json,
        2 => ParseFormat::Lines { name: name.unwrap_or_default() },
        3 => ParseFormat::Regex { pattern: pattern.map(|source| source.text).unwrap_or_default() },
        _ => ParseFormat::KeyValue,
    })
}

fn route(fields: &mut Fields<'_, '_>) -> Option<Route> {
    let mut conditions = Vec::new();
    let base = fields.path_of("conditions");
    let Some(items) = fields.list("conditions").filter(|items| !items.is_empty()) else {
        let at = fields.at;
        let help = "add them, as in `conditions: [{if: state.full, goto: clean}, {default: true, goto: end}]`";
        fields.add(Code::MissingField, "conditions", at, "a route needs `conditions`", help);
        return None;
    };
    for (index, item) in items.into_iter().enumerate() {
        let path = format!("{base}[{index}]");
        let Some(mut fields) = Fields::open(item, &path, "a condition", fields.diagnostics) else {
            continue;
        };
        let when = fields.get_any(&["if", "condition"]).and_then(|(name, _)| fields.expression(name));
        let default = fields.boolean("default").unwrap_or(false);
        let label = fields.source("label");
        let goto = fields.required_source("goto", "a condition", "end");
        match (&when, default) {
            (None, false) => {
                let help = "add what decides, as in `if: state.full`; what holds when nothing else does is the default";
                fields.add(Code::MissingField, "if", item.at, "a condition needs `if` or `default: true`", help);
            }
            (Some(_), true) => {
                let help = "keep `if`; the default is an entry of its own, the last one";
                fields.add(Code::Conflict, "default", item.at, "a condition has either `if` or `default: true`", help);
            }
            _ => {}
        }
        fields.finish();
        if let Some(goto) = goto {
            let (goto, goto_at) = (Goto::from_text(&goto.text), (goto.path, goto.at));
            conditions.push(Condition { when, goto, goto_at, label, concerning: (path, item.at) });
        }
    }
    Some(Route { conditions })
}

fn wait(fields: &mut Fields<'_, '_>) -> Option<Wait> {
    let duration = fields.duration_within("duration", Duration::ZERO, MAX_WAIT);
    let until = fields.expression("until");
    let at = fields.at;
    match (duration, until) {
        (Some(_), Some(_)) => {
            let help = "keep `duration` for a length of time, `until` for a moment";
            fields.add(Code::Conflict, "until", at, "a wait has either `duration` or `until`", help);
            None
        }
        (Some(duration), None) => Some(Wait { for_: WaitFor::Duration(duration) }),
        (None, Some(until)) => Some(Wait { for_: WaitFor::Until(until) }),
        (None, None) => {
            if fields.get("duration").is_none() && !fields.misspelt(&["duration", "until"]) {
                let help = "add how long, as in `duration: 5m`";
                fields.add(Code::MissingField, "duration", at, "a wait needs `duration` or `until`", help);
            }
            None
        }
    }
}

fn set(fields: &mut Fields<'_, '_>) -> Option<Set> {
    let at = fields.at;
    let values = fields.expression_map("values");
    if values.is_none() && fields.get("values").is_none() {
        let help = "add names with an expression each, as in `values: {full: state.pct > 90}`";
        fields.add(Code::MissingField, "values", at, "a set step needs `values`", help);
    }
    let values = values?;
    for (name, source) in &values {
        if !is_name(name) {
            let message = format!("`{name}` is no name for a value");
            let help = "write letters, digits and _, not starting with a digit";
            fields.diagnostics.add(Code::BadName, &source.path, source.at, message, help);
        }
        check_value_name(name, &source.path, source.at, fields.diagnostics);
    }
    Some(Set { values })
}
