//! `parallel` and `foreach`: lists of steps side by side, joined by the step that runs them.

use super::{Machine, explain};
use crate::plan::{PlannedForeach, PlannedItems, PlannedKind};
use crate::state::{FramesRun, Position, Run};
use crate::vars::size;
use pulse_core::event::{Event, Next, StepRef};
use pulse_core::ids::FrameId;
use pulse_core::status::StepStatus;
use serde_json::{Value, json};

/// Items of one foreach at most.
const MAX_ITEMS: usize = 10_000;

impl<'m> Machine<'m> {
    /// Starts every branch.
    pub(super) fn parallel(&mut self, at: &StepRef, branches: &[(String, u32)]) {
        for (index, (name, list)) in branches.iter().enumerate() {
            self.start_frame(at, *list, name.clone(), index, None);
        }
    }

    /// Resolves the items and starts the first of them.
    pub(super) fn foreach(&mut self, at: StepRef, foreach: &PlannedForeach) {
        let items = match &foreach.items {
            PlannedItems::List(templates) => match self.texts(&at, templates) {
                Ok(texts) => texts.into_iter().map(Value::String).collect(),
                Err(error) => return self.fail_step(at, format!("items: {error}")),
            },
            PlannedItems::Expression(expr) => match expr.eval(&self.scope(&at, std::iter::once(expr))) {
                Ok(Value::Array(items)) => items,
                Ok(Value::Object(entries)) => {
                    entries.into_iter().map(|(key, value)| json!({"key": key, "value": value})).collect()
                }
                Ok(other) => {
                    let other = crate::expr::shorten(&other, 200);
                    let error = format!("`{}` gave {other}, which is neither a list nor a mapping", expr.source());
                    return self.fail_step(at, error);
                }
                Err(error) => return self.fail_step(at, explain(&error)),
            },
        };
        if items.len() > MAX_ITEMS {
            return self.fail_step(at, format!("{} items; at most {MAX_ITEMS} are gone through", items.len()));
        }
        // Each item stands in an event of its own, too.
        if let Err(error) = self.spend(2 * items.iter().map(size).sum::<usize>()) {
            return self.fail_step(at, format!("items: {error}"));
        }
        self.emit(Event::ItemsResolved { at: at.clone(), items });
        self.next_items(&at, foreach);
    }

    fn frames_run(&self, at: &StepRef) -> Option<&FramesRun> {
        match &self.state.frames.get(&at.frame)?.active.as_ref()?.run {
            Run::Frames(run) => Some(run),
            _ => None,
        }
    }

    /// Starts as many items as may run at once, and ends the step when none is left.
    fn next_items(&mut self, at: &StepRef, foreach: &PlannedForeach) {
        while let Some(run) = self.frames_run(at) {
            let next = run.started as usize;
            let stopped = foreach.fail_fast && run.failed > 0;
            if stopped || next >= run.items.len() {
                if run.running.is_empty() {
                    self.join(at);
                }
                return;
            }
            if run.running.len() >= foreach.parallel as usize {
                return;
            }
            let item = run.items[next].clone();
            let name = match &item {
                Value::String(text) => pulse_core::text::shorten(text, 80),
                other => pulse_core::text::shorten(&other.to_string(), 80),
            };
            self.start_frame(at, foreach.list, name, next, Some((foreach.name.clone(), item)));
        }
    }

    fn start_frame(&mut self, at: &StepRef, list: u32, name: String, index: usize, item: Option<(String, Value)>) {
        let frame_id = FrameId(self.state.frames_started + 1);
        let index = u32::try_from(index).unwrap_or(u32::MAX);
        self.emit(Event::FrameStarted { parent: Some(at.clone()), frame_id, list, name, index, item });
    }

    /// A frame of a step has come to its end: its step goes on, or ends.
    pub(super) fn frame_over(&mut self, id: FrameId) {
        let Some(frame) = self.state.frames.get(&id) else { return };
        let Some(at) = frame.owner.clone() else { return };
        let (status, error) = match frame.position {
            Position::Failed => (StepStatus::Failed, frame.error.clone()),
            _ => (StepStatus::Completed, None),
        };
        self.finish_frame(id, status, error);
        let fail_fast = match self.plan.step(&at.step_id).map(|planned| &planned.kind) {
            Some(PlannedKind::Parallel { fail_fast, .. }) => *fail_fast,
            Some(PlannedKind::Foreach(foreach)) => foreach.fail_fast,
            _ => false,
        };
        if status == StepStatus::Failed && fail_fast {
            let others = self.frames_run(&at).map(|run| run.running.clone()).unwrap_or_default();
            others.into_iter().for_each(|other| self.end_frame(other));
        }
        match self.plan.step(&at.step_id).map(|planned| &planned.kind) {
            Some(PlannedKind::Foreach(foreach)) => self.next_items(&at, foreach),
            _ if self.frames_run(&at).is_some_and(|run| run.running.is_empty()) => self.join(&at),
            _ => {}
        }
    }

    fn finish_frame(&mut self, id: FrameId, status: StepStatus, error: Option<String>) {
        let Some(frame) = self.state.frames.get(&id) else { return };
        let (parent, name) = (frame.owner.clone(), frame.name.clone());
        self.emit(Event::FrameFinished { parent, frame_id: id, name, status, error });
    }

    /// Everything is over: the step ends by how its frames ended.
    fn join(&mut self, at: &StepRef) {
        let record = self.state.steps.get(&(at.frame, at.step_id.clone()));
        let results = record.map(|record| record.frames.as_slice()).unwrap_or_default();
        let failed: Vec<String> = results
            .iter()
            .flatten()
            .filter(|result| result.status == StepStatus::Failed)
            .map(|result| format!("{}: {}", result.name, result.error.as_deref().unwrap_or("it led to `fail`")))
            .collect();
        if failed.is_empty() {
            self.complete_step(at.clone(), None);
        } else {
            let shown = failed.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
            let more = if failed.len() > 3 { format!("; and {} more", failed.len() - 3) } else { String::new() };
            self.fail_step(at.clone(), format!("{} of {} failed: {shown}{more}", failed.len(), results.len()));
        }
    }

    /// Ends a frame before its time, and all that stands in it.
    fn end_frame(&mut self, id: FrameId) {
        self.end_frames_below(id);
        if let Some(at) = self.state.frames.get(&id).and_then(|f| f.active.as_ref()).map(|active| active.at.clone()) {
            self.emit(Event::StepFinished { at, status: StepStatus::Aborted, error: None, next: Next::Fail });
        }
        self.finish_frame(id, StepStatus::Aborted, None);
    }

    /// Ends the frames that the active step of a frame runs.
    pub(super) fn end_frames_below(&mut self, id: FrameId) {
        let below = match self.state.frames.get(&id).and_then(|f| f.active.as_ref()).map(|active| &active.run) {
            Some(Run::Frames(run)) => run.running.clone(),
            _ => return,
        };
        below.into_iter().for_each(|frame| self.end_frame(frame));
    }
}
