//! `pulse token`: API tokens.

mod ls;
mod new;
mod rm;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Arguments of `pulse token`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do with tokens.
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// What to do with tokens.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Make a token; it is shown once
    New(new::Args),
    /// List the tokens, without their secrets
    Ls(ls::Args),
    /// Remove a token: it stops working at once
    Rm(rm::Args),
}

pub(super) async fn run(verb: Verb, context: &mut Context) -> Result<Exit, Error> {
    match verb {
        Verb::New(args) => new::run(args, context).await,
        Verb::Ls(args) => ls::run(args, context).await,
        Verb::Rm(args) => rm::run(args, context).await,
    }
}
