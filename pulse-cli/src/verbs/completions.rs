//! `pulse completions`: a script that teaches a shell the command line.

use crate::cli;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use clap_complete::Shell;

const MORE: &str = "\
Examples:
  source <(pulse completions bash)
  pulse completions zsh > ~/.zfunc/_pulse
  pulse completions fish > ~/.config/fish/completions/pulse.fish";

/// Arguments of `pulse completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// For which shell
    shell: Shell,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "pulse", &mut script);
    context.out.write(&String::from_utf8_lossy(&script))?;
    Ok(Exit::SUCCESS)
}
