//! `pulse server`: the server alone.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use pulse_server::{Config, start};
use tokio_util::sync::CancellationToken;

/// Arguments of `pulse server`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: pulse_server::Args,
    /// Make the summaries of executions again from their journals, and end; the server must not run
    #[arg(long)]
    rebuild: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    pulse_server::check_environment().map_err(failed)?;
    pulse_server::init_logging("info,sea_orm_migration=warn").map_err(failed)?;
    let config = Config::try_from(args.server).map_err(failed)?;
    if args.rebuild {
        return rebuild(config, context).await;
    }
    let stop = CancellationToken::new();
    let running = start(config, stop.clone()).await.map_err(failed)?;
    context.out.line(&format!("sign in (works once, for 15 minutes): {}", running.sign_in_link()))?;
    context.out.flush()?;
    tokio::spawn(async move {
        pulse_server::stop_signal().await;
        stop.cancel();
    });
    running.finished().await.map_err(failed)?;
    Ok(Exit::SUCCESS)
}

async fn rebuild(config: Config, context: &mut Context) -> Result<Exit, Error> {
    let rebuilt = pulse_server::rebuild(config).await.map_err(failed)?;
    context.out.line(&rebuilt.line())?;
    for line in &rebuilt.damaged {
        context.out.line(line)?;
    }
    match rebuilt.damage() {
        None => Ok(Exit::SUCCESS),
        Some(damage) => {
            context.out.line(&damage)?;
            Ok(Exit::FAILED)
        }
    }
}

/// A server's error as the command line shows it.
pub(super) fn failed(error: pulse_server::Error) -> Error {
    let shown = Error::input(error.to_string());
    match error.hint() {
        Some(hint) => shown.with_hint(hint),
        None => shown,
    }
}
