//! What a journal says the summary has to be.

use crate::drive::record;
use pulse_core::ids::{ExecutionId, Seq};
use pulse_engine::State;
use pulse_store::{ExecutionRecord, Result, Store};

/// Journal entries that are read at once.
const PAGE: usize = 1_000;

/// A journal, folded.
pub(super) struct Folded {
    /// The state, or why it does not fold.
    pub state: std::result::Result<State, String>,
    /// The first number that is not the one after its predecessor.
    pub gap: Option<String>,
}

/// Folds a journal.
pub(super) async fn fold(store: &dyn Store, id: ExecutionId) -> Result<Folded> {
    let (mut state, mut gap, mut last) = (Ok(State::new(id)), None, Seq(0));
    loop {
        let page = store.read(id, last, PAGE).await?;
        let full = page.len() == PAGE;
        for entry in &page {
            if entry.seq != last.next() && gap.is_none() {
                gap = Some(format!("entry {} follows entry {last}", entry.seq));
            }
            last = entry.seq;
        }
        state = state.and_then(|state| pulse_engine::fold(state, &page).map_err(|misfit| misfit.to_string()));
        if !full {
            return Ok(Folded { state, gap });
        }
    }
}

/// How a summary differs from the one that belongs to the state, in words. Who drives it is not in the journal.
pub(super) fn unlike(state: &State, stored: &ExecutionRecord) -> Option<String> {
    let Some(expected) = record(state, &stored.title) else { return Some("its journal is empty".to_owned()) };
    let ExecutionRecord { owner, lease_until, fence, .. } = stored.clone();
    let expected = ExecutionRecord { owner, lease_until, fence, ..expected };
    (expected != *stored).then(|| format!("the journal gives {expected:?}, the summary is {stored:?}"))
}
