//! `set`: values into state. All expressions see the state from before the step.

use super::{Machine, explain};
use crate::expr::Expr;
use crate::plan::PlannedStep;
use pulse_core::event::{Event, StepRef};
use serde_json::Map;

impl<'m> Machine<'m> {
    pub(super) fn set(&mut self, planned: &PlannedStep, at: StepRef, expressions: &[(String, Expr)]) {
        let scope = self.scope(&at, expressions.iter().map(|(_, expr)| expr));
        let mut values = Map::new();
        for (name, expr) in expressions {
            match expr.eval(&scope) {
                Ok(value) => {
                    values.insert(name.clone(), value);
                }
                Err(error) => return self.fail_step(at, format!("value `{name}`: {}", explain(&error))),
            }
        }
        let next = self.next(&planned.step.id, None);
        self.emit(Event::ValuesSet { at, values, next });
    }
}
