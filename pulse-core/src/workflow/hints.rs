//! What somebody meant who wrote a step's type as if it were a field, or a command line where a list belongs.

use crate::duration;
use crate::text::{one_line, shorten};
use crate::yaml::{Node, NodeKind};

/// A step's types, and the field of each that holds what would stand behind the type.
const FIELDS: &[(&str, &str)] = &[
    ("wait", "duration"),
    ("prompt", "message"),
    ("set", "values"),
    ("foreach", "items"),
    ("parallel", "branches"),
    ("route", "conditions"),
    ("execute", "command"),
    ("parse", "format"),
];

/// The fields to write in place of one that is called like a type of step: `wait: 5`.
pub(super) fn type_as_field(node: &Node) -> Option<String> {
    let (kind, field, value) =
        FIELDS.iter().find_map(|(kind, field)| node.get(kind).map(|value| (*kind, *field, value)))?;
    let text = value.scalar_text();
    let field = match &text {
        Some(text) if kind == "wait" && duration::parse(text).is_err() && text.parse::<f64>().is_err() => "until",
        _ => field,
    };
    let shown = match (text, &value.kind) {
        (Some(text), _) => shorten(&one_line(&text), 40),
        (None, NodeKind::List(_)) => "[…]".to_owned(),
        (None, NodeKind::Map(_)) if kind == "set" => "{…}".to_owned(),
        (None, _) => "…".to_owned(),
    };
    Some(format!("did you mean `type: {kind}`, `{field}: {shown}`?"))
}

/// What is meant by a field that steps have in other languages.
pub(super) fn field_of_step(name: &str) -> Option<&'static str> {
    matches!(name, "if" | "when").then_some("did you mean `condition`?")
}

/// What to say about a field that documents have in other languages.
pub(super) fn field_of_document(name: &str) -> Option<&'static str> {
    match name {
        "on" | "trigger" | "triggers" | "schedule" | "schedules" | "cron" => {
            Some("leave it out: what starts a workflow, and when, is no part of it; use `pulse run` or the HTTP API")
        }
        _ => None,
    }
}

/// What to write instead of a text that is a command line, and no program alone.
pub(super) fn command_line(text: &str) -> Option<String> {
    if !has_bare_space(text.trim()) {
        return None;
    }
    let line = shorten(&one_line(text.trim()), 80);
    let list = line.split_whitespace().collect::<Vec<_>>().join(", ");
    let plain = line.chars().all(|c| c.is_alphanumeric() || " -_./=+@%".contains(c));
    Some(match plain {
        true => format!("write `argv: [{list}]`, or `command: {line}` for a line of shell"),
        false => {
            "write each argument as an item, as in `argv: [df, -h]`, or a line of shell under `command`".to_owned()
        }
    })
}

/// Whether a text has white space outside of templates.
fn has_bare_space(text: &str) -> bool {
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        if before.contains(char::is_whitespace) {
            return true;
        }
        rest = behind.split_once("}}").map_or("", |(_, behind)| behind);
    }
    rest.contains(char::is_whitespace)
}
