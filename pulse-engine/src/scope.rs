//! What an expression can see of a state.

use crate::expr::{Expr, Scope};
use crate::state::{FrameResult, State, StepRecord, WorkerResult};
use pulse_core::ids::{FrameId, StepId};
use pulse_core::time::Timestamp;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The values that expressions of this kind may touch; `steps` and `execution` are made only when one of `exprs` names
/// them, for they cost more than the rest. `params` are those of the state unless others are given.
pub(crate) fn scope<'e>(
    state: &State,
    frame: FrameId,
    now: Timestamp,
    params: Option<&Arc<Value>>,
    exprs: impl Iterator<Item = &'e Expr>,
) -> Scope {
    let mut scope = Scope::new();
    let origin = state.origin.as_ref();
    let params = params.or_else(|| origin.map(|origin| &origin.params)).cloned();
    let params = params.unwrap_or_else(|| Arc::new(json!({})));
    scope.set("params", params.clone());
    let last = state.frames.get(&frame).and_then(|frame| frame.last.clone());
    scope.set("last", last.unwrap_or_else(|| Arc::new(Value::Null)));
    // Never from the values: what a command printed would pass for an answer.
    let response = state.response.as_ref().map_or(Value::Null, |response| Value::String(response.to_string()));
    scope.set("prompt_response", response.clone());
    scope.now(now.as_millis());
    scope.bare(params).bare(state.vars.clone());
    // From the outside in: an inner item hides an outer one of the same name.
    for around in state.chain(frame).into_iter().rev() {
        if let Some((name, item)) = state.frames.get(&around).and_then(|frame| frame.item.as_ref()) {
            scope.set(name, item.clone());
        }
    }
    let (mut needs_steps, mut needs_execution, mut needs_alias) = (false, false, false);
    for reference in exprs.flat_map(Expr::references) {
        needs_steps |= reference.root == "steps";
        needs_execution |= reference.root == "execution";
        needs_alias |= reference.root == "state" && reference.path.first().is_some_and(|name| name == "promptResponse");
    }
    scope.set("state", if needs_alias { with_alias(&state.vars, response) } else { state.vars.clone() });
    if needs_steps {
        scope.set("steps", steps(state, frame));
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

/// The values with `promptResponse`, as the first PULSE had it, beside `prompt_response`.
fn with_alias(vars: &Arc<Value>, response: Value) -> Arc<Value> {
    let mut vars = vars.clone();
    if let (Value::Object(values), false) = (Arc::make_mut(&mut vars), response.is_null()) {
        values.insert("promptResponse".to_owned(), response);
    }
    vars
}

/// All steps as a frame sees them.
fn steps(state: &State, frame: FrameId) -> Value {
    let mut ids: Vec<&StepId> = state.steps.keys().map(|(_, id)| id).collect();
    ids.sort_unstable();
    ids.dedup();
    let seen = ids.into_iter().filter_map(|id| Some((id.to_string(), step(state.record(frame, id)?))));
    Value::Object(seen.collect())
}

fn step(record: &StepRecord) -> Value {
    let results = if record.frames.is_empty() {
        let result = |(worker, result): (&Arc<str>, &WorkerResult)| {
            let value = json!({
                "stdout": result.end.stdout,
                "stderr": result.end.stderr,
                "exit_code": result.end.exit_code,
                "success": result.success,
                "vars": result.vars,
            });
            (worker.to_string(), value)
        };
        Value::Object(record.results.iter().map(result).collect::<Map<_, _>>())
    } else {
        let result = |result: &Option<FrameResult>| match result {
            None => Value::Null,
            Some(FrameResult { name, item, status, error, last }) => {
                json!({"name": name, "item": item, "status": status, "error": error, "last": last})
            }
        };
        Value::Array(record.frames.iter().map(result).collect())
    };
    let answer = record.response.as_ref();
    let child = record.child.as_ref();
    json!({
        "status": record.status,
        "run": record.run,
        "error": record.error,
        "results": results,
        "response": answer.map(|answer| &answer.response),
        "answered_by": answer.map(|answer| &answer.by),
        "answered_at": answer.map(|answer| answer.at),
        "output_hash": record.shown,
        "execution_id": child.map(|(id, ..)| id),
        "state": child.map(|(.., state)| state),
    })
}
