//! `pulse workflow rm`.

use super::unknown;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use pulse_core::text::one_line;

/// Arguments of `pulse workflow rm`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name or id of the workflow
    workflow: String,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    context.client()?.delete(&["api", "workflows", &args.workflow]).await.map_err(unknown)?;
    context.out.line(&format!("removed: {}", one_line(&args.workflow)))?;
    Ok(Exit::SUCCESS)
}
