//! Calls of webhooks: what became of an execution's, one more try, and the key that they are signed with.

use super::executions::find;
use crate::access::Caller;
use crate::clock;
use crate::http::app::App;
use crate::http::problem::{ApiError, respond};
use crate::http::request::{Query, caller, json, query, segment, with};
use crate::webhooks::shown_url;
use pulse_core::api::{DeliveryView, Page, WebhookKey};
use pulse_core::ids::DeliveryId;
use pulse_core::status::{Role, WebhookStatus};
use pulse_store::{DeliveryProgress, DeliveryRecord};
use std::sync::Arc;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply};

pub(in crate::http) fn routes(app: Arc<App>) -> BoxedFilter<(Response,)> {
    let list = warp::path("executions")
        .and(segment())
        .and(warp::path("deliveries"))
        .and(warp::path::end())
        .and(warp::get())
        .and(caller(app.clone(), Role::Viewer))
        .and(query())
        .and(with(app.clone()))
        .then(|id, caller, query, app| respond(list(id, caller, query, app)));
    let retry = warp::path("deliveries")
        .and(segment())
        .and(warp::path("retry"))
        .and(warp::path::end())
        .and(warp::post())
        .and(caller(app.clone(), Role::Operator))
        .and(json())
        .and(with(app.clone()))
        .then(|id, caller, body, app| respond(retry(id, caller, body, app)));
    let key = warp::path("webhook-key")
        .and(warp::path::end())
        .and(warp::get())
        .and(caller(app.clone(), Role::Admin))
        .and(with(app))
        .then(|caller, app| respond(key(caller, app)));
    list.or(retry).unify().or(key).unify().boxed()
}

fn view(record: DeliveryRecord) -> DeliveryView {
    let DeliveryRecord { what, progress, .. } = record;
    DeliveryView {
        id: what.id,
        event: what.event,
        url: shown_url(&what.url),
        created_at: what.created_at,
        attempts: progress.attempts,
        next_try_at: progress.next_try_at,
        status: progress.status,
        answer_status: progress.answer_status,
        answer: progress.answer,
        error: progress.error,
    }
}

async fn list(
    id: String,
    caller: Result<Caller, ApiError>,
    mut query: Query,
    app: Arc<App>,
) -> Result<impl Reply, ApiError> {
    caller?;
    let id = find(&app, &id).await?;
    let (after, limit) = (query.parse::<DeliveryId>("cursor")?, query.limit()?);
    query.finish()?;
    let store = app.driver.store();
    if store.execution(id).await?.is_none() {
        return Err(ApiError::NotFound { what: "execution", id: id.to_string() });
    }
    let mut items: Vec<DeliveryView> = store.deliveries(id, after, limit + 1).await?.into_iter().map(view).collect();
    let next = (items.len() > limit).then(|| {
        items.truncate(limit);
        items.last().map(|delivery| delivery.id.to_string()).unwrap_or_default()
    });
    Ok(warp::reply::json(&Page::<DeliveryView> { items, next }))
}

/// Nothing is asked for: `{}`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn retry(
    id: String,
    caller: Result<Caller, ApiError>,
    body: Result<Nothing, ApiError>,
    app: Arc<App>,
) -> Result<impl Reply, ApiError> {
    caller?;
    let Nothing {} = body?;
    let not_found = || ApiError::NotFound { what: "delivery", id: pulse_core::text::shorten(&id, 60) };
    let id: DeliveryId = id.parse().map_err(|_| not_found())?;
    let store = app.driver.store();
    let found = store.delivery(id).await?.ok_or_else(not_found)?;
    let attempts = found.progress.attempts;
    let progress =
        DeliveryProgress { status: WebhookStatus::Pending, next_try_at: Some(clock::now()), ..found.progress };
    if !store.move_delivery(id, attempts, progress).await? {
        let detail = "it is being tried just now: look what comes of that".to_owned();
        return Err(ApiError::Conflict { code: "being-tried", detail });
    }
    app.driver.webhooks().wake();
    Ok(StatusCode::NO_CONTENT)
}

async fn key(caller: Result<Caller, ApiError>, app: Arc<App>) -> Result<impl Reply, ApiError> {
    caller?;
    match &app.webhook_key {
        Some(key) => Ok(warp::reply::json(&WebhookKey { key: key.reveal().to_owned() })),
        None => {
            let detail = "this server has no key to seal the webhooks' key with, so it has none: set PULSE_DATA_KEY, like \
                          with `openssl rand -hex 32`";
            Err(ApiError::Conflict { code: "no-data-key", detail: detail.to_owned() })
        }
    }
}
