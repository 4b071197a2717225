//! An execution's summary: as a row for the store, and as the API shows it.

use pulse_core::api::ExecutionSummary;
use pulse_core::status::Trigger;
use pulse_engine::State;
use pulse_store::ExecutionRecord;

/// The row that belongs to a state. `None` before the first event.
pub(crate) fn record(state: &State, title: &str) -> Option<ExecutionRecord> {
    let origin = state.origin.as_ref()?;
    // What has to be taken up again after a restart: commands, children, workers that are waited for.
    let awaited = || state.awaited().len().max(usize::from(state.awaits_any()));
    // And a list of steps that goes on as soon as it can: once a worker is back, or what was told to stop has.
    let ready = || state.frames.values().filter(|frame| frame.active.is_none() && !frame.is_over()).count();
    let held = || if state.queued { 0 } else { ready() + state.stopping.len() };
    let active = || state.outstanding().len() + state.open_children().count() + awaited() + held();
    let active_commands = if state.finished.is_some() { 0 } else { active() };
    Some(ExecutionRecord {
        id: state.id,
        workflow_id: origin.workflow.as_ref().map(|workflow| workflow.id),
        workflow: origin.workflow.as_ref().map(|workflow| workflow.name.clone()),
        version: origin.workflow.as_ref().map(|workflow| workflow.version),
        title: title.to_owned(),
        status: state.status(),
        started_by: origin.started_by.clone(),
        trigger: origin.trigger,
        created_at: origin.created_at,
        started_at: state.started_at,
        finished_at: state.finished.map(|(at, _)| at),
        error: state.error.clone().filter(|_| state.finished.is_some()),
        waiting_for_input: state.prompts().next().is_some(),
        wake_at: state.wake_at(),
        active_commands: u32::try_from(active_commands).unwrap_or(u32::MAX),
        last_seq: state.last_seq,
        owner: None,
        lease_until: None,
        fence: 0,
    })
}

/// A row as the API shows it.
pub fn summary(record: &ExecutionRecord) -> ExecutionSummary {
    ExecutionSummary {
        id: record.id,
        workflow: record.workflow.clone(),
        title: record.title.clone(),
        version: record.version,
        status: record.status,
        started_by: record.started_by.clone(),
        trigger: record.trigger,
        created_at: record.created_at,
        started_at: record.started_at,
        finished_at: record.finished_at,
        error: record.error.clone(),
        waiting_for_input: record.waiting_for_input,
        automated: record.trigger == Trigger::Schedule,
        delivery: None,
    }
}
