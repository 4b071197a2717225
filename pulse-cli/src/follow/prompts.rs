//! The questions of an execution that wait for an answer.

use crate::render::items::{Items, with_names};
use pulse_core::event::{Entry, Event, OpenOption};
use pulse_core::ids::{ExecutionId, FrameId, PromptId, StepId};
use pulse_core::time::Timestamp;
use pulse_core::workflow::Param;
use std::collections::BTreeMap;

/// A question that waits.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenPrompt {
    /// Its identity.
    pub id: PromptId,
    /// Of which execution.
    pub execution: ExecutionId,
    /// Of which step.
    pub step: StepId,
    /// In which frame: one step may ask in several at once.
    pub frame: FrameId,
    /// The items around it, where several are asked about at once: `ask[web-01]`; else its step.
    pub name: String,
    /// The question.
    pub message: String,
    /// When it is too late.
    pub deadline: Timestamp,
    /// What may be answered.
    pub options: Vec<OpenOption>,
    /// What else is asked.
    pub fields: Vec<Param>,
}

/// All questions that wait, of one execution and its children, the oldest first.
#[derive(Debug, Default)]
pub struct Prompts {
    open: Vec<OpenPrompt>,
    items: BTreeMap<ExecutionId, Items>,
}

impl Prompts {
    /// Takes note of an entry of an execution.
    pub fn observe(&mut self, execution: ExecutionId, entry: &Entry) {
        match &entry.event {
            Event::FrameStarted { .. } => self.items.entry(execution).or_default().observe(&entry.event),
            Event::Prompt { at, prompt_id, message, deadline, options, fields, .. } => self.open.push(OpenPrompt {
                id: *prompt_id,
                execution,
                step: at.step_id.clone(),
                frame: at.frame,
                name: {
                    let around = self.items.get(&execution).map(|items| items.around(at.frame));
                    with_names(at.step_id.as_str(), &around.unwrap_or_default())
                },
                message: message.clone(),
                deadline: *deadline,
                options: options.clone(),
                fields: fields.clone(),
            }),
            Event::PromptResponse { prompt_id, .. } | Event::PromptTimeout { prompt_id, .. } => {
                self.open.retain(|prompt| prompt.id != *prompt_id);
            }
            // A step that ends takes its question with it: an abort answers nothing.
            Event::StepFinished { at, .. } => {
                let of = |prompt: &OpenPrompt| {
                    prompt.execution == execution && prompt.step == at.step_id && prompt.frame == at.frame
                };
                self.open.retain(|prompt| !of(prompt));
            }
            Event::ExecutionFinished { .. } => self.open.retain(|prompt| prompt.execution != execution),
            _ => {}
        }
    }

    /// The question to ask now.
    pub fn current(&self) -> Option<&OpenPrompt> {
        self.open.first()
    }
}
