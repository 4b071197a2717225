//! Asking what executions ask: which question comes next, what a line that was read means, and when an answer is
//! complete. Where lines come from and where answers go is the caller's business.

use super::input::Input;
use super::prompts::{OpenPrompt, Prompts};
use super::view::View;
use crate::error::Error;
use crate::render::prompt::{choices, choose};
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{ExecutionId, PromptId};
use pulse_core::text::one_line;
use serde_json::{Map, Value};

/// A complete answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// Of which execution.
    pub execution: ExecutionId,
    /// To which question.
    pub prompt: PromptId,
    /// The option.
    pub response: String,
    /// What else was asked.
    pub fields: Map<String, Value>,
}

/// The questions that are open, and how far the answer to one of them is.
#[derive(Debug, Default)]
pub struct Questions {
    prompts: Prompts,
    /// The question that was put last.
    asked: Option<PromptId>,
    /// Whether another question was shown since: then what is typed would seem to answer that one.
    covered: bool,
    /// The answer that is being given.
    answer: Option<Reply>,
    /// A line that came when no question was open.
    kept: Option<String>,
}

impl Questions {
    /// Takes note of an entry of an execution.
    pub fn observe(&mut self, execution: ExecutionId, entry: &Entry) {
        self.covered |= matches!(entry.event, Event::Prompt { .. });
        self.prompts.observe(execution, entry);
    }

    /// The question to be answered now.
    pub fn current(&self) -> Option<&OpenPrompt> {
        self.prompts.current()
    }

    /// Puts the question again: what was answered was not taken.
    pub fn again(&mut self) {
        self.asked = None;
    }

    /// Puts the oldest open question if it has not been put or another was shown since, or takes a line for it that came before.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn ask(&mut self, input: &mut Input, view: &mut dyn View) -> Result<Option<Reply>, Error> {
        let Some(prompt) = self.prompts.current().filter(|prompt| self.covered || self.asked != Some(prompt.id)) else {
            return Ok(None);
        };
        self.covered = false;
        if self.asked.replace(prompt.id) == Some(prompt.id) && self.answer.is_some() {
            let prompt = prompt.clone();
            view.question(&prompt)?;
            return self.next_field(&prompt, input, view);
        }
        self.answer = None;
        view.question(prompt)?;
        view.ask(prompt)?;
        match self.kept.take() {
            Some(line) => self.line(line, input, view),
            None => {
                input.ask();
                Ok(None)
            }
        }
    }

    /// Takes a line that was read. The answer, once it is complete.
    ///
    /// # Errors
    /// When nothing can be written.
    pub fn line(&mut self, line: String, input: &mut Input, view: &mut dyn View) -> Result<Option<Reply>, Error> {
        let typed = input.is_terminal();
        let Some(prompt) = self.prompts.current().filter(|prompt| self.asked == Some(prompt.id)).cloned() else {
            match typed {
                true => view.say("no question is open any more")?,
                // It was meant for a question that is still to come.
                false => self.kept = Some(line),
            }
            return Ok(None);
        };
        view.answered(&line, typed)?;
        if self.answer.as_ref().is_some_and(|answer| answer.prompt == prompt.id) {
            return self.field(&prompt, &line, input, view);
        }
        match choose(&prompt.options, &line) {
            Some(option) => {
                let (execution, response) = (prompt.execution, option.value.clone());
                self.answer = Some(Reply { execution, prompt: prompt.id, response, fields: Map::new() });
                self.next_field(&prompt, input, view)
            }
            None => {
                // Asked again at the next turn.
                self.asked = None;
                view.say(&format!("that is none of the answers: {}", choices(&prompt.options)))?;
                Ok(None)
            }
        }
    }

    /// Takes a line as the answer to the field that was asked last.
    fn field(
        &mut self,
        prompt: &OpenPrompt,
        line: &str,
        input: &mut Input,
        view: &mut dyn View,
    ) -> Result<Option<Reply>, Error> {
        let Some(answer) = &mut self.answer else { return Ok(None) };
        let Some(field) = prompt.fields.get(answer.fields.len()) else { return Ok(None) };
        let given = match line.trim() {
            "" => None,
            text => Some(Value::String(text.to_owned())),
        };
        let value = match given {
            Some(given) => field.accept(&given).map_err(|bad| bad.message),
            None if field.required => Err(format!("`{}` must be given", field.name)),
            None => Ok(field.default.clone().unwrap_or(Value::Null)),
        };
        match value {
            Ok(value) => {
                answer.fields.insert(field.name.clone(), value);
            }
            Err(message) => view.say(&message)?,
        }
        self.next_field(prompt, input, view)
    }

    /// Asks for the next field; the answer when there is none left.
    fn next_field(
        &mut self,
        prompt: &OpenPrompt,
        input: &mut Input,
        view: &mut dyn View,
    ) -> Result<Option<Reply>, Error> {
        let Some(answer) = &self.answer else { return Ok(None) };
        let Some(field) = prompt.fields.get(answer.fields.len()) else { return Ok(self.answer.take()) };
        let about = field.description.as_deref().map(|text| format!(" ({})", one_line(text))).unwrap_or_default();
        let default = field.default.as_ref().map(|value| format!(" [{value}]")).unwrap_or_default();
        view.say(&format!("{}{about}{default}:", field.name))?;
        input.ask();
        Ok(None)
    }
}
