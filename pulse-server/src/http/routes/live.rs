//! `/ws` for browsers and the command line, `/ws/worker` for workers.

use crate::fleet;
use crate::http::app::App;
use crate::http::problem::{ApiError, respond};
use crate::http::request::{Peer, authenticate, bearer, same_origin, with};
use crate::http::socket::{BadHandshake, Socket, accept_key, switching};
use crate::live;
use hyper::upgrade::OnUpgrade;
use pulse_core::protocol::worker::MAX_MESSAGE_BYTES;
use std::sync::Arc;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::http::HeaderMap;
use warp::reply::Response;

/// Largest message of a browser, in bytes.
const MAX_BROWSER_MESSAGE: usize = 1 << 20;

pub(in crate::http) fn browser_socket(app: Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("ws")
        .and(warp::get())
        .and(warp::ext::get::<Peer>())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<OnUpgrade>())
        .and(with(app))
        .then(|peer, headers, upgrade, app| respond(browser(peer, headers, upgrade, app)))
        .boxed()
}

pub(in crate::http) fn worker_socket(app: Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("ws" / "worker")
        .and(warp::get())
        .and(warp::ext::get::<Peer>())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<OnUpgrade>())
        .and(with(app))
        .then(|peer, headers, upgrade, app| respond(worker(peer, headers, upgrade, app)))
        .boxed()
}

pub(super) fn handshake(headers: &HeaderMap, upgrade: Option<OnUpgrade>) -> Result<(String, OnUpgrade), ApiError> {
    let accept = accept_key(headers).map_err(|bad| {
        ApiError::BadRequest(match bad {
            BadHandshake::NotAsked => "this address speaks WebSocket".to_owned(),
            BadHandshake::Version => "only version 13 of WebSocket is spoken".to_owned(),
            BadHandshake::Key => "the Sec-WebSocket-Key is missing or malformed".to_owned(),
        })
    })?;
    Ok((accept, upgrade.ok_or_else(|| ApiError::BadRequest("the connection cannot be upgraded".to_owned()))?))
}

async fn browser(
    peer: Peer,
    headers: HeaderMap,
    upgrade: Option<OnUpgrade>,
    app: Arc<App>,
) -> Result<Response, ApiError> {
    let by_token = bearer(&headers).is_some();
    match same_origin(&app, &headers) {
        Some(false) => return Err(ApiError::CrossSite("the connection comes from another site")),
        None if !by_token => return Err(ApiError::CrossSite("a connection without an Origin needs a token")),
        _ => {}
    }
    authenticate(&app, &headers, peer.0.ip()).await?;
    let (accept, upgrade) = handshake(&headers, upgrade)?;
    let driver = app.driver.clone();
    driver.spawn(async move {
        if let Ok(socket) = Socket::open(upgrade, MAX_BROWSER_MESSAGE).await {
            let (hub, fleet) = (app.driver.hub().clone(), app.driver.fleet().clone());
            live::serve(socket, hub, fleet, app.driver.store().clone(), app.stop.clone()).await;
        }
    });
    Ok(switching(&accept))
}

async fn worker(
    peer: Peer,
    headers: HeaderMap,
    upgrade: Option<OnUpgrade>,
    app: Arc<App>,
) -> Result<Response, ApiError> {
    let key = bearer(&headers).ok_or(ApiError::UnknownWorker)?;
    app.access.is_worker(key, app.access.client(&headers, peer.0.ip())).map_err(ApiError::of_worker)?;
    let (accept, upgrade) = handshake(&headers, upgrade)?;
    let driver = app.driver.clone();
    driver.spawn(async move {
        if let Ok(socket) = Socket::open(upgrade, MAX_MESSAGE_BYTES).await {
            fleet::serve(socket, peer.0, app.driver.fleet().clone(), app.driver.clone(), app.stop.clone()).await;
        }
    });
    Ok(switching(&accept))
}
