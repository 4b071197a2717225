//! States and plans as the API shows them.

use crate::state::{ChildRecord, CommandRecord, OpenPrompt, State, StepRecord};
use pulse_core::api::{ChildView, CommandView, PromptView, StepView};
use pulse_core::event::StepRef;
use pulse_core::ids::{FrameId, StepId};
use pulse_core::status::StepStatus;
use pulse_core::workflow::{Step, Workflow};
use std::collections::HashMap;

/// Every step of a workflow, with its last run that goes on, else its last run; in document order, each naming the step it stands in.
pub fn step_views(workflow: &Workflow, state: &State) -> Vec<StepView> {
    let mut records: HashMap<&StepId, Vec<&StepRecord>> = HashMap::new();
    for ((_, id), record) in &state.steps {
        records.entry(id).or_default().push(record);
    }
    let view = |(step, parent): (&Step, Option<&StepId>)| {
        let records = records.get(&step.id).map(Vec::as_slice).unwrap_or_default();
        let latest = |of: fn(&StepRecord) -> bool| {
            let records = records.iter().filter(|record| of(record));
            records.max_by_key(|record| record.started_at.max(record.finished_at))
        };
        let running = latest(|record| record.status == StepStatus::Running);
        let waiting = || latest(|record| record.status == StepStatus::Waiting);
        let shown = running.or_else(waiting).or_else(|| latest(|_| true));
        StepView {
            id: step.id.clone(),
            name: step.name.clone(),
            kind: step.kind.type_name().to_owned(),
            parent: parent.cloned(),
            runs: records.iter().map(|record| record.run).sum(),
            status: shown.map_or(StepStatus::Pending, |record| record.status),
            started_at: shown.and_then(|record| record.started_at),
            finished_at: shown.and_then(|record| record.finished_at),
            commands: records.iter().flat_map(|record| record.commands.iter().map(command_view)).collect(),
        }
    };
    workflow.all_steps().into_iter().map(view).collect()
}

/// The executions that steps have started.
pub fn child_views(state: &State) -> Vec<ChildView> {
    let view = |child: &ChildRecord| ChildView {
        execution_id: child.execution_id,
        step_id: child.step.clone(),
        workflow: child.workflow.clone(),
        status: child.status,
    };
    state.children.iter().map(view).collect()
}

fn command_view(command: &CommandRecord) -> CommandView {
    CommandView {
        id: command.id,
        worker: command.worker.worker.to_string(),
        attempt: command.attempt,
        status: command.status,
        unreachable: false,
        exit_code: command.exit_code,
        duration_ms: command.duration_ms,
    }
}

/// The open prompts, the oldest first.
pub fn prompt_views(state: &State) -> Vec<PromptView> {
    let view = |(_, at, prompt): (FrameId, &StepRef, &OpenPrompt)| PromptView {
        id: prompt.id,
        step: at.step_id.clone(),
        message: prompt.message.clone(),
        options: prompt.options.clone(),
        output: prompt.output.clone(),
        deadline: prompt.deadline,
        fields: prompt.fields.clone(),
        allow: prompt.allow.clone(),
    };
    let mut views: Vec<PromptView> = state.prompts().map(view).collect();
    views.sort_by_key(|prompt| prompt.id);
    views
}
