//! Comparisons that never hold: with what a parameter, an answer, a status or a result can never be.

use super::Names;
use crate::expr::{Comparison, equal, is_number};
use pulse_core::status::StepStatus;
use pulse_core::text::shorten;
use pulse_core::workflow::{Param, ParamType, Prompt, Step, StepKind};
use serde_json::Value;

/// What a name can be.
enum Values {
    Boolean,
    Number,
    /// Any text.
    Text,
    /// One of these texts.
    OneOf(Vec<String>),
}

impl Values {
    fn can_be(&self, with: &Value) -> bool {
        match self {
            // Texts are compared as texts, and a number with those that are one.
            Self::OneOf(texts) => match with {
                Value::String(text) => texts.contains(text),
                with => texts.iter().any(|text| is_number(text) && equal(&Value::from(text.as_str()), with)),
            },
            Self::Boolean => with.is_boolean(),
            Self::Number => with.is_number() || with.as_str().is_some_and(is_number),
            Self::Text => !with.is_boolean(),
        }
    }

    fn described(&self) -> String {
        match self {
            Self::OneOf(texts) => {
                // More than that are not shown, and not joined.
                let first = &texts[..texts.len().min(60)];
                format!("one of {}", shorten(&first.join(", "), 120))
            }
            Self::Boolean => "true or false, and no text or number".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::Text => "a text, also where it reads true or false".to_owned(),
        }
    }
}

impl<'a> Names<'a> {
    /// Why what is compared is never equal to what it is compared with, and what to write instead.
    pub(super) fn never_equal(&self, comparison: &Comparison<'_>) -> Option<(String, String)> {
        let (root, path) = (comparison.root, comparison.path);
        let (values, what, help) = match self.param(root, path) {
            Some(param) => of_param(param)?,
            None => self.of_result(root, path, &comparison.with)?,
        };
        if comparison.with.iter().any(|with| values.can_be(with)) {
            return None;
        }
        Some((format!("{what} is {}", values.described()), help))
    }

    /// What something that the engine itself gives can be, what it is called, and what to compare it with.
    fn of_result(&self, root: &str, path: &[String], with: &[Value]) -> Option<(Values, String, String)> {
        if self.mention.items.iter().any(|item| item == root) {
            return None;
        }
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match (root, &path[..]) {
            ("last", ["success"]) => {
                let help = "write `last.success`, or `!last.success` for the opposite".to_owned();
                Some((Values::Boolean, "`last.success`".to_owned(), help))
            }
            ("last", ["exit_code"]) => {
                let help = "compare it with a number, or ask for `last.success`".to_owned();
                Some((Values::Number, "`last.exit_code`".to_owned(), help))
            }
            ("steps", [step, "status"]) if self.known.has_step(step) => {
                // One that has not started is not there.
                let words = StepStatus::ALL.iter().filter(|status| **status != StepStatus::Pending);
                let words = words.map(|status| status.to_string()).collect();
                let help = "compare it with one of these; of a step that succeeded it is \"completed\"".to_owned();
                Some((Values::OneOf(words), "the status of a step".to_owned(), help))
            }
            ("steps", [step, "response"]) => {
                let steps = self.workflow.all_steps();
                let (step, prompt) = steps.into_iter().find_map(|(found, _)| prompt_of(found, Some(step)))?;
                of_answer(step, prompt, with)
            }
            ("prompt_response", []) | ("state", ["prompt_response" | "promptResponse"]) => {
                // Only where one prompt alone can have been answered.
                let mut prompts = self.workflow.all_steps().into_iter().filter_map(|(found, _)| prompt_of(found, None));
                let (step, prompt) = prompts.next().filter(|_| !self.known.is_incomplete())?;
                prompts.next().is_none().then(|| of_answer(step, prompt, with)).flatten()
            }
            _ => None,
        }
    }
}

fn prompt_of<'w>(step: &'w Step, id: Option<&str>) -> Option<(&'w Step, &'w Prompt)> {
    match &step.kind {
        StepKind::Prompt(prompt) if id.is_none_or(|id| step.id.as_str() == id) => Some((step, prompt)),
        _ => None,
    }
}

/// What the answer to a prompt can be: the values of its options.
fn of_answer(step: &Step, prompt: &Prompt, with: &[Value]) -> Option<(Values, String, String)> {
    let values = prompt.options.iter().map(|option| match &option.value {
        Some(value) => Some(value.clone()),
        // What is written into a label is not known before.
        None => (!option.label.text.contains("{{")).then(|| option.label.text.clone()),
    });
    let values: Vec<String> = values.collect::<Option<_>>()?;
    let labelled = |option: &&pulse_core::workflow::PromptOption| with.iter().any(|with| *with == *option.label.text);
    let help = match prompt.options.iter().find(labelled).and_then(|option| option.value.as_ref()) {
        Some(value) => format!("an answer counts as its option's `value`: compare it with \"{}\"", shorten(value, 60)),
        None => "compare it with the value of one of its options".to_owned(),
    };
    Some((Values::OneOf(values), format!("the answer to `{}`", step.id), help))
}

/// What a parameter can be, what it is called, and what to compare it with.
fn of_param(param: &Param) -> Option<(Values, String, String)> {
    let (values, help) = match param.kind {
        ParamType::Boolean => {
            (Values::Boolean, format!("write `params.{0}`, or `!params.{0}` for the opposite", param.name))
        }
        ParamType::Choice => (Values::OneOf(param.options.clone()), "compare it with one of its options".to_owned()),
        ParamType::Integer | ParamType::Number => (Values::Number, "compare it with a number".to_owned()),
        ParamType::String => {
            let help = "compare it with a text in quotes, or declare it with `type: boolean`".to_owned();
            (Values::Text, help)
        }
        // What it is compared with must not be shown, and it may not be compared at all.
        ParamType::Secret => return None,
    };
    Some((values, format!("the parameter `{}`", param.name), help))
}
