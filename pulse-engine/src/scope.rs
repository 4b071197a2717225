//! What an expression can see of a state.

use crate::expr::{Expr, Scope};
use crate::state::State;
use pulse_core::time::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The values that expressions of this kind may touch; `steps` and `execution` are made only when one of `exprs` names
/// them, for they cost more than the rest.
pub(crate) fn scope<'e>(state: &State, now: Timestamp, exprs: impl Iterator<Item = &'e Expr>) -> Scope {
    let mut scope = Scope::new();
    let origin = state.origin.as_ref();
    let params = origin.map_or_else(|| Arc::new(json!({})), |origin| origin.params.clone());
    scope.set("params", params.clone()).set("state", state.vars.clone());
    scope.set("last", state.last.clone().unwrap_or_else(|| Arc::new(Value::Null)));
    let response = state.vars.get("prompt_response").cloned().unwrap_or(Value::Null);
    scope.set("prompt_response", response);
    scope.now(now.as_millis());
    scope.bare(params).bare(state.vars.clone());
    let (mut needs_steps, mut needs_execution) = (false, false);
    for reference in exprs.flat_map(Expr::references) {
        needs_steps |= reference.root == "steps";
        needs_execution |= reference.root == "execution";
    }
    if needs_steps {
        scope.set("steps", steps(state));
    }
    if let (true, Some(origin)) = (needs_execution, origin) {
        let workflow = origin.workflow.as_ref().map(|workflow| workflow.name.as_str());
        scope.set(
            "execution",
            json!({
                "id": state.id,
                "workflow": workflow,
                "started_by": origin.started_by,
                "started_at": state.started_at.unwrap_or(origin.created_at),
            }),
        );
    }
    scope
}

fn steps(state: &State) -> Value {
    let steps = state.steps.iter().map(|(id, record)| {
        let results = record.results.iter().map(|(worker, result)| {
            let value = json!({
                "stdout": result.end.stdout,
                "stderr": result.end.stderr,
                "exit_code": result.end.exit_code,
                "success": result.success,
                "vars": result.vars,
            });
            (worker.to_string(), value)
        });
        let (response, by) = match &record.response {
            Some((response, by)) => (Some(response), by.as_ref()),
            None => (None, None),
        };
        let value = json!({
            "status": record.status,
            "run": record.run,
            "error": record.error,
            "results": results.collect::<Map<_, _>>(),
            "response": response,
            "answered_by": by,
        });
        (id.to_string(), value)
    });
    Value::Object(steps.collect())
}
