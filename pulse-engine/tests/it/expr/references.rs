//! What validation learns from a compiled expression.

use pulse_engine::expr::{Expr, Scope};
use serde_json::json;
use std::sync::Arc;

fn references(expr: &Expr) -> Vec<String> {
    expr.references().iter().map(ToString::to_string).collect()
}

#[test]
fn references_with_their_paths() {
    for (source, expected) in [
        ("params.mount", vec!["params.mount"]),
        ("params.a == params.a && params.b", vec!["params.a", "params.b"]),
        ("state[\"a\"].b", vec!["state.a.b"]),
        ("state[params.x].b", vec!["state", "params.x"]),
        ("steps[\"step-1\"].results[last.worker].vars", vec!["steps[\"step-1\"].results", "last.worker"]),
        ("promptResponse", vec!["prompt_response"]),
        ("state.list.length", vec!["state.list"]),
        ("state.length", vec!["state.length"]),
        (
            "contains(state.a, text(params.b)) ? last : [state.c, #{x: state.d}]",
            vec!["state.a", "params.b", "last", "state.c", "state.d"],
        ),
        ("1 + 2", vec![]),
    ] {
        assert_eq!(references(&Expr::compile(source).unwrap()), expected, "{source}");
    }
}

#[test]
fn constants() {
    for (source, constant) in [("1 == 1", true), ("state.x", false), ("now() > 5", false), ("[1, 'a'].len()", true)] {
        assert_eq!(Expr::compile(source).unwrap().is_constant(), constant, "{source}");
    }
}

#[test]
fn extra_roots() {
    assert!(Expr::compile("item.name").is_err());
    let expr = Expr::compile_with("item.name == 'x' && item.size > 1", &["item"]).unwrap();
    assert_eq!(references(&expr), ["item.name", "item.size"]);
    let mut scope = Scope::new();
    scope.set("item", json!({"name": "x", "size": 2}));
    assert_eq!(expr.eval(&scope), Ok(json!(true)));
}

#[test]
fn bare_names_of_templates() {
    let mut scope = Scope::new();
    scope.set("params", json!({"a": 1})).set("state", json!({"a": 2, "b": 3}));
    scope
        .bare(Arc::new(json!({"a": 1, "c": {"d": 4}, "process": "x", "match": "y"})))
        .bare(Arc::new(json!({"a": 2, "b": 3})));
    scope.set("item", json!("it"));
    for (source, expected) in [
        ("a", json!(1)),
        ("b", json!(3)),
        ("c.d", json!(4)),
        ("nope", json!(null)),
        ("nope.x", json!(null)),
        ("item", json!("it")),
        ("params.a", json!(1)),
        ("process + match", json!("xy")),
    ] {
        let expr = Expr::compile_template(source).unwrap_or_else(|e| panic!("{source}: {e}"));
        assert_eq!(expr.eval(&scope), Ok(expected), "{source}");
    }
    assert_eq!(references(&Expr::compile_template("name.length + c.d").unwrap()), ["name", "c.d"]);
}

#[test]
fn scopes_and_expressions_are_shared_between_threads() {
    let expr = Expr::compile("state.x + 1").unwrap();
    let mut scope = Scope::new();
    scope.set("state", json!({"x": 1}));
    let handles: Vec<_> = (0..4)
        .map(|_| {
            let (expr, scope) = (expr.clone(), scope.clone());
            std::thread::Builder::new().spawn(move || expr.eval(&scope)).unwrap()
        })
        .collect();
    assert!(handles.into_iter().all(|handle| handle.join().unwrap() == Ok(json!(2))));
}
