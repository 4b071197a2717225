//! States and plans as the API shows them.

use crate::state::{ChildRecord, CommandRecord, OpenPrompt, State, StepRecord};
use pulse_core::api::{ChildView, CommandView, GraphEdge, GraphNode, PromptView, StepView, WorkflowGraph};
use pulse_core::event::StepRef;
use pulse_core::ids::{FrameId, StepId};
use pulse_core::status::StepStatus;
use pulse_core::workflow::{Goto, OnError, OnTimeout, Step, StepKind, Workflow};
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

/// A workflow's steps and the ways between them.
pub fn graph(workflow: &Workflow) -> WorkflowGraph {
    let mut graph = WorkflowGraph::default();
    list(&workflow.steps, None, "end", "fail", &mut graph);
    list(&workflow.on_failure, None, "end", "fail", &mut graph);
    list(&workflow.finally, None, "end", "fail", &mut graph);
    graph
}

/// The steps of a list: where its end and its failure lead depends on what the list stands in.
fn list(steps: &[Step], parent: Option<&StepId>, end: &str, fail: &str, graph: &mut WorkflowGraph) {
    for (index, step) in steps.iter().enumerate() {
        graph.nodes.push(GraphNode {
            id: step.id.clone(),
            name: step.name.clone(),
            kind: step.kind.type_name().to_owned(),
            parent: parent.cloned(),
        });
        let next = steps.get(index + 1).map_or(end, |next| next.id.as_str());
        let onward = step.goto.as_ref().map_or(next, Goto::as_str);
        let onward = match onward {
            "end" => end,
            "fail" => fail,
            other => other,
        };
        Edges { graph, from: step.id.clone(), end, fail }.of(step, onward);
        for inner in step.kind.lists() {
            if let Some(first) = inner.first() {
                Edges { graph, from: step.id.clone(), end, fail }.add(first.id.as_str(), "each");
            }
            // What is inside ends at the step itself, which then goes on.
            list(inner, Some(&step.id), step.id.as_str(), step.id.as_str(), graph);
        }
    }
}

struct Edges<'g, 'w> {
    graph: &'g mut WorkflowGraph,
    from: StepId,
    end: &'w str,
    fail: &'w str,
}

impl Edges<'_, '_> {
    fn add(&mut self, to: &str, label: impl Into<String>) {
        let to = match to {
            "end" => self.end,
            "fail" => self.fail,
            to => to,
        };
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
