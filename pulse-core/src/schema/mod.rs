//! The language as a JSON Schema (2020-12), for editors: completion, descriptions, and mistakes underlined while typing.
//!
//! The decoder is written by hand, and so are these tables; `tests.rs` asks the decoder about every field of every
//! table, and about every word in its source, so that the two cannot drift apart. The schema knows structure only: what
//! spans fields or needs an expression compiled, `pulse check` finds.

mod document;
mod shape;
mod steps;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod validator;

use serde_json::{Map, Value, json};
use shape::Shape;

/// One field of a mapping.
#[derive(Clone, Copy, Debug)]
struct Field {
    name: &'static str,
    shape: Shape,
    description: &'static str,
}

/// Short for a [`Field`] in a table.
const fn field(name: &'static str, shape: Shape, description: &'static str) -> Field {
    Field { name, shape, description }
}

/// A kind of mapping: a workflow, a parameter, a step of some type.
#[derive(Clone, Copy, Debug)]
struct Kind {
    /// Its name among the schema's definitions.
    name: &'static str,
    description: &'static str,
    /// Its fields, in tables that kinds may share.
    fields: &'static [&'static [Field]],
    /// Fields that must be there.
    required: &'static [&'static str],
    /// Fields of which at least one must be there.
    one_of: &'static [&'static str],
}

/// The name of the kind that is the document.
const ROOT: &str = "workflow";

fn kinds() -> impl Iterator<Item = &'static Kind> {
    document::KINDS.iter().chain(steps::KINDS)
}

/// The schema.
pub fn schema() -> Value {
    let mut root = Map::new();
    root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("title".into(), json!("PULSE workflow"));
    let mut definitions = Map::new();
    for kind in kinds() {
        match kind.name {
            ROOT => root.extend(object(kind)),
            name => {
                definitions.insert(name.into(), Value::Object(object(kind)));
            }
        }
    }
    definitions.extend(shape::definitions());
    let step = steps::KINDS.iter().filter(|kind| kind.name.starts_with("step-")).map(|kind| reference(kind.name));
    definitions.insert("step".into(), json!({"description": "A step.", "anyOf": step.collect::<Vec<_>>()}));
    root.insert("$defs".into(), Value::Object(definitions));
    Value::Object(root)
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/$defs/{name}")})
}

fn object(kind: &Kind) -> Map<String, Value> {
    let mut properties = Map::new();
    for field in kind.fields.iter().copied().flatten() {
        let mut property = field.shape.schema();
        property.insert("description".into(), json!(field.description));
        properties.insert(field.name.into(), Value::Object(property));
    }
    let mut object = Map::from_iter([
        ("description".to_owned(), json!(kind.description)),
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), Value::Object(properties)),
        ("additionalProperties".to_owned(), json!(false)),
    ]);
    if !kind.required.is_empty() {
        object.insert("required".into(), json!(kind.required));
    }
    if !kind.one_of.is_empty() {
        let any: Vec<_> = kind.one_of.iter().map(|name| json!({"required": [name]})).collect();
        object.insert("anyOf".into(), json!(any));
    }
    object
}
