//! `pulse worker rm`.

use super::unknown;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use pulse_core::text::one_line;

/// Arguments of `pulse worker rm`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name or id of the worker
    worker: String,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    context.client()?.delete(&["api", "workers", &args.worker]).await.map_err(unknown)?;
    context.out.line(&format!("removed: {}", one_line(&args.worker)))?;
    Ok(Exit::SUCCESS)
}
