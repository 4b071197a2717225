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
        let store = app.driver.store();
        let is_up = app.ready.load(Ordering::Relaxed) && !app.stop.is_cancelled();
        // They answer anyone, so they name no path and no address; the log does.
        let reason = match (store.failed().borrow().is_some(), store.trouble()) {
            (true, _) => "the database has failed",
            (false, Some(pulse_store::Error::Full { .. })) => "the disk is full: nothing can be stored",
            (false, Some(_)) => "the database cannot be reached",
            (false, None) if is_up => return "ready\n".into_response(),
            (false, None) => "the server is stopping",
        };
        let text = format!("not ready: {reason}\n");
        warp::reply::with_status(text, StatusCode::SERVICE_UNAVAILABLE).into_response()
    });
    health.or(ready).unify().boxed()
}
