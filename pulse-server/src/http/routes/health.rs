//! `/healthz` and `/readyz`: whether the server lives, and whether it takes work. They answer anyone.

use crate::http::app::App;
use crate::http::request::with;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply};

pub(in crate::http) fn routes(app: Arc<App>) -> BoxedFilter<(Response,)> {
    let health = warp::path!("healthz").and(warp::get()).map(|| "ok\n".into_response());
    let ready = warp::path!("readyz").and(warp::get()).and(with(app)).map(|app: Arc<App>| {
        let failed = app.driver.store().failed().borrow().clone();
        let ready = app.ready.load(Ordering::Relaxed) && !app.stop.is_cancelled() && failed.is_none();
        match ready {
            true => "ready\n".into_response(),
            false => warp::reply::with_status("not ready\n", StatusCode::SERVICE_UNAVAILABLE).into_response(),
        }
    });
    health.or(ready).unify().boxed()
}
