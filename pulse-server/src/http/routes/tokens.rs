//! `/api/tokens`: API tokens. Their secrets are shown once and stored as hashes.

use crate::access::{BY_PROXY, Caller, MADE, Secret};
use crate::http::app::App;
use crate::http::problem::{ApiError, respond};
use crate::http::request::{caller, json, with};
use pulse_core::api::{NewToken, Page, TokenCreated, TokenView};
use pulse_core::ids::TokenId;
use pulse_core::status::Role;
use pulse_store::TokenRecord;
use std::sync::Arc;
use std::time::Duration;
use warp::filters::BoxedFilter;
use warp::http::StatusCode;
use warp::reply::Response;
use warp::{Filter, Reply};

const DAY: Duration = Duration::from_secs(86_400);
/// How long a token works when its maker does not say.
const DEFAULT_DAYS: u32 = 90;
/// Characters of who acts with a token, at most: what a name in the database holds.
const MAX_HOLDER: usize = 190;

pub(in crate::http) fn routes(app: Arc<App>) -> BoxedFilter<(Response,)> {
    let base = warp::path("tokens");
    let list = base
        .and(warp::path::end())
        .and(warp::get())
        .and(caller(app.clone(), Role::Viewer))
        .and(with(app.clone()))
        .then(|caller, app| respond(list(caller, app)));
    let create = base
        .and(warp::path::end())
        .and(warp::post())
        .and(caller(app.clone(), Role::Viewer))
        .and(json())
        .and(with(app.clone()))
        .then(|caller, body, app| respond(create(caller, body, app)));
    let delete = base
        .and(warp::path::param())
        .and(warp::path::end())
        .and(warp::delete())
        .and(caller(app.clone(), Role::Viewer))
        .and(with(app))
        .then(|id, caller, app| respond(delete(id, caller, app)));
    list.or(create).unify().or(delete).unify().boxed()
}

/// Whether a caller may see and delete a token: their own, or as an admin everybody's.
fn may_touch(caller: &Caller, token: &TokenRecord) -> bool {
    caller.role == Role::Admin || token.created_by == caller.owner()
}

fn view(token: TokenRecord) -> TokenView {
    let TokenRecord { id, name, role, created_by, created_at, expires_at, .. } = token;
    TokenView { id, name, role, created_by, created_at, expires_at }
}

async fn list(caller: Result<Caller, ApiError>, app: Arc<App>) -> Result<impl Reply, ApiError> {
    let caller = caller?;
    let tokens = app.driver.store().tokens().await?;
    let items = tokens.into_iter().filter(|token| may_touch(&caller, token)).map(view).collect();
    Ok(warp::reply::json(&Page::<TokenView> { items, next: None }))
}

async fn create(
    caller: Result<Caller, ApiError>,
    body: Result<NewToken, ApiError>,
    app: Arc<App>,
) -> Result<impl Reply, ApiError> {
    let (caller, NewToken { name, role, expires_days }) = (caller?, body?);
    let invalid = |detail: &str| ApiError::Invalid { code: "invalid-token", detail: detail.to_owned() };
    if !(1..=120).contains(&name.trim().chars().count()) || name.chars().any(char::is_control) {
        return Err(invalid("a token's name has 1 to 120 characters"));
    }
    // Whoever acts with it is called `maker/name`, and that has to be somebody of their own.
    if name.contains(MADE) || name.trim_end().ends_with(BY_PROXY.trim_start()) {
        return Err(invalid("a token's name has no `/` in it and no `(proxy)` at its end"));
    }
    let owner = caller.owner();
    if owner.chars().count() + name.chars().count() > MAX_HOLDER {
        return Err(invalid(
            "the names of its maker and of the token are too long together: call it something shorter",
        ));
    }
    if !caller.role.covers(role) {
        return Err(ApiError::Forbidden { needed: role, is: caller.role });
    }
    let days = expires_days.unwrap_or(DEFAULT_DAYS);
    if !(1..=3650).contains(&days) {
        return Err(invalid("expires_days must be 1 to 3650"));
    }
    let (secret, now) = (Secret::generate("pulse_"), crate::clock::now());
    let same = |token: &TokenRecord| token.created_by == owner && token.name == name && token.expires_at > now;
    if app.driver.store().tokens().await?.iter().any(same) {
        let detail = format!("you have a token called `{name}`: delete it first, or call this one something else");
        return Err(ApiError::Conflict { code: "name-taken", detail });
    }
    let token = TokenRecord {
        id: TokenId(uuid::Uuid::now_v7()),
        hash: secret.hash(),
        name,
        role,
        created_by: owner,
        created_at: now,
        expires_at: now.plus(DAY * days),
    };
    app.driver.store().insert_token(token.clone()).await?;
    let created = TokenCreated { token: secret.reveal().to_owned(), view: view(token) };
    Ok(warp::reply::with_status(warp::reply::json(&created), StatusCode::CREATED))
}

async fn delete(id: String, caller: Result<Caller, ApiError>, app: Arc<App>) -> Result<impl Reply, ApiError> {
    let caller = caller?;
    let not_found = || ApiError::NotFound { what: "token", id: pulse_core::text::shorten(&id, 40) };
    let parsed: TokenId = id.parse().map_err(|_| not_found())?;
    let tokens = app.driver.store().tokens().await?;
    if !tokens.iter().any(|token| token.id == parsed && may_touch(&caller, token)) {
        return Err(not_found());
    }
    app.driver.store().delete_token(parsed).await?;
    Ok(StatusCode::NO_CONTENT)
}
