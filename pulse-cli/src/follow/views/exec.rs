//! `pulse exec`: output behind its worker's name, a progress line, and at the end what each exit code came from.

use crate::error::Error;
use crate::exit::Exit;
use crate::follow::View;
use crate::ids::short_one;
use crate::out::Out;
use crate::render::age::coarse;
use crate::render::lines::Lines;
use crate::render::screen::Screen;
use crate::render::steps::{bar, name, names, not_stopped, outcome};
use crate::render::values::count;
use pulse_core::api::OutputChunk;
use pulse_core::command::Outcome;
use pulse_core::duration;
use pulse_core::event::{Entry, Event};
use pulse_core::ids::ExecutionId;
use pulse_core::status::ExecutionStatus;
use pulse_core::text::one_line;
use pulse_core::time::Timestamp;
use std::collections::BTreeMap;
use std::time::Instant;

/// Shows a quick command on its workers.
#[derive(Debug)]
pub struct ExecView<'a> {
    screen: Screen<'a>,
    output: Lines,
    width: usize,
    targets: Vec<String>,
    /// How it ended on each worker: in words, and whether well.
    ends: BTreeMap<String, (String, bool)>,
    began: Instant,
    created: Option<Timestamp>,
    /// The last entry's time: with `created`, how long it took by the server's clock.
    last: Option<Timestamp>,
    error: Option<String>,
}

impl<'a> ExecView<'a> {
    /// Shows it on standard output.
    pub fn new(out: &'a mut Out) -> Self {
        let output = Lines::new(out.style);
        Self {
            screen: Screen::new(out),
            output,
            width: 0,
            targets: Vec::new(),
            ends: BTreeMap::new(),
            began: Instant::now(),
            created: None,
            last: None,
            error: None,
        }
    }

    /// Prints the summary, and gives the exit code: success only when every target succeeded.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn summary(&mut self, id: ExecutionId, status: ExecutionStatus) -> Result<Exit, Error> {
        self.screen.progress(None)?;
        let style = self.screen.style();
        for target in &self.targets {
            self.ends.entry(target.clone()).or_insert_with(|| ("not started".to_owned(), false));
        }
        let mut groups: BTreeMap<(bool, &str), Vec<String>> = BTreeMap::new();
        for (worker, (end, success)) in &self.ends {
            groups.entry((!success, end)).or_default().push(worker.clone());
        }
        let width = groups.keys().map(|(_, end)| end.chars().count()).max().unwrap_or(0);
        let mut lines: Vec<String> = groups
            .iter()
            .map(|((failed, end), workers)| {
                let mark = if *failed { style.red("✗") } else { style.green("✓") };
                let who = names(workers.iter().cloned());
                format!("{mark} {end:width$}  {}: {who}", count(workers.len(), "worker"))
            })
            .collect();
        let good = self.ends.values().filter(|(_, success)| *success).count();
        let all_good = good == self.ends.len() && status == ExecutionStatus::Completed;
        let took = match (self.created, self.last) {
            (Some(created), Some(last)) => format!(" in {}", duration::display(coarse(last.since(created)))),
            _ => String::new(),
        };
        let tally = format!("{took}, {good} of {} succeeded ({})", count(self.ends.len(), "worker"), short_one(&id));
        lines.push(outcome(status, &tally, self.error.as_deref(), style));
        self.screen.lines(&lines)?;
        self.screen.flush()?;
        Ok(match Exit::of(status) {
            Exit::SUCCESS if !all_good => Exit::FAILED,
            exit => exit,
        })
    }

    fn progress(&mut self) -> Result<(), Error> {
        if self.targets.is_empty() {
            return Ok(());
        }
        // A cell per target up to twenty, so that the bar says something for few and for many.
        let left = self.targets.iter().filter(|target| !self.ends.contains_key(*target)).count();
        let (done, all) = (self.ends.len(), self.ends.len() + left);
        let cells = all.min(20);
        let full = done * cells / all.max(1);
        let failed = self.ends.values().filter(|(_, success)| !success).count();
        let failed = if failed > 0 { format!(", {failed} failed") } else { String::new() };
        let bar = format!("[{}{}]", "#".repeat(full), ".".repeat(cells - full.min(cells)));
        let seconds = self.began.elapsed().as_secs();
        self.screen.progress(Some(format!("{bar} {done}/{all} done{failed}, {seconds}s")))
    }

    fn note(&mut self, text: String) -> Result<(), Error> {
        self.screen.lines(&[text])
    }
}

impl View for ExecView<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), Error> {
        let style = self.screen.style();
        match &entry.event {
            Event::ExecutionCreated { .. } => self.created = Some(entry.timestamp),
            Event::TargetsResolved { targets, .. } => {
                self.targets = targets.iter().map(name).collect();
                self.width = self.targets.iter().map(|name| name.chars().count()).max().unwrap_or(0);
            }
            Event::WorkerOffline { worker, reason, .. } => {
                self.ends.insert(name(worker), (one_line(reason), false));
            }
            Event::CommandMoved { worker, from, reason, .. } => {
                self.targets
                    .iter_mut()
                    .filter(|target| **target == name(from))
                    .for_each(|target| *target = name(worker));
                self.width = self.targets.iter().map(|name| name.chars().count()).max().unwrap_or(0);
                let text = format!("{} is {}: {} runs it instead", name(from), one_line(reason), name(worker));
                self.note(format!("{} {text}", style.yellow("→")))?;
            }
            Event::CommandHeld { worker, reason, .. } => {
                let text = format!("not sent yet, waiting for {}: {}", name(worker), one_line(reason));
                self.note(format!("{} {text}", style.yellow("…")))?;
            }
            Event::NotStopped { .. } => {
                self.note(format!("{} {}", style.yellow("!"), not_stopped(&entry.event)))?;
            }
            Event::NoWorkers { selector, .. } => {
                let selector = one_line(&selector.join(", "));
                self.note(format!("{} no worker is online for {selector}", style.red("✗")))?;
            }
            Event::CommandResult { worker, command_id, success, end, late, .. }
                if !late || end.outcome == Outcome::Cancelled =>
            {
                self.output.finish(&mut self.screen, *command_id)?;
                self.ends.insert(name(worker), (one_line(&end.describe()), *success));
            }
            Event::AbortRequested { by, .. } => {
                self.note(format!("{} abort asked for by {}", style.yellow("■"), one_line(by)))?;
            }
            Event::ServerRestartRecovery { .. } => {
                self.note(format!("{} the server restarted and goes on", style.yellow("↻")))?;
            }
            Event::WorkflowError { message } => self.error = Some(message.clone()),
            Event::ExecutionFinished { error, .. } => {
                self.output.finish_all(&mut self.screen)?;
                if error.is_some() {
                    self.error.clone_from(error);
                }
            }
            _ => {}
        }
        self.last = Some(entry.timestamp);
        self.progress()
    }

    fn output(&mut self, chunk: &OutputChunk) -> Result<(), Error> {
        let style = self.screen.style();
        let worker = style.cyan(&format!("{:1$}", one_line(&chunk.worker), self.width));
        let prefix = format!("{worker} {} ", bar(chunk.stream, style));
        self.output.push(&mut self.screen, chunk, prefix)
    }

    fn idle(&mut self) -> Result<(), Error> {
        self.output.idle(&mut self.screen)
    }

    fn tick(&mut self) -> Result<(), Error> {
        self.progress()
    }

    fn say(&mut self, text: &str) -> Result<(), Error> {
        self.screen.say(text)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.screen.flush()
    }
}
