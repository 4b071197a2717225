//! `/api/session`: signing in with a token or a one-time code, and out.

use super::me::me;
use crate::access::{Caller, Credential};
use crate::http::app::App;
use crate::http::problem::{ApiError, respond};
use crate::http::request::{COOKIE, Peer, caller, cookie, json, same_origin, with};
use pulse_core::api::SessionRequest;
use pulse_core::status::Role;
use std::sync::Arc;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::Response;
use warp::{Filter, Reply};

pub(in crate::http) fn routes(app: Arc<App>) -> BoxedFilter<(Response,)> {
    let sign_in = warp::path!("session")
        .and(warp::post())
        .and(warp::ext::get::<Peer>())
        .and(warp::header::headers_cloned())
        .and(json())
        .and(with(app.clone()))
        .then(|peer, headers, body, app| respond(sign_in(peer, headers, body, app)));
    let sign_out = warp::path!("session")
        .and(warp::delete())
        .and(caller(app.clone(), Role::Viewer))
        .and(warp::header::headers_cloned())
        .and(with(app))
        .then(|caller, headers, app| respond(sign_out(caller, headers, app)));
    sign_in.or(sign_out).unify().boxed()
}

async fn sign_in(
    peer: Peer,
    headers: HeaderMap,
    body: Result<SessionRequest, ApiError>,
    app: Arc<App>,
) -> Result<Response, ApiError> {
    if same_origin(&app, &headers) == Some(false) {
        return Err(ApiError::CrossSite("the request comes from another site"));
    }
    let peer = peer.0.ip();
    if let Some(caller) = app.access.proxied(&headers, peer)? {
        return Err(proxied(&caller));
    }
    let address = app.access.client(&headers, peer);
    let (name, role) = match body? {
        SessionRequest { token: Some(token), code: None } => {
            let Caller { name, role, .. } = app.access.caller(&Credential::Token(token), address).await??;
            (name, role)
        }
        SessionRequest { token: None, code: Some(code) } => {
            if app.access.must_wait(address) {
                return Err(ApiError::TooMany);
            }
            if !app.access.codes.redeem(&code, crate::clock::now()) {
                app.access.note_failure(address);
                let detail =
                    "the sign-in link has been used, or is too old: the server prints a new one when it starts";
                return Err(ApiError::Invalid { code: "bad-code", detail: detail.to_owned() });
            }
            ("admin".to_owned(), Role::Admin)
        }
        _ => {
            let detail = "send either `token` or `code`".to_owned();
            return Err(ApiError::Invalid { code: "invalid-body", detail });
        }
    };
    let (secret, caller) = app.access.sign_in(&name, role).await?;
    let mut response = warp::reply::json(&me(caller)).into_response();
    set_cookie(&mut response, &app, secret.reveal(), "");
    Ok(response)
}

async fn sign_out(caller: Result<Caller, ApiError>, headers: HeaderMap, app: Arc<App>) -> Result<Response, ApiError> {
    let caller = caller?;
    if caller.by_proxy {
        return Err(proxied(&caller));
    }
    if let Some(cookie) = cookie(&headers) {
        app.driver.store().delete_session(&crate::access::hash(cookie)).await?;
    }
    let mut response = StatusCode::NO_CONTENT.into_response();
    set_cookie(&mut response, &app, "", "; Max-Age=0");
    Ok(response)
}

/// A session would be of no use, and its end no sign-out: with the next request the proxy signs the person in again.
fn proxied(caller: &Caller) -> ApiError {
    let detail = format!("the proxy in front of PULSE signs you in, as {}: sign in and out there", caller.name);
    ApiError::Conflict { code: "signed-in-by-proxy", detail }
}

fn set_cookie(response: &mut Response, app: &App, value: &str, more: &str) {
    let secure = if app.public_url.as_deref().is_some_and(|url| url.starts_with("https://")) { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={value}; HttpOnly; SameSite=Strict; Path=/{secure}{more}");
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
}
