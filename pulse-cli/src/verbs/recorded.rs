//! An execution of the past, fetched from the server: its journal, the definition it ran, and the workers there are.

use super::show;
use crate::client::Client;
use crate::error::Error;
use crate::ids::short_one;
use pulse_core::api::{Page, WorkerView, WorkflowView};
use pulse_core::event::{Entry, Event, WorkflowRef};
use pulse_core::ids::ExecutionId;
use pulse_engine::fleet::FleetWorker;

/// The most the server gives at once.
const PAGE: u32 = 200;

/// An execution as it happened.
#[derive(Debug)]
pub(super) struct Recorded {
    /// Its id.
    pub id: ExecutionId,
    /// Its journal.
    pub journal: Vec<Entry>,
    /// The definition that it ran.
    pub definition: String,
    /// The workers as they are now.
    pub workers: Vec<FleetWorker>,
}

impl Recorded {
    /// Fetches an execution by its id or the beginning of it.
    pub(super) async fn fetch(client: &Client, id: &str) -> Result<Self, Error> {
        let id = show::fetch(client, id).await?.summary.id;
        let journal = journal(client, id).await?;
        let definition = match journal.first().map(|entry| &entry.event) {
            Some(Event::ExecutionCreated { definition: Some(definition), .. }) => definition.clone(),
            Some(Event::ExecutionCreated { workflow: Some(workflow), .. }) => definition(client, workflow).await?,
            _ => {
                return Err(Error::input(format!(
                    "the journal of execution {} does not tell its start",
                    short_one(&id)
                )));
            }
        };
        // Labels help to resolve targets once more; without them the journal has to do.
        let workers = client.list::<WorkerView>(&["api", "workers"], &[], None).await;
        let workers = workers.map(|page| page.items.into_iter().map(worker).collect()).unwrap_or_default();
        Ok(Self { id, journal, definition, workers })
    }
}

async fn journal(client: &Client, id: ExecutionId) -> Result<Vec<Entry>, Error> {
    let (id, mut journal): (String, Vec<Entry>) = (id.to_string(), Vec::new());
    loop {
        let after = journal.last().map_or(0, |entry| entry.seq.0);
        let query = [("after", after.to_string()), ("limit", PAGE.to_string())];
        let page: Page<Entry> = client.get(&["api", "executions", &id, "events"], &query).await?;
        let (empty, more) = (page.items.is_empty(), page.next.is_some());
        journal.extend(page.items);
        if empty || !more {
            return Ok(journal);
        }
    }
}

/// The version that an execution ran: as it is stored, or the current one when that is it.
async fn definition(client: &Client, workflow: &WorkflowRef) -> Result<String, Error> {
    let (id, version) = (workflow.id.to_string(), workflow.version.to_string());
    let stored = client.get::<WorkflowView>(&["api", "workflows", &id, "versions", &version], &[]).await;
    match stored {
        Ok(view) => return Ok(view.definition),
        // An older server has no such call.
        Err(error) if error.status() == Some(404) => {}
        Err(error) => return Err(error),
    }
    match client.get::<WorkflowView>(&["api", "workflows", &id], &[]).await {
        Ok(view) if view.summary.version == workflow.version => Ok(view.definition),
        Ok(view) => Err(Error::input(format!(
            "version {version} of workflow `{}` cannot be had: the current one is {}",
            workflow.name, view.summary.version
        ))),
        Err(error) if error.status() == Some(404) => {
            Err(Error::input(format!("workflow `{}`, which the execution ran, has been removed", workflow.name)))
        }
        Err(error) => Err(error),
    }
}

fn worker(view: WorkerView) -> FleetWorker {
    FleetWorker {
        id: view.id,
        name: view.name.as_str().into(),
        labels: view.labels,
        status: view.status,
        draining: view.draining,
        active: 0,
        capacity: view.capacity,
    }
}
