//! What stands between the fleet, which speaks to workers of this PULSE, and an agent of the first. No I/O: messages of
//! either side and the time come in, messages for either side go out.
//!
//! The agent accepts by silence, tells no exit code, cannot be told to stop, forgets what ended while it was not connected,
//! and drops what it has no room for. So every dispatch counts as accepted once it is sent; what has no result by its time
//! limit and a grace is lost, and is never sent again. It may still run, and takes its place on the agent: how long, the
//! ledger knows.

use super::known::Process;
use super::text::shell_text;
use super::wire::{FromAgent, ToAgent};
use pulse_core::command::{CommandEnd, Outcome, Stream, TAIL_BYTES};
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::worker::{Dispatch, FromWorker, MAX_OUTPUT_BYTES, ToWorker};
use pulse_core::text::{one_line, shorten};
use pulse_core::time::Timestamp;
use std::collections::HashMap;
use std::time::Duration;

/// Longest reason of a failure that is kept, in characters.
const REASON: usize = 500;

/// Messages for both sides.
#[derive(Debug, Default, PartialEq)]
pub struct Said {
    /// For the agent.
    pub to_agent: Vec<ToAgent>,
    /// For the fleet.
    pub to_fleet: Vec<FromWorker>,
    /// Commands whose time is over without a result.
    pub overdue: Vec<CommandId>,
}

/// A command that was sent to an agent and has not ended.
#[derive(Clone, Debug)]
pub struct Left {
    /// Which.
    pub command_id: CommandId,
    /// Whose it is.
    pub execution_id: ExecutionId,
    /// When it was sent, by the steady clock.
    pub since: Timestamp,
    /// Its time limit.
    pub limit: Duration,
    /// Whether it was sent to the process that is connected now.
    pub is_of_this_process: bool,
}

/// A connected agent.
#[derive(Debug)]
pub struct Agent {
    /// Its own id, which it expects in every command.
    agent_id: String,
    /// How many commands it runs at once; it drops any beyond that without a word.
    most: usize,
    running: HashMap<CommandId, Running>,
    /// Pings that were sent on this connection, and those it has answered.
    pings: u64,
    pongs: u64,
    /// So many answers tell that it has read every command: it reads in order.
    all_read_at: u64,
}

#[derive(Debug)]
struct Running {
    since: Timestamp,
    limit: Duration,
    /// Nobody waits for its result any more.
    is_given_up: bool,
}

impl Agent {
    /// An agent that has just connected. `left` is what was sent to it before: results may still come of what this very
    /// process was sent; what became of the rest nobody knows.
    pub fn new(agent_id: String, most: usize, left: Vec<Left>) -> (Self, Said) {
        let mut said = Said::default();
        let mut running = HashMap::new();
        for Left { command_id, since, limit, is_of_this_process, .. } in left {
            if is_of_this_process {
                running.insert(command_id, Running { since, limit, is_given_up: false });
            } else {
                let reason = "the agent was started again while it ran: nobody knows whether it took effect";
                said.to_fleet.push(ended(command_id, CommandEnd::without_process(Outcome::Lost, reason)));
            }
        }
        (Self { agent_id, most, running, pings: 0, pongs: 0, all_read_at: 0 }, said)
    }

    /// The fleet says something.
    pub fn told(&mut self, message: ToWorker, now: Timestamp) -> Said {
        match message {
            ToWorker::Dispatch(dispatch) => self.dispatched(*dispatch, now),
            ToWorker::Cancel { command_id, .. } => {
                // It goes on to its own time limit; its result comes as it is.
                tracing::warn!(command = %command_id, "an agent of the first PULSE cannot stop a command: it runs on");
                Said::default()
            }
            ToWorker::Ack { .. } | ToWorker::Drain | ToWorker::Welcome { .. } | ToWorker::Error { .. } => {
                Said::default()
            }
        }
    }

    fn dispatched(&mut self, dispatch: Dispatch, now: Timestamp) -> Said {
        let Dispatch { command_id, execution_id, spec, mask, .. } = dispatch;
        let mut said = Said::default();
        if self.running.contains_key(&command_id) {
            return said;
        }
        // What was given up is counted by the ledger, which knows whether the agent may still run it.
        if self.running.values().filter(|running| !running.is_given_up).count() >= self.most {
            let reason = format!("this agent of the first PULSE runs {} commands at once", self.most);
            said.to_fleet.push(FromWorker::Rejected { command_id, reason });
            return said;
        }
        said.to_fleet.push(FromWorker::Accepted { command_id });
        let text = match mask.is_empty() {
            true => shell_text(command_id, &spec),
            false => {
                Err("a secret cannot go to an agent of the first PULSE: it would stand in its process list".to_owned())
            }
        };
        match text {
            Ok(command) => {
                let limit = Duration::from_millis(spec.timeout_ms);
                self.running.insert(command_id, Running { since: now, limit, is_given_up: false });
                self.all_read_at = self.pings + 1;
                said.to_agent.push(ToAgent::ExecuteCommand {
                    execution_id,
                    command_id,
                    command,
                    worker_id: self.agent_id.clone(),
                    timeout: spec.timeout_ms,
                });
            }
            Err(reason) => {
                said.to_fleet.push(ended(command_id, CommandEnd::without_process(Outcome::NotStarted, reason)))
            }
        }
        said
    }

    /// Which process it is.
    pub fn process(&self) -> Process {
        Process::of(&self.agent_id)
    }

    /// A command could not be sent after all.
    pub fn not_sent(&mut self, id: CommandId) {
        self.running.remove(&id);
    }

    /// A ping was sent.
    pub fn pinged(&mut self) {
        self.pings += 1;
    }

    /// Whether it has certainly read every command that was sent on this connection.
    pub fn has_read_all(&self) -> bool {
        self.pongs >= self.all_read_at
    }

    /// What the fleet holds no more was given up: it takes no room here.
    pub fn let_go(&mut self, is_held: impl Fn(CommandId) -> bool) {
        self.running.iter_mut().filter(|(id, _)| !is_held(**id)).for_each(|(_, running)| running.is_given_up = true);
    }

    /// The agent says something.
    pub fn heard(&mut self, message: FromAgent, now: Timestamp) -> Said {
        if matches!(message, FromAgent::Pong) {
            self.pongs = (self.pongs + 1).min(self.pings);
        }
        let FromAgent::CommandResult { command_id, success, stdout, stderr, duration, error } = message else {
            return Said::default();
        };
        let known = command_id.parse::<uuid::Uuid>().ok().map(CommandId);
        let Some((id, running)) = known.and_then(|id| Some((id, self.running.remove(&id)?))) else {
            tracing::warn!(command = %shorten(&one_line(&command_id), 80), "an agent tells of a command that is not its own");
            return Said::default();
        };
        let (stdout, stderr) = (stdout.unwrap_or_default(), stderr.unwrap_or_default());
        let mut said = Said::default();
        let mut seq = 0;
        for (stream, text) in [(Stream::Stdout, &stdout), (Stream::Stderr, &stderr)] {
            for data in pieces(text) {
                seq += 1;
                said.to_fleet.push(FromWorker::Output { command_id: id, stream, seq, data, gap_bytes: None });
            }
        }
        let took = now.since(running.since);
        let (outcome, exit_code, error) = match success {
            true => (Outcome::Exited, Some(0), None),
            // It was stopped at its time limit, which the agent does not say.
            false if took >= running.limit => (Outcome::TimedOut, None, reason(error)),
            false => (Outcome::Exited, Some(1), reason(error)),
        };
        let duration = duration.filter(|ms| ms.is_finite() && *ms >= 0.0);
        said.to_fleet.push(ended(
            id,
            CommandEnd {
                outcome,
                exit_code,
                signal: None,
                duration_ms: duration
                    .map_or_else(|| u64::try_from(took.as_millis()).unwrap_or(u64::MAX), |ms| ms as u64),
                stdout_bytes: stdout.len() as u64,
                stderr_bytes: stderr.len() as u64,
                stdout: tail(&stdout),
                stderr: tail(&stderr),
                error,
            },
        ));
        said
    }

    /// Time has passed: what has had no result for too long is given up. A result that comes after that is told like any.
    /// Of what was given up before, only that is kept of which the ledger says that it may still come.
    pub fn tick(&mut self, now: Timestamp, lost_grace: Duration, may_come: impl Fn(CommandId) -> bool) -> Said {
        self.running.retain(|id, running| !running.is_given_up || may_come(*id));
        let mut said = Said::default();
        for (id, running) in &mut self.running {
            let is_over = now.since(running.since) > running.limit.saturating_add(lost_grace);
            if is_over && !std::mem::replace(&mut running.is_given_up, true) {
                said.overdue.push(*id);
            }
        }
        said
    }
}

fn ended(command_id: CommandId, end: CommandEnd) -> FromWorker {
    FromWorker::Result { command_id, end }
}

/// What the agent gives as the reason, with the word that the exit code is not its own.
fn reason(error: Option<serde_json::Value>) -> Option<String> {
    let said = match error {
        None | Some(serde_json::Value::Null) => String::new(),
        Some(serde_json::Value::String(text)) => text,
        Some(other) => other.to_string(),
    };
    let said = shorten(&one_line(said.trim()), REASON);
    // Node.js says this of every exit code but 0, with the command and what it printed, which are known.
    Some(match said.is_empty() || said.starts_with("Command failed") {
        true => "it failed; an agent of the first PULSE tells no exit code".to_owned(),
        false => format!("{said} (an agent of the first PULSE tells no exit code)"),
    })
}

/// Text in pieces for the wire and the store, without NUL.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = floor(rest, MAX_OUTPUT_BYTES / 3);
        pieces.push(rest[..end].replace('\0', "\u{fffd}"));
        rest = &rest[end..];
    }
    pieces
}

/// The last of a text, from a character on.
fn tail(text: &str) -> String {
    let from = text.len().saturating_sub(TAIL_BYTES);
    let from = (from..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    text[from..].replace('\0', "\u{fffd}")
}

/// The largest character boundary up to `at`.
fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
