//! `pulse webhook`: the key that calls are signed with, and calls once more. `pulse show` lists them.

mod key;
mod retry;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

/// Arguments of `pulse webhook`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What to do with webhooks.
    #[command(subcommand)]
    pub(super) verb: Verb,
}

/// What to do with webhooks.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Print the key that calls are signed with; for administrators
    Key(key::Args),
    /// Make a call once more, now
    Retry(retry::Args),
}

pub(super) async fn run(verb: Verb, context: &mut Context) -> Result<Exit, Error> {
    match verb {
        Verb::Key(args) => key::run(args, context).await,
        Verb::Retry(args) => retry::run(args, context).await,
    }
}
