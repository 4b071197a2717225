//! `pulse worker ls`.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::age::{age, now};
use crate::render::screen::note;
use crate::render::table::Table;
use pulse_core::api::{Page, WorkerView};
use std::collections::BTreeMap;

/// Arguments of `pulse worker ls`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON, as the API gives it
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let page: Page<WorkerView> = context.client()?.list(&["api", "workers"], &[], None).await?;
    if args.json {
        context.out.json(&page)?;
        return Ok(Exit::SUCCESS);
    }
    if page.items.is_empty() {
        note("no workers: `pulse worker` starts one");
        return Ok(Exit::SUCCESS);
    }
    let now = now();
    let mut table = Table::new(&["NAME", "STATUS", "ACTIVE", "LABELS", "VERSION", "LAST SEEN"]);
    for worker in &page.items {
        table.row([
            worker.name.clone(),
            status(worker),
            format!("{}/{}", worker.active, worker.capacity),
            labels(&worker.labels),
            worker.version.clone(),
            format!("{} ago", age(worker.last_seen, now)),
        ]);
    }
    table.lines(context.out.style).iter().try_for_each(|line| context.out.line(line))?;
    Ok(Exit::SUCCESS)
}

/// The status, and whether it gets no new work.
pub(super) fn status(worker: &WorkerView) -> String {
    if worker.draining { format!("{} (draining)", worker.status) } else { worker.status.to_string() }
}

/// Labels as a selector would name them.
pub(super) fn labels(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(label, value)| format!("{label}={value}")).collect::<Vec<_>>().join(",")
}
