//! `set`: values into state. All expressions see the state from before the step.

use super::{Machine, explain};
use crate::expr::Expr;
use crate::plan::PlannedStep;
use crate::vars::{growth, size_of};
use pulse_core::event::{Event, StepRef};
use serde_json::{Map, Value};

impl<'m> Machine<'m> {
    pub(super) fn set(&mut self, planned: &PlannedStep, at: StepRef, expressions: &[(String, Expr)]) {
        let values = match self.evaluated(&at, expressions) {
            Ok(values) => values,
            Err(error) => return self.fail_step(at, error),
        };
        if let Err(error) = self.spend(size_of(&values)) {
            return self.fail_step(at, error);
        }
        let next = self.next(&planned.step.id, None);
        self.emit(Event::ValuesSet { at, values, next });
    }

    /// The values of all expressions. Their sizes are looked at one by one: each may be as large as an evaluation can make it.
    fn evaluated(&self, at: &StepRef, expressions: &[(String, Expr)]) -> Result<Map<String, Value>, String> {
        let scope = self.scope(at, expressions.iter().map(|(_, expr)| expr));
        let mut values = Map::new();
        let mut grown = 0;
        for (name, expr) in expressions {
            let named = |error: String| format!("value `{name}`: {error}");
            let value = expr.eval(&scope).map_err(|error| named(explain(&error)))?;
            grown += growth(self.state, std::iter::once((name, &value)));
            self.check_growth(grown).map_err(named)?;
            values.insert(name.clone(), value);
        }
        Ok(values)
    }
}
