//! `/api/commands`: quick commands, which are executions of one step.

use super::starting::{idempotency, start};
use crate::access::Caller;
use crate::drive::Begin;
use crate::http::app::App;
use crate::http::problem::{ApiError, respond};
use crate::http::request::{caller, json, with};
use pulse_core::api::CommandRequest;
use pulse_core::status::{Role, Trigger};
use pulse_engine::{Start, load, quick_command};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::reply::Response;

/// Time limit of a command that does not say.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(300);
/// Longest time limit.
const MAX_TIMEOUT: Duration = Duration::from_secs(86_400);

pub(in crate::http) fn routes(app: Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("commands")
        .and(warp::post())
        .and(caller(app.clone(), Role::Operator))
        .and(warp::header::headers_cloned())
        .and(json())
        .and(with(app))
        .then(|caller, headers, body, app| respond(create(caller, headers, body, app)))
        .boxed()
}

async fn create(
    caller: Result<Caller, ApiError>,
    headers: HeaderMap,
    body: Result<CommandRequest, ApiError>,
    app: Arc<App>,
) -> Result<Response, ApiError> {
    let (caller, request) = (caller?, body?);
    let invalid = |detail: String| ApiError::Invalid { code: "invalid-command", detail };
    if request.command.trim().is_empty() || request.command.contains('\0') {
        return Err(invalid("`command` must be a shell line".to_owned()));
    }
    let timeout = timeout(request.timeout.as_ref()).map_err(invalid)?;
    if request.parallel == Some(0) {
        return Err(invalid("`parallel` must be at least 1".to_owned()));
    }
    if request.targets.is_empty() {
        return Err(invalid("`targets` must name at least one: a worker, a pattern, labels, any or all".to_owned()));
    }
    check_targets(&app, &request.targets)?;
    let idempotency = idempotency(&headers, &caller, "commands", &request)?;
    let definition = quick_command(&request.command, timeout.as_secs_f64(), request.parallel);
    let loaded = load(&definition);
    let plan = Arc::new(loaded.plan.ok_or(ApiError::Diagnostics(loaded.diagnostics))?);
    let title = pulse_core::text::shorten(&pulse_core::text::one_line(request.command.trim()), 120);
    let begin = Begin {
        id: None,
        plan,
        start: Start {
            workflow: None,
            definition: Some(definition),
            params: Map::new(),
            targets: Some(request.targets),
            started_by: caller.name,
            trigger: Trigger::Command,
            parent: None,
            queue: None,
        },
        title,
        idempotency,
    };
    start(&app, &headers, begin).await
}

fn timeout(given: Option<&Value>) -> Result<Duration, String> {
    let timeout = match given {
        None | Some(Value::Null) => DEFAULT_TIMEOUT,
        Some(Value::Number(seconds)) => {
            let seconds = seconds.as_f64().and_then(pulse_core::duration::from_seconds);
            seconds.ok_or("`timeout` must be seconds as a number, or like 5m")?
        }
        Some(Value::String(text)) => pulse_core::duration::parse(text).map_err(|error| error.to_string())?,
        Some(_) => return Err("`timeout` must be seconds as a number, or like 5m".to_owned()),
    };
    if (Duration::from_secs(1)..=MAX_TIMEOUT).contains(&timeout) {
        Ok(timeout)
    } else {
        Err("`timeout` must be 1s to 24h".into())
    }
}

/// Refuses targets that no known worker can be, before anything is started.
pub(super) fn check_targets(app: &App, targets: &[String]) -> Result<(), ApiError> {
    let resolved = app.driver.fleet().snapshot().resolve(targets);
    resolved.map(drop).map_err(|error| ApiError::Invalid { code: "unknown-target", detail: error.to_string() })
}
