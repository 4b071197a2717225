//! `/api/me`: who the caller is.

use crate::access::Caller;
use crate::http::app::App;
use crate::http::problem::{ApiError, respond};
use crate::http::request::caller;
use pulse_core::api::Me;
use pulse_core::status::Role;
use std::sync::Arc;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::reply::Response;

pub(in crate::http) fn routes(app: Arc<App>) -> BoxedFilter<(Response,)> {
    warp::path!("me")
        .and(warp::get())
        .and(caller(app, Role::Viewer))
        .then(|caller: Result<Caller, ApiError>| respond(async { Ok(warp::reply::json(&me(caller?))) }))
        .boxed()
}

/// A caller as the API shows them.
pub(super) fn me(caller: Caller) -> Me {
    let Caller { name, role, groups, csrf, by_proxy } = caller;
    Me { name, role, groups, csrf, by_proxy }
}
