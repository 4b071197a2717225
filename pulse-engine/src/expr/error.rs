//! What can go wrong with an expression: when it is compiled, and when it is evaluated.

use std::fmt;

/// An expression that is not in the language. A validation error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CompileError {
    /// What is wrong, in lower case, naming the object.
    pub message: String,
    /// Where, as a byte offset in the source.
    pub offset: Option<usize>,
    /// What to do about it.
    pub help: String,
    /// The name that is not known, where it is about one.
    pub unknown: Option<String>,
}

impl CompileError {
    pub(crate) fn at(offset: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), offset: Some(offset), help: help.into(), unknown: None }
    }
}

/// An expression that has no value for this scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvalError {
    /// The reason, in lower case.
    pub message: String,
    /// The source of the expression.
    pub expression: String,
    /// What the expression mentions and what it saw there, shortened to 200 characters. Secrets are not masked here.
    pub seen: Vec<(String, String)>,
    /// What kind of failure it is.
    pub kind: EvalErrorKind,
}

/// Kinds of [`EvalError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EvalErrorKind {
    /// A limit was reached: operations, wall time, memory, length of a text, number of elements.
    Limit,
    /// A value has a type that the operation has no meaning for.
    Type,
    /// A value that is needed is missing.
    Missing,
    /// Anything else: overflow, division by zero, a pattern that is none.
    Other,
}

impl fmt::Display for EvalErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Limit => "limit",
            Self::Type => "type",
            Self::Missing => "missing",
            Self::Other => "other",
        })
    }
}

/// The failure of one operation, before it is joined with the expression it happened in.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub kind: EvalErrorKind,
    pub message: String,
}

impl Failure {
    pub fn limit(message: impl Into<String>) -> Self {
        Self { kind: EvalErrorKind::Limit, message: message.into() }
    }

    pub fn wrong_type(message: impl Into<String>) -> Self {
        Self { kind: EvalErrorKind::Type, message: message.into() }
    }

    pub fn missing(message: impl Into<String>) -> Self {
        Self { kind: EvalErrorKind::Missing, message: message.into() }
    }

    pub fn other(message: impl Into<String>) -> Self {
        Self { kind: EvalErrorKind::Other, message: message.into() }
    }
}
