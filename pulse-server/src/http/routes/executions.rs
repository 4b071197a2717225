//! `/api/executions`: listing, looking, answering, aborting.

use crate::access::Caller;
use crate::drive::summary;
use crate::http::app::App;
use crate::http::execution_view::execution_view;
use crate::http::problem::{ApiError, respond};
use crate::http::request::{Query, caller, json, query, segment, with};
use futures_util::stream;
use pulse_core::api::{AbortRequest, ExecutionSummary, ExecutionView, OutputChunk, Page, RespondRequest};
use pulse_core::event::Entry;
use pulse_core::ids::{ExecutionId, PromptId, Seq};
use pulse_core::status::{ExecutionStatus, Role};
use pulse_core::time::Timestamp;
use pulse_engine::{Input, Refused};
use pulse_store::{ExecutionFilter, OutputFilter};
use std::sync::Arc;
use warp::filters::BoxedFilter;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::Response;
use warp::{Filter, Reply};

/// Pieces of output that are read from the store at once while they are streamed.
const OUTPUT_PAGE: usize = 64;
/// Journal entries on a page at most.
const EVENTS_PAGE: usize = 1_000;

pub(in crate::http) fn routes(app: Arc<App>) -> BoxedFilter<(Response,)> {
    let base = warp::path("executions");
    let one = base.and(segment());
    let list = base
        .and(warp::path::end())
        .and(warp::get())
        .and(caller(app.clone(), Role::Viewer))
        .and(query())
        .and(with(app.clone()))
        .then(|caller, query, app| respond(list(caller, query, app)));
    let get = one
        .and(warp::path::end())
        .and(warp::get())
        .and(caller(app.clone(), Role::Viewer))
        .and(with(app.clone()))
        .then(|id, caller, app| respond(get(id, caller, app)));
    let delete = one
        .and(warp::path::end())
        .and(warp::delete())
        .and(caller(app.clone(), Role::Admin))
        .and(with(app.clone()))
        .then(|id, caller, app| respond(delete(id, caller, app)));
    let events = one
        .and(warp::path("events"))
        .and(warp::path::end())
        .and(warp::get())
        .and(caller(app.clone(), Role::Viewer))
        .and(query())
        .and(with(app.clone()))
        .then(|id, caller, query, app| respond(events(id, caller, query, app)));
    let output = one
        .and(warp::path("output"))
        .and(warp::path::end())
        .and(warp::get())
        .and(caller(app.clone(), Role::Viewer))
        .and(query())
        .and(with(app.clone()))
        .then(|id, caller, query, app| respond(output(id, caller, query, app)));
    let answer = one
        .and(warp::path("respond"))
        .and(warp::path::end())
        .and(warp::post())
        // Who of them may answer, the prompt says.
        .and(caller(app.clone(), Role::Viewer))
        .and(json())
        .and(with(app.clone()))
        .then(|id, caller, body, app| respond(answer(id, caller, body, app)));
    let abort = one
        .and(warp::path("abort"))
        .and(warp::path::end())
        .and(warp::post())
        .and(caller(app.clone(), Role::Operator))
        .and(json())
        .and(with(app))
        .then(|id, caller, body, app| respond(abort(id, caller, body, app)));
    list.or(get)
        .unify()
        .or(delete)
        .unify()
        .or(events)
        .unify()
        .or(output)
        .unify()
        .or(answer)
        .unify()
        .or(abort)
        .unify()
        .boxed()
}

/// An execution's id from its text or a unique beginning of it.
pub(super) async fn find(app: &App, text: &str) -> Result<ExecutionId, ApiError> {
    let not_found = || ApiError::NotFound { what: "execution", id: pulse_core::text::shorten(text, 60) };
    if let Ok(id) = text.parse::<ExecutionId>() {
        return Ok(id);
    }
    if text.len() < 4 || text.len() > 36 || !text.chars().all(|c| c.is_ascii_hexdigit() || c == '-') {
        return Err(not_found());
    }
    match app.driver.store().executions_by_prefix(text, 2).await?[..] {
        [] => Err(not_found()),
        [id] => Ok(id),
        [..] => {
            let detail = format!("several executions begin with `{text}`: give more of the id");
            Err(ApiError::Conflict { code: "ambiguous-id", detail })
        }
    }
}

/// An execution in full.
pub(super) async fn view(app: &App, id: ExecutionId) -> Result<ExecutionView, ApiError> {
    let (record, plan, state, logs) = app.driver.look(id).await?;
    let parent = match state.origin.as_ref().and_then(|origin| origin.parent.as_ref()) {
        Some(parent) => app.driver.store().execution(parent.execution_id).await?,
        None => None,
    };
    let mut view = execution_view(&record.title, parent.map(|parent| parent.title), &plan.workflow, &state, logs)
        .ok_or_else(|| ApiError::NotFound { what: "execution", id: id.to_string() })?;
    app.driver.fleet().show_delivery(&mut view, &state);
    Ok(view)
}

async fn list(caller: Result<Caller, ApiError>, mut query: Query, app: Arc<App>) -> Result<impl Reply, ApiError> {
    caller?;
    let statuses = query.take("status").unwrap_or_default();
    let status = statuses.split(',').filter(|word| !word.is_empty()).map(str::parse::<ExecutionStatus>);
    let status = status
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| ApiError::Invalid { code: "invalid-query", detail: error.to_string() })?;
    let filter = ExecutionFilter {
        status,
        workflow: query.take("workflow"),
        started_by: query.take("started_by"),
        text: query.take("q"),
        since: query.parse::<Timestamp>("since")?,
        until: query.parse::<Timestamp>("until")?,
    };
    let (before, limit) = (query.parse::<ExecutionId>("cursor")?, query.limit()?);
    query.finish()?;
    let mut records = app.driver.store().executions(&filter, before, limit + 1).await?;
    let next = (records.len() > limit).then(|| {
        records.truncate(limit);
        records.last().map(|record| record.id.to_string()).unwrap_or_default()
    });
    let mut items: Vec<ExecutionSummary> = records.iter().map(summary).collect();
    app.driver.fleet().show_deliveries(&mut items);
    Ok(warp::reply::json(&Page::<ExecutionSummary> { items, next }))
}

async fn get(id: String, caller: Result<Caller, ApiError>, app: Arc<App>) -> Result<impl Reply, ApiError> {
    caller?;
    let id = find(&app, &id).await?;
    Ok(warp::reply::json(&view(&app, id).await?))
}

async fn delete(id: String, caller: Result<Caller, ApiError>, app: Arc<App>) -> Result<impl Reply, ApiError> {
    caller?;
    let id = find(&app, &id).await?;
    match app.driver.store().delete_execution(id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::NotFound { what: "execution", id: id.to_string() }),
    }
}

async fn events(
    id: String,
    caller: Result<Caller, ApiError>,
    mut query: Query,
    app: Arc<App>,
) -> Result<impl Reply, ApiError> {
    caller?;
    let id = find(&app, &id).await?;
    let after = query.parse::<u64>("after")?.unwrap_or(0);
    let limit = query.parse::<usize>("limit")?.unwrap_or(EVENTS_PAGE).clamp(1, EVENTS_PAGE);
    query.finish()?;
    if app.driver.store().execution(id).await?.is_none() {
        return Err(ApiError::NotFound { what: "execution", id: id.to_string() });
    }
    let mut items = app.driver.store().read(id, Seq(after), limit + 1).await?;
    let next = (items.len() > limit).then(|| {
        items.truncate(limit);
        items.last().map(|entry| entry.seq.to_string()).unwrap_or_default()
    });
    Ok(warp::reply::json(&Page::<Entry> { items, next }))
}

async fn output(
    id: String,
    caller: Result<Caller, ApiError>,
    mut query: Query,
    app: Arc<App>,
) -> Result<Response, ApiError> {
    caller?;
    let id = find(&app, &id).await?;
    let stream = match query.take("stream").as_deref() {
        None => None,
        Some("stdout") => Some(pulse_core::command::Stream::Stdout),
        Some("stderr") => Some(pulse_core::command::Stream::Stderr),
        Some(_) => {
            let detail = "stream: must be stdout or stderr".to_owned();
            return Err(ApiError::Invalid { code: "invalid-query", detail });
        }
    };
    let filter = OutputFilter {
        step: query.take("step").map(|step| step.as_str().into()),
        worker: query.take("worker"),
        stream,
        command_id: query.parse("command")?,
    };
    let format = query.take("format");
    let after = query.parse::<u64>("cursor")?.unwrap_or(0);
    let limit = query.limit()?;
    query.finish()?;
    if app.driver.store().execution(id).await?.is_none() {
        return Err(ApiError::NotFound { what: "execution", id: id.to_string() });
    }
    match format.as_deref() {
        Some("json") => {
            let mut items = app.driver.store().output(id, after, &filter, limit + 1).await?;
            let next = (items.len() > limit).then(|| {
                items.truncate(limit);
                items.last().map(|chunk| chunk.cursor.to_string()).unwrap_or_default()
            });
            Ok(warp::reply::json(&Page::<OutputChunk> { items, next }).into_response())
        }
        None | Some("text") => Ok(as_text(app, id, filter)),
        Some(_) => Err(ApiError::Invalid { code: "invalid-query", detail: "format: must be text or json".to_owned() }),
    }
}

/// Output as plain text, read from the store page by page as the client takes it.
fn as_text(app: Arc<App>, id: ExecutionId, filter: OutputFilter) -> Response {
    // One page ahead of the client, no more.
    let (sender, mut pages) = tokio::sync::mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
    let reader = app.driver.clone();
    app.driver.spawn(async move {
        let mut after = 0;
        loop {
            let page = match reader.store().output(id, after, &filter, OUTPUT_PAGE).await {
                Ok(page) => page,
                Err(error) => {
                    let _ = sender.send(Err(std::io::Error::other(error.to_string()))).await;
                    return;
                }
            };
            let Some(last) = page.last().map(|chunk| chunk.cursor) else { return };
            after = last;
            let bytes = page.into_iter().flat_map(plain).collect();
            if sender.send(Ok(bytes)).await.is_err() {
                return;
            }
        }
    });
    let body = stream::poll_fn(move |cx| pages.poll_recv(cx));
    let mut response = warp::reply::stream(body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// A piece as plain text; a marker for missing output is a line of its own.
fn plain(chunk: OutputChunk) -> Vec<u8> {
    match chunk.gap_note() {
        Some(note) => format!("\n{note}\n").into_bytes(),
        None => chunk.data.into_bytes(),
    }
}

async fn answer(
    id: String,
    caller: Result<Caller, ApiError>,
    body: Result<RespondRequest, ApiError>,
    app: Arc<App>,
) -> Result<impl Reply, ApiError> {
    let caller = caller?;
    if caller.groups.is_empty() {
        may_operate(&caller)?;
    }
    let RespondRequest { response, prompt_id, fields } = body?;
    let id = find(&app, &id).await?;
    let prompt_id = may_answer(&app, id, prompt_id, &caller).await?;
    app.driver.input(id, Input::Answer { prompt_id, response, by: caller.name, fields }).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn may_operate(caller: &Caller) -> Result<(), ApiError> {
    match caller.role.covers(Role::Operator) {
        true => Ok(()),
        false => Err(ApiError::Forbidden { needed: Role::Operator, is: caller.role }),
    }
}

/// Whether a caller is among those that may answer: members of the groups that the prompt allows, whatever their role;
/// every operator where it names none; administrators always. Answers which prompt that holds for, so that the answer
/// cannot meet another one that opens meanwhile.
async fn may_answer(
    app: &App,
    id: ExecutionId,
    prompt_id: Option<PromptId>,
    caller: &Caller,
) -> Result<Option<PromptId>, ApiError> {
    if caller.role == Role::Admin {
        return Ok(prompt_id);
    }
    let state = app.driver.fold(id).await?;
    let prompt = match state.asked(prompt_id) {
        Ok((_, prompt)) => prompt,
        // One who comes too late may have been a member.
        Err(refused @ Refused::Answered { .. }) => return Err(refused.into()),
        Err(refused) => return Err(may_operate(caller).err().unwrap_or_else(|| refused.into())),
    };
    match prompt.allow.iter().any(|group| caller.groups.contains(group)) {
        true => {}
        false if prompt.allow.is_empty() => may_operate(caller)?,
        false => return Err(ApiError::NotAllowed { groups: prompt.allow.clone() }),
    }
    Ok(Some(prompt.id))
}

async fn abort(
    id: String,
    caller: Result<Caller, ApiError>,
    body: Result<AbortRequest, ApiError>,
    app: Arc<App>,
) -> Result<impl Reply, ApiError> {
    let (caller, AbortRequest { reason }) = (caller?, body?);
    if reason.as_ref().is_some_and(|reason| reason.chars().count() > 1_000) {
        let detail = "`reason` has more than 1000 characters".to_owned();
        return Err(ApiError::Invalid { code: "invalid-body", detail });
    }
    let id = find(&app, &id).await?;
    app.driver.input(id, Input::Abort { by: caller.name, reason }).await?;
    Ok(StatusCode::NO_CONTENT)
}
