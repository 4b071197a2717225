//! `workflow`: another workflow as an execution of its own, linked both ways.

use super::Machine;
use crate::state::{Given, Run};
use crate::template::Template;
use crate::vars::size_of;
use pulse_core::event::{Event, StepRef};
use pulse_core::ids::ExecutionId;
use pulse_core::status::ExecutionStatus;
use serde_json::{Map, Value};

/// How deep children may have children.
const MAX_DEPTH: u32 = 8;

impl<'m> Machine<'m> {
    pub(super) fn child(&mut self, at: StepRef, workflow: &Template, params: &[(String, Template)]) {
        let depth = 1 + self.state.origin.as_ref().and_then(|origin| origin.parent.as_ref()).map_or(0, |p| p.depth);
        if depth > MAX_DEPTH {
            return self.fail_step(at, format!("executions are nested deeper than {MAX_DEPTH}"));
        }
        let name = match self.text(&at, workflow) {
            Ok(name) => name,
            Err(error) => return self.fail_step(at, format!("workflow: {error}")),
        };
        let mut values = Map::new();
        for (name, template) in params {
            match self.value(&at, template) {
                Ok(value) => {
                    values.insert(name.clone(), value);
                }
                Err(error) => return self.fail_step(at, format!("parameter `{name}`: {error}")),
            }
        }
        if let Err(error) = self.spend(size_of(&values)) {
            return self.fail_step(at, error);
        }
        let execution_id = ExecutionId(self.draw.uuid());
        self.emit(Event::ChildStarted { at, execution_id, workflow: name, params: values, depth });
    }

    /// A child has ended. One that nobody waits for any more changes nothing.
    pub(super) fn child_finished(
        &mut self,
        execution_id: ExecutionId,
        status: ExecutionStatus,
        error: Option<String>,
        state: Map<String, Value>,
    ) {
        let waits = |run: &Run| matches!(run, Run::Child { execution_id: id } if *id == execution_id);
        let found = self.state.active().find(|(_, active)| waits(&active.run)).map(|(_, active)| active.at.clone());
        let Some(at) = found else { return self.child_stopped(execution_id, status, error) };
        let failure = match status {
            ExecutionStatus::Completed => None,
            _ => Some(format!("execution {execution_id} {status}: {}", error.as_deref().unwrap_or("no reason given"))),
        };
        let kept = self.check_growth(size_of(&state).cast_signed());
        let state = if kept.is_ok() { state } else { Map::new() };
        self.emit(Event::ChildFinished { at: at.clone(), execution_id, status, error, state });
        match (failure, kept) {
            (Some(error), _) => self.fail_step(at, error),
            (None, Err(error)) => self.fail_step(at, format!("the final state of execution {execution_id}: {error}")),
            (None, Ok(())) => self.complete_step(at, None),
        }
    }

    /// A child whose step was given up has ended: what comes behind that step goes on. Its values are nobody's any more.
    fn child_stopped(&mut self, execution_id: ExecutionId, status: ExecutionStatus, error: Option<String>) {
        let stopping = self.state.stopping.iter().find(|stopping| stopping.what == Given::Child(execution_id));
        if let Some(at) = stopping.map(|stopping| stopping.at.clone()) {
            self.emit(Event::ChildFinished { at, execution_id, status, error, state: Map::new() });
        }
    }
}
