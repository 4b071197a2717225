//! The questions of an execution that wait for an answer.

use pulse_core::event::{Entry, Event, OpenOption};
use pulse_core::ids::{ExecutionId, FrameId, PromptId, StepId};
use pulse_core::workflow::Param;

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
    /// What may be answered.
    pub options: Vec<OpenOption>,
    /// What else is asked.
    pub fields: Vec<Param>,
}

/// All questions that wait, of one execution and its children, the oldest first.
#[derive(Debug, Default)]
pub struct Prompts(Vec<OpenPrompt>);

impl Prompts {
    /// Takes note of an entry of an execution.
    pub fn observe(&mut self, execution: ExecutionId, entry: &Entry) {
        match &entry.event {
            Event::Prompt { at, prompt_id, options, fields, .. } => self.0.push(OpenPrompt {
                id: *prompt_id,
                execution,
                step: at.step_id.clone(),
                frame: at.frame,
                options: options.clone(),
                fields: fields.clone(),
            }),
            Event::PromptResponse { prompt_id, .. } | Event::PromptTimeout { prompt_id, .. } => {
                self.0.retain(|prompt| prompt.id != *prompt_id);
            }
            // A step that ends takes its question with it: an abort answers nothing.
            Event::StepFinished { at, .. } => {
                let of = |prompt: &OpenPrompt| {
                    prompt.execution == execution && prompt.step == at.step_id && prompt.frame == at.frame
                };
                self.0.retain(|prompt| !of(prompt));
            }
            Event::ExecutionFinished { .. } => self.0.retain(|prompt| prompt.execution != execution),
            _ => {}
        }
    }

    /// The question to ask now.
    pub fn current(&self) -> Option<&OpenPrompt> {
        self.0.first()
    }
}
