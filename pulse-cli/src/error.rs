//! What can go wrong at the command line: one clear line each, a hint where one helps, and an exit code.

use crate::exit::Exit;
use crate::render::style::Style;
use pulse_core::api::Problem;
use pulse_core::diagnostic::{Diagnostic, Severity};
use pulse_core::text::one_line;
use std::path::PathBuf;

/// Why a verb could not do its work. Messages never hold a token.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing says where a server is.
    #[error("no PULSE server is known")]
    NoServer,
    /// The server cannot be spoken to.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// Its address.
        url: String,
        /// Why.
        reason: String,
    },
    /// Something answers there, but no PULSE server.
    #[error("{url} does not answer like a PULSE server: {what}")]
    NotPulse {
        /// Its address.
        url: String,
        /// What came instead.
        what: String,
    },
    /// The server refused.
    #[error("{}", one_line(if problem.detail.is_empty() { &problem.title } else { &problem.detail }))]
    Refused {
        /// Its answer.
        problem: Box<Problem>,
        /// What to do about it.
        hint: Option<String>,
        /// The file that the findings are about, if it is about one.
        file: Option<String>,
    },
    /// A file cannot be read or written.
    #[error("{}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A definition that was to be run has mistakes.
    #[error("{file} has mistakes")]
    Definition {
        /// Which file.
        file: String,
        /// All that was found.
        diagnostics: Vec<Diagnostic>,
    },
    /// What was asked for cannot be done.
    #[error("{message}")]
    Input {
        /// Why.
        message: String,
        /// What to do about it.
        hint: Option<String>,
        /// What to exit with.
        exit: Exit,
    },
    /// The reader of the output went away: no reason to say anything.
    #[error("nobody reads the output")]
    ClosedPipe,
    /// The output cannot be written.
    #[error("cannot write the output: {0}")]
    Output(std::io::Error),
}

impl Error {
    /// Something that cannot be done, without a hint.
    pub fn input(message: impl Into<String>) -> Self {
        Self::Input { message: message.into(), hint: None, exit: Exit::FAILED }
    }

    /// A command line that makes no sense for a reason that clap cannot know.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Input { message: message.into(), hint: Some(hint.into()), exit: Exit::USAGE }
    }

    /// The same with a hint, where the kind takes one.
    #[must_use]
    pub fn with_hint(mut self, text: impl Into<String>) -> Self {
        if let Self::Input { hint, .. } | Self::Refused { hint, .. } = &mut self {
            *hint = Some(text.into());
        }
        self
    }

    /// The HTTP status of a refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { problem, .. } => Some(problem.status),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoServer => Some("start one with `pulse up`, or sign in to one with `pulse login URL`".to_owned()),
            Self::Unreachable { .. } => {
                Some("is it running? `pulse up` starts one here, `--server URL` names another".to_owned())
            }
            Self::NotPulse { .. } => Some("check the address; `--server URL` names another".to_owned()),
            Self::Definition { file, .. } => Some(format!("`pulse check {file}` shows each with its line")),
            Self::Refused { hint: Some(hint), .. } | Self::Input { hint: Some(hint), .. } => Some(hint.clone()),
            Self::Refused { problem, .. } => match problem.status {
                403 if problem.code == "not-allowed" => Some(
                    "tokens are in no group: a member can answer in the dashboard, and an admin anywhere".to_owned(),
                ),
                401 => Some("the token is missing, wrong or expired: sign in again with `pulse login URL`".to_owned()),
                403 => Some("your role is too small for this: ask an admin for a token with a larger one".to_owned()),
                429 => Some("wait a little and try again".to_owned()),
                _ => None,
            },
            _ => None,
        }
    }

    /// What to exit with.
    pub fn exit(&self) -> Exit {
        match self {
            Self::ClosedPipe => Exit::CLOSED_PIPE,
            Self::Input { exit, .. } => *exit,
            Self::Definition { .. } => Exit::USAGE,
            _ => Exit::FAILED,
        }
    }

    /// The lines for standard error: the error, findings about a definition, and the hint.
    pub fn lines(&self, style: Style) -> Vec<String> {
        let mut lines = vec![format!("{} {}", style.red("error:"), one_line(&self.to_string()))];
        if let Self::Refused { problem, file, .. } = self {
            let file = file.as_deref().unwrap_or("definition");
            lines.extend(problem.diagnostics.iter().map(|d| format!("  {file}:{}", one_line(&d.to_string()))));
        }
        if let Self::Definition { file, diagnostics } = self {
            let errors = diagnostics.iter().filter(|found| found.severity == Severity::Error);
            lines.extend(errors.map(|found| format!("  {file}:{}", one_line(&found.to_string()))));
        }
        lines.extend(self.hint().map(|hint| format!("{} {}", style.cyan("hint:"), one_line(&hint))));
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16, detail: &str) -> Error {
        let problem = Problem {
            title: "Title".into(),
            status,
            detail: detail.into(),
            code: "code".into(),
            diagnostics: Vec::new(),
        };
        Error::Refused { problem: Box::new(problem), hint: None, file: None }
    }

    #[test]
    fn one_line_each_and_a_hint() {
        let plain = Style::plain();
        let lines = problem(401, "no token\nerror: forged\x1b[2J").lines(plain);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[0], "error: no token\\nerror: forged\\u{1b}[2J");
        assert!(lines[1].starts_with("hint: the token is missing"));
        assert_eq!(problem(404, "").lines(plain), ["error: Title"]);
    }
}
