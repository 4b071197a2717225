//! `pulse abort`: stops an execution.

use super::show;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use pulse_core::api::AbortRequest;

/// Arguments of `pulse abort`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the execution, or its first characters as `pulse ps` shows them
    id: String,
    /// Why, for the journal
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let client = context.client()?;
    let body = AbortRequest { reason: args.reason };
    client.post_quietly(&["api", "executions", &args.id, "abort"], &body).await.map_err(show::unknown)?;
    context.out.line("abort asked for")?;
    Ok(Exit::SUCCESS)
}
