//! What somebody meant who wrote a step's type as if it were a field.

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
