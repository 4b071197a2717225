//! The open questions of an execution and of its children: what each is called, and how it is shown.

use super::run::describe;
use crate::client::Client;
use crate::error::Error;
use crate::ids::short_one;
use crate::out::Out;
use crate::render::age::now;
use crate::render::items::{Items, with_names, with_numbers};
use crate::render::output::plain;
use crate::render::prompt::question;
use pulse_core::api::{ExecutionView, PromptView};
use pulse_core::event::Event;
use pulse_core::text::{one_line, tail, terminal_safe};
use std::collections::HashMap;

/// How much of the output for review is shown: its last lines.
const REVIEW_BYTES: usize = 4_000;
const REVIEW_LINES: usize = 20;
/// Children that go on which are looked at, at most.
const CHILDREN: usize = 20;

/// An open question.
#[derive(Debug)]
pub(super) struct Question<'v> {
    /// What is asked.
    pub prompt: &'v PromptView,
    /// What `--step` takes for it, and for no other: its step, in a loop with the items around it if need be.
    pub name: String,
    /// All that `--step` takes for it.
    names: [String; 3],
}

impl Question<'_> {
    /// Whether `--step` names it.
    pub fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
    }
}

/// The open questions of an execution, the oldest first.
pub(super) fn open(view: &ExecutionView) -> Vec<Question<'_>> {
    let prompts = if view.prompts.is_empty() { view.prompt.as_slice() } else { &view.prompts[..] };
    let mut prompts: Vec<&PromptView> = prompts.iter().collect();
    let (mut items, mut asked) = (Items::default(), HashMap::new());
    for (entry, place) in view.logs.iter().zip(0_u64..) {
        items.observe(&entry.event);
        if let Event::Prompt { at, prompt_id, .. } = &entry.event {
            asked.insert(*prompt_id, (place, at.frame));
        }
    }
    // Those of one moment have ids in no order.
    prompts.sort_by_key(|prompt| asked.get(&prompt.id).map(|(place, _)| *place));
    let names = |prompt: &&PromptView| {
        let around = asked.get(&prompt.id).map(|(_, frame)| items.around(*frame)).unwrap_or_default();
        let step = prompt.step.to_string();
        [step.clone(), with_names(&step, &around), with_numbers(&step, &around)]
    };
    let all: Vec<[String; 3]> = prompts.iter().map(names).collect();
    let unique = |name: &String| all.iter().filter(|names| names.contains(name)).count() == 1;
    let name_of = |names: &[String; 3]| names.iter().find(|name| unique(name)).unwrap_or(&names[2]).clone();
    let questions = prompts.into_iter().zip(&all);
    questions.map(|(prompt, names)| Question { prompt, name: name_of(names), names: names.clone() }).collect()
}

/// Shows the open questions, each with how it is answered.
pub(super) fn print(view: &ExecutionView, out: &mut Out) -> Result<(), Error> {
    let (style, questions) = (out.style, open(view));
    for Question { prompt, name, .. } in &questions {
        out.line("")?;
        let several = questions.len() > 1;
        if several {
            out.line(&style.dim(&format!("  {}", one_line(name))))?;
        }
        let output = terminal_safe(tail(&prompt.output, REVIEW_BYTES));
        let lines: Vec<&str> = output.trim_end().lines().collect();
        for line in &lines[lines.len().saturating_sub(REVIEW_LINES)..] {
            let line = if style.coloured() { format!("{line}\x1b[0m") } else { plain(line) };
            out.line(&format!("  {} {line}", style.dim("│")))?;
        }
        let left = prompt.deadline.since(now());
        question(&prompt.message, &prompt.options, left, style).iter().try_for_each(|line| out.line(line))?;
        if !prompt.fields.is_empty() {
            let fields: Vec<String> = prompt.fields.iter().map(|field| one_line(&describe(field))).collect();
            out.line(&format!("    also asked: {}", fields.join("; ")))?;
        }
        let step = if several { format!(" --step {}", quoted(name)) } else { String::new() };
        let id = called(view);
        out.line(&format!("    answer with `pulse respond {id} OPTION{}{step}`", fields(prompt)))?;
    }
    Ok(())
}

/// What an execution is called in a command line: in full where it has a parent or children, for those of one moment begin
/// with the same characters.
pub(super) fn called(view: &ExecutionView) -> String {
    let alone = view.parent.is_none() && view.children.is_empty();
    if alone { short_one(&view.summary.id) } else { view.summary.id.to_string() }
}

/// What a command line has for the fields that must be given.
fn fields(prompt: &PromptView) -> String {
    let needed = prompt.fields.iter().filter(|field| field.required);
    needed.map(|field| format!(" -f {}=…", one_line(&field.name))).collect()
}

/// A word of a shell's line.
pub(super) fn quoted(word: &str) -> String {
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    if plain { word.to_owned() } else { format!("'{}'", one_line(word).replace('\'', r"'\''")) }
}

/// The children of an execution that go on, and theirs, as far as they can be read.
pub(super) async fn children(client: &Client, view: &ExecutionView) -> Vec<ExecutionView> {
    let ids = |view: &ExecutionView| {
        let goes_on = view.children.iter().filter(|child| child.status.is_none());
        goes_on.map(|child| child.execution_id.to_string()).collect::<Vec<_>>()
    };
    let (mut found, mut next): (Vec<ExecutionView>, Vec<String>) = (Vec::new(), ids(view));
    while let Some(id) = next.pop().filter(|_| found.len() < CHILDREN) {
        // One that has not begun yet, or is gone, asks nothing.
        if let Ok(child) = client.get::<ExecutionView>(&["api", "executions", &id], &[]).await {
            next.extend(ids(&child));
            found.push(child);
        }
    }
    found.sort_by_key(|child| child.summary.id);
    found
}
