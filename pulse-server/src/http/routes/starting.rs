//! What starting a workflow and a quick command have in common: idempotency keys, `Prefer: wait`, and the answer.

use crate::access::Caller;
use crate::drive::{Begin, Begun};
use crate::http::app::App;
use crate::http::problem::ApiError;
use crate::live::Live;
use pulse_core::api::Created;
use pulse_core::ids::ExecutionId;
use pulse_store::IdempotencyKey;
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use warp::Reply;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::Response;

/// Longest `Prefer: wait`.
const MAX_WAIT_S: u64 = 300;
/// Longest idempotency key.
const MAX_KEY: usize = 200;

/// The request's idempotency key, if it has one. `request` is what makes two requests the same.
pub(super) fn idempotency(
    headers: &HeaderMap,
    caller: &Caller,
    route: &str,
    request: &impl Serialize,
) -> Result<Option<IdempotencyKey>, ApiError> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > MAX_KEY {
        return Err(ApiError::BadRequest(format!("Idempotency-Key must have 1 to {MAX_KEY} visible characters")));
    }
    let request = serde_json::to_string(request).map_err(|_| ApiError::Internal)?;
    let request_hash = crate::access::hash(&request).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(IdempotencyKey { scope: format!("{} {route}", caller.name), key: key.to_owned(), request_hash }))
}

/// `Prefer: wait=SECONDS` (RFC 7240).
fn wait(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    let mut preferences =
        values.flat_map(|value| value.split([',', ';'])).filter_map(|part| part.trim().split_once('='));
    let seconds =
        preferences.find(|(name, _)| name.trim().eq_ignore_ascii_case("wait"))?.1.trim().parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds.min(MAX_WAIT_S)))
}

/// Starts an execution and answers: 202 with its id, or, when the client prefers to wait, 200 with the execution once it
/// has ended or waits for a person.
pub(super) async fn start(app: &Arc<App>, headers: &HeaderMap, begin: Begin) -> Result<Response, ApiError> {
    // Before it begins, so that its end cannot be missed.
    let live = wait(headers).map(|wait| (wait, app.driver.hub().subscribe()));
    let id = match app.driver.begin(begin).await? {
        Begun::New(id) | Begun::Repeated(id) => id,
        Begun::KeyReused(id) => {
            let detail = format!("the Idempotency-Key was used for another request, which started execution {id}");
            return Err(ApiError::Conflict { code: "idempotency-key-reused", detail });
        }
    };
    let mut response = match live {
        None => warp::reply::with_status(warp::reply::json(&Created { id }), StatusCode::ACCEPTED).into_response(),
        Some((wait, mut live)) => {
            let settled = tokio::time::timeout(wait, async {
                while !is_settled(app, id).await? {
                    wait_for_news(&mut live, id).await;
                }
                Ok::<(), ApiError>(())
            });
            match app.stop.run_until_cancelled(settled).await {
                Some(Ok(result)) => {
                    result?;
                    let mut response = warp::reply::json(&super::executions::view(app, id).await?).into_response();
                    response.headers_mut().insert("preference-applied", HeaderValue::from_static("wait"));
                    response
                }
                // It takes longer than the client waits, or than this server lives.
                Some(Err(_)) | None => {
                    warp::reply::with_status(warp::reply::json(&Created { id }), StatusCode::ACCEPTED).into_response()
                }
            }
        }
    };
    if let Ok(location) = HeaderValue::from_str(&format!("/api/executions/{id}")) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Whether an execution has ended or waits for a person.
async fn is_settled(app: &App, id: ExecutionId) -> Result<bool, ApiError> {
    let record = app.driver.store().execution(id).await?;
    let record = record.ok_or_else(|| ApiError::NotFound { what: "execution", id: id.to_string() })?;
    Ok(record.status.is_final() || record.waiting_for_input)
}

/// Waits until an execution has ended or waits for a person, or messages were missed.
async fn wait_for_news(live: &mut tokio::sync::broadcast::Receiver<Live>, id: ExecutionId) {
    while let Ok(message) = live.recv().await {
        if message.settled == Some(id) {
            return;
        }
    }
}
