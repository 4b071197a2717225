//! `pulse run`: a line per step, output as it comes, questions where they come up.

use crate::error::Error;
use crate::follow::{OpenPrompt, View};
use crate::out::Out;
use crate::render::age::now;
use crate::render::lines::Lines;
use crate::render::prompt::{numbered, question};
use crate::render::screen::Screen;
use crate::render::steps::Steps;
use pulse_core::api::OutputChunk;
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{ExecutionId, PromptId};
use pulse_core::text::one_line;
use std::collections::BTreeMap;

/// Stands before the lines of a child execution.
const CHILD: &str = "  ┊ ";

/// Shows steps with their output.
#[derive(Debug)]
pub struct StepsView<'a> {
    screen: Screen<'a>,
    steps: Steps,
    /// Child executions, each with its own steps.
    children: BTreeMap<ExecutionId, Steps>,
    output: Lines,
    /// The question that was shown last.
    shown: Option<PromptId>,
}

impl<'a> StepsView<'a> {
    /// Shows them on standard output.
    pub fn new(out: &'a mut Out) -> Self {
        let style = out.style;
        Self {
            screen: Screen::new(out),
            steps: Steps::new(style),
            children: BTreeMap::new(),
            output: Lines::new(style),
            shown: None,
        }
    }
}

impl StepsView<'_> {
    fn note(&mut self, entry: &Entry) {
        if let Event::Prompt { prompt_id, .. } = &entry.event {
            self.shown = Some(*prompt_id);
        }
    }
}

impl View for StepsView<'_> {
    fn wants_children(&self) -> bool {
        true
    }

    fn entry(&mut self, entry: &Entry) -> Result<(), Error> {
        match &entry.event {
            Event::CommandResult { command_id, .. } => self.output.finish(&mut self.screen, *command_id)?,
            Event::ExecutionFinished { .. } => self.output.finish_all(&mut self.screen)?,
            _ => {}
        }
        self.note(entry);
        let lines = self.steps.lines(entry);
        self.screen.lines(&lines)
    }

    fn child_entry(&mut self, child: ExecutionId, entry: &Entry) -> Result<(), Error> {
        if let Event::CommandResult { command_id, .. } = &entry.event {
            self.output.finish(&mut self.screen, *command_id)?;
        }
        self.note(entry);
        let style = self.screen.style();
        let steps = self.children.entry(child).or_insert_with(|| Steps::new(style));
        let lines: Vec<String> = steps.lines(entry).iter().map(|line| format!("{CHILD}{line}")).collect();
        self.screen.lines(&lines)
    }

    fn child_output(&mut self, child: ExecutionId, chunk: &OutputChunk) -> Result<(), Error> {
        let prefix = self.children.get(&child).map(|steps| steps.prefix(chunk)).unwrap_or_default();
        self.output.push(&mut self.screen, chunk, format!("{CHILD}{prefix}"))
    }

    fn output(&mut self, chunk: &OutputChunk) -> Result<(), Error> {
        let prefix = self.steps.prefix(chunk);
        self.output.push(&mut self.screen, chunk, prefix)
    }

    fn idle(&mut self) -> Result<(), Error> {
        self.output.idle(&mut self.screen)
    }

    fn question(&mut self, prompt: &OpenPrompt) -> Result<(), Error> {
        if self.shown.replace(prompt.id) == Some(prompt.id) {
            return Ok(());
        }
        let style = self.screen.style();
        let mut lines = question(&prompt.message, &prompt.options, prompt.deadline.since(now()), style);
        if prompt.name != prompt.step.as_str() {
            lines.insert(0, style.dim(&format!("  {}", one_line(&prompt.name))));
        }
        if self.children.contains_key(&prompt.execution) {
            lines.iter_mut().for_each(|line| line.insert_str(0, CHILD));
        }
        self.screen.lines(&lines)
    }

    fn ask(&mut self, prompt: &OpenPrompt) -> Result<(), Error> {
        let what = if numbered(&prompt.options) { "number or answer" } else { "answer" };
        self.screen.question(&format!("  {what}> "))
    }

    fn answered(&mut self, answer: &str, typed: bool) -> Result<(), Error> {
        self.screen.answered(&one_line(answer), typed)
    }

    fn say(&mut self, text: &str) -> Result<(), Error> {
        self.screen.say(text)
    }

    fn flush(&mut self) -> Result<(), Error> {
        self.screen.flush()
    }
}
