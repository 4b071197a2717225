//! The parameters that an execution is given: what the workflow declares of them, and what only its commands know.

use super::{Plan, PlannedExecute, PlannedKind};
use crate::expr::Expr;
use crate::template::{Placeholder, ShellTemplate, Template};
use pulse_core::workflow::{BadParam, ParamType, resolve_params};
use serde_json::{Map, Value};

impl Plan {
    /// All parameters of an execution: what was given, read by its type, with defaults for the rest.
    ///
    /// Values of secrets are looked at here and never again: an execution does not have them.
    ///
    /// # Errors
    /// Every parameter that is missing, unknown, or breaks its rules, and every secret that a shell could run because a script
    /// calculates with what it has from out of sight.
    pub fn resolve_params(&self, given: &Map<String, Value>) -> Result<Map<String, Value>, Vec<BadParam>> {
        let values = resolve_params(&self.workflow.params, given)?;
        let secrets = self.workflow.params.iter().filter(|param| param.kind == ParamType::Secret);
        let bad: Vec<BadParam> = secrets
            .filter(|param| values.get(&param.name).and_then(Value::as_str).is_some_and(ShellTemplate::could_run))
            .filter_map(|param| {
                let step = self.steps.iter().find(|step| match &step.kind {
                    PlannedKind::Execute(planned) => self.evaluates(planned, &param.name),
                    _ => false,
                })?;
                let message = format!(
                    "the secret `{}` holds `$(`, `${{`, `$[` or a backquote, and the script of step `{}` calculates with what it \
                     reads from commands or files, where a shell would run that: let the script calculate only with what it has \
                     made digits of: n=${{n//[!0-9]/}}",
                    param.name, step.step.id
                );
                Some(BadParam { name: param.name.clone(), message })
            })
            .collect();
        if bad.is_empty() { Ok(values) } else { Err(bad) }
    }

    /// A script evaluates what it has from out of sight, and it is given the secret.
    fn evaluates(&self, planned: &PlannedExecute, secret: &str) -> bool {
        let Some(script) = planned.program.script().filter(|script| script.mixes()) else { return false };
        let own = script.expressions().chain(planned.stdin.iter().flat_map(Template::expressions));
        let env = self.env.values().chain(planned.env.values()).flat_map(Template::expressions);
        own.chain(env).any(|Placeholder { expr, .. }| names(expr, secret))
    }
}

/// A secret is always a whole placeholder.
fn names(expr: &Expr, secret: &str) -> bool {
    let source = expr.source().trim();
    source == secret || source.strip_prefix("params.") == Some(secret)
}
