//! `pulse worker`: the workers a server knows.

mod ls;
mod rm;
mod show;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Arguments of `pulse worker`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do with workers.
    #[command(subcommand)]
    verb: Option<Verb>,
}

/// What to do with workers.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// List the workers
    Ls(ls::Args),
    /// Show one worker: labels, load, its machine
    Show(show::Args),
    /// Remove a worker that is not coming back
    Rm(rm::Args),
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    match args.verb {
        Some(Verb::Ls(args)) => ls::run(args, context).await,
        Some(Verb::Show(args)) => show::run(args, context).await,
        Some(Verb::Rm(args)) => rm::run(args, context).await,
        // Running a worker in this process comes here.
        None => Err(Error::usage("`pulse worker` needs to know what to do", "`pulse worker --help` lists it")),
    }
}

/// Adds how to find the name that was meant.
fn unknown(error: Error) -> Error {
    match error.status() {
        Some(404) => error.with_hint("`pulse worker ls` lists the workers"),
        _ => error,
    }
}
