//! `pulse workflow get`: the definition as it was stored, so that what is printed can be put back.

use super::unknown;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use pulse_core::api::WorkflowView;
use pulse_core::text::terminal_safe;

/// Arguments of `pulse workflow get`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name or id of the workflow
    workflow: String,
    /// Print JSON, as the API gives it
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let view: WorkflowView =
        context.client()?.get(&["api", "workflows", &args.workflow], &[]).await.map_err(unknown)?;
    if args.json {
        context.out.json(&view)?;
        return Ok(Exit::SUCCESS);
    }
    // A file gets every byte; a terminal nothing that could move its cursor.
    let text = if context.out.terminal { terminal_safe(&view.definition) } else { view.definition };
    context.out.write(&text)?;
    if !text.ends_with('\n') {
        context.out.write("\n")?;
    }
    Ok(Exit::SUCCESS)
}
