//! Expressions, from outside: what they mean, what they refuse, what they cost at most.

mod errors;
mod hostile;
mod javascript;
mod javascript_truth;
mod limits;
mod references;
mod values;

use pulse_engine::expr::{EvalError, Expr, Scope};
use serde_json::{Value, json};

/// A scope as a real execution has it.
pub fn scope() -> Scope {
    let mut scope = Scope::new();
    scope
        .set("params", json!({"mount": "/data", "limit": 80, "mode": "auto", "dry": false, "ratio": 0.5, "empty": ""}));
    scope.set(
        "state",
        json!({
            "disk_pct": "91", "load": "0.75", "name": "web-01", "padded": " 42 ", "count": 3, "ok": true, "nothing": null,
            "list": ["a", "b", "c"], "numbers": [1, 2.0, "3"], "nested": {"a": {"b": {"c": 7}}}, "big": 9_223_372_036_854_775_807_i64,
            "length": 5, "text": "error: disk full\nretry later", "unit": "85%", "umlaut": "größe",
        }),
    );
    scope.set(
        "steps",
        json!({"check": {"exit_code": 0, "results": {"web-01": {"vars": {"pct": "12"}}}}, "step-1": {"success": true}}),
    );
    scope.set("execution", json!({"id": "e1", "workflow": "disk", "started_by": "ann"}));
    scope.set(
        "last",
        json!({"stdout": "DISK_PCT=91\n", "stderr": "", "exit_code": 0, "worker": "web-01", "success": true}),
    );
    scope.set("prompt_response", json!("Clean"));
    scope.now(1_700_000_000_500);
    scope
}

pub fn eval(source: &str) -> Result<Value, EvalError> {
    let expr = Expr::compile(source).unwrap_or_else(|e| panic!("{source}: {e} {:?}", e.help));
    expr.eval(&scope())
}

/// Each source has this value.
pub fn table(cases: &[(&str, Value)]) {
    for (source, expected) in cases {
        match eval(source) {
            Ok(value) => assert_eq!(value, *expected, "{source}"),
            Err(error) => panic!("{source}: {error:?}"),
        }
    }
}

/// Each source compiles and fails when evaluated, with this in its message.
pub fn fails(cases: &[(&str, &str)]) {
    for (source, expected) in cases {
        match eval(source) {
            Ok(value) => panic!("{source} gives {value}"),
            Err(error) => assert!(error.message.contains(expected), "{source}: {}", error.message),
        }
    }
}
