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
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{Write as _, stderr, stdin};

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
        None => match read_token().await? {
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
async fn read_token() -> Result<Option<Secret>, Error> {
    let mut input = Input::stdin();
    let hidden = if input.is_terminal() {
        let _ = stderr().write_all(b"token: ");
        Hidden::start()
    } else {
        None
    };
    input.ask();
    let line = tokio::select! {
        line = input.line() => Some(Secret::new(&line.unwrap_or_default())),
        _ = tokio::signal::ctrl_c() => None,
    };
    if hidden.is_some() {
        // The line break that was typed was not shown either.
        let _ = stderr().write_all(b"\n");
    }
    Ok(line)
}

/// A terminal that does not show what is typed, until this is dropped.
struct Hidden(Termios);

impl Hidden {
    fn start() -> Option<Self> {
        let before = tcgetattr(stdin()).ok()?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(stdin(), OptionalActions::Now, &silent).ok()?;
        Some(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // Nothing more can be done about a terminal that is gone.
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.0);
    }
}
