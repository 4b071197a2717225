//! `prompt`: a question to a person. One event wins between an answer and the timeout.

use super::Machine;
use crate::input::Refused;
use crate::plan::{PlannedKind, PlannedPrompt};
use pulse_core::command::TAIL_BYTES;
use pulse_core::event::{Event, OpenOption, StepRef};
use pulse_core::ids::PromptId;
use pulse_core::text::tail;
use pulse_core::workflow::{BadParam, Goto, OnTimeout, resolve_fields};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

impl<'m> Machine<'m> {
    pub(super) fn prompt(&mut self, at: StepRef, planned: &PlannedPrompt) {
        let message = match self.text(&at, &planned.message) {
            Ok(message) => message,
            Err(error) => return self.fail_step(at, format!("message: {error}")),
        };
        let mut options = Vec::with_capacity(planned.labels.len());
        for (label, option) in planned.labels.iter().zip(&planned.prompt.options) {
            match self.text(&at, label) {
                Ok(label) => {
                    let value = option.value.clone().unwrap_or_else(|| label.clone());
                    options.push(OpenOption { label, value, danger: option.danger });
                }
                Err(error) => return self.fail_step(at, format!("option: {error}")),
            }
        }
        let output = self.output_to_review(&at);
        if let Err(error) = self.spend(message.len() + output.len()) {
            return self.fail_step(at, error);
        }
        let output_hash = Sha256::digest(output.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        let prompt_id = PromptId(self.draw.uuid());
        let deadline = self.after(planned.prompt.timeout);
        let (fields, allow) = (planned.prompt.fields.clone(), planned.prompt.allow.clone());
        self.emit(Event::Prompt { at, prompt_id, message, options, output, output_hash, deadline, fields, allow });
    }

    /// The last command's output; with several workers, each under its name.
    fn output_to_review(&self, at: &StepRef) -> String {
        let last = self.state.frames.get(&at.frame).and_then(|frame| frame.last_step.as_ref());
        let Some(record) = last.and_then(|key| self.state.steps.get(key)) else {
            return String::new();
        };
        let mut text = String::new();
        for (worker, result) in &record.results {
            if record.results.len() > 1 {
                text.push_str(&format!("── {worker}: {} ──\n", result.end.describe()));
            }
            for stream in [&result.end.stdout, &result.end.stderr] {
                text.push_str(stream);
                if !stream.is_empty() && !stream.ends_with('\n') {
                    text.push('\n');
                }
            }
        }
        tail(&text, TAIL_BYTES).to_owned()
    }

    pub(super) fn answer(
        &mut self,
        id: Option<PromptId>,
        response: &str,
        by: &str,
        fields: &Map<String, Value>,
    ) -> Result<(), Refused> {
        let (at, prompt) = self.state.asked(id).map(|(at, prompt)| (at.clone(), prompt.clone()))?;
        let chosen = prompt.options.iter().position(|option| option.value == response || option.label == response);
        let Some(chosen) = chosen else {
            let options = prompt.options.into_iter().map(|option| option.label).collect();
            return Err(Refused::NotAnOption { response: response.to_owned(), options });
        };
        let fields = resolve_fields(&prompt.fields, fields).map_err(Refused::BadFields)?;
        self.check_room(&fields).map_err(|message| {
            let name = fields.keys().next().cloned().unwrap_or_default();
            Refused::BadFields(vec![BadParam { name, message }])
        })?;
        let (prompt_id, response, by) = (prompt.id, prompt.options[chosen].value.clone(), by.to_owned());
        self.emit(Event::PromptResponse { at: at.clone(), prompt_id, response, by, fields });
        let goto = self.option_goto(&at, chosen);
        self.complete_step(at, goto.as_ref());
        Ok(())
    }

    fn option_goto(&self, at: &StepRef, chosen: usize) -> Option<Goto> {
        match &self.plan.step(&at.step_id)?.kind {
            PlannedKind::Prompt(planned) => planned.prompt.options.get(chosen)?.goto.clone(),
            _ => None,
        }
    }

    pub(super) fn prompt_timed_out(&mut self, at: &StepRef) {
        let open = self.state.prompts().find(|(frame, ..)| *frame == at.frame).map(|(_, _, prompt)| prompt.clone());
        let Some(prompt) = open else { return };
        let on_timeout = match self.plan.step(&at.step_id).map(|planned| &planned.kind) {
            Some(PlannedKind::Prompt(planned)) => planned.prompt.on_timeout.clone(),
            _ => OnTimeout::Fail,
        };
        let chosen = match &on_timeout {
            OnTimeout::Option(value) => prompt.options.iter().position(|option| option.value == *value),
            _ => None,
        };
        let response = chosen.map(|chosen| prompt.options[chosen].value.clone());
        self.emit(Event::PromptTimeout { at: at.clone(), prompt_id: prompt.id, response });
        match (on_timeout, chosen) {
            (OnTimeout::Goto(goto), _) => self.complete_step(at.clone(), Some(&goto)),
            (OnTimeout::Option(_), Some(chosen)) => {
                let goto = self.option_goto(at, chosen);
                self.complete_step(at.clone(), goto.as_ref());
            }
            _ => self.fail_step(at.clone(), "nobody answered in time".to_owned()),
        }
    }
}
