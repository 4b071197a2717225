//! After the faults: what is in the database and what the commands left behind, held against the ledger.

use super::ledger::Entries;
use pulse_core::command::Outcome;
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{CommandId, ExecutionId, Seq};
use pulse_core::status::ExecutionStatus;
use pulse_server::upkeep;
use pulse_store::{ExecutionFilter, ExecutionRecord, OutputFilter, Store};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;

/// Executions and journal entries that are read at once.
const PAGE: usize = 500;
/// Findings that are shown of each kind.
const SHOWN: usize = 5;

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
    /// Whose output was compared.
    pub outputs: u64,
    /// How many of those have a marker that says how much of it is missing: their worker's disk was full.
    pub marked_gaps: u64,
    /// Acknowledged and not there: executions and answers.
    pub lost: Vec<String>,
    /// There, but never acknowledged to anybody.
    pub unasked: Vec<String>,
    /// A command that ran more than once.
    pub doubled: Vec<String>,
    /// A command whose success is in the journal and which left no trace.
    pub without_effect: Vec<String>,
    /// Journals with gaps.
    pub gaps: Vec<String>,
    /// Journals that fold to something else than the summary says, or do not fold.
    pub differing: Vec<String>,
    /// Executions that had not ended in time.
    pub stuck: Vec<String>,
    /// Output that is not what the command printed.
    pub wrong_output: Vec<String>,
    /// Answers to clients that no correct server gives.
    pub wrong_answers: Vec<String>,
}

impl Findings {
    /// What must all be empty, with what each is called.
    pub fn violations(&self) -> [(&'static str, &[String]); 9] {
        [
            ("acknowledged and lost", &self.lost),
            ("started without being asked", &self.unasked),
            ("commands that ran twice", &self.doubled),
            ("results without an effect", &self.without_effect),
            ("gaps in journals", &self.gaps),
            ("fold differs from summary", &self.differing),
            ("stuck", &self.stuck),
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
    let mut seen = HashSet::new();
    let mut before = None;
    loop {
        let page = store.executions(&ExecutionFilter::default(), before, PAGE).await?;
        for record in &page {
            seen.insert(record.id);
            one(store, record, told, &runs, &mut findings).await?;
        }
        before = page.last().map(|record| record.id);
        if page.len() < PAGE {
            break;
        }
    }
    let lost = told.started.keys().filter(|id| !seen.contains(id));
    findings.lost.extend(lost.map(|id| format!("execution {id}")));
    let checked = upkeep::check(store).await?;
    findings.gaps = checked.gaps;
    findings.differing = checked.differing;
    Ok(findings)
}

async fn one(
    store: &dyn Store,
    record: &ExecutionRecord,
    told: &Entries,
    runs: &HashMap<&str, u64>,
    findings: &mut Findings,
) -> pulse_store::Result<()> {
    let id = record.id;
    findings.executions += 1;
    if !record.status.is_final() {
        findings.stuck.push(format!("execution {id} of {} is {}", record.title, record.status));
    }
    *findings.ended.entry(record.status.to_string()).or_default() += 1;
    let entries = journal(store, id).await?;
    match told.started.get(&id) {
        None => findings.unasked.push(format!("execution {id} of {}", record.title)),
        Some(started) => {
            for option in &started.answers {
                let taken = |entry: &Entry| matches!(&entry.event, Event::PromptResponse { response, .. } if response == option);
                if !entries.iter().any(taken) {
                    findings.lost.push(format!("the answer {option} to execution {id}"));
                }
            }
        }
    }
    let lines = lines(&entries);
    for entry in &entries {
        let Event::CommandResult { command_id, success, end, .. } = &entry.event else { continue };
        findings.commands += 1;
        if end.outcome == Outcome::Lost {
            findings.lost_commands += 1;
        }
        if *success {
            if !runs.contains_key(command_id.to_string().as_str()) {
                findings.without_effect.push(format!("command {command_id} of execution {id}"));
            }
            findings.outputs += 1;
            match output(store, id, *command_id, lines).await? {
                Printed::Whole => {}
                Printed::WithGap => findings.marked_gaps += 1,
                Printed::Wrong(difference) => {
                    findings.wrong_output.push(format!("command {command_id} of execution {id}: {difference}"));
                }
            }
        }
    }
    Ok(())
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

/// How many lines each command of an execution prints.
fn lines(entries: &[Entry]) -> u64 {
    let started = entries.iter().find_map(|entry| match &entry.event {
        Event::ExecutionCreated { params, .. } => params["lines"].as_u64(),
        _ => None,
    });
    started.unwrap_or(0)
}

/// What is kept of a command's output.
enum Printed {
    /// All of it.
    Whole,
    /// Some of it, and markers that say exactly how much is missing.
    WithGap,
    /// Something else.
    Wrong(String),
}

/// Holds what is kept of a command's output against what `seq 1 LINES` prints.
async fn output(store: &dyn Store, id: ExecutionId, command_id: CommandId, lines: u64) -> pulse_store::Result<Printed> {
    let filter = OutputFilter { command_id: Some(command_id), ..OutputFilter::default() };
    let (mut text, mut missing, mut after) = (String::new(), 0, 0);
    loop {
        let page = store.output(id, after, &filter, PAGE).await?;
        page.iter().for_each(|chunk| {
            text.push_str(&chunk.data);
            missing += chunk.gap_bytes.unwrap_or(0);
        });
        let Some(last) = page.last() else { break };
        after = last.cursor;
    }
    let mut expected = String::new();
    (1..=lines).for_each(|n| {
        // Writing to a string cannot fail.
        let _ = writeln!(expected, "{n}");
    });
    let (kept, whole) = (text.len() as u64, expected.len() as u64);
    Ok(match text == expected {
        true if missing == 0 => Printed::Whole,
        _ if missing > 0 && kept + missing == whole => Printed::WithGap,
        _ => Printed::Wrong(format!("{kept} bytes and {missing} marked as missing, of {whole}")),
    })
}

/// Whether an execution did what it was asked to: the load's workflows complete unless a command was lost.
pub fn succeeded(findings: &Findings) -> u64 {
    findings.ended.get(&ExecutionStatus::Completed.to_string()).copied().unwrap_or(0)
}
