//! Makes summaries again from journals: those that are missing, and those that differ.

use super::summaries::{fold, unlike};
use crate::drive::record;
use pulse_core::text::{one_line, shorten};
use pulse_engine::State;
use pulse_store::{Result, Store};

/// Journals that are listed at once.
const PAGE: usize = 500;

/// What a rebuild came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rebuilt {
    /// Journals that were read.
    pub journals: u64,
    /// Summaries that were written.
    pub written: u64,
    /// Journals that do not fold, a line each. Their summaries stay as they are.
    pub damaged: Vec<String>,
}

impl Rebuilt {
    /// What was done, in a line for people.
    pub fn line(&self) -> String {
        let plural = |number: u64, one: &str, many: &str| format!("{number} {}", if number == 1 { one } else { many });
        let written = plural(self.written, "summary", "summaries");
        format!("{} read, {written} written", plural(self.journals, "journal", "journals"))
    }

    /// What could not be done, if anything, in a line for people.
    pub fn damage(&self) -> Option<String> {
        match self.damaged.len() {
            0 => None,
            1 => Some("1 journal is damaged; its summary is as it was".to_owned()),
            many => Some(format!("{many} journals are damaged; their summaries are as they were")),
        }
    }
}

/// Reads every journal and writes the summary it gives, where that is not there. No server may drive the executions
/// meanwhile: a summary is refused when its journal has grown since it was read.
///
/// # Errors
/// When the store cannot be read or written.
pub async fn rebuild(store: &dyn Store) -> Result<Rebuilt> {
    let mut rebuilt = Rebuilt::default();
    let mut after = None;
    loop {
        let page = store.journals(after, PAGE).await?;
        for id in &page {
            rebuilt.journals += 1;
            let folded = fold(store, *id).await?;
            let state = match (folded.gap, folded.state) {
                (None, Ok(state)) => state,
                (Some(gap), _) => {
                    rebuilt.damaged.push(format!("execution {id}: {gap}"));
                    continue;
                }
                (None, Err(misfit)) => {
                    rebuilt.damaged.push(format!("execution {id}: {misfit}"));
                    continue;
                }
            };
            let stored = store.execution(*id).await?;
            if stored.as_ref().is_some_and(|stored| unlike(&state, stored).is_none()) {
                continue;
            }
            let title = stored.map_or_else(|| title(&state), |stored| stored.title);
            if let Some(record) = record(&state, &title) {
                store.replace_summary(record).await?;
                rebuilt.written += 1;
            }
        }
        after = page.last().copied();
        if page.len() < PAGE {
            return Ok(rebuilt);
        }
    }
}

/// What an execution runs, in a few words: its workflow's name, or its command.
fn title(state: &State) -> String {
    let Some(origin) = &state.origin else { return String::new() };
    let command = || origin.definition.as_deref().and_then(pulse_engine::quick_command_text);
    let name = origin.workflow.as_ref().map(|workflow| workflow.name.clone());
    let text = name.or_else(command).unwrap_or_default();
    shorten(&one_line(text.trim()), 120)
}
