//! The command line as clap reads it.

use crate::help;
use crate::verbs::Verb;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser};
use std::ffi::OsString;

/// A workflow server that runs commands on many machines and asks people where it matters.
#[derive(Debug, Parser)]
#[command(name = "pulse", version, disable_help_subcommand = true, subcommand_required = true)]
#[command(arg_required_else_help = true)]
pub struct Cli {
    /// Options that every verb takes.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Options that every verb takes. Their ids are unlike any verb's own argument: clap would hand an argument `token` of
/// a verb on as this one.
#[derive(Args, Clone, Debug, Default)]
pub struct Globals {
    /// Address of the server [default: PULSE_SERVER, .env, PULSE_DATA or ./pulse-data, `pulse login`]
    #[arg(id = "global-server", long = "server", global = true, value_name = "URL", display_order = 900)]
    pub server: Option<String>,
    /// Token for the server; better given as PULSE_TOKEN or by `pulse login`
    #[arg(id = "global-token", long = "token", global = true, value_name = "TOKEN", display_order = 901)]
    pub token: Option<String>,
}

impl Cli {
    /// Reads a command line.
    ///
    /// # Errors
    /// Help, the version, or what makes no sense: print it and exit with its code.
    pub fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut matches = command().try_get_matches_from(arguments)?;
        Self::from_arg_matches_mut(&mut matches)
    }
}

/// The whole command line, with its grouped help.
pub fn command() -> clap::Command {
    let command = Cli::command();
    let template = help::template(&command);
    command.help_template(template)
}
