//! `pulse webhook key`: alone on standard output, so that a script can take it.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use pulse_core::api::WebhookKey;

/// Arguments of `pulse webhook key`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON, as the API gives it
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let key: WebhookKey = context.client()?.get(&["api", "webhook-key"], &[]).await?;
    match args.json {
        true => context.out.json(&key)?,
        false => context.out.line(&key.key)?,
    }
    Ok(Exit::SUCCESS)
}
