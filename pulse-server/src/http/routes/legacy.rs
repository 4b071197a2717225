//! Agents of the first PULSE: their heartbeat, and their socket at `/`. Nothing of it exists unless `--legacy-agents` is on.

use crate::fleet::legacy::{self, Heartbeat, NotEnrolled};
use crate::http::app::App;
use crate::http::problem::{ApiError, respond};
use crate::http::request::{Peer, json, with};
use crate::http::routes::live::handshake;
use crate::http::socket::{Socket, switching};
use hyper::upgrade::OnUpgrade;
use serde_json::json as value;
use std::sync::Arc;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, header};
use warp::reply::Response;
use warp::{Filter, Reply};

/// Largest message of an agent, in bytes: its command's output comes in one, up to 10 MiB of each stream.
const MAX_MESSAGE: usize = 64 << 20;

/// `POST /api/workers/heartbeat`, below `/api`.
pub(in crate::http) fn heartbeat(app: Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("workers" / "heartbeat")
        .and(warp::post())
        .and(warp::ext::get::<Peer>())
        .and(warp::header::headers_cloned())
        .and(json::<Heartbeat>())
        .and(with(app))
        .then(|peer, headers, body, app| respond(beat(peer, headers, body, app)))
        .boxed()
}

async fn beat(
    peer: Peer,
    headers: HeaderMap,
    body: Result<Heartbeat, ApiError>,
    app: Arc<App>,
) -> Result<impl Reply, ApiError> {
    if !app.legacy_agents {
        let id = "for agents of the first PULSE here: start the server with --legacy-agents".to_owned();
        return Err(ApiError::NotFound { what: "heartbeat", id });
    }
    let key = headers.get("x-api-key").and_then(|key| key.to_str().ok()).ok_or(ApiError::UnknownWorker)?;
    app.access.is_worker(key, app.access.client(&headers, peer.0.ip())).map_err(ApiError::of_worker)?;
    let heartbeat = body?;
    let agent_id = heartbeat.worker_id.clone();
    app.driver.fleet().legacy_heartbeat(heartbeat).await.map_err(|error| match error {
        NotEnrolled::Store(error) => ApiError::from(error),
        NotEnrolled::Invalid(_) => ApiError::Invalid { code: "invalid-heartbeat", detail: error.to_string() },
        NotEnrolled::NameTaken(_) => ApiError::Conflict { code: "name-taken", detail: error.to_string() },
        NotEnrolled::Duplicate { .. } => ApiError::Conflict { code: "duplicate-worker", detail: error.to_string() },
    })?;
    Ok(warp::reply::json(&value!({"worker_id": agent_id, "status": "online"})))
}

/// The socket at `/`. A request there that is no handshake is the dashboard's.
pub(in crate::http) fn socket(app: Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path::end()
        .and(warp::get())
        .and(warp::header::headers_cloned())
        .and(with(app))
        .and_then(|headers: HeaderMap, app: Arc<App>| async move {
            match app.legacy_agents && headers.contains_key(header::UPGRADE) {
                true => Ok((headers, app)),
                false => Err(warp::reject::not_found()),
            }
        })
        .and(warp::ext::get::<Peer>())
        .and(warp::ext::optional::<OnUpgrade>())
        .then(|(headers, app), peer, upgrade| respond(connect(headers, app, peer, upgrade)))
        .boxed()
}

async fn connect(
    headers: HeaderMap,
    app: Arc<App>,
    peer: Peer,
    upgrade: Option<OnUpgrade>,
) -> Result<Response, ApiError> {
    // The agent is no browser: what says an Origin comes from some page.
    if headers.contains_key(header::ORIGIN) {
        return Err(ApiError::CrossSite("only agents connect here, and they have no Origin"));
    }
    let (accept, upgrade) = handshake(&headers, upgrade)?;
    let driver = app.driver.clone();
    driver.spawn(async move {
        if let Ok(socket) = Socket::open(upgrade, MAX_MESSAGE).await {
            legacy::serve(socket, peer.0, app.driver.fleet().clone(), app.driver.clone(), app.stop.clone()).await;
        }
    });
    Ok(switching(&accept))
}
