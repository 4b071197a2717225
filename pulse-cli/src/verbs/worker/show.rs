//! `pulse worker show`.

use super::{ls, unknown};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::age::{age, now};
use crate::render::values;
use pulse_core::api::WorkerView;
use pulse_core::text::one_line;

/// Arguments of `pulse worker show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name or id of the worker
    worker: String,
    /// Print JSON, as the API gives it
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let worker: WorkerView = context.client()?.get(&["api", "workers", &args.worker], &[]).await.map_err(unknown)?;
    if args.json {
        context.out.json(&worker)?;
        return Ok(Exit::SUCCESS);
    }
    let style = context.out.style;
    context.out.line(&style.bold(&format!("{}  {}", one_line(&worker.name), worker.id)))?;
    let facts = [
        ("status", ls::status(&worker)),
        ("active", format!("{} of {}", worker.active, worker.capacity)),
        ("capacity", capacity(&worker)),
        ("labels", ls::labels(&worker.labels)),
        ("version", worker.version),
        ("last seen", format!("{} ({} ago)", worker.last_seen, age(worker.last_seen, now()))),
    ];
    let told = worker.metadata.iter().map(|(name, value)| (name.as_str(), values::one(value)));
    for (name, value) in facts.into_iter().chain(told).filter(|(_, value)| !value.is_empty()) {
        context.out.line(&format!("  {:18} {}", one_line(name), one_line(&value)))?;
    }
    Ok(Exit::SUCCESS)
}

/// Where the capacity comes from, if not from the worker alone.
fn capacity(worker: &WorkerView) -> String {
    let reported = worker.reported_capacity;
    match worker.capacity_limit {
        None => String::new(),
        Some(limit) if limit > reported => {
            format!("{reported}; set to {limit}, but the worker takes no more than {reported}")
        }
        Some(limit) => format!("{limit}, as set; the worker takes {reported}"),
    }
}
