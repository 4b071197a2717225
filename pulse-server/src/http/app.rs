//! All routes as one filter, and what they share.

use super::problem::ApiError;
use super::{assets, routes as resources};
use crate::access::Access;
use crate::drive::Driver;
use crate::webhooks::SigningKey;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio_util::sync::CancellationToken;
use warp::filters::BoxedFilter;
use warp::http::header::{self, HeaderValue};
use warp::reply::Response;
use warp::{Filter, Rejection, Reply};

/// What the routes share.
pub struct App {
    /// Who is asking.
    pub access: Access,
    /// Executions, workers, live events, store.
    pub driver: Driver,
    /// Where browsers reach the server, when it is not where it listens.
    pub public_url: Option<String>,
    /// What webhooks are signed with; none without a key to seal it with.
    pub webhook_key: Option<SigningKey>,
    /// Whether agents of the first PULSE are served.
    pub legacy_agents: bool,
    /// Whether start-up is over.
    pub ready: AtomicBool,
    /// The server's end.
    pub stop: CancellationToken,
}

/// Everything the server answers.
pub fn routes(app: Arc<App>) -> BoxedFilter<(Response,)> {
    let api = warp::path("api").and(
        resources::session(app.clone())
            .or(resources::me(app.clone()))
            .unify()
            .or(resources::tokens(app.clone()))
            .unify()
            .or(resources::workflows(app.clone()))
            .unify()
            .or(resources::commands(app.clone()))
            .unify()
            .or(resources::executions(app.clone()))
            .unify()
            .or(resources::webhooks(app.clone()))
            .unify()
            .or(resources::heartbeat(app.clone()))
            .unify()
            .or(resources::workers(app.clone()))
            .unify()
            .boxed(),
    );
    let sockets = resources::browser_socket(app.clone())
        .or(resources::worker_socket(app.clone()))
        .unify()
        .or(resources::legacy_socket(app.clone()))
        .unify()
        .boxed();
    api.or(sockets)
        .unify()
        .or(resources::health(app.clone()))
        .unify()
        .or(assets::routes())
        .unify()
        .recover(recover)
        .unify()
        .map(with_security_headers)
        .boxed()
}

/// Every answer says how a browser has to treat it.
fn with_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut set = |name: header::HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    );
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::CACHE_CONTROL, "no-store");
    response
}

/// Requests that no route takes.
async fn recover(rejection: Rejection) -> Result<Response, Infallible> {
    let error = if rejection.is_not_found() {
        ApiError::NotFound { what: "such address", id: String::new() }
    } else if rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        ApiError::Method
    } else {
        ApiError::BadRequest("the request is malformed".to_owned())
    };
    Ok(error.into_response())
}
