//! One attempt of a command: what is run, and how it ended.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How many bytes of each stream's end travel with a result, for expressions and prompts.
pub const TAIL_BYTES: usize = 64 * 1024;

/// What is run. The same shape in the journal and on the wire to a worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CommandSpec {
    /// A script, run as `SHELL -c SCRIPT`. Values stand in it as references to variables of `env`, never as text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub command: Option<String>,
    /// A program and its arguments, run without a shell. Exactly one of `command` and `argv` is given.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub argv: Vec<String>,
    /// The shell of a script.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub shell: Option<String>,
    /// Variables added to the worker's own environment, in order.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub env: Vec<(String, String)>,
    /// Working directory; the worker's own when not given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub cwd: Option<String>,
    /// Standard input; nothing when not given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub stdin: Option<String>,
    /// Time limit, in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub timeout_ms: u64,
    /// Where values of secrets belong: `••••` stands there, in the journal and until the moment it is sent.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<SecretUse>>"))]
    pub secrets: Vec<SecretUse>,
}

/// A place of a command that a secret's value goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct SecretUse {
    /// The variable whose whole value it is; standard input when not given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub env: Option<String>,
    /// The parameter.
    pub param: String,
}

impl CommandSpec {
    /// The command with the values of its secrets in place, and the values that have to be masked in its output.
    ///
    /// # Errors
    /// The name of a secret that is not there.
    pub fn with_secrets(&self, values: &BTreeMap<String, String>) -> Result<(Self, Vec<String>), String> {
        let mut spec = Self { secrets: Vec::new(), ..self.clone() };
        let mut mask: Vec<String> = Vec::new();
        for SecretUse { env, param } in &self.secrets {
            let value = values.get(param).ok_or_else(|| param.clone())?;
            match env {
                None => spec.stdin = Some(value.clone()),
                Some(name) => {
                    spec.env.iter_mut().filter(|(known, _)| known == name).for_each(|(_, old)| old.clone_from(value));
                }
            }
            if !mask.contains(value) {
                mask.push(value.clone());
            }
        }
        Ok((spec, mask))
    }
}

/// How an attempt ended, as its worker tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The process ended by itself, with an exit code or by a signal.
    Exited,
    /// It never started: the program or directory does not exist, or the system refused.
    NotStarted,
    /// It was stopped at its time limit.
    TimedOut,
    /// It was stopped because somebody asked.
    Cancelled,
    /// The worker died while it ran: nobody knows whether it took effect.
    Lost,
}

/// The end of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CommandEnd {
    /// How it ended.
    pub outcome: Outcome,
    /// The exit code, when the process gave one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub signal: Option<i32>,
    /// From start to end, in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub duration_ms: u64,
    /// The end of standard output, at most 64 KiB.
    pub stdout: String,
    /// The end of standard error, at most 64 KiB.
    pub stderr: String,
    /// Bytes written to standard output in all.
    #[cfg_attr(test, ts(type = "number"))]
    pub stdout_bytes: u64,
    /// Bytes written to standard error in all.
    #[cfg_attr(test, ts(type = "number"))]
    pub stderr_bytes: u64,
    /// Why, in words, where exit code and signal do not say it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[cfg_attr(test, ts(optional))]
    pub error: Option<String>,
}

impl CommandEnd {
    /// An end without a process that ended: lost, not started, cancelled before it ran.
    pub fn without_process(outcome: Outcome, error: impl Into<String>) -> Self {
        Self {
            outcome,
            exit_code: None,
            signal: None,
            duration_ms: 0,
            stdout: String::new(),
            stderr: String::new(),
            stdout_bytes: 0,
            stderr_bytes: 0,
            error: Some(error.into()),
        }
    }

    /// How long it took, where that is known: of what is lost often nobody knows.
    pub fn took_ms(&self) -> Option<u64> {
        (self.outcome != Outcome::Lost || self.duration_ms > 0).then_some(self.duration_ms)
    }

    /// Whether it counts as success.
    pub fn succeeded(&self, success_codes: &[i32]) -> bool {
        self.outcome == Outcome::Exited && self.exit_code.is_some_and(|code| success_codes.contains(&code))
    }

    /// Whether more went to standard output than the text that is kept of it. Where bytes were replaced by characters
    /// that take more, the sizes do not tell: a text that fills its room passes for cut then.
    pub fn is_stdout_cut(&self) -> bool {
        // The longest character less one: a cut falls between characters.
        let fills_its_room = self.stdout.len() > TAIL_BYTES - char::MAX.len_utf8();
        self.stdout_bytes > self.stdout.len() as u64
            || (fills_its_room && self.stdout.contains(char::REPLACEMENT_CHARACTER))
    }

    /// The end in a few words: `exit 0`, `signal 9`, `timed out`.
    pub fn describe(&self) -> String {
        let reason = self.error.as_deref();
        match (self.outcome, self.exit_code, self.signal) {
            (Outcome::Exited, Some(code), _) => match reason {
                Some(reason) => format!("exit {code}: {reason}"),
                None => format!("exit {code}"),
            },
            (Outcome::Exited, None, Some(signal)) => format!("ended by signal {signal}"),
            (Outcome::Exited, None, None) => "ended without an exit code".to_owned(),
            (Outcome::NotStarted, ..) => format!("not started: {}", reason.unwrap_or("no reason given")),
            (Outcome::TimedOut, ..) => "timed out".to_owned(),
            (Outcome::Cancelled, ..) => "cancelled".to_owned(),
            (Outcome::Lost, ..) => format!("lost: {}", reason.unwrap_or("nobody knows whether it took effect")),
        }
    }
}

/// A standard stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_output_is_known_from_its_sizes() {
        let is_cut = |stdout: String, stdout_bytes: u64| {
            CommandEnd { stdout, stdout_bytes, ..CommandEnd::without_process(Outcome::Exited, "") }.is_stdout_cut()
        };
        assert!(!is_cut(String::new(), 0) && !is_cut("x".repeat(TAIL_BYTES), TAIL_BYTES as u64));
        assert!(is_cut("x".repeat(TAIL_BYTES), TAIL_BYTES as u64 + 1));
        // A NUL is one byte of output and three of text: less was printed than is kept, and still it was cut.
        let replaced = char::REPLACEMENT_CHARACTER.to_string();
        assert!(is_cut(replaced.repeat(TAIL_BYTES / 3), 30_000));
        assert!(!is_cut(replaced.repeat(20_000), 20_000));
    }
}
