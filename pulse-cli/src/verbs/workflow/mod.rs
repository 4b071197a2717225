//! `pulse workflow`: what is stored on the server.

mod get;
mod ls;
mod put;
mod rm;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Arguments of `pulse workflow`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do with workflows.
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// What to do with workflows.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// List the workflows
    Ls(ls::Args),
    /// Print a workflow's definition
    Get(get::Args),
    /// Store a definition: a new workflow, or a new version of one
    Put(put::Args),
    /// Remove a workflow
    Rm(rm::Args),
}

pub(super) async fn run(verb: Verb, context: &mut Context) -> Result<Exit, Error> {
    match verb {
        Verb::Ls(args) => ls::run(args, context).await,
        Verb::Get(args) => get::run(args, context).await,
        Verb::Put(args) => put::run(args, context).await,
        Verb::Rm(args) => rm::run(args, context).await,
    }
}

/// Adds how to find the name that was meant.
fn unknown(error: Error) -> Error {
    match error.status() {
        Some(404) => error.with_hint("`pulse workflow ls` lists the workflows"),
        _ => error,
    }
}
