//! `pulse worker`: runs one in this process; with a verb, the workers a server knows.

mod drain;
mod label;
mod ls;
mod rm;
mod run;
mod show;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Arguments of `pulse worker`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    /// What to do with workers; run one when not given.
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: run::Args,
}

/// What to do with workers.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// List the workers
    Ls(ls::Args),
    /// Show one worker: labels, load, its machine
    Show(show::Args),
    /// Give a worker no new commands; those that run there run on
    Drain(drain::Args),
    /// Change a worker's labels
    Label(label::Args),
    /// Remove a worker that is not coming back
    Rm(rm::Args),
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    match args.verb {
        Some(Verb::Ls(args)) => ls::run(args, context).await,
        Some(Verb::Show(args)) => show::run(args, context).await,
        Some(Verb::Drain(args)) => drain::run(args, context).await,
        Some(Verb::Label(args)) => label::run(args, context).await,
        Some(Verb::Rm(args)) => rm::run(args, context).await,
        None => run::run(args.run, context).await,
    }
}

/// Adds how to find the name that was meant.
fn unknown(error: Error) -> Error {
    match error.status() {
        Some(404) => error.with_hint("`pulse worker ls` lists the workers"),
        _ => error,
    }
}
