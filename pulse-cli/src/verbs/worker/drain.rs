//! `pulse worker drain`.

use super::unknown;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use pulse_core::api::{WorkerChange, WorkerView};
use pulse_core::text::one_line;

/// Arguments of `pulse worker drain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name or id of the worker
    worker: String,
    /// Give it commands again
    #[arg(long)]
    undo: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let change = WorkerChange { draining: Some(!args.undo), ..WorkerChange::default() };
    let path = ["api", "workers", &args.worker];
    let worker: WorkerView = context.client()?.patch(&path, &change).await.map_err(unknown)?;
    let name = one_line(&worker.name);
    context.out.line(&match (worker.draining, worker.active) {
        (true, 0) => format!("{name} is draining: nothing runs there"),
        (true, active) => format!("{name} is draining: {active} still running there"),
        (false, _) => format!("{name} takes commands again"),
    })?;
    Ok(Exit::SUCCESS)
}
