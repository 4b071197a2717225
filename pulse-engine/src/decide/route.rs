//! `route`: the first condition that holds is taken, without asking anybody.

use super::{Machine, explain};
use crate::expr::Expr;
use crate::plan::{PlannedCondition, PlannedStep};
use pulse_core::event::{Event, StepRef};

impl<'m> Machine<'m> {
    pub(super) fn route(&mut self, planned: &PlannedStep, at: StepRef, conditions: &[PlannedCondition]) {
        for way in conditions {
            match way.when.as_ref().map_or(Ok(true), |when| self.test(when, &at)) {
                Ok(true) => return self.take(planned, at, way),
                Ok(false) => {}
                Err(error) => return self.fail_step(at, explain(&error)),
            }
        }
        let next = self.next(&planned.step.id, None);
        self.emit(Event::RouteUnmatched { at, next });
    }

    fn take(&mut self, planned: &PlannedStep, at: StepRef, way: &PlannedCondition) {
        let label = match &way.label {
            None => String::new(),
            Some(label) => match self.text(&at, label) {
                Ok(label) => label,
                Err(error) => return self.fail_step(at, format!("label: {error}")),
            },
        };
        if let Err(error) = self.spend(label.len()) {
            return self.fail_step(at, error);
        }
        let condition = way.when.as_ref().map_or("default", Expr::source).to_owned();
        let next = self.next(&planned.step.id, Some(&way.goto));
        self.emit(Event::RouteTaken { at, condition, label, goto: way.goto.as_str().to_owned(), next });
    }
}
