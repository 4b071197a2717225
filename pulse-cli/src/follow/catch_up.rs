//! Reading over HTTP what the live connection left out.

use super::timeline::{Gap, Item, Timeline};
use crate::client::{Client, Refusal};
use crate::error::Error;
use pulse_core::api::{OutputChunk, Page};
use pulse_core::event::Entry;
use pulse_core::ids::ExecutionId;

/// The most the server gives at once.
const PAGE: u32 = 200;

/// The next items that are not known yet, at most a page of entries and one of output; none when all is known.
///
/// # Errors
/// Whether the connection is lost, or the server refused.
pub(super) async fn page(
    client: &Client,
    id: ExecutionId,
    timeline: &mut Timeline,
) -> Result<(Vec<Item>, bool), Refusal> {
    let id = id.to_string();
    let path = |what: &'static str| ["api", "executions", id.as_str(), what];
    let mut items = Vec::new();
    let before = (timeline.seq(), timeline.cursor());
    let query = [("after", timeline.seq().to_string()), ("limit", PAGE.to_string())];
    let entries: Page<Entry> = client.get(&path("events"), &query).await.map_err(refusal)?;
    for entry in entries.items {
        let taken = timeline.entry(entry).map_err(|Gap| Refusal::Final(gap(client)))?;
        items.extend(taken);
    }
    let mut more = entries.next.is_some();
    if timeline.with_output() {
        let query =
            [("format", "json".to_owned()), ("cursor", timeline.cursor().to_string()), ("limit", PAGE.to_string())];
        let output: Page<OutputChunk> = client.get(&path("output"), &query).await.map_err(refusal)?;
        items.extend(output.items.into_iter().flat_map(|chunk| timeline.output(chunk)));
        more |= output.next.is_some();
    }
    if more && before == (timeline.seq(), timeline.cursor()) {
        let what = "there is more of its journal, but it does not come".to_owned();
        return Err(Refusal::Final(Error::NotPulse { url: client.address().to_string(), what }));
    }
    Ok((items, more))
}

fn gap(client: &Client) -> Error {
    Error::NotPulse { url: client.address().to_string(), what: "its journal has a gap".to_owned() }
}

/// Whether an error of a call may go away by itself.
pub(super) fn refusal(error: Error) -> Refusal {
    match error {
        Error::Unreachable { reason, .. } => Refusal::Lost(reason),
        error if error.status().is_some_and(|status| status == 429 || status >= 500) => {
            Refusal::Lost(error.to_string())
        }
        error => Refusal::Final(error),
    }
}
