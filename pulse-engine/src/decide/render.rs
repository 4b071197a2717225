//! Templates of a step made text, with the values of this moment.

use super::Machine;
use super::secrets::Markers;
use crate::expr::Expr;
use crate::plan::{ArgvScript, PlannedExecute, PlannedProgram};
use crate::template::{Handed, RenderError, Template};
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
            None => self.text(at, template).map(Value::String).map_err(|error| error.told()),
        }
    }

    /// What an execute step runs, and the line that people are shown. Values of secrets are in neither: see [`Markers`].
    pub(super) fn command(&mut self, at: &StepRef, planned: &PlannedExecute) -> Result<(CommandSpec, String), String> {
        let markers = Markers::new(self.plan, self.state, &mut self.draw);
        let named = |what: &str, error: RenderError| format!("{what}: {}", error.told());
        // Only what goes to the command and nowhere else is rendered with markers.
        let marked = |template: &Template| {
            let exprs = template.expressions().map(|placeholder| &placeholder.expr);
            template.render_text(&self.scope_with(at, markers.params(), exprs))
        };
        let mut env: IndexMap<String, String> = IndexMap::new();
        for (name, template) in self.plan.env.iter().chain(&planned.env) {
            let value = marked(template).map_err(|error| named(&format!("env `{name}`"), error))?;
            env.insert(name.clone(), value);
        }
        let cwd = planned.cwd.as_ref().map(|cwd| self.text(at, cwd)).transpose();
        let stdin = planned.stdin.as_ref().map(marked).transpose();
        let mut spec = CommandSpec {
            command: None,
            argv: Vec::new(),
            shell: None,
            env: Vec::new(),
            cwd: cwd.map_err(|error| named("cwd", error))?,
            stdin: stdin.map_err(|error| named("stdin", error))?,
            timeout_ms: u64::try_from(planned.execute.timeout.as_millis()).unwrap_or(u64::MAX),
            secrets: Vec::new(),
        };
        if let Some(script) = planned.program.script() {
            let given = |name: &str| planned.env.get(name).or_else(|| self.plan.env.get(name));
            for (name, value) in env.iter().filter(|(name, _)| given(name).is_some_and(|value| !value.is_literal())) {
                script.check_variable(name, value).map_err(|error| named(&format!("env `{name}`"), error))?;
            }
        }
        let display = match &planned.program {
            PlannedProgram::Script { shell, script } => {
                let exprs: Vec<&Expr> = script.expressions().map(|placeholder| &placeholder.expr).collect();
                let scope = self.scope_with(at, markers.params(), exprs.iter().copied());
                let rendered = script.render(&scope).map_err(|error| named("command", error))?;
                env.extend(rendered.env);
                (spec.command, spec.shell) = (Some(rendered.script), Some(shell.clone()));
                match markers.is_empty() {
                    true => rendered.display,
                    false => {
                        let scope = self.scope_with(at, markers.shown(), exprs.into_iter());
                        script.display(&scope).map_err(|error| named("command", error))?
                    }
                }
            }
            PlannedProgram::Argv { argv, script, operands } => {
                spec.argv = self.texts(at, argv).map_err(|error| named("argv", error))?;
                for (argument, program) in operands {
                    Handed::check_operand(&spec.argv[*argument], program).map_err(|error| named("argv", error))?;
                }
                if let Some(ArgvScript { script, arguments }) = script {
                    let given = spec.argv.iter().zip(argv).skip(*arguments).enumerate();
                    for (index, (value, _)) in given.filter(|(_, (_, template))| !template.is_literal()) {
                        script.check_argument(index + 1, value).map_err(|error| named("argv", error))?;
                    }
                }
                spec.argv.iter().map(|word| shown(word)).collect::<Vec<_>>().join(" ")
            }
        };
        if let Some(script) = planned.program.script() {
            // What the definition itself says is no value.
            let literal = |name: &str| {
                planned.env.get(name).or_else(|| self.plan.env.get(name)).is_some_and(Template::is_literal)
            };
            let variables = env.iter().filter(|(name, _)| !literal(name)).map(|(_, value)| value);
            let stdin = spec.stdin.iter().filter(|_| !planned.stdin.as_ref().is_some_and(Template::is_literal));
            let arguments = match &planned.program {
                PlannedProgram::Argv { argv, .. } => argv.as_slice(),
                PlannedProgram::Script { .. } => &[],
            };
            let arguments = spec.argv.iter().zip(arguments).filter(|(_, template)| !template.is_literal());
            let values = variables.chain(stdin).chain(arguments.map(|(value, _)| value)).map(String::as_str);
            script.check_together(values).map_err(|error| named("command", error))?;
        }
        spec.env = env.into_iter().collect();
        markers.take(&mut spec)?;
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
