//! Holds every journal against its summary. Changes nothing.

use super::summaries::{fold, unlike};
use pulse_store::{ExecutionFilter, Result, Store};

/// Summaries that are read at once.
const PAGE: usize = 500;

/// What a check found; a line each, naming the execution.
#[derive(Debug, Default)]
pub struct Checked {
    /// Executions that were looked at.
    pub executions: u64,
    /// Journals with a number that is missing or doubled.
    pub gaps: Vec<String>,
    /// Journals that do not fold, or to something else than the summary says.
    pub differing: Vec<String>,
}

/// Folds the journal of every execution that has a summary, and compares.
///
/// # Errors
/// When the store cannot be read.
pub async fn check(store: &dyn Store) -> Result<Checked> {
    let mut checked = Checked::default();
    let mut before = None;
    loop {
        let page = store.executions(&ExecutionFilter::default(), before, PAGE).await?;
        for record in &page {
            checked.executions += 1;
            let folded = fold(store, record.id).await?;
            if let Some(gap) = folded.gap {
                checked.gaps.push(format!("execution {}: {gap}", record.id));
            }
            match folded.state {
                Err(misfit) => checked.differing.push(format!("execution {}: {misfit}", record.id)),
                Ok(state) => {
                    if let Some(difference) = unlike(&state, record) {
                        checked.differing.push(format!("execution {}: {difference}", record.id));
                    }
                }
            }
        }
        before = page.last().map(|record| record.id);
        if page.len() < PAGE {
            return Ok(checked);
        }
    }
}
