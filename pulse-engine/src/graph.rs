//! A workflow's steps and the ways between them, as the API shows them and `draw` draws them.

use pulse_core::api::{GraphEdge, GraphList, GraphNode, GraphWay, WorkflowGraph};
use pulse_core::ids::StepId;
use pulse_core::workflow::{Goto, OnError, OnTimeout, PromptOption, Step, StepKind, Workflow};

/// A workflow's steps and the ways between them.
pub fn graph(workflow: &Workflow) -> WorkflowGraph {
    let mut graph = WorkflowGraph::default();
    for (steps, list) in [
        (&workflow.steps, GraphList::Steps),
        (&workflow.on_failure, GraphList::OnFailure),
        (&workflow.finally, GraphList::Finally),
    ] {
        Place { parent: None, list, end: "end", fail: "fail" }.steps(steps, &mut graph);
    }
    graph
}

/// Where a list of steps stands: where its end and its failure lead depends on that.
#[derive(Clone, Copy)]
struct Place<'w> {
    parent: Option<&'w StepId>,
    list: GraphList,
    end: &'w str,
    fail: &'w str,
}

impl<'w> Place<'w> {
    fn steps(self, steps: &'w [Step], graph: &mut WorkflowGraph) {
        for (index, step) in steps.iter().enumerate() {
            graph.nodes.push(GraphNode {
                id: step.id.clone(),
                name: step.name.clone(),
                kind: step.kind.type_name().to_owned(),
                parent: self.parent.cloned(),
                list: self.list,
                condition: step.condition.as_ref().map(|condition| condition.text.clone()),
            });
            let following = steps.get(index + 1).map_or("end", |next| next.id.as_str());
            Ways { graph, from: &step.id, place: self }.of(step, following);
            for inner in step.kind.lists() {
                if let Some(first) = inner.first() {
                    Ways { graph, from: &step.id, place: self }.add(first.id.as_str(), GraphWay::Inside, "each");
                }
                // What is inside ends at the step itself, which then goes on.
                let within = Place { parent: Some(&step.id), end: step.id.as_str(), fail: step.id.as_str(), ..self };
                within.steps(inner, graph);
            }
        }
    }
}

/// The ways of one step.
struct Ways<'g, 'w> {
    graph: &'g mut WorkflowGraph,
    from: &'w StepId,
    place: Place<'w>,
}

impl Ways<'_, '_> {
    fn add(&mut self, to: &str, kind: GraphWay, label: &str) {
        let to = match to {
            "end" => self.place.end,
            "fail" => self.place.fail,
            to => to,
        };
        let (from, to, label) = (self.from.clone(), to.to_owned(), label.to_owned());
        self.graph.edges.push(GraphEdge { from, to, label, kind });
    }

    fn of(&mut self, step: &Step, following: &str) {
        let onward = step.goto.as_ref().map_or(following, Goto::as_str);
        match &step.kind {
            StepKind::Route(route) => {
                for condition in &route.conditions {
                    let when = condition.when.as_ref().map_or("default", |when| when.text.as_str());
                    let label = condition.label.as_ref().map_or(when, |label| label.text.as_str());
                    self.add(condition.goto.as_str(), GraphWay::Choice, label);
                }
                if route.conditions.iter().all(|condition| condition.when.is_some()) {
                    self.add(onward, GraphWay::Choice, "no match");
                }
            }
            StepKind::Prompt(prompt) => {
                for option in &prompt.options {
                    let to = option.goto.as_ref().map_or(onward, Goto::as_str);
                    self.add(to, GraphWay::Choice, &option.label.text);
                }
                match &prompt.on_timeout {
                    OnTimeout::Fail => {}
                    OnTimeout::Goto(goto) => self.add(goto.as_str(), GraphWay::Timeout, "timeout"),
                    OnTimeout::Option(value) => {
                        let is_it =
                            |option: &&PromptOption| option.value.as_ref().unwrap_or(&option.label.text) == value;
                        let option = prompt.options.iter().find(is_it);
                        let goto = option.and_then(|option| option.goto.as_ref());
                        self.add(goto.map_or(onward, Goto::as_str), GraphWay::Timeout, "timeout");
                    }
                }
            }
            // Where a list within a step fails, so does that step.
            _ if onward == "fail" && self.place.parent.is_some() => self.add(onward, GraphWay::Error, "fails"),
            _ => self.add(onward, GraphWay::Next, ""),
        }
        match &step.on_error {
            OnError::Fail => {}
            OnError::Continue => self.add(onward, GraphWay::Error, "error"),
            OnError::Step(id) => self.add(id.as_str(), GraphWay::Error, "error"),
        }
        // What is skipped does not jump.
        if step.condition.is_some() {
            self.add(following, GraphWay::Skipped, "skipped");
        }
    }
}
