//! What every verb gets: the global options, the surroundings, where to print, and a client on demand.

use crate::cli::Globals;
use crate::client::Client;
use crate::environment::Environment;
use crate::error::Error;
use crate::out::Out;
use crate::render::style::Style;
use crate::server;
use std::io::IsTerminal as _;

/// Everything around a verb.
#[derive(Debug)]
pub struct Context {
    /// Options that every verb takes.
    pub globals: Globals,
    /// Variables and directories.
    pub environment: Environment,
    /// Standard output.
    pub out: Out,
    /// Colours for standard error.
    pub error_style: Style,
}

impl Context {
    /// That of this process.
    pub fn of_process(globals: Globals) -> Self {
        let environment = Environment::of_process();
        let no_colour = environment.no_colour();
        Self {
            globals,
            out: Out::stdout(no_colour),
            error_style: Style::new(std::io::stderr().is_terminal() && !no_colour),
            environment,
        }
    }

    /// A client for the server that flags, environment or files name.
    ///
    /// # Errors
    /// When none is named, or what names it makes no sense.
    pub fn client(&self) -> Result<Client, Error> {
        Client::new(server::find(&self.globals, &self.environment)?)
    }
}
