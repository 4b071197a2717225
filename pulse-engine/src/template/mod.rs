//! Templates: text with `{{ expression }}` or `{{ expression | filter }}` in it.
//!
//! A [`Template`] puts values into a text: messages, arguments, standard input, environment values, targets, labels.
//! A [`ShellTemplate`] is a command for a shell. There no value is ever written into the script: each placeholder becomes a reference
//! to an environment variable, quoted for the place it stands in (`shell`). `| raw` is the one exception, and a warning.
//!
//! `{{{{` is a literal `{{`. Exactly three braces are a literal `{` and the start of a placeholder, as in `{{{a}},{{b}}}`.

mod error;
mod filter;
mod parsed;
mod quote;
mod scan;
mod shell;
mod text;

pub use error::{RenderError, RenderErrorKind, TemplateError, TemplateWarning, TemplateWarningKind};
pub use filter::Filter;
pub use parsed::{Placeholder, Template};
pub(crate) use shell::raw_warning;
pub use shell::{Handed, Input, RenderedScript, ShellTemplate, arguments};
