//! One entry of `given`: which kind it is follows from its fields.

use super::suite::{Given, Reaction, TESTER};
use pulse_core::command::{CommandEnd, Outcome, TAIL_BYTES};
use pulse_core::diagnostic::{Code, Diagnostics};
use pulse_core::status::ExecutionStatus;
use pulse_core::text::tail;
use pulse_core::yaml::{Fields, Node};
use std::time::Duration;

/// Most uses of one entry.
const MOST_TIMES: i64 = 10_000;

pub(super) fn given(node: &Node, path: &str, diagnostics: &mut Diagnostics) -> Option<Given> {
    let mut fields = Fields::open(node, path, "an entry of `given`", diagnostics)?;
    let anywhere = fields.has("abort");
    let step = match anywhere {
        true => fields.text("step"),
        false => fields.required("step", "an entry of `given`", "check").map(|(step, _)| step),
    };
    let worker = fields.text("worker");
    let attempt = fields.integer("attempt", 1..=1_000).map(|n| n as u32);
    let times = fields.integer("times", 1..=MOST_TIMES).map_or(1, |n| n as u32);
    let after = fields.duration("duration").unwrap_or_default();
    let stops_after = fields.duration("stops_after");
    let reaction = reaction(&mut fields, after);
    if stops_after.is_some()
        && reaction.as_ref().is_some_and(|it| !matches!(it, Reaction::End(_) | Reaction::Child { .. }))
    {
        let (at, message) = (fields.at, "only a command or a child execution can be told to stop");
        fields.add(Code::Conflict, "stops_after", at, message, "leave `stops_after` out");
    }
    if reaction == Some(Reaction::Online) && worker.is_none() {
        fields.add(
            Code::MissingField,
            "worker",
            node.at,
            "say which `worker` comes online",
            "add it, as in `worker: web-01`",
        );
    }
    fields.finish();
    if step.is_none() && !anywhere {
        return None;
    }
    Some(Given {
        step: step.map(|step| step.as_str().into()),
        worker,
        attempt,
        times,
        after,
        stops_after: stops_after.unwrap_or_default(),
        reaction: reaction?,
        path: path.to_owned(),
        at: node.at,
    })
}

fn reaction(fields: &mut Fields<'_, '_>, after: Duration) -> Option<Reaction> {
    let kinds = [
        ("answer", fields.has("answer")),
        ("timeout", fields.has("timeout")),
        ("abort", fields.has("abort")),
        ("online", fields.has("online")),
        ("status", fields.has("status")),
        ("state", fields.has("state")),
        ("execution_id", fields.has("execution_id")),
        ("outcome", fields.has("outcome")),
        ("stdout", fields.has("stdout")),
        ("stdout_bytes", fields.has("stdout_bytes")),
        ("stderr", fields.has("stderr")),
        ("exit_code", fields.has("exit_code")),
    ];
    let is_command = |name: &str| matches!(name, "outcome" | "stdout" | "stdout_bytes" | "stderr" | "exit_code");
    let said: Vec<&str> = kinds.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
    let is_child = |name: &str| matches!(name, "status" | "state" | "execution_id");
    if let [first, .., last] = said[..]
        && !said.iter().all(|name| is_command(name))
        && !said.iter().all(|name| is_child(name))
    {
        let (other, at) = (if is_command(first) { last } else { first }, fields.at);
        let message = format!("`{other}` and the other fields belong to different steps: one entry is one thing");
        let help = "write an entry for each: a command's end, an answer, or a timeout";
        fields.add(Code::Conflict, other, at, message, help);
    }
    match said.first().copied() {
        Some("answer") => {
            let response = fields.text("answer")?;
            let by = fields.text("by").unwrap_or_else(|| TESTER.to_owned());
            Some(Reaction::Answer { response, by, fields: fields.given("fields") })
        }
        Some("timeout") => {
            fields.flag("timeout");
            Some(Reaction::Timeout)
        }
        Some("online") => {
            fields.flag("online");
            Some(Reaction::Online)
        }
        Some("abort") => {
            let reason = fields.text("abort").filter(|reason| reason != "true");
            Some(Reaction::Abort { by: fields.text("by").unwrap_or_else(|| TESTER.to_owned()), reason })
        }
        Some("status" | "state" | "execution_id") => child(fields),
        _ => Some(Reaction::End(Box::new(end(fields, after)))),
    }
}

fn child(fields: &mut Fields<'_, '_>) -> Option<Reaction> {
    let words = [
        ("completed", ExecutionStatus::Completed),
        ("failed", ExecutionStatus::Failed),
        ("aborted", ExecutionStatus::Aborted),
    ];
    let status = fields.word("status", &words).unwrap_or(ExecutionStatus::Completed);
    let id = super::read::parsed(fields, "execution_id", "a UUID", "019b7700-0000-7000-8000-000000000002");
    Some(Reaction::Child { status, error: fields.text("error"), state: fields.values("state"), id })
}

/// How a command ends: with exit code 0 when nothing else is said.
fn end(fields: &mut Fields<'_, '_>, after: Duration) -> CommandEnd {
    let words = [
        ("exited", Outcome::Exited),
        ("not_started", Outcome::NotStarted),
        ("timed_out", Outcome::TimedOut),
        ("cancelled", Outcome::Cancelled),
        ("lost", Outcome::Lost),
    ];
    let outcome = fields.word("outcome", &words).unwrap_or(Outcome::Exited);
    let exit_code = fields.integer("exit_code", 0..=255).map(|code| code as i32);
    let signal = fields.integer("signal", 1..=64).map(|signal| signal as i32);
    if let (Some(_), true) = (exit_code, outcome != Outcome::Exited || signal.is_some()) {
        let at = fields.at;
        let message = "a command with an exit code has ended by itself";
        fields.add(Code::Conflict, "exit_code", at, message, "leave `outcome` and `signal` out, or `exit_code`");
    }
    let stdout = fields.text("stdout").unwrap_or_default();
    let stdout_bytes = fields.integer("stdout_bytes", stdout.len() as i64..=i64::MAX);
    let stderr = fields.text("stderr").unwrap_or_default();
    CommandEnd {
        outcome,
        exit_code: (outcome == Outcome::Exited && signal.is_none()).then_some(exit_code.unwrap_or(0)),
        signal,
        duration_ms: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
        // As a worker tells it: the end of each, and how much there was.
        stdout_bytes: stdout_bytes.map_or(stdout.len() as u64, |bytes| bytes as u64),
        stderr_bytes: stderr.len() as u64,
        stdout: tail(&stdout, TAIL_BYTES).to_owned(),
        stderr: tail(&stderr, TAIL_BYTES).to_owned(),
        error: fields.text("error"),
    }
}
