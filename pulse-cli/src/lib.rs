//! The command line of PULSE: `pulse run`, `ps`, `logs` and the rest, against a server over HTTP and WebSocket.
//!
//! This crate owns how things are asked for and shown at a terminal. It decides nothing about executions: what it
//! prints comes from the server's journal. Layers, each using only the ones before it:
//!
//! - [`error`], [`exit`], [`environment`]: how it ends, and what it finds around it
//! - [`server`]: which server and which token
//! - [`client`]: HTTP and the live connection
//! - [`render`]: journal entries, output and tables as terminal text
//! - [`follow`]: an execution from its first event to its last, across lost connections
//! - [`definition`], [`mod@format`], [`import`]: definitions in files, without a server
//! - [`local`]: an execution with no server at all
//! - [`verbs`]: one file per verb; [`cli`] and [`help`]: the command line itself

pub mod bench;
pub mod cli;
pub mod client;
pub mod context;
pub mod definition;
pub mod environment;
pub mod error;
pub mod exit;
pub mod files;
pub mod follow;
pub mod format;
pub mod help;
pub mod ids;
pub mod import;
pub mod local;
pub mod out;
pub mod render;
pub mod server;
pub mod shell;
pub mod verbs;

use cli::Cli;
use context::Context;
use error::Error;
use exit::Exit;
use std::io::Write as _;
use std::process::ExitCode;

/// Runs the program with the arguments and surroundings of this process.
pub fn main() -> ExitCode {
    // A worker's supervisor is this program, too, and reads no settings.
    if let Some(exit) = pulse_worker::supervise_if_asked(std::env::args_os()) {
        return exit;
    }
    // Before flags are read, for it gives values to them, and before there are threads.
    if let Err(error) = pulse_worker::dotenv::load() {
        let _ = writeln!(std::io::stderr(), "error: {}", pulse_core::text::one_line(&error.to_string()));
        return Exit::FAILED.into();
    }
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(usage) => {
            // Nothing can be done when even this cannot be printed.
            let _ = usage.print();
            return ExitCode::from(u8::try_from(usage.exit_code()).unwrap_or(2));
        }
    };
    let mut context = Context::of_process(cli.globals);
    if let Err(error) = pulse_worker::fault::install().map_err(Error::input) {
        return report(&error, &mut context).into();
    }
    let exit = match run(cli.verb, &mut context) {
        Ok(exit) => exit,
        Err(error) => report(&error, &mut context),
    };
    match context.out.flush() {
        Err(Error::ClosedPipe) => Exit::CLOSED_PIPE.into(),
        _ => exit.into(),
    }
}

/// Runs one verb to its end.
///
/// # Errors
/// Whatever keeps the verb from doing its work.
fn run(verb: verbs::Verb, context: &mut Context) -> Result<Exit, Error> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::input(format!("the program could not start its threads: {error}")))?;
    let result = runtime.block_on(verbs::dispatch(verb, context));
    // A thread may still wait for a line at the terminal: it must not hold up the end.
    runtime.shutdown_background();
    result
}

/// Says on standard error what went wrong, and gives the exit code for it.
fn report(error: &Error, context: &mut Context) -> Exit {
    if matches!(error, Error::ClosedPipe) {
        return Exit::CLOSED_PIPE;
    }
    // What was printed so far comes before the error.
    let _ = context.out.flush();
    let mut stderr = std::io::stderr().lock();
    let style = context.error_style;
    for line in error.lines(style) {
        if writeln!(stderr, "{line}").is_err() {
            break;
        }
    }
    error.exit()
}
