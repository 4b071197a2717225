//! What a document says of its parameters and prompts, found by name; what each can be is worked out once.

use super::never::{Values, of_answer, of_param};
use pulse_core::workflow::{Param, Prompt, Step, StepKind, Workflow};
use std::cell::OnceCell;
use std::collections::HashMap;

/// Parameters and prompts by their names. Where two are called the same, the first counts.
pub(super) struct Given<'w> {
    params: HashMap<&'w str, (&'w Param, OnceCell<Option<Values>>)>,
    prompts: HashMap<&'w str, Asked<'w>>,
    /// The prompt that is the only one.
    only: Option<&'w str>,
}

/// A prompt and what the answer to it can be.
struct Asked<'w> {
    step: &'w Step,
    prompt: &'w Prompt,
    values: OnceCell<Option<Values>>,
}

impl<'w> Given<'w> {
    pub(super) fn of(workflow: &'w Workflow) -> Self {
        let mut given = Self { params: HashMap::new(), prompts: HashMap::new(), only: None };
        for param in &workflow.params {
            given.params.entry(&param.name).or_insert_with(|| (param, OnceCell::new()));
        }
        let mut count = 0;
        for (step, _) in workflow.all_steps() {
            if let StepKind::Prompt(prompt) = &step.kind {
                count += 1;
                given.only = (count == 1).then_some(step.id.as_str());
                let asked = || Asked { step, prompt, values: OnceCell::new() };
                given.prompts.entry(step.id.as_str()).or_insert_with(asked);
            }
        }
        given
    }

    pub(super) fn param(&self, name: &str) -> Option<&'w Param> {
        self.params.get(name).map(|(param, _)| *param)
    }

    /// What a parameter can be.
    pub(super) fn values_of(&self, param: &str) -> Option<&Values> {
        let (param, values) = self.params.get(param)?;
        values.get_or_init(|| of_param(param)).as_ref()
    }

    /// The id of the prompt, if there is only one.
    pub(super) fn only_prompt(&self) -> Option<&'w str> {
        self.only
    }

    /// A prompt, and what the answer to it can be.
    pub(super) fn answer(&self, id: &str) -> Option<(&'w Step, &'w Prompt, &Values)> {
        let Asked { step, prompt, values } = self.prompts.get(id)?;
        Some((step, prompt, values.get_or_init(|| of_answer(prompt)).as_ref()?))
    }
}
