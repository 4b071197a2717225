//! An execution's journal as lines, one entry after the other.
//!
//! A step that takes time has a line when it starts, its body indented, and a line when it ends. One that ends at once
//! (parse, route, set) is one line. State is in words, beside the mark and the colour.

use super::age::coarse;
use super::prompt;
use super::style::Style;
use super::values::{count, inline};
use pulse_core::api::OutputChunk;
use pulse_core::command::{CommandEnd, Outcome, Stream};
use pulse_core::duration;
use pulse_core::event::{Entry, Event, OpenOption, StepRef, WorkerRef};
use pulse_core::ids::{Attempt, FrameId, PromptId, StepId};
use pulse_core::status::{ExecutionStatus, StepStatus};
use pulse_core::text::one_line;
use pulse_core::time::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// Lines of a command that are shown, and names of a list of workers.
const COMMAND_LINES: usize = 6;
const NAMES: usize = 5;

/// Turns entries into lines. Given the same entries, the lines are the same.
#[derive(Debug)]
pub struct Steps {
    style: Style,
    started: Option<Timestamp>,
    runs: BTreeMap<(FrameId, u32), Run>,
    teams: HashMap<StepId, usize>,
    asked: HashMap<PromptId, Vec<OpenOption>>,
}

/// What is known of a step that runs.
#[derive(Debug)]
struct Run {
    since: Timestamp,
    /// The workers it means.
    workers: Vec<String>,
    /// The command shown last.
    command: String,
}

impl Steps {
    /// Starts before the first entry.
    pub fn new(style: Style) -> Self {
        Self { style, started: None, runs: BTreeMap::new(), teams: HashMap::new(), asked: HashMap::new() }
    }

    /// The lines of the next entry.
    pub fn lines(&mut self, entry: &Entry) -> Vec<String> {
        match entry.event.step() {
            Some(at) => self.step(entry, at),
            None => self.whole(entry),
        }
    }

    /// What stands before a line of output: nothing of the output can look like a line of the journal.
    pub fn prefix(&self, chunk: &OutputChunk) -> String {
        let bar = bar(chunk.stream, self.style);
        match self.teams.get(&chunk.step_id) {
            Some(width) => format!("  {} {bar} ", self.style.cyan(&format!("{:width$}", one_line(&chunk.worker)))),
            None => format!("  {bar} "),
        }
    }

    /// Entries about the execution as a whole.
    fn whole(&mut self, entry: &Entry) -> Vec<String> {
        let style = self.style;
        match &entry.event {
            Event::ExecutionCreated { workflow, params, started_by, .. } => {
                self.started = Some(entry.timestamp);
                let what = match workflow {
                    Some(workflow) if workflow.version == 0 => style.bold(&one_line(&workflow.name)),
                    Some(workflow) => {
                        format!("{} (version {})", style.bold(&one_line(&workflow.name)), workflow.version)
                    }
                    None => style.bold("quick command"),
                };
                let with = if params.is_empty() { String::new() } else { format!(", with {}", inline(params)) };
                vec![format!("{} {what}, started by {}{with}", style.cyan("●"), one_line(started_by))]
            }
            Event::ExecutionQueued { limit } => {
                vec![format!("{} waits its turn: at most {limit} at once", style.yellow("…"))]
            }
            Event::FrameStarted { name, .. } => vec![style.bold(&one_line(name))],
            Event::WorkflowError { message } => vec![format!("{} error: {}", style.red("✗"), one_line(message))],
            Event::ServerRestartRecovery { running_commands } => {
                let on = count(*running_commands as usize, "command");
                vec![format!("{} the server restarted and goes on, with {on} on workers", style.yellow("↻"))]
            }
            Event::AbortRequested { by, reason } => {
                let why = reason.as_deref().map(|reason| format!(": {}", one_line(reason))).unwrap_or_default();
                vec![format!("{} abort asked for by {}{why}", style.yellow("■"), one_line(by))]
            }
            Event::ExecutionFinished { status, error } => {
                let took = self.started.map(|started| took(entry.timestamp.since(started))).unwrap_or_default();
                vec![outcome(*status, &took, error.as_deref(), style)]
            }
            _ => Vec::new(),
        }
    }

    /// Entries about a step.
    fn step(&mut self, entry: &Entry, at: &StepRef) -> Vec<String> {
        let style = self.style;
        let line = |text: String| vec![format!("  {text}")];
        match &entry.event {
            Event::StepStarted { run, .. } => vec![self.start(at, *run, entry.timestamp)],
            Event::StepSkipped { condition, .. } => {
                let why = format!("skipped, as {} does not hold", one_line(condition));
                vec![format!("{} {}: {why}", style.dim("–"), title(at))]
            }
            Event::ConditionError { condition, message, .. } => line(format!(
                "{} condition {} counts as false: {}",
                style.yellow("!"),
                one_line(condition),
                one_line(message)
            )),
            Event::TargetsResolved { targets, awaited, await_any, .. } => {
                let all: Vec<WorkerRef> = targets.iter().chain(awaited).cloned().collect();
                self.team(at, &all);
                if *await_any {
                    return line(format!("{} waiting for any worker", style.yellow("…")));
                }
                match awaited.is_empty() {
                    true => Vec::new(),
                    false => line(format!("{} waiting for {}", style.yellow("…"), names(awaited.iter().map(name)))),
                }
            }
            Event::WorkerOffline { worker, reason, .. } => {
                line(format!("{} {}: {}", style.yellow("–"), name(worker), one_line(reason)))
            }
            Event::WorkerStillOffline { worker, .. } => {
                line(format!("{} {}: did not come in time", style.red("✗"), name(worker)))
            }
            Event::ItemsResolved { items, .. } => line(count(items.len(), "item")),
            Event::FrameStarted { name, .. } => line(format!("{} {}", style.cyan("┌"), one_line(name))),
            Event::FrameFinished { name, status, error, .. } => {
                let why = error.as_deref().map(|error| format!(": {}", one_line(error))).unwrap_or_default();
                let mark = if *status == StepStatus::Completed { style.green("└") } else { style.red("└") };
                line(format!("{mark} {}: {status}{why}", one_line(name)))
            }
            Event::ChildStarted { execution_id, workflow, .. } => {
                line(format!("{} {} as execution {execution_id}", style.cyan("⇲"), one_line(workflow)))
            }
            Event::ChildFinished { execution_id, status, .. } => {
                let mark = if *status == ExecutionStatus::Completed { style.green("✓") } else { style.red("✗") };
                line(format!("{mark} execution {execution_id}: {status}"))
            }
            Event::NoWorkers { selector, .. } => {
                line(format!("{} no worker is online for {}", style.red("✗"), one_line(&selector.join(", "))))
            }
            Event::CommandSent { worker, command, .. } => self.sent(at, worker, command),
            Event::CommandMoved { worker, from, reason, .. } => {
                let text = format!("{} is {}: {} runs it instead", name(from), one_line(reason), name(worker));
                line(format!("{} {text}", style.yellow("→")))
            }
            Event::CommandHeld { worker, reason, .. } => {
                let text = format!("not sent yet, waiting for {}: {}", name(worker), one_line(reason));
                line(format!("{} {text}", style.yellow("…")))
            }
            Event::NotStopped { .. } => line(format!("{} {}", style.yellow("!"), not_stopped(&entry.event))),
            Event::CommandResult { worker, attempt, success, end, late, .. } => {
                line(result(&name(worker), *attempt, *success, end, *late, style))
            }
            Event::CommandRetry { worker, attempt, delay_ms, .. } => {
                let delay = duration::display(Duration::from_millis(*delay_ms));
                let text = format!("{}: tried again in {delay} (attempt {attempt})", name(worker));
                line(format!("{} {text}", style.yellow("↻")))
            }
            Event::RolloutStopped { failures, not_started, .. } => {
                let failed = count(*failures as usize, "failure");
                let rest = if not_started.is_empty() {
                    String::new()
                } else {
                    format!("; not started: {}", names(not_started.iter().map(name)))
                };
                line(format!("{} roll-out stopped after {failed}{rest}", style.red("✗")))
            }
            Event::Prompt { prompt_id, message, options, deadline, .. } => {
                self.asked.insert(*prompt_id, options.clone());
                prompt::question(message, options, deadline.since(entry.timestamp), style)
            }
            Event::PromptResponse { prompt_id, response, by, .. } => {
                let answer = self.label(*prompt_id, response);
                line(format!("{} answered by {}: {answer}", style.green("✓"), one_line(by)))
            }
            Event::PromptTimeout { prompt_id, response, .. } => {
                let counts = response.as_ref().map(|value| self.label(*prompt_id, value));
                let counts = counts.map(|label| format!(": counts as {label}")).unwrap_or_default();
                line(format!("{} nobody answered in time{counts}", style.yellow("!")))
            }
            Event::WaitStarted { until, .. } => {
                let left = duration::display(coarse(until.since(entry.timestamp)));
                line(format!("{} waiting for {left}", style.yellow("…")))
            }
            Event::ParseComplete { parsed_count, parsed, next, .. } => {
                let values = count(*parsed_count as usize, "value");
                let list = if parsed.is_empty() { String::new() } else { format!(": {}", inline(parsed)) };
                match next {
                    Some(_) => self.at_once(at, &format!(", read {values}{list}")),
                    None => line(format!("read {values}{list}")),
                }
            }
            Event::RouteTaken { condition, label, goto, .. } => {
                let label = if label.is_empty() { condition } else { label };
                self.at_once(at, &format!(" ⇒ {} ({})", one_line(goto), one_line(label)))
            }
            Event::RouteUnmatched { .. } => self.at_once(at, ", no condition held"),
            Event::ValuesSet { values, .. } => self.at_once(at, &format!(", set {}", inline(values))),
            Event::StepFinished { status, error, .. } => {
                vec![self.finished(at, *status, error.as_deref(), entry.timestamp)]
            }
            _ => Vec::new(),
        }
    }

    fn start(&mut self, at: &StepRef, run: u32, now: Timestamp) -> String {
        self.runs.insert((at.frame, at.step), Run { since: now, workers: Vec::new(), command: String::new() });
        let again = if run > 1 { format!(" (run {run})") } else { String::new() };
        format!("{} {}{again}", self.style.cyan("▸"), self.style.bold(&title(at)))
    }

    /// A step that has ended as it began.
    fn at_once(&self, at: &StepRef, what: &str) -> Vec<String> {
        vec![format!("{} {}: {}{what}", self.style.green("✓"), title(at), StepStatus::Completed)]
    }

    /// Remembers who takes part. From two workers on, output says whose it is.
    fn team(&mut self, at: &StepRef, targets: &[WorkerRef]) {
        let workers: Vec<String> = targets.iter().map(name).collect();
        match workers.iter().map(|name| name.chars().count()).max().filter(|_| workers.len() > 1) {
            Some(width) => self.teams.insert(at.step_id.clone(), width),
            None => self.teams.remove(&at.step_id),
        };
        if let Some(run) = self.runs.get_mut(&(at.frame, at.step)) {
            run.workers = workers;
        }
    }

    /// The command, once for all workers that get the same.
    fn sent(&mut self, at: &StepRef, worker: &WorkerRef, command: &str) -> Vec<String> {
        let Some(run) = self.runs.get_mut(&(at.frame, at.step)) else { return Vec::new() };
        if run.command == command {
            return Vec::new();
        }
        let first = run.command.is_empty();
        command.clone_into(&mut run.command);
        let on = if first && run.workers.len() > 1 { names(run.workers.iter().cloned()) } else { name(worker) };
        let mut shown: Vec<String> = command.trim().lines().map(one_line).collect();
        let more = shown.len().saturating_sub(COMMAND_LINES);
        shown.truncate(COMMAND_LINES);
        if more > 0 {
            shown.push(format!("… {}", count(more, "more line")));
        }
        let style = self.style;
        let on = style.dim(&format!("(on {on})"));
        let mut lines: Vec<String> = shown
            .iter()
            .enumerate()
            .map(|(index, text)| format!("  {} {text}", if index == 0 { style.dim("$") } else { " ".to_owned() }))
            .collect();
        match lines.first_mut() {
            Some(line) => line.push_str(&format!("  {on}")),
            None => lines.push(format!("  {} {on}", style.dim("$"))),
        }
        lines
    }

    fn finished(&mut self, at: &StepRef, status: StepStatus, error: Option<&str>, now: Timestamp) -> String {
        let style = self.style;
        let run = self.runs.remove(&(at.frame, at.step));
        let took = run.map(|run| took(now.since(run.since))).unwrap_or_default();
        let why = error.map(|error| format!(": {}", one_line(error))).unwrap_or_default();
        let mark = match status {
            StepStatus::Completed => style.green("✓"),
            StepStatus::Failed => style.red("✗"),
            StepStatus::Aborted => style.yellow("■"),
            _ => style.dim("–"),
        };
        format!("{mark} {}: {status}{took}{why}", title(at))
    }

    fn label(&self, prompt: PromptId, value: &str) -> String {
        let option = self.asked.get(&prompt).and_then(|options| options.iter().find(|option| option.value == value));
        one_line(option.map_or(value, |option| option.label.as_str()))
    }
}

/// How an execution ended, on one line.
pub fn outcome(status: ExecutionStatus, took: &str, error: Option<&str>, style: Style) -> String {
    let why = error.map(|error| format!(": {}", one_line(error))).unwrap_or_default();
    let (mark, word) = match status {
        ExecutionStatus::Completed => (style.green("✓"), style.green(status.as_str())),
        ExecutionStatus::Aborted => (style.yellow("■"), style.yellow(status.as_str())),
        _ => (style.red("✗"), style.red(status.as_str())),
    };
    format!("{mark} {word}{took}{why}")
}

/// How a command ended, on one line.
pub fn result(worker: &str, attempt: Attempt, success: bool, end: &CommandEnd, late: bool, style: Style) -> String {
    let mark = if success { style.green("✓") } else { style.red("✗") };
    let took = if end.duration_ms > 0 { took(Duration::from_millis(end.duration_ms)) } else { String::new() };
    let again = if attempt > Attempt::FIRST { format!(" (attempt {attempt})") } else { String::new() };
    // What was told to stop always ends late.
    let late = if late && end.outcome != Outcome::Cancelled { ", too late to count" } else { "" };
    format!("{mark} {worker}: {}{took}{again}{late}", one_line(&end.describe()))
}

/// The bar before a line of output: another one for standard error, so that colour is not all that tells them apart.
pub fn bar(stream: Stream, style: Style) -> String {
    match stream {
        Stream::Stdout => style.dim("│"),
        Stream::Stderr => style.red("!"),
    }
}

/// What was told to stop and goes on.
pub fn not_stopped(event: &Event) -> String {
    let Event::NotStopped { worker, execution_id, waited_ms, .. } = event else { return String::new() };
    let waited = duration::display(Duration::from_millis(*waited_ms));
    match (worker, execution_id) {
        (Some(worker), _) => format!("{}: still runs {waited} after it was told to stop", one_line(worker)),
        (None, Some(id)) => format!("execution {id} goes on {waited} after it was told to stop"),
        (None, None) => format!("goes on {waited} after it was told to stop"),
    }
}

/// A worker's name.
pub fn name(worker: &WorkerRef) -> String {
    one_line(&worker.worker)
}

/// The first few names, and how many more there are.
pub fn names(all: impl Iterator<Item = String>) -> String {
    let all: Vec<String> = all.collect();
    match all.len().saturating_sub(NAMES) {
        0 => all.join(", "),
        more => format!("{} and {more} more", all[..NAMES].join(", ")),
    }
}

fn title(at: &StepRef) -> String {
    format!("{} {}", at.step, one_line(&at.step_name))
}

fn took(duration: Duration) -> String {
    format!(" in {}", duration::display(coarse(duration)))
}
