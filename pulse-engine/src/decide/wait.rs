//! `wait`: until a time, which is in the journal: a restart does not start it over.

use super::{Machine, explain};
use crate::plan::PlannedWait;
use pulse_core::event::{Event, StepRef};
use pulse_core::time::Timestamp;
use serde_json::Value;

/// The largest number of seconds since the epoch that is taken as a time: the end of the year 9999.
const LAST_SECOND: f64 = 253_402_300_799.0;

impl<'m> Machine<'m> {
    pub(super) fn wait(&mut self, at: StepRef, wait: &PlannedWait) {
        let until = match wait {
            PlannedWait::Duration(duration) => self.after(*duration),
            PlannedWait::Until(expr) => match expr.eval(&self.scope(&at, std::iter::once(expr))) {
                Ok(value) => match time(&value) {
                    Some(until) => until,
                    None => {
                        let source = expr.source();
                        let value = crate::expr::shorten(&value, 200);
                        let error =
                            format!("`{source}` gave {value}, which is neither RFC 3339 text nor epoch seconds");
                        return self.fail_step(at, error);
                    }
                },
                Err(error) => return self.fail_step(at, explain(&error)),
            },
        };
        self.emit(Event::WaitStarted { at: at.clone(), until });
        if until <= self.cx.now {
            self.wait_over(&at);
        }
    }

    pub(super) fn wait_over(&mut self, at: &StepRef) {
        self.emit(Event::WaitFinished { at: at.clone() });
        self.complete_step(at.clone(), None);
    }
}

fn time(value: &Value) -> Option<Timestamp> {
    let seconds = |seconds: f64| {
        (0.0..=LAST_SECOND).contains(&seconds).then(|| Timestamp::from_millis((seconds * 1_000.0) as i64))
    };
    match value {
        Value::Number(number) => number.as_f64().and_then(seconds),
        Value::String(text) => text.parse().ok().or_else(|| text.trim().parse().ok().and_then(seconds)),
        _ => None,
    }
}
