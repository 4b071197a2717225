//! `pulse logs`: output alone, with the worker before each line when several took part.

use crate::error::Error;
use crate::follow::View;
use crate::out::Out;
use crate::render::lines::Lines;
use crate::render::screen::Screen;
use pulse_core::api::OutputChunk;
use pulse_core::command::Stream;
use pulse_core::event::{Entry, Event};
use pulse_core::ids::StepId;
use pulse_core::text::one_line;
use std::collections::BTreeSet;

/// Which output is wanted.
#[derive(Clone, Debug, Default)]
pub struct LogsFilter {
    /// Of this step.
    pub step: Option<StepId>,
    /// Of this worker.
    pub worker: Option<String>,
    /// Of this stream.
    pub stream: Option<Stream>,
}

impl LogsFilter {
    /// Whether a piece is wanted.
    pub fn wants(&self, chunk: &OutputChunk) -> bool {
        self.step.as_ref().is_none_or(|step| *step == chunk.step_id)
            && self.worker.as_ref().is_none_or(|worker| *worker == chunk.worker)
            && self.stream.is_none_or(|stream| stream == chunk.stream)
    }
}

/// Shows output alone.
#[derive(Debug)]
pub struct LogsView<'a> {
    screen: Screen<'a>,
    filter: LogsFilter,
    output: Lines,
    workers: BTreeSet<String>,
    json: bool,
}

impl<'a> LogsView<'a> {
    /// Shows it on standard output, as text or as a JSON object per piece.
    pub fn new(out: &'a mut Out, filter: LogsFilter, json: bool) -> Self {
        let output = Lines::new(out.style);
        Self { screen: Screen::new(out), filter, output, workers: BTreeSet::new(), json }
    }

    /// Takes note of an entry without showing anything: who takes part decides about prefixes.
    pub fn observe(&mut self, entry: &Entry) {
        if let Event::CommandSent { at, worker, .. } | Event::CommandMoved { at, worker, .. } = &entry.event
            && self.filter.step.as_ref().is_none_or(|step| *step == at.step_id)
            && self.filter.worker.is_none()
        {
            self.workers.insert(one_line(&worker.worker));
        }
    }

    /// Ends what is unfinished.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self) -> Result<(), Error> {
        self.output.finish_all(&mut self.screen)?;
        self.screen.flush()
    }
}

impl View for LogsView<'_> {
    fn entry(&mut self, entry: &Entry) -> Result<(), Error> {
        self.observe(entry);
        match &entry.event {
            Event::CommandResult { command_id, .. } => self.output.finish(&mut self.screen, *command_id),
            Event::ExecutionFinished { .. } => self.output.finish_all(&mut self.screen),
            _ => Ok(()),
        }
    }

    fn output(&mut self, chunk: &OutputChunk) -> Result<(), Error> {
        if !self.filter.wants(chunk) {
            return Ok(());
        }
        if self.json {
            return self.screen.json_line(chunk);
        }
        let worker = one_line(&chunk.worker);
        let prefix = if self.workers.len() > 1 {
            let width = self.workers.iter().map(|name| name.chars().count()).max().unwrap_or(0);
            let style = self.screen.style();
            format!("{} │ ", style.cyan(&format!("{worker:width$}")))
        } else {
            String::new()
        };
        self.output.push(&mut self.screen, chunk, prefix)
    }

    fn idle(&mut self) -> Result<(), Error> {
        self.output.idle(&mut self.screen)
    }

    fn say(&mut self, text: &str) -> Result<(), Error> {
        self.screen.say(text)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.screen.flush()
    }
}
