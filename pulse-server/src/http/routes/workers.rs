//! `/api/workers`: the registry of workers.

use crate::access::Caller;
use crate::fleet::Removal;
use crate::http::app::App;
use crate::http::problem::{ApiError, respond};
use crate::http::request::{caller, segment, with};
use pulse_core::api::{Page, WorkerView};
use pulse_core::status::Role;
use std::sync::Arc;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply};

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
    let delete = base
        .and(segment())
        .and(warp::path::end())
        .and(warp::delete())
        .and(caller(app.clone(), Role::Admin))
        .and(with(app))
        .then(|id, caller, app| respond(delete(id, caller, app)));
    list.or(get).unify().or(delete).unify().boxed()
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
