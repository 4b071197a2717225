//! States and plans as the API shows them.

use crate::state::{CommandRecord, State};
use pulse_core::api::{CommandView, GraphEdge, GraphNode, PromptView, StepView, WorkflowGraph};
use pulse_core::ids::StepId;
use pulse_core::status::StepStatus;
use pulse_core::workflow::{Goto, OnError, OnTimeout, Step, StepKind, Workflow};

/// Every step of a workflow, with its last run.
pub fn step_views(workflow: &Workflow, state: &State) -> Vec<StepView> {
    let view = |step: &Step| {
        let record = state.steps.get(&step.id);
        StepView {
            id: step.id.clone(),
            name: step.name.clone(),
            kind: step.kind.type_name().to_owned(),
            status: record.map_or(StepStatus::Pending, |record| record.status),
            started_at: record.and_then(|record| record.started_at),
            finished_at: record.and_then(|record| record.finished_at),
            commands: record.map(|record| record.commands.iter().map(command_view).collect()).unwrap_or_default(),
        }
    };
    workflow.steps.iter().map(view).collect()
}

fn command_view(command: &CommandRecord) -> CommandView {
    CommandView {
        id: command.id,
        worker: command.worker.worker.to_string(),
        attempt: command.attempt,
        status: command.status,
        exit_code: command.exit_code,
        duration_ms: command.duration_ms,
    }
}

/// The open prompt, the oldest when there are several.
pub fn prompt_view(state: &State) -> Option<PromptView> {
    let (_, at, prompt) = state.prompts().min_by_key(|(_, _, prompt)| prompt.id)?;
    Some(PromptView {
        id: prompt.id,
        step: at.step_id.clone(),
        message: prompt.message.clone(),
        options: prompt.options.clone(),
        output: prompt.output.clone(),
        deadline: prompt.deadline,
    })
}

/// A workflow's steps and the ways between them.
pub fn graph(workflow: &Workflow) -> WorkflowGraph {
    let mut graph = WorkflowGraph::default();
    for (index, step) in workflow.steps.iter().enumerate() {
        graph.nodes.push(GraphNode {
            id: step.id.clone(),
            name: step.name.clone(),
            kind: step.kind.type_name().to_owned(),
        });
        let next = workflow.steps.get(index + 1).map_or("end", |next| next.id.as_str());
        let mut edges = Edges { graph: &mut graph, from: step.id.clone() };
        edges.of(step, step.goto.as_ref().map_or(next, Goto::as_str));
    }
    graph
}

struct Edges<'g> {
    graph: &'g mut WorkflowGraph,
    from: StepId,
}

impl Edges<'_> {
    fn add(&mut self, to: &str, label: impl Into<String>) {
        self.graph.edges.push(GraphEdge { from: self.from.clone(), to: to.to_owned(), label: label.into() });
    }

    fn of(&mut self, step: &Step, onward: &str) {
        match &step.kind {
            StepKind::Route(route) => {
                for condition in &route.conditions {
                    let when = condition.when.as_ref().map_or("default", |when| when.text.as_str());
                    let label = condition.label.as_ref().map_or(when, |label| label.text.as_str());
                    self.add(condition.goto.as_str(), label);
                }
                if route.conditions.iter().all(|condition| condition.when.is_some()) {
                    self.add(onward, "no match");
                }
            }
            StepKind::Prompt(prompt) => {
                for option in &prompt.options {
                    self.add(option.goto.as_ref().map_or(onward, Goto::as_str), option.label.text.as_str());
                }
                if let OnTimeout::Goto(goto) = &prompt.on_timeout {
                    self.add(goto.as_str(), "timeout");
                }
            }
            _ => self.add(onward, ""),
        }
        if let OnError::Step(id) = &step.on_error {
            self.add(id.as_str(), "error");
        }
    }
}
