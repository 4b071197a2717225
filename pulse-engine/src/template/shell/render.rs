//! Putting values into a command: by reference for workers, in place for people.

use super::options::{OPTION_HELP, refusal};
use super::script::{Part, ShellTemplate};
use crate::expr::Scope;
use crate::template::filter::Filter;
use crate::template::parsed::{Piece, Placeholder};
use crate::template::quote;
use crate::template::{RenderError, RenderErrorKind, text};

use std::borrow::Cow;

/// Longest value or script. Linux refuses 128 KiB and more in one argument or one environment variable; some room is left for names.
const MAX_STRING: usize = 120 * 1024;
/// Longest sum of all values of one command. Linux allows 2 MiB for all arguments and the whole environment.
const MAX_VALUES: usize = 1024 * 1024;

/// A command that is ready to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedScript {
    /// What to give to the shell.
    pub script: String,
    /// Variables the script refers to, to be added to the environment.
    pub env: Vec<(String, String)>,
    /// The command with values in place, for logs. Secrets are not masked: see [`ShellTemplate::display`].
    pub display: String,
}

/// The values of a command for one scope.
struct Values {
    /// One for each variable.
    variables: Vec<String>,
    /// One for each placeholder with `raw`, in order.
    raw: Vec<String>,
}

impl ShellTemplate {
    /// The script with references, and the variables they refer to.
    ///
    /// # Errors
    /// A value that is `()`, does not fit where it stands, holds a NUL character or is too long; an expression without a value.
    pub fn render(&self, scope: &Scope) -> Result<RenderedScript, RenderError> {
        let values = self.values(scope)?;
        self.check(&values)?;
        let script = self.script(&values)?;
        let display = self.shown(&values);
        let env = values.variables.into_iter().enumerate().map(|(i, value)| (variable_name(i), value)).collect();
        Ok(RenderedScript { script, env, display })
    }

    /// One text that needs no environment: the variables are assigned, quoted, in its first line.
    ///
    /// The values stand at one place whose quoting is certain, and the rest of the script is the same as in [`ShellTemplate::render`].
    ///
    /// # Errors
    /// As [`ShellTemplate::render`]; the values count towards the length of the script.
    pub fn render_quoted(&self, scope: &Scope) -> Result<String, RenderError> {
        let rendered = self.render(scope)?;
        let assignments = rendered.env.iter().map(|(name, value)| format!("{name}={}", quote::single(value)));
        let mut script = assignments.collect::<Vec<_>>().join("; ");
        if !script.is_empty() {
            script.push('\n');
        }
        script.push_str(&rendered.script);
        if script.len() > MAX_STRING {
            return Err(too_long("", "the command with its values", script.len()));
        }
        Ok(script)
    }

    /// The command with values in place, for people. Values are not checked for their place, so a scope with masked values will do.
    ///
    /// # Errors
    /// A value that is `()`, or an expression without a value.
    pub fn display(&self, scope: &Scope) -> Result<String, RenderError> {
        Ok(self.shown(&self.values(scope)?))
    }

    fn values(&self, scope: &Scope) -> Result<Values, RenderError> {
        let placeholders: Vec<&Placeholder> = self.0.template.expressions().collect();
        let variables =
            self.0.variables.iter().map(|hole| text::of(placeholders[*hole], scope)).collect::<Result<_, _>>()?;
        let raw = placeholders.iter().zip(&self.0.holes).filter(|(_, hole)| hole.variable.is_none());
        let raw = raw.map(|(placeholder, _)| text::of(placeholder, scope)).collect::<Result<_, _>>()?;
        Ok(Values { variables, raw })
    }

    /// Refuses values that a shell cannot be given, or that are not what is needed where they stand.
    fn check(&self, values: &Values) -> Result<(), RenderError> {
        let total: usize = values.variables.iter().map(String::len).sum();
        if total > MAX_VALUES {
            return Err(too_long("", "all values of the command together", total));
        }
        let mut raw = values.raw.iter();
        for (placeholder, hole) in self.0.template.expressions().zip(&self.0.holes) {
            let source = placeholder.expr.source();
            let value = match hole.variable {
                Some(variable) => &values.variables[variable],
                None => raw.next().expect("there is a value for each raw placeholder"),
            };
            if value.contains('\0') {
                let message =
                    format!("the value of {{{{ {source} }}}} holds a NUL character, which no command can be given");
                return Err(
                    RenderError::new(RenderErrorKind::Value, source, message).help("give it to the command as `stdin`")
                );
            }
            if value.len() > MAX_STRING {
                return Err(too_long(source, &format!("the value of {{{{ {source} }}}}"), value.len()));
            }
            // The second shell sees the value without the quotes for it.
            let plain = match placeholder.filter {
                Some(Filter::Sh) => quote::unquote(value),
                _ => Cow::Borrowed(&**value),
            };
            if let Some(needed) = hole.place.needs.refuses(&plain).filter(|_| hole.variable.is_some()) {
                let message = format!("the value of {{{{ {source} }}}} has to be {needed}");
                return Err(RenderError::new(RenderErrorKind::Value, source, message));
            }
            if let Some(program) = hole.place.option_of.filter(|_| hole.variable.is_some() && plain.starts_with('-')) {
                let message = format!("the value of {{{{ {source} }}}} has to be {}", refusal(program));
                return Err(RenderError::new(RenderErrorKind::Value, source, message).help(OPTION_HELP));
            }
        }
        self.check_together(values.variables.iter().map(String::as_str))
    }

    fn script(&self, values: &Values) -> Result<String, RenderError> {
        let mut script = String::new();
        let mut raw = values.raw.iter();
        for part in &self.0.parts {
            match part {
                Part::Text(text) => script.push_str(text),
                Part::Hole { hole, escaped } => match self.0.holes[*hole].variable {
                    Some(variable) => {
                        self.0.holes[*hole].place.style.write_reference(&mut script, &variable_name(variable))
                    }
                    None => {
                        let value = raw.next().expect("there is a value for each raw placeholder");
                        match escaped {
                            true => script.push_str(&quote::escape(value, quote::IN_HEREDOC)),
                            false => script.push_str(value),
                        }
                    }
                },
            }
            if script.len() > MAX_STRING {
                return Err(too_long("", "the command", script.len()));
            }
        }
        Ok(script)
    }

    fn shown(&self, values: &Values) -> String {
        let mut shown = String::new();
        let mut raw = values.raw.iter();
        let mut holes = self.0.holes.iter();
        for piece in &*self.0.template.pieces {
            match piece {
                Piece::Text { text, .. } => shown.push_str(text),
                Piece::Placeholder(_) => {
                    let hole = holes.next().expect("there is a place for each placeholder");
                    match hole.variable {
                        Some(variable) => shown.push_str(&hole.place.style.show(&values.variables[variable])),
                        None => shown.push_str(raw.next().expect("there is a value for each raw placeholder")),
                    }
                }
            }
        }
        shown
    }
}

fn variable_name(variable: usize) -> String {
    format!("PULSE_V{}", variable + 1)
}

fn too_long(expression: &str, what: &str, len: usize) -> RenderError {
    let message = format!("{what} has {len} bytes; a command can be given {}", MAX_STRING);
    RenderError::new(RenderErrorKind::TooLong, expression, message).help("give it to the command as `stdin`")
}
