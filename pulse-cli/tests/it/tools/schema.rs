//! `pulse schema`.

use crate::program::{pulse, ran};
use serde_json::Value;

#[test]
fn the_schema_is_json_and_knows_every_step_type() {
    let directory = tempfile::tempdir().unwrap();
    let schema = ran(pulse(directory.path(), &["schema"]));
    assert_eq!((schema.code, schema.err.as_str()), (0, ""));
    let schema: Value = serde_json::from_str(&schema.out).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let words: Vec<&str> = schema["$defs"]["step"]["anyOf"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["$ref"].as_str().unwrap().trim_start_matches("#/$defs/step-"))
        .collect();
    assert_eq!(words, ["execute", "parse", "route", "prompt", "wait", "set", "parallel", "foreach", "workflow"]);
}
