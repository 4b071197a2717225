//! `pulse login`: remembers a server and a token for it, after trying them.

use crate::client::Client;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::follow::Input;
use crate::render::screen::note;
use crate::server::{Address, FILE_NAME, Secret, Server, Stored};
use pulse_core::api::Me;
use pulse_core::text::one_line;

const MORE: &str = "\
The token is read without being shown, from standard input when it is no terminal, or taken from PULSE_TOKEN.

Examples:
  pulse login https://pulse.example.org
  pulse login http://10.0.0.5:8080 < token.txt";

/// Arguments of `pulse login`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// Address of the server
    url: String,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let address = Address::parse(&args.url)?;
    let directory = context
        .environment
        .config_directory()
        .ok_or_else(|| Error::input("there is no directory for settings").with_hint("set HOME or XDG_CONFIG_HOME"))?;
    let given = context.globals.token.as_deref().or_else(|| context.environment.get("PULSE_TOKEN"));
    let token = match given {
        Some(token) => Secret::new(token),
        None => match read_token().await {
            Some(token) => token,
            None => return Ok(Exit::INTERRUPTED),
        },
    };
    if token.reveal().is_empty() {
        return Err(Error::input("no token was given").with_hint("`pulse token new NAME` makes one on the server"));
    }
    if !address.is_tls() && !address.is_loopback() {
        note("warning: without https the token travels unencrypted");
    }
    let client = Client::new(Server { address: address.clone(), token: Some(token.clone()) })?;
    let me: Me = client.get(&["api", "me"], &[]).await.map_err(|error| match error.status() {
        Some(401) => error.with_hint("the server does not know this token, or it has expired"),
        _ => error,
    })?;
    Stored { url: address.to_string(), token }.write(&directory)?;
    context.out.line(&format!("signed in to {address} as {} ({})", one_line(&me.name), me.role))?;
    context.out.flush()?;
    note(&format!("stored in {}", directory.join(FILE_NAME).display()));
    Ok(Exit::SUCCESS)
}

/// Reads a token from standard input, without showing it at a terminal; `None` after Ctrl-C.
async fn read_token() -> Option<Secret> {
    Input::stdin().hidden_line("token: ").await.map(|line| Secret::new(&line))
}
