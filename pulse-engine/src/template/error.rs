//! What can go wrong with a template, and what is odd about one.

use crate::expr::EvalError;

/// A template that cannot be used. A validation error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// What is wrong, in lower case.
    pub message: String,
    /// Where, as a byte offset in the template.
    pub offset: usize,
    /// What to write instead, where that is known.
    pub help: Option<String>,
}

impl TemplateError {
    pub(super) fn new(offset: usize, message: impl Into<String>) -> Self {
        Self { message: message.into(), offset, help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// What to do about it, also where nothing better is known.
    pub fn advice(&self) -> &str {
        self.help.as_deref().unwrap_or("write it more simply, or hand the value over through `env`, `stdin` or `argv`")
    }
}

/// Something in a command that works, but should be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateWarning {
    /// What kind of thing.
    pub kind: TemplateWarningKind,
    /// What it is, in lower case.
    pub message: String,
    /// Where, as a byte offset in the template.
    pub offset: usize,
    /// What to do about it.
    pub help: Option<String>,
}

impl TemplateWarning {
    /// What to do about it, also where nothing better is known.
    pub fn advice(&self) -> &str {
        self.help.as_deref().unwrap_or("hand the value over through `env`, `stdin` or `argv`")
    }
}

/// Kinds of [`TemplateWarning`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemplateWarningKind {
    /// `| raw`: the value becomes part of the shell program.
    Raw,
    /// A placeholder in a heredoc whose delimiter is quoted: the heredoc is rewritten so that it can hold the value.
    QuotedHeredoc,
    /// The text the placeholder stands in is read by a second shell (`ssh`, `sh -c`, `eval`, `trap`), which sees the bare value.
    NestedShell,
    /// A quote, bracket or heredoc is never closed, so the place of a placeholder is not certain.
    Unclosed,
}

/// A template that has no text for this scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RenderError {
    /// The reason, in lower case, naming the expression.
    pub message: String,
    /// The source of the expression; empty when it is about the whole text.
    pub expression: String,
    /// What kind of failure it is.
    pub kind: RenderErrorKind,
    /// What to do about it.
    pub help: Option<String>,
    /// What the expression mentions and what it saw there. Secrets are not masked here.
    pub seen: Vec<(String, String)>,
}

/// Kinds of [`RenderError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RenderErrorKind {
    /// The value is `()`.
    Missing,
    /// The expression could not be evaluated.
    Expression,
    /// The value does not fit where it stands: an integer or a name is needed, or it holds a NUL character.
    Value,
    /// The value or the whole text is too long.
    TooLong,
}

impl RenderError {
    pub(super) fn new(kind: RenderErrorKind, expression: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), expression: expression.to_owned(), kind, help: None, seen: Vec::new() }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The reason, and what to do about it where that is known, in one line.
    pub fn told(&self) -> String {
        match &self.help {
            Some(help) => format!("{}; {help}", self.message),
            None => self.message.clone(),
        }
    }
}

impl From<EvalError> for RenderError {
    fn from(error: EvalError) -> Self {
        Self {
            message: format!("{{{{ {} }}}}: {}", error.expression, error.message),
            expression: error.expression,
            kind: RenderErrorKind::Expression,
            help: None,
            seen: error.seen,
        }
    }
}
