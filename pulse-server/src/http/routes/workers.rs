//! `/api/workers`: the registry of workers.

use crate::access::Caller;
use crate::fleet::Removal;
use crate::http::app::App;
use crate::http::problem::{ApiError, respond};
use crate::http::request::{caller, json, segment, with};
use pulse_core::api::{Page, WorkerChange, WorkerView};
use pulse_core::status::Role;
use std::sync::Arc;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply};

/// Labels of one worker: they stand in every list.
const MOST_LABELS: usize = 64;

pub(in crate::http) fn routes(app: Arc<App>) -> BoxedFilter<(Response,)> {
    let base = warp::path("workers");
    let list = base
        .and(warp::path::end())
        .and(warp::get())
        .and(caller(app.clone(), Role::Viewer))
        .and(with(app.clone()))
        .then(|caller, app| respond(list(caller, app)));
    let get = base
        .and(segment())
        .and(warp::path::end())
        .and(warp::get())
        .and(caller(app.clone(), Role::Viewer))
        .and(with(app.clone()))
        .then(|id, caller, app| respond(get(id, caller, app)));
    let change = base
        .and(segment())
        .and(warp::path::end())
        .and(warp::patch())
        .and(caller(app.clone(), Role::Admin))
        .and(json())
        .and(with(app.clone()))
        .then(|id, caller, body, app| respond(change(id, caller, body, app)));
    let delete = base
        .and(segment())
        .and(warp::path::end())
        .and(warp::delete())
        .and(caller(app.clone(), Role::Admin))
        .and(with(app))
        .then(|id, caller, app| respond(delete(id, caller, app)));
    list.or(get).unify().or(change).unify().or(delete).unify().boxed()
}

async fn list(caller: Result<Caller, ApiError>, app: Arc<App>) -> Result<impl Reply, ApiError> {
    caller?;
    // Bounded by the registry itself: 3,000 workers are half a megabyte.
    Ok(warp::reply::json(&Page::<WorkerView> { items: app.driver.fleet().views(), next: None }))
}

fn find(app: &App, id: &str) -> Result<WorkerView, ApiError> {
    let not_found = || ApiError::NotFound { what: "worker", id: pulse_core::text::shorten(id, 120) };
    app.driver.fleet().view(id).ok_or_else(not_found)
}

async fn get(id: String, caller: Result<Caller, ApiError>, app: Arc<App>) -> Result<impl Reply, ApiError> {
    caller?;
    Ok(warp::reply::json(&find(&app, &id)?))
}

async fn change(
    id: String,
    caller: Result<Caller, ApiError>,
    body: Result<WorkerChange, ApiError>,
    app: Arc<App>,
) -> Result<impl Reply, ApiError> {
    caller?;
    let change = body?;
    check(&change)?;
    let worker = find(&app, &id)?;
    if !app.driver.fleet().change(worker.id, change).await? {
        return Err(ApiError::NotFound { what: "worker", id });
    }
    Ok(warp::reply::json(&find(&app, &worker.id.to_string())?))
}

fn check(change: &WorkerChange) -> Result<(), ApiError> {
    let invalid = |detail: &str| ApiError::Invalid { code: "invalid-worker", detail: detail.to_owned() };
    if change == &WorkerChange::default() {
        return Err(invalid("nothing to change: give labels, draining or capacity"));
    }
    if change.capacity.is_some_and(|capacity| !(1..=10_000).contains(&capacity)) {
        return Err(invalid("a worker's capacity must be 1 to 10000"));
    }
    let labels = change.labels.iter().flatten();
    if labels.clone().count() > MOST_LABELS {
        return Err(invalid("a worker has at most 64 labels"));
    }
    for (label, value) in labels {
        let odd =
            |text: &str| text.chars().count() > 120 || text.chars().any(|c| c.is_control() || c == ',' || c == '=');
        if label.is_empty() || label != label.trim() || label.ends_with('!') || odd(label) || odd(value) {
            return Err(invalid(
                "labels and their values have at most 120 characters, without `,`, `=` and control characters; \
                 a label is not empty and does not end with `!`",
            ));
        }
    }
    Ok(())
}

async fn delete(id: String, caller: Result<Caller, ApiError>, app: Arc<App>) -> Result<impl Reply, ApiError> {
    caller?;
    let worker = find(&app, &id)?;
    match app.driver.fleet().remove(worker.id).await? {
        Removal::Removed => Ok(StatusCode::NO_CONTENT),
        Removal::Unknown => Err(ApiError::NotFound { what: "worker", id }),
        Removal::InUse => Err(ApiError::Conflict {
            code: "in-use",
            detail: format!("worker `{}` is connected or has commands: stop it first", worker.name),
        }),
    }
}
