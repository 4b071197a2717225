//! Any text as an expression, over values of every kind: no panic, no hang, and no result beyond the limits.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pulse_engine::expr::{Expr, MAX_ELEMENTS, MAX_TEXT};
use pulse_fuzz::SCOPE;
use serde_json::Value;

fuzz_target!(|source: &str| {
    for compiled in [Expr::compile_with(source, &["item"]), Expr::compile_template(source)] {
        let Ok(expr) = compiled else { continue };
        assert_eq!(expr.source(), source);
        match expr.eval(&SCOPE) {
            Ok(value) => within_limits(&value, 0),
            Err(error) => assert!(!error.message.is_empty(), "an error says what it is"),
        }
        let _ = expr.eval_bool(&SCOPE);
    }
});

fn within_limits(value: &Value, depth: usize) {
    assert!(depth <= 128, "a result is not nested without end");
    match value {
        Value::String(text) => assert!(text.len() <= MAX_TEXT, "a text of {} bytes", text.len()),
        Value::Array(items) => {
            assert!(items.len() <= MAX_ELEMENTS, "a list of {}", items.len());
            items.iter().for_each(|item| within_limits(item, depth + 1));
        }
        Value::Object(entries) => {
            assert!(entries.len() <= MAX_ELEMENTS, "a map of {}", entries.len());
            entries.values().for_each(|value| within_limits(value, depth + 1));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
