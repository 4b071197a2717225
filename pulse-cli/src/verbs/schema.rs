//! `pulse schema`: the language as JSON Schema, for editors.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;

const MORE: &str = "\
Editors that know YAML complete and check definitions by it. For those that use
yaml-language-server, a first line of the definition names it:
  # yaml-language-server: $schema=pulse.schema.json

It knows fields and their values. What expressions and jumps mean, `pulse check` knows.

Examples:
  pulse schema > pulse.schema.json";

/// Arguments of `pulse schema`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {}

pub(super) fn run(_: &Args, context: &mut Context) -> Result<Exit, Error> {
    context.out.json(&pulse_core::schema::schema())?;
    Ok(Exit::SUCCESS)
}
