//! Validates values against the part of JSON Schema that our schema uses; any other keyword is a panic, so that the
//! schema cannot grow beyond what is tested.

use serde_json::Value;

/// What is wrong with a value, as lines; none when it is valid.
pub(super) fn errors(schema: &Value, value: &Value) -> Vec<String> {
    let mut errors = Vec::new();
    check(schema, schema, value, "", &mut errors);
    errors
}

fn valid(root: &Value, schema: &Value, value: &Value) -> bool {
    let mut errors = Vec::new();
    check(root, schema, value, "", &mut errors);
    errors.is_empty()
}

fn check(root: &Value, schema: &Value, value: &Value, path: &str, errors: &mut Vec<String>) {
    if let Some(allowed) = schema.as_bool() {
        if !allowed {
            errors.push(format!("{path}: not allowed"));
        }
        return;
    }
    for (keyword, with) in schema.as_object().unwrap() {
        let bad = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" => false,
            "$ref" => {
                let target = root.pointer(with.as_str().unwrap().strip_prefix('#').unwrap());
                check(root, target.unwrap_or_else(|| panic!("{with} leads nowhere")), value, path, errors);
                false
            }
            "type" => {
                let is = |kind: &Value| match kind.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    "integer" => value.as_i64().is_some(),
                    "number" => value.is_number(),
                    other => panic!("type {other}"),
                };
                !with.as_array().map_or_else(|| is(with), |kinds| kinds.iter().any(is))
            }
            "enum" => !with.as_array().unwrap().contains(value),
            "pattern" => {
                value.as_str().is_some_and(|text| !regex::Regex::new(with.as_str().unwrap()).unwrap().is_match(text))
            }
            "minimum" => value.as_f64().is_some_and(|number| number < with.as_f64().unwrap()),
            "maximum" => value.as_f64().is_some_and(|number| number > with.as_f64().unwrap()),
            "minItems" => value.as_array().is_some_and(|items| (items.len() as u64) < with.as_u64().unwrap()),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, with, item, &format!("{path}[{index}]"), errors);
                }
                false
            }
            "required" => value.as_object().is_some_and(|map| {
                with.as_array().unwrap().iter().any(|name| !map.contains_key(name.as_str().unwrap()))
            }),
            "propertyNames" => value
                .as_object()
                .is_some_and(|map| map.keys().any(|name| !valid(root, with, &Value::String(name.clone())))),
            "properties" => {
                for (name, item) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = with.get(name) {
                        check(root, schema, item, &format!("{path}.{name}"), errors);
                    }
                }
                false
            }
            "additionalProperties" => {
                for (name, item) in value.as_object().into_iter().flatten() {
                    if schema.get("properties").and_then(|known| known.get(name)).is_none() {
                        check(root, with, item, &format!("{path}.{name}"), errors);
                    }
                }
                false
            }
            "anyOf" => !with.as_array().unwrap().iter().any(|schema| valid(root, schema, value)),
            other => panic!("the validator of the tests does not know `{other}`"),
        };
        if bad {
            errors.push(format!("{path}: {keyword} {with}"));
        }
    }
}
