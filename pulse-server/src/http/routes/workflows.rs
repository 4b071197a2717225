//! `/api/workflows`: stored workflows, checking definitions, and starting them.

use super::children;
use super::commands::check_targets;
use super::starting::{idempotency, start};
use super::targets;
use crate::access::Caller;
use crate::drive::Begin;
use crate::http::app::App;
use crate::http::problem::{ApiError, respond};
use crate::http::request::{Query, caller, json, query, segment, with};
use pulse_core::api::{
    CheckRequest, CheckResult, ExecuteRequest, Page, WorkflowPut, WorkflowSummary, WorkflowVersionView, WorkflowView,
};
use pulse_core::diagnostic::Severity;
use pulse_core::event::WorkflowRef;
use pulse_core::ids::WorkflowId;
use pulse_core::status::{Role, Trigger};
use pulse_core::workflow::is_webhook;
use pulse_engine::{Loaded, Start, graph, load};
use pulse_store::{SaveWorkflow, WorkflowRecord, WorkflowVersion};
use serde_json::Value;
use std::sync::Arc;
use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::reply::Response;
use warp::{Filter, Reply};

pub(in crate::http) fn routes(app: Arc<App>) -> BoxedFilter<(Response,)> {
    let base = warp::path("workflows");
    let one = base.and(segment()).and(warp::path::end());
    let list = base
        .and(warp::path::end())
        .and(warp::get())
        .and(caller(app.clone(), Role::Viewer))
        .and(query())
        .and(with(app.clone()))
        .then(|caller, query, app| respond(list(caller, query, app)));
    let create = base
        .and(warp::path::end())
        .and(warp::post())
        .and(caller(app.clone(), Role::Admin))
        .and(json())
        .and(with(app.clone()))
        .then(|caller, body, app| respond(create(caller, body, app)));
    let check = base
        .and(warp::path("check"))
        .and(warp::path::end())
        .and(warp::post())
        .and(caller(app.clone(), Role::Viewer))
        .and(json())
        .and(with(app.clone()))
        .then(|caller, body, app| respond(check(caller, body, app)));
    let get = one
        .and(warp::get())
        .and(caller(app.clone(), Role::Viewer))
        .and(with(app.clone()))
        .then(|id, caller, app| respond(get(id, caller, app)));
    let put = one
        .and(warp::put())
        .and(caller(app.clone(), Role::Admin))
        .and(warp::header::headers_cloned())
        .and(json())
        .and(with(app.clone()))
        .then(|id, caller, headers, body, app| respond(put(id, caller, headers, body, app)));
    let delete = one
        .and(warp::delete())
        .and(caller(app.clone(), Role::Admin))
        .and(with(app.clone()))
        .then(|id, caller, app| respond(delete(id, caller, app)));
    let versions = base
        .and(segment())
        .and(warp::path("versions"))
        .and(warp::path::end())
        .and(warp::get())
        .and(caller(app.clone(), Role::Viewer))
        .and(with(app.clone()))
        .then(|id, caller, app| respond(versions(id, caller, app)));
    let version = base
        .and(segment())
        .and(warp::path("versions"))
        .and(warp::path::param())
        .and(warp::path::end())
        .and(warp::get())
        .and(caller(app.clone(), Role::Viewer))
        .and(with(app.clone()))
        .then(|id, version, caller, app| respond(version_of(id, version, caller, app)));
    let execute = base
        .and(segment())
        .and(warp::path("execute"))
        .and(warp::path::end())
        .and(warp::post())
        .and(caller(app.clone(), Role::Operator))
        .and(warp::header::headers_cloned())
        .and(json())
        .and(with(app))
        .then(|id, caller, headers, body, app| respond(execute(id, caller, headers, body, app)));
    list.or(create)
        .unify()
        .or(check)
        .unify()
        .or(get)
        .unify()
        .or(put)
        .unify()
        .or(delete)
        .unify()
        .or(versions)
        .unify()
        .or(version)
        .unify()
        .or(execute)
        .unify()
        .boxed()
}

/// Reads a definition off the async threads: a hostile one may take a while.
async fn read(definition: String) -> Result<Loaded, ApiError> {
    tokio::task::spawn_blocking(move || load(&definition)).await.map_err(|_| ApiError::Internal)
}

/// A definition's text: YAML or JSON as text, or JSON as an object.
fn text(definition: Value) -> Result<String, ApiError> {
    match definition {
        Value::String(text) => Ok(text),
        Value::Object(_) => serde_json::to_string_pretty(&definition).map_err(|_| ApiError::Internal),
        _ => Err(ApiError::Invalid {
            code: "invalid-body",
            detail: "`definition` must be YAML or JSON as text, or a JSON object".to_owned(),
        }),
    }
}

/// A workflow by id or name.
async fn find(app: &App, id_or_name: &str) -> Result<WorkflowRecord, ApiError> {
    let store = app.driver.store();
    let by_id = match id_or_name.parse::<WorkflowId>() {
        Ok(id) => store.workflow(id).await?,
        Err(_) => None,
    };
    let found = match by_id {
        Some(found) => Some(found),
        None => store.workflow_by_name(id_or_name).await?,
    };
    found.ok_or_else(|| ApiError::NotFound {
        what: "workflow",
        id: format!("`{}`", pulse_core::text::shorten(id_or_name, 120)),
    })
}

fn summary(record: &WorkflowRecord, loaded: &Loaded) -> WorkflowSummary {
    WorkflowSummary {
        id: record.id,
        name: record.name.clone(),
        description: record.description.clone(),
        tags: record.tags.clone(),
        params: loaded.workflow.as_ref().map(|workflow| workflow.params.clone()).unwrap_or_default(),
        version: record.version,
        created_by: record.created_by.clone(),
        created_at: record.created_at,
        updated_at: record.updated_at,
    }
}

fn view(record: WorkflowRecord, loaded: Loaded) -> WorkflowView {
    WorkflowView {
        summary: summary(&record, &loaded),
        graph: loaded.workflow.as_ref().map(graph).unwrap_or_default(),
        definition: record.definition,
        webhook: record.webhook,
        diagnostics: loaded.diagnostics,
    }
}

async fn list(caller: Result<Caller, ApiError>, mut query: Query, app: Arc<App>) -> Result<impl Reply, ApiError> {
    caller?;
    let (text, after, limit) = (query.take("q"), query.take("cursor"), query.limit()?);
    query.finish()?;
    let mut records = app.driver.store().workflows(text.as_deref(), after.as_deref(), limit + 1).await?;
    let next = (records.len() > limit).then(|| {
        records.truncate(limit);
        records.last().map(|record| record.name.clone()).unwrap_or_default()
    });
    let items = tokio::task::spawn_blocking(move || {
        records.iter().map(|record| summary(record, &load(&record.definition))).collect()
    });
    let items = items.await.map_err(|_| ApiError::Internal)?;
    Ok(warp::reply::json(&Page::<WorkflowSummary> { items, next }))
}

async fn check(
    caller: Result<Caller, ApiError>,
    body: Result<CheckRequest, ApiError>,
    app: Arc<App>,
) -> Result<impl Reply, ApiError> {
    caller?;
    let mut loaded = read(text(body?.definition)?).await?;
    targets::lint(&app, &mut loaded);
    children::lint(&app, &mut loaded).await?;
    Ok(warp::reply::json(&CheckResult {
        valid: !has_errors(&loaded),
        graph: loaded.workflow.as_ref().map(graph),
        diagnostics: loaded.diagnostics,
    }))
}

async fn get(id: String, caller: Result<Caller, ApiError>, app: Arc<App>) -> Result<Response, ApiError> {
    caller?;
    let record = find(&app, &id).await?;
    let mut loaded = read(record.definition.clone()).await?;
    targets::lint(&app, &mut loaded);
    children::lint(&app, &mut loaded).await?;
    Ok(tagged(view(record, loaded), StatusCode::OK))
}

/// A workflow with its version as ETag.
fn tagged(view: WorkflowView, status: StatusCode) -> Response {
    let mut response = warp::reply::with_status(warp::reply::json(&view), status).into_response();
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", view.summary.version)) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

async fn create(
    caller: Result<Caller, ApiError>,
    body: Result<WorkflowPut, ApiError>,
    app: Arc<App>,
) -> Result<Response, ApiError> {
    let (caller, body) = (caller?, body?);
    let id = WorkflowId(uuid::Uuid::now_v7());
    let view = save(&app, id, &caller, body, None).await?;
    Ok(tagged(view, StatusCode::CREATED))
}

async fn put(
    id: String,
    caller: Result<Caller, ApiError>,
    headers: HeaderMap,
    body: Result<WorkflowPut, ApiError>,
    app: Arc<App>,
) -> Result<Response, ApiError> {
    let (caller, body) = (caller?, body?);
    let expected = match headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()) {
        None | Some("*") => None,
        Some(etag) => Some(etag.trim_matches('"').parse().map_err(|_| {
            ApiError::BadRequest("If-Match must be the ETag of the workflow, which is its version".to_owned())
        })?),
    };
    let existing = find(&app, &id).await?;
    Ok(tagged(save(&app, existing.id, &caller, body, expected).await?, StatusCode::OK))
}

async fn save(
    app: &App,
    id: WorkflowId,
    caller: &Caller,
    body: WorkflowPut,
    expected: Option<u32>,
) -> Result<WorkflowView, ApiError> {
    let definition = text(body.definition)?;
    let mut loaded = read(definition.clone()).await?;
    children::lint(app, &mut loaded).await?;
    let Loaded { plan: Some(_), workflow: Some(workflow), .. } = &loaded else {
        return Err(ApiError::Diagnostics(loaded.diagnostics));
    };
    if has_errors(&loaded) {
        return Err(ApiError::Diagnostics(loaded.diagnostics));
    }
    let invalid = |detail: &str| ApiError::Invalid { code: "invalid-name", detail: detail.to_owned() };
    let name = body
        .name
        .or_else(|| workflow.name.clone())
        .ok_or_else(|| invalid("a workflow needs a name: write `name:` in the definition, or send `name` beside it"))?;
    if !(1..=120).contains(&name.trim().chars().count()) || name.chars().any(char::is_control) {
        return Err(invalid("a workflow's name has 1 to 120 characters and no control characters"));
    }
    if let Some(webhook) = body.webhook.as_deref().filter(|webhook| !is_webhook(webhook)) {
        let webhook = pulse_core::text::shorten(webhook, 80);
        let detail =
            format!("`webhook` must be an address of http or https, like https://hooks.example/pulse, not `{webhook}`");
        return Err(ApiError::Invalid { code: "invalid-webhook", detail });
    }
    let save = SaveWorkflow {
        id,
        name: name.trim().to_owned(),
        description: body.description.or_else(|| workflow.description.clone()).unwrap_or_default(),
        tags: workflow.tags.clone(),
        definition,
        webhook: body.webhook.or_else(|| workflow.webhook.clone()),
        by: caller.name.clone(),
        at: crate::clock::now(),
        expected,
    };
    let record = app.driver.store().save_workflow(save).await?;
    targets::lint(app, &mut loaded);
    Ok(view(record, loaded))
}

fn has_errors(loaded: &Loaded) -> bool {
    loaded.diagnostics.iter().any(|found| found.severity == Severity::Error)
}

async fn delete(id: String, caller: Result<Caller, ApiError>, app: Arc<App>) -> Result<impl Reply, ApiError> {
    caller?;
    let record = find(&app, &id).await?;
    app.driver.store().delete_workflow(record.id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Versions outlive their workflow: executions still name them.
async fn id_of(app: &App, id_or_name: &str) -> Result<WorkflowId, ApiError> {
    match id_or_name.parse::<WorkflowId>() {
        Ok(id) => Ok(id),
        Err(_) => Ok(find(app, id_or_name).await?.id),
    }
}

async fn versions(id: String, caller: Result<Caller, ApiError>, app: Arc<App>) -> Result<impl Reply, ApiError> {
    caller?;
    let found = app.driver.store().workflow_versions(id_of(&app, &id).await?).await?;
    if found.is_empty() {
        return Err(ApiError::NotFound { what: "workflow", id: format!("`{}`", pulse_core::text::shorten(&id, 120)) });
    }
    let view = |version: WorkflowVersion| WorkflowVersionView {
        version: version.version,
        saved_by: version.saved_by,
        saved_at: version.saved_at,
    };
    Ok(warp::reply::json(&Page { items: found.into_iter().map(view).collect(), next: None }))
}

async fn version_of(
    id: String,
    version: u32,
    caller: Result<Caller, ApiError>,
    app: Arc<App>,
) -> Result<Response, ApiError> {
    caller?;
    let record = app.driver.store().workflow_version(id_of(&app, &id).await?, version).await?;
    let name = || format!("{version} of workflow `{}`", pulse_core::text::shorten(&id, 120));
    let record = record.ok_or_else(|| ApiError::NotFound { what: "version", id: name() })?;
    let loaded = read(record.definition.clone()).await?;
    Ok(tagged(view(record, loaded), StatusCode::OK))
}

async fn execute(
    id: String,
    caller: Result<Caller, ApiError>,
    headers: HeaderMap,
    body: Result<ExecuteRequest, ApiError>,
    app: Arc<App>,
) -> Result<Response, ApiError> {
    let (caller, request) = (caller?, body?);
    let record = find(&app, &id).await?;
    let version = request.version.unwrap_or(record.version);
    let workflow = WorkflowRef { id: record.id, name: record.name.clone(), version };
    let plan = app.driver.stored_plan(&workflow).await.map_err(|error| match error {
        crate::drive::Error::NoPlan(missing) => {
            ApiError::Conflict { code: "no-such-version", detail: missing.to_string() }
        }
        error => error.into(),
    })?;
    let params = plan.resolve_params(&request.params)?;
    if let Some(targets) = &request.targets {
        check_targets(&app, targets)?;
    }
    let idempotency = idempotency(&headers, &caller, &format!("workflows/{}/execute", record.id), &request)?;
    let begin = Begin {
        id: None,
        plan,
        start: Start {
            workflow: Some(workflow),
            definition: None,
            params,
            targets: request.targets,
            started_by: caller.name,
            trigger: Trigger::Api,
            parent: None,
            queue: None,
        },
        title: record.name,
        idempotency,
    };
    start(&app, &headers, begin).await
}
