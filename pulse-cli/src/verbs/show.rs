//! `pulse show`: one execution.

mod deliveries;

use super::{ps, questions};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::out::Out;
use crate::render::age::{age, now, took};
use crate::render::steps::result;
use crate::render::table::Table;
use crate::render::values;
use pulse_core::api::{CommandView, DeliveryView, ExecutionView, StepView};
use pulse_core::event::Event;
use pulse_core::ids::{Attempt, CommandId};
use pulse_core::status::CommandStatus;
use pulse_core::text::one_line;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Results that came too late that are shown at most.
const LATE: usize = 20;

/// Child executions that are shown at most.
const CHILDREN: usize = 20;
/// Commands that wait for their workers that are shown at most.
const HELD: usize = 20;

/// What `--json` prints: the execution, and the calls of webhooks beside it.
#[derive(serde::Serialize)]
struct Whole {
    #[serde(flatten)]
    view: ExecutionView,
    deliveries: Vec<DeliveryView>,
}

/// Arguments of `pulse show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the execution, or its first characters as `pulse ps` shows them
    id: String,
    /// Print JSON, as the API gives it, with the calls of webhooks as `deliveries`
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let client = context.client()?;
    let view = fetch(&client, &args.id).await?;
    let deliveries = deliveries::fetch(&client, view.summary.id).await?;
    if args.json {
        context.out.json(&Whole { view, deliveries })?;
        return Ok(Exit::SUCCESS);
    }
    print(&view, &deliveries, &mut context.out)?;
    for child in questions::children(&client, &view).await.iter().filter(|child| child.summary.waiting_for_input) {
        let summary = &child.summary;
        let asks = format!("its child {} ({}) asks:", one_line(&summary.title), summary.id);
        context.out.line("")?;
        context.out.line(&format!("  {} {asks}", context.out.style.yellow("?")))?;
        questions::print(child, &mut context.out)?;
    }
    Ok(Exit::SUCCESS)
}

/// Reads an execution by its id or the beginning of it.
pub(super) async fn fetch(client: &crate::client::Client, id: &str) -> Result<ExecutionView, Error> {
    client.get(&["api", "executions", id], &[]).await.map_err(unknown)
}

/// Adds how to find the id that was meant.
pub(super) fn unknown(error: Error) -> Error {
    let ambiguous = matches!(&error, Error::Refused { problem, .. } if problem.code == "ambiguous-id");
    match error.status() {
        Some(404) => error.with_hint("`pulse ps -a` lists the executions"),
        Some(409) if ambiguous => error.with_hint("`pulse ps -a` lists the executions"),
        _ => error,
    }
}

fn print(view: &ExecutionView, calls: &[DeliveryView], out: &mut Out) -> Result<(), Error> {
    let (style, now, summary) = (out.style, now(), &view.summary);
    out.line(&style.bold(&format!("{}  {}", one_line(&summary.title), summary.id)))?;
    let mut fact = |name: &str, value: String| match value.is_empty() {
        true => Ok(()),
        false => out.line(&format!("  {name:11} {value}")),
    };
    fact("status", ps::status(summary))?;
    fact("error", summary.error.as_deref().map(one_line).unwrap_or_default())?;
    let workflow = summary.workflow.as_deref().map(|workflow| match summary.version {
        Some(version) => format!("{} (version {version})", one_line(workflow)),
        None => one_line(workflow),
    });
    fact("workflow", workflow.unwrap_or_default())?;
    fact("started by", format!("{} ({})", one_line(&summary.started_by), summary.trigger))?;
    fact("created", format!("{} ({} ago)", summary.created_at, age(summary.created_at, now)))?;
    fact("took", took(summary.started_at, summary.finished_at, now))?;
    fact("parameters", listed(&view.params))?;
    fact("state", listed(&view.state))?;
    if !view.steps.is_empty() {
        out.line("")?;
        steps(&view.steps, now).lines(style).iter().try_for_each(|line| out.line(&format!("  {line}")))?;
    }
    held(view, out)?;
    late(view, out)?;
    children(view, out)?;
    deliveries::print(calls, out)?;
    questions::print(view, out)
}

/// The executions that its steps have started.
fn children(view: &ExecutionView, out: &mut Out) -> Result<(), Error> {
    if !view.children.is_empty() {
        out.line("")?;
    }
    for child in view.children.iter().take(CHILDREN) {
        let status = child.status.map_or_else(|| "goes on".to_owned(), |status| status.to_string());
        let (step, workflow) = (&child.step_id, one_line(&child.workflow));
        out.line(&format!("  {step}: {workflow} as execution {}: {status}", child.execution_id))?;
    }
    match view.children.len().saturating_sub(CHILDREN) {
        0 => Ok(()),
        more => out.line(&format!("  and {more} more")),
    }
}

/// Commands of which the journal says last that they wait for their workers, and when it said so: they may have been sent
/// since.
fn held(view: &ExecutionView, out: &mut Out) -> Result<(), Error> {
    let mut waiting: BTreeMap<CommandId, String> = BTreeMap::new();
    for entry in &view.logs {
        match &entry.event {
            Event::CommandHeld { at, worker, command_id, reason, .. } => {
                let (step, worker, reason) = (one_line(&at.step_name), one_line(&worker.worker), one_line(reason));
                let line = format!("  {step}: not sent yet at {}, waiting for {worker}: {reason}", entry.timestamp);
                waiting.insert(*command_id, line);
            }
            Event::CommandMoved { command_id, .. } | Event::CommandResult { command_id, .. } => {
                waiting.remove(command_id);
            }
            Event::ExecutionFinished { .. } => waiting.clear(),
            _ => {}
        }
    }
    if !waiting.is_empty() {
        out.line("")?;
    }
    waiting.values().take(HELD).try_for_each(|line| out.line(line))?;
    match waiting.len().saturating_sub(HELD) {
        0 => Ok(()),
        more => out.line(&format!("  and {more} more")),
    }
}

/// Results that came after their commands had been given up: the steps do not show them, as they changed nothing.
fn late(view: &ExecutionView, out: &mut Out) -> Result<(), Error> {
    let style = out.style;
    let mut results = view.logs.iter().filter_map(|entry| match &entry.event {
        Event::CommandResult { at, worker, attempt, success, end, late: true, .. } => {
            let result = result(&one_line(&worker.worker), *attempt, *success, end, true, style);
            Some(format!("  {}: {result}", one_line(&at.step_name)))
        }
        _ => None,
    });
    let shown: Vec<String> = results.by_ref().take(LATE).collect();
    if !shown.is_empty() {
        out.line("")?;
    }
    shown.iter().try_for_each(|line| out.line(line))?;
    match results.count() {
        0 => Ok(()),
        more => out.line(&format!("  and {more} more")),
    }
}

fn listed(values: &Map<String, Value>) -> String {
    let all: Vec<String> = values.iter().map(|(k, v)| format!("{}={}", one_line(k), values::one(v))).collect();
    all.join(", ")
}

fn steps(steps: &[StepView], now: pulse_core::time::Timestamp) -> Table {
    let mut table = Table::new(&["STEP", "NAME", "TYPE", "STATUS", "DURATION", "COMMANDS"]);
    for (index, step) in steps.iter().enumerate() {
        table.row([
            (index + 1).to_string(),
            step.name.to_string(),
            step.kind.clone(),
            step.status.to_string(),
            took(step.started_at, step.finished_at, now),
            commands(&step.commands),
        ]);
    }
    table
}

/// How commands stand: the last attempt on each worker, with how those before it ended; alike ones together.
fn commands(commands: &[CommandView]) -> String {
    let mut last: BTreeMap<&str, Vec<&CommandView>> = BTreeMap::new();
    for command in commands {
        let attempts = last.entry(command.worker.as_str()).or_default();
        if command.attempt == Attempt::FIRST {
            attempts.clear();
        }
        attempts.push(command);
    }
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (worker, attempts) in last {
        let Some((command, before)) = attempts.split_last() else { continue };
        groups.entry(stands(command) + after(before).as_str()).or_default().push(worker);
    }
    let group = |(stands, workers): (String, Vec<&str>)| match workers.len() {
        0..=3 => format!("{stands} ({})", workers.join(", ")),
        many => format!("{stands} ({many} workers)"),
    };
    groups.into_iter().map(group).collect::<Vec<_>>().join(", ")
}

/// Where one attempt stands.
fn stands(command: &CommandView) -> String {
    match (command.status, command.exit_code) {
        (CommandStatus::Completed | CommandStatus::Failed, Some(code)) => format!("exit {code}"),
        (status, _) if command.unreachable => format!("{status}, worker unreachable"),
        (status, _) => status.to_string().replace('_', " "),
    }
}

/// How earlier attempts ended, alike ones in a row together: ` after 2 × exit 1, lost`.
fn after(attempts: &[&CommandView]) -> String {
    let mut ends: Vec<(String, u32)> = Vec::new();
    for attempt in attempts {
        match ends.last_mut().filter(|(end, _)| *end == stands(attempt)) {
            Some((_, count)) => *count += 1,
            None => ends.push((stands(attempt), 1)),
        }
    }
    let all: Vec<String> =
        ends.into_iter().map(|(end, count)| if count == 1 { end } else { format!("{count} × {end}") }).collect();
    if all.is_empty() { String::new() } else { format!(" after {}", all.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn earlier_attempts_are_named_with_how_they_ended() {
        let command = |worker: &str, attempt: u32, status: &str, exit_code: Option<i32>| {
            let id = "01900000-0000-7000-8000-000000000001";
            let view =
                json!({"id": id, "worker": worker, "attempt": attempt, "status": status, "exit_code": exit_code});
            serde_json::from_value::<CommandView>(view).unwrap()
        };
        let all = [
            // For an item before.
            command("w1", 1, "failed", Some(7)),
            command("w1", 1, "failed", Some(1)),
            command("w1", 2, "failed", Some(1)),
            command("w1", 3, "lost", None),
            command("w1", 4, "completed", Some(0)),
            command("w2", 1, "lost", None),
            command("w2", 2, "completed", Some(0)),
            command("w3", 1, "completed", Some(0)),
        ];
        let expected = "exit 0 (w3), exit 0 after 2 × exit 1, lost (w1), exit 0 after lost (w2)";
        assert_eq!(commands(&all), expected);
        assert_eq!(
            commands(&[CommandView { unreachable: true, ..command("w1", 1, "running", None) }]),
            "running, worker unreachable (w1)"
        );
    }
}
