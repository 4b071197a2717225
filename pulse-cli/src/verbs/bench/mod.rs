//! `pulse bench`: trials of this very program.

mod faults;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use clap::Subcommand;

/// Arguments of `pulse bench`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// What is tried.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Kill, cut and fill a server and workers under load, and look for what was lost
    Faults(faults::Args),
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    match args.verb {
        Verb::Faults(args) => faults::run(args, context).await,
    }
}
