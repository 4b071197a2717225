//! `prompt`: the question, its options and where they lead, and what else is asked.

use super::decode::{MIN_TIMEOUT, check_value_name, params};
use super::decode_step::MAX_WAIT;
use super::model::Source;
use super::params::ParamType;
use super::steps::{Goto, OnTimeout, Prompt, PromptOption};
use crate::diagnostic::{Code, Diagnostics, Position, did_you_mean, listed};
use crate::yaml::{Fields, Node};
use std::collections::HashMap;
use std::time::Duration;

/// The fields of a `prompt` step.
pub(super) fn prompt(fields: &mut Fields<'_, '_>) -> Option<Prompt> {
    let message = fields.required_source("message", "a prompt", "Clean up now?");
    let mut options = Vec::new();
    let base = fields.path_of("options");
    for (index, item) in fields.list("options").unwrap_or_default().into_iter().enumerate() {
        options.extend(prompt_option(item, format!("{base}[{index}]"), fields.diagnostics));
    }
    if options.is_empty() {
        options.push(bare_option("Continue".into(), base, fields.at));
    }
    let routes = fields.source_map("routes").unwrap_or_default();
    let mut answers: HashMap<String, usize> = HashMap::new();
    for (position, option) in options.iter().enumerate().filter(|_| !routes.is_empty()) {
        for text in [Some(&option.label.text), option.value.as_ref()].into_iter().flatten() {
            answers.entry(text.clone()).or_insert(position);
        }
    }
    for (name, source) in routes {
        match answers.get(&name).map(|position| &mut options[*position]) {
            Some(option) if option.goto.is_some() => {
                let help = "keep one of the two ways";
                let message = format!("option `{}` has a way already: `routes` would override it", option.label.text);
                fields.add(Code::Conflict, &format!("routes.{name}"), source.at, message, help);
            }
            Some(option) => {
                option.goto = Some(Goto::from_text(&source.text));
                option.goto_at = (source.path, source.at);
            }
            None if fields.diagnostics.is_full(Code::UnknownReference) => {
                fields.add(Code::UnknownReference, &format!("routes.{name}"), source.at, "", "");
            }
            None => {
                let labels = || options.iter().map(|option| option.label.text.as_str());
                let help = did_you_mean(&name, labels())
                    .unwrap_or_else(|| format!("add it to `options`, or leave it out; there are {}", listed(labels())));
                let message = format!("a route for `{name}`, which is no option of the prompt");
                fields.add(Code::UnknownReference, &format!("routes.{name}"), source.at, message, help);
            }
        }
    }
    check_options(&options, fields.diagnostics);
    let base = fields.path_of("fields");
    let asked = fields.get("fields").map(|node| params(node, &base, fields.diagnostics)).unwrap_or_default();
    for field in asked.iter().filter(|field| field.kind == ParamType::Secret) {
        let (path, at) = &field.concerning;
        let message = format!("`{}`: a question cannot ask for a secret: answers are stored and shown", field.name);
        let help = "declare it under the workflow's `params`";
        fields.diagnostics.add(Code::SecretMisuse, path, *at, message, help);
    }
    for field in &asked {
        let (path, at) = &field.concerning;
        check_value_name(&field.name, path, *at, fields.diagnostics);
    }
    let allow = fields.plain_texts("allow").unwrap_or_default();
    let timeout = fields.duration_within("timeout", MIN_TIMEOUT, MAX_WAIT).unwrap_or(Duration::from_secs(3_600));
    let on_timeout_at = fields.place("on_timeout");
    let on_timeout = match fields.text("on_timeout").as_deref() {
        None | Some("fail") => OnTimeout::Fail,
        Some(text) => match named(&options, text) {
            Some(option) => OnTimeout::Option(option.value.as_deref().unwrap_or(&option.label.text).to_owned()),
            None => OnTimeout::Goto(Goto::from_text(text)),
        },
    };
    Some(Prompt { message: message?, options, timeout, on_timeout, on_timeout_at, fields: asked, allow })
}

/// The option that a text names: by its value, or else by its label.
fn named<'o>(options: &'o [PromptOption], text: &str) -> Option<&'o PromptOption> {
    let by_value = options.iter().find(|option| option.value.as_deref() == Some(text));
    by_value.or_else(|| options.iter().find(|option| option.label.text == text))
}

fn prompt_option(item: &Node, path: String, diagnostics: &mut Diagnostics) -> Option<PromptOption> {
    if let Some(text) = item.scalar_text() {
        return Some(bare_option(text, path, item.at));
    }
    let mut fields = Fields::open(item, &path, "an option", diagnostics)?;
    let label = fields.required_source("label", "an option", "Clean up");
    let value = fields.text("value");
    let goto = fields.text("goto").map(|text| Goto::from_text(&text));
    let goto_at = fields.place("goto");
    let danger = fields.word("style", &[("danger", true), ("normal", false)]).unwrap_or(false);
    fields.finish();
    Some(PromptOption { label: label?, value, goto, goto_at, danger })
}

fn bare_option(text: String, path: String, at: Position) -> PromptOption {
    let goto_at = (path.clone(), at);
    PromptOption { label: Source { text, path, at }, value: None, goto: None, goto_at, danger: false }
}

/// An answer is an option's label or its value: no text may mean two of them.
fn check_options(options: &[PromptOption], diagnostics: &mut Diagnostics) {
    // The first option that a text is an answer of, and the first with a label.
    let (mut answers, mut labels) = (HashMap::new(), HashMap::new());
    for (position, option) in options.iter().enumerate() {
        let label = option.label.text.as_str();
        let value = option.value.as_deref().unwrap_or(label);
        let taken = [labels.get(label), answers.get(value), answers.get(label)];
        if let Some(first) = taken.into_iter().flatten().min().copied() {
            let other: &PromptOption = &options[first];
            let message = if label == other.label.text {
                format!("option `{label}` stands twice")
            } else {
                let is_value =
                    [other.label.text.as_str(), other.value.as_deref().unwrap_or(&other.label.text)].contains(&value);
                let what = if is_value { value } else { label };
                format!("the answer `{what}` means both option `{}` and option `{label}`", other.label.text)
            };
            let help = "give each option a `label` and a `value` that no other one has";
            diagnostics.add(Code::DuplicateId, &option.label.path, option.label.at, message, help);
        }
        labels.entry(label).or_insert(position);
        [label, value].into_iter().for_each(|text| _ = answers.entry(text).or_insert(position));
    }
}
