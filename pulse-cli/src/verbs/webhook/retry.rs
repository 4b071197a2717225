//! `pulse webhook retry`.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use serde_json::json;

/// Arguments of `pulse webhook retry`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the call, as `pulse show` lists it
    delivery: String,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let client = context.client()?;
    let retried = client.post_quietly(&["api", "deliveries", &args.delivery, "retry"], &json!({})).await;
    retried.map_err(|error| match error.status() {
        Some(404) => error.with_hint("`pulse show EXECUTION` lists the calls of webhooks with their ids"),
        _ => error,
    })?;
    context.out.line(&format!("called again: {}", args.delivery))?;
    Ok(Exit::SUCCESS)
}
