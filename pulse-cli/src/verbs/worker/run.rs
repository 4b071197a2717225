//! `pulse worker` without a verb: a worker in this process.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use tokio_util::sync::CancellationToken;

/// Where a server is when nothing says so: the first PULSE's default.
const DEFAULT_SERVER: &str = "http://localhost:8080";

/// Arguments of a worker.
#[derive(clap::Args)]
#[group(skip)]
pub struct Args {
    #[command(flatten)]
    worker: pulse_worker::Args,
}

impl std::fmt::Debug for Args {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Args").finish_non_exhaustive()
    }
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    pulse_server::check_environment().map_err(crate::verbs::server::failed)?;
    pulse_server::init_logging("info").map_err(crate::verbs::server::failed)?;
    let named = context.globals.server.as_deref().or(context.environment.get("PULSE_SERVER"));
    let config = args.worker.into_config(named.unwrap_or(DEFAULT_SERVER));
    let config = config.map_err(|error| crate::verbs::worker_error(&error))?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    tokio::spawn(async move {
        pulse_server::stop_signal().await;
        stopping.cancel();
    });
    pulse_worker::run(config, stop).await.map_err(|error| crate::verbs::worker_error(&error))?;
    Ok(Exit::SUCCESS)
}
