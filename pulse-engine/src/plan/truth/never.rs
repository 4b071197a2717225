//! Comparisons that never hold: with what a parameter, an answer, a status or a result can never be.

use super::Names;
use crate::expr::{Comparison, equal, is_number};
use pulse_core::status::StepStatus;
use pulse_core::text::shorten;
use pulse_core::workflow::{Param, ParamType, Prompt};
use serde_json::Value;
use std::collections::HashSet;

/// What a name can be.
pub(super) enum Values {
    Boolean,
    Number,
    /// Any text.
    Text,
    /// One of some texts.
    OneOf(Texts),
}

/// Some texts.
pub(super) struct Texts {
    texts: HashSet<String>,
    /// Those that are numbers, as such.
    numbers: Vec<Value>,
    /// The first of them, for a message.
    shown: String,
}

impl Texts {
    fn of(texts: impl IntoIterator<Item = String>) -> Values {
        let (mut all, mut numbers, mut first) = (HashSet::new(), Vec::new(), Vec::new());
        for text in texts {
            // More than that are not shown, and not joined.
            if first.len() < 60 {
                first.push(text.clone());
            }
            if !all.contains(&text) {
                numbers.extend(is_number(&text).then(|| Value::from(text.as_str())));
                all.insert(text);
            }
        }
        Values::OneOf(Self { texts: all, numbers, shown: shorten(&first.join(", "), 120) })
    }
}

impl Values {
    fn can_be(&self, with: &Value) -> bool {
        match self {
            // Texts are compared as texts, and a number with those that are one.
            Self::OneOf(of) => match with {
                Value::String(text) => of.texts.contains(text),
                with => of.numbers.iter().any(|number| equal(number, with)),
            },
            Self::Boolean => with.is_boolean(),
            Self::Number => with.is_number() || with.as_str().is_some_and(is_number),
            Self::Text => !with.is_boolean(),
        }
    }

    fn described(&self) -> String {
        match self {
            Self::OneOf(of) => format!("one of {}", of.shown),
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
        if let Some(param) = self.param(root, path) {
            let values = self.given.values_of(&param.name)?;
            return values
                .never(&comparison.with, || (format!("the parameter `{}`", param.name), instead_of_param(param)));
        }
        if let Some(id) = self.prompt(root, path) {
            let (step, prompt, values) = self.given.answer(id)?;
            let what = || (format!("the answer to `{}`", step.id), instead_of_answer(prompt, &comparison.with));
            return values.never(&comparison.with, what);
        }
        let (values, what, help) = self.of_result(root, path)?;
        values.never(&comparison.with, || (what.to_owned(), help.to_owned()))
    }

    /// The prompt whose answer this is.
    fn prompt<'r>(&self, root: &str, path: &'r [String]) -> Option<&'r str>
    where
        'a: 'r,
    {
        if self.mention.items.iter().any(|item| item == root) {
            return None;
        }
        match (root, path) {
            ("steps", [step, response]) if response == "response" => Some(step),
            // Only where one prompt alone can have been answered.
            ("prompt_response", []) => self.only_prompt(),
            ("state", [name]) if name == "prompt_response" || name == "promptResponse" => self.only_prompt(),
            _ => None,
        }
    }

    fn only_prompt(&self) -> Option<&'a str> {
        self.given.only_prompt().filter(|_| !self.known.is_incomplete())
    }

    /// What something that the engine itself gives can be, what it is called, and what to compare it with.
    fn of_result(&self, root: &str, path: &[String]) -> Option<(Values, &'static str, &'static str)> {
        if self.mention.items.iter().any(|item| item == root) {
            return None;
        }
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match (root, &path[..]) {
            ("last", ["success"]) => {
                Some((Values::Boolean, "`last.success`", "write `last.success`, or `!last.success` for the opposite"))
            }
            ("last", ["exit_code"]) => {
                Some((Values::Number, "`last.exit_code`", "compare it with a number, or ask for `last.success`"))
            }
            ("steps", [step, "status"]) if self.known.has_step(step) => {
                // One that has not started is not there.
                let words = StepStatus::ALL.iter().filter(|status| **status != StepStatus::Pending);
                let help = "compare it with one of these; of a step that succeeded it is \"completed\"";
                Some((Texts::of(words.map(|status| status.to_string())), "the status of a step", help))
            }
            _ => None,
        }
    }
}

impl Values {
    /// Why this is never equal to any of what it is compared with, and what to write instead.
    fn never(&self, with: &[Value], what: impl FnOnce() -> (String, String)) -> Option<(String, String)> {
        if with.iter().any(|with| self.can_be(with)) {
            return None;
        }
        let (what, help) = what();
        Some((format!("{what} is {}", self.described()), help))
    }
}

/// What the answer to a prompt can be: the values of its options.
pub(super) fn of_answer(prompt: &Prompt) -> Option<Values> {
    let values = prompt.options.iter().map(|option| match &option.value {
        Some(value) => Some(value.clone()),
        // What is written into a label is not known before.
        None => (!option.label.text.contains("{{")).then(|| option.label.text.clone()),
    });
    values.collect::<Option<Vec<_>>>().map(Texts::of)
}

fn instead_of_answer(prompt: &Prompt, with: &[Value]) -> String {
    let labelled = |option: &&pulse_core::workflow::PromptOption| with.iter().any(|with| *with == *option.label.text);
    match prompt.options.iter().find(labelled).and_then(|option| option.value.as_ref()) {
        Some(value) => format!("an answer counts as its option's `value`: compare it with \"{}\"", shorten(value, 60)),
        None => "compare it with the value of one of its options".to_owned(),
    }
}

/// What a parameter can be.
pub(super) fn of_param(param: &Param) -> Option<Values> {
    Some(match param.kind {
        ParamType::Boolean => Values::Boolean,
        ParamType::Choice => Texts::of(param.options.iter().cloned()),
        ParamType::Integer | ParamType::Number => Values::Number,
        ParamType::String => Values::Text,
        // What it is compared with must not be shown, and it may not be compared at all.
        ParamType::Secret => return None,
    })
}

fn instead_of_param(param: &Param) -> String {
    match param.kind {
        ParamType::Boolean => format!("write `params.{0}`, or `!params.{0}` for the opposite", param.name),
        ParamType::Choice => "compare it with one of its options".to_owned(),
        ParamType::Integer | ParamType::Number => "compare it with a number".to_owned(),
        _ => "compare it with a text in quotes, or declare it with `type: boolean`".to_owned(),
    }
}
