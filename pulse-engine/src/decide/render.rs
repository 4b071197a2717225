//! Templates of a step made text, with the values of this moment.

use super::Machine;
use crate::expr::Expr;
use crate::plan::{PlannedExecute, PlannedProgram};
use crate::template::{RenderError, Template};
use indexmap::IndexMap;
use pulse_core::command::CommandSpec;
use pulse_core::event::StepRef;
use serde_json::Value;

impl<'m> Machine<'m> {
    /// One template as text.
    pub(super) fn text(&self, at: &StepRef, template: &Template) -> Result<String, RenderError> {
        template.render_text(&self.scope(at, template.expressions().map(|placeholder| &placeholder.expr)))
    }

    /// Several templates as texts.
    pub(super) fn texts(&self, at: &StepRef, templates: &[Template]) -> Result<Vec<String>, RenderError> {
        templates.iter().map(|template| self.text(at, template)).collect()
    }

    /// One template as a value: one that is a single placeholder keeps its value's type, any other is text.
    pub(super) fn value(&self, at: &StepRef, template: &Template) -> Result<Value, String> {
        match template.single() {
            Some(expr) => expr.eval(&self.scope(at, std::iter::once(expr))).map_err(|error| super::explain(&error)),
            None => self.text(at, template).map(Value::String).map_err(|error| error.to_string()),
        }
    }

    /// What an execute step runs, and the line that people are shown.
    pub(super) fn command(&self, at: &StepRef, planned: &PlannedExecute) -> Result<(CommandSpec, String), String> {
        let named = |what: &str, error: RenderError| format!("{what}: {error}");
        let mut env: IndexMap<String, String> = IndexMap::new();
        for (name, template) in self.plan.env.iter().chain(&planned.env) {
            let value = self.text(at, template).map_err(|error| named(&format!("env `{name}`"), error))?;
            env.insert(name.clone(), value);
        }
        let optional = |what: &str, template: &Option<Template>| {
            template.as_ref().map(|template| self.text(at, template).map_err(|error| named(what, error))).transpose()
        };
        let mut spec = CommandSpec {
            command: None,
            argv: Vec::new(),
            shell: None,
            env: Vec::new(),
            cwd: optional("cwd", &planned.cwd)?,
            stdin: optional("stdin", &planned.stdin)?,
            timeout_ms: u64::try_from(planned.execute.timeout.as_millis()).unwrap_or(u64::MAX),
        };
        let display = match &planned.program {
            PlannedProgram::Script { shell, script } => {
                let exprs: Vec<&Expr> = script.expressions().map(|placeholder| &placeholder.expr).collect();
                let rendered =
                    script.render(&self.scope(at, exprs.into_iter())).map_err(|error| named("command", error))?;
                env.extend(rendered.env);
                (spec.command, spec.shell) = (Some(rendered.script), Some(shell.clone()));
                rendered.display
            }
            PlannedProgram::Argv(argv) => {
                spec.argv = self.texts(at, argv).map_err(|error| named("argv", error))?;
                spec.argv.iter().map(|word| shown(word)).collect::<Vec<_>>().join(" ")
            }
        };
        spec.env = env.into_iter().collect();
        Ok((spec, display))
    }
}

/// A word as a person would type it.
fn shown(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}
