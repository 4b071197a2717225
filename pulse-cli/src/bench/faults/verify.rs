//! After the faults: what is in the database and what the commands left behind, held against the ledger.

use super::ledger::{Entries, Started};
use super::load::{QUEUE, QUEUE_LIMIT};
use super::printed::{Walk, sequence};
use pulse_core::command::Outcome;
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{CommandId, ExecutionId, Seq};
use pulse_core::status::ExecutionStatus;
use pulse_core::time::Timestamp;
use pulse_server::upkeep;
use pulse_store::{ExecutionFilter, ExecutionRecord, OutputFilter, Store};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::time::Duration;

/// Executions and journal entries that are read at once.
const PAGE: usize = 500;
/// Findings that are shown of each kind.
const SHOWN: usize = 5;
/// Once there are no faults an execution has to have ended within this; one that was acknowledged later, within this of
/// that.
pub const STUCK: Duration = Duration::from_secs(30);
/// The step that prints to standard error what it prints to standard output.
const BOTH_STREAMS: &str = "both-streams";

/// What was found.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// Executions that are there.
    pub executions: u64,
    /// How many of them ended in each state.
    pub ended: BTreeMap<String, u64>,
    /// Commands whose result is in a journal.
    pub commands: u64,
    /// How many of those nobody knows the effect of.
    pub lost_commands: u64,
    /// Executions that were aborted because a client asked for it, or their parent was.
    pub aborted_as_asked: u64,
    /// Executions that a step of another one started.
    pub children: u64,
    /// Commands that were tried again.
    pub retries: u64,
    /// Whose output was compared.
    pub outputs: u64,
    /// How many of those have a marker that says how much of it is missing: their worker's disk was full.
    pub marked_gaps: u64,
    /// Acknowledged and not there: executions, children, answers and aborts.
    pub lost: Vec<String>,
    /// There, but never acknowledged to anybody.
    pub unasked: Vec<String>,
    /// A command that ran more than once.
    pub doubled: Vec<String>,
    /// A command whose exit is in the journal and which left no trace.
    pub without_effect: Vec<String>,
    /// Journals with gaps.
    pub gaps: Vec<String>,
    /// Journals that fold to something else than the summary says, or do not fold.
    pub differing: Vec<String>,
    /// Executions that had not ended in time.
    pub stuck: Vec<String>,
    /// More executions of a workflow at once than its limit.
    pub over_limit: Vec<String>,
    /// Output that is not what the command printed.
    pub wrong_output: Vec<String>,
    /// Answers to clients that no correct server gives.
    pub wrong_answers: Vec<String>,
}

impl Findings {
    /// What must all be empty, with what each is called.
    pub fn violations(&self) -> [(&'static str, &[String]); 10] {
        [
            ("acknowledged and lost", &self.lost),
            ("started without being asked", &self.unasked),
            ("commands that ran twice", &self.doubled),
            ("results without an effect", &self.without_effect),
            ("gaps in journals", &self.gaps),
            ("fold differs from summary", &self.differing),
            ("stuck", &self.stuck),
            ("more at once than the limit", &self.over_limit),
            ("wrong output", &self.wrong_output),
            ("wrong answers", &self.wrong_answers),
        ]
    }

    /// The first few of each kind, a line each.
    pub fn describe(&self) -> String {
        let mut text = String::new();
        for (what, found) in self.violations() {
            for one in found.iter().take(SHOWN) {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{what}: {one}");
            }
        }
        text
    }
}

/// Reads everything and compares. `traces` is what the commands wrote, an id a line.
///
/// # Errors
/// When the database cannot be read.
pub async fn verify(store: &dyn Store, told: &Entries, traces: &str) -> pulse_store::Result<Findings> {
    let mut findings = Findings { wrong_answers: told.wrong_answers.clone(), ..Findings::default() };
    let mut runs: HashMap<&str, u64> = HashMap::new();
    for id in traces.lines() {
        *runs.entry(id).or_default() += 1;
    }
    findings.doubled = runs.iter().filter(|(_, n)| **n > 1).map(|(id, n)| format!("{id}, {n} times")).collect();
    let mut seen = Seen::default();
    let mut before = None;
    loop {
        let page = store.executions(&ExecutionFilter::default(), before, PAGE).await?;
        for record in &page {
            one(store, record, told, &runs, &mut seen, &mut findings).await?;
        }
        before = page.last().map(|record| record.id);
        if page.len() < PAGE {
            break;
        }
    }
    let lost = told.started.keys().filter(|id| !seen.ended.contains_key(id));
    findings.lost.extend(lost.map(|id| format!("execution {id}")));
    seen.children(&mut findings);
    seen.queue(&mut findings);
    let checked = upkeep::check(store).await?;
    findings.gaps = checked.gaps;
    findings.differing = checked.differing;
    Ok(findings)
}

/// What is compared once all executions have been read.
#[derive(Default)]
struct Seen {
    ended: HashMap<ExecutionId, ExecutionStatus>,
    /// Children that journals of parents announce.
    announced: HashSet<ExecutionId>,
    /// Children with the parents that their own journals name.
    parents: Vec<(ExecutionId, ExecutionId)>,
    /// How parents say that children have ended.
    told_of: Vec<(ExecutionId, ExecutionStatus)>,
    /// When executions of the workflow with a limit ran.
    in_queue: Vec<(Timestamp, Timestamp)>,
}

impl Seen {
    fn children(&self, findings: &mut Findings) {
        let unasked = self.parents.iter().filter(|(child, _)| !self.announced.contains(child));
        findings.unasked.extend(unasked.map(|(child, parent)| format!("execution {child}, as a child of {parent}")));
        for (child, status) in &self.told_of {
            let ended = self.ended.get(child);
            // A child that could not be started has failed and is not there.
            if ended != Some(status) && (ended.is_some() || *status == ExecutionStatus::Completed) {
                findings.lost.push(format!("child {child}: {status} for its parent, and {ended:?} by itself"));
            }
        }
    }

    fn queue(&self, findings: &mut Findings) {
        let starts = self.in_queue.iter().map(|(start, _)| (*start, 1));
        let mut changes: Vec<(Timestamp, i64)> =
            starts.chain(self.in_queue.iter().map(|(_, end)| (*end, -1))).collect();
        // Of what happens in one millisecond, ends come first.
        changes.sort_unstable();
        let mut now = 0;
        for (at, change) in changes {
            now += change;
            if now > QUEUE_LIMIT && change > 0 {
                findings.over_limit.push(format!("{now} of {QUEUE} at {at}"));
            }
        }
    }
}

async fn one(
    store: &dyn Store,
    record: &ExecutionRecord,
    told: &Entries,
    runs: &HashMap<&str, u64>,
    seen: &mut Seen,
    findings: &mut Findings,
) -> pulse_store::Result<()> {
    let id = record.id;
    findings.executions += 1;
    *findings.ended.entry(record.status.to_string()).or_default() += 1;
    seen.ended.insert(id, record.status);
    let entries = journal(store, id).await?;
    let (parent, lines) = origin(&entries);
    if let Some(parent) = parent {
        findings.children += 1;
        seen.parents.push((id, parent));
    }
    match told.started.get(&id) {
        Some(started) => promised(started, record, &entries, findings),
        None if parent.is_none() => findings.unasked.push(format!("execution {id} of {}", record.title)),
        None => {}
    }
    let first = told.started.get(&parent.unwrap_or(id));
    ended_in_time(record, first.map_or(told.calm_since, |started| told.calm_since.max(started.at)), findings);
    if record.status == ExecutionStatus::Aborted && first.is_some_and(|started| started.aborted.is_some()) {
        findings.aborted_as_asked += 1;
    }
    if record.title == QUEUE
        && let (Some(start), Some(end)) = (record.started_at, record.finished_at)
    {
        seen.in_queue.push((start, end));
    }
    for entry in &entries {
        match &entry.event {
            Event::ChildStarted { execution_id, .. } => {
                seen.announced.insert(*execution_id);
            }
            Event::ChildFinished { execution_id, status, .. } => seen.told_of.push((*execution_id, *status)),
            Event::CommandRetry { .. } => findings.retries += 1,
            Event::CommandResult { at, command_id, end, .. } => {
                findings.commands += 1;
                if end.outcome == Outcome::Lost {
                    findings.lost_commands += 1;
                }
                if end.outcome != Outcome::Exited || end.exit_code.is_none() {
                    continue;
                }
                if !runs.contains_key(command_id.to_string().as_str()) {
                    findings.without_effect.push(format!("command {command_id} of execution {id}"));
                }
                findings.outputs += 1;
                let stdout = sequence(lines);
                let stderr = if at.step_id.as_str() == BOTH_STREAMS { &*stdout } else { "" };
                match output(store, id, *command_id, Walk::new(&stdout, stderr)).await? {
                    Ok(0) => {}
                    Ok(_) if told.workers_ran_out_of_room => findings.marked_gaps += 1,
                    Ok(missing) => findings.wrong_output.push(format!(
                        "command {command_id} of execution {id}: {missing} bytes are missing, and no worker's disk was full"
                    )),
                    Err(difference) => {
                        findings.wrong_output.push(format!("command {command_id} of execution {id}: {difference}"));
                    }
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Holds what clients were told about an execution against what is there.
fn promised(started: &Started, record: &ExecutionRecord, entries: &[Entry], findings: &mut Findings) {
    let id = record.id;
    for option in &started.answers {
        let taken =
            |entry: &Entry| matches!(&entry.event, Event::PromptResponse { response, .. } if response == option);
        if !entries.iter().any(taken) {
            findings.lost.push(format!("the answer {option} to execution {id}"));
        }
    }
    let ended_by = |time: Timestamp| record.finished_at.is_some_and(|end| end <= time);
    if let Some(asked) = started.aborted
        && record.status != ExecutionStatus::Aborted
        && !ended_by(asked)
    {
        findings.lost.push(format!("the abort of execution {id} of {}, which is {}", record.title, record.status));
    }
    if let Some(by) = started.over_by
        && !ended_by(by)
    {
        findings.lost.push(format!("the end of execution {id}: an abort was refused because it had ended by {by}"));
    }
}

/// `from`: since when nothing kept it from ending.
fn ended_in_time(record: &ExecutionRecord, from: Timestamp, findings: &mut Findings) {
    let (id, title) = (record.id, &record.title);
    match record.finished_at {
        Some(end) if record.status.is_final() => {
            if end > from.plus(STUCK) {
                let late = end.since(from).as_secs();
                findings
                    .stuck
                    .push(format!("execution {id} of {title} ended {late} s after nothing kept it from ending"));
            }
        }
        _ => findings.stuck.push(format!("execution {id} of {title} is {}", record.status)),
    }
}

async fn journal(store: &dyn Store, id: ExecutionId) -> pulse_store::Result<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::new();
    loop {
        let after = entries.last().map_or(Seq(0), |entry| entry.seq);
        let page = store.read(id, after, PAGE).await?;
        let full = page.len() == PAGE;
        entries.extend(page);
        if !full {
            return Ok(entries);
        }
    }
}

/// Whose step started an execution, and how many lines each of its commands prints.
fn origin(entries: &[Entry]) -> (Option<ExecutionId>, u64) {
    let created = entries.iter().find_map(|entry| match &entry.event {
        Event::ExecutionCreated { params, parent, .. } => {
            Some((parent.as_ref().map(|parent| parent.execution_id), params["lines"].as_u64().unwrap_or(0)))
        }
        _ => None,
    });
    created.unwrap_or((None, 0))
}

/// Holds what is kept of a command's output against what it printed. Answers how much is marked as missing, or what is wrong.
async fn output(
    store: &dyn Store,
    id: ExecutionId,
    command_id: CommandId,
    mut walk: Walk<'_>,
) -> pulse_store::Result<Result<u64, String>> {
    let filter = OutputFilter { command_id: Some(command_id), ..OutputFilter::default() };
    let mut after = 0;
    loop {
        let page = store.output(id, after, &filter, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.cursor;
        if let Some(wrong) = page.iter().find_map(|piece| walk.piece(piece).err()) {
            return Ok(Err(wrong));
        }
    }
    Ok(walk.end().map(|()| walk.missing))
}

/// Share of the executions that completed, in percent, without those that were aborted as somebody asked. The load's
/// workflows complete unless a command was lost.
pub fn success_percent(findings: &Findings) -> u64 {
    let completed = findings.ended.get(&ExecutionStatus::Completed.to_string()).copied().unwrap_or(0);
    (completed * 100).checked_div(findings.executions - findings.aborted_as_asked).unwrap_or(0)
}
