//! What the fuzz targets share: scopes whose values are as awkward as values get.

use pulse_engine::expr::Scope;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

/// Stands in every hostile text, and in nothing that a seed or a rewrite makes.
pub const MARK: &str = "VALUE7f3a";
/// Another one of the same length, for a second scope.
pub const OTHER_MARK: &str = "OTHER9c5d";

/// Time that `now()` gives, in milliseconds.
const NOW_MS: i64 = 1_800_000_000_123;

/// Parts that mean something to a shell, to a template or to an expression.
const HOSTILE: &[&str] = &[
    "",
    "'",
    "\"",
    "\\",
    "`",
    "$(",
    ")",
    "${",
    "}",
    ";",
    "&&",
    "\n",
    "\nEOF\n",
    "{{ x }}",
    "#",
    " ",
    "*",
    "a[$(id)]",
    "\u{0}",
    "ä\u{202e}🦀",
];

/// A scope with values of every kind, each text with `mark` in it, so that a value is recognised wherever it goes.
pub fn scope(mark: &str) -> Scope {
    let texts: Vec<Value> = HOSTILE.iter().map(|part| json!(format!("{mark}{part}{mark}"))).collect();
    let values: Value = json!({
        "x": format!("'; touch {mark} #"),
        "y": format!("$(touch {mark})\"`{mark}`\\"),
        "a": format!("{mark}"),
        "n": 85,
        "f": -0.5,
        "t": true,
        "none": null,
        "big": i64::MAX,
        "small": i64::MIN,
        "huge": 1e308,
        "digits": "85",
        "blank": "",
        "list": texts,
        "numbers": [3, 1.5, -2, 0, "7", null, true],
        "map": {"k": mark, "": 1, "a-b": [1, [2, [3, {"deep": mark}]]], "é": "ü"},
        "long": format!("{mark} ").repeat(2_000),
        "many": (0..500).collect::<Vec<_>>(),
        "disk_pct": "91",
        "mount": format!("/{mark} dir"),
        "limit": 80,
    });
    let values = Arc::new(values);
    let mut scope = Scope::new();
    scope
        .set("params", values.clone())
        .set("state", values.clone())
        .set("steps", json!({
            "check": {"status": "succeeded", "stdout": format!("DISK_PCT=91\n{mark}"), "exit_code": 0,
                "results": {"web-01": {"vars": {"disk_pct": "91"}, "stdout": mark}}},
            "step-1": {"status": "failed", "exit_code": 137},
            "ask": {"response": mark},
        }))
        .set("execution", json!({"id": "0199", "workflow": mark, "started_by": mark, "started_at": 1_800_000_000}))
        .set("prompt_response", json!(mark))
        .set("last", json!({"stdout": format!("{mark}\n"), "stderr": "", "exit_code": 0, "worker": "web-01", "success": true}))
        .set("item", json!({"key": mark, "value": [1, 2]}))
        .bare(values)
        .now(NOW_MS);
    scope
}

/// The scope whose texts have [`MARK`].
pub static SCOPE: LazyLock<Scope> = LazyLock::new(|| scope(MARK));
/// The same with [`OTHER_MARK`].
pub static OTHER_SCOPE: LazyLock<Scope> = LazyLock::new(|| scope(OTHER_MARK));
