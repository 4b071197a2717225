//! `pulse up`: server, one worker and dashboard in this process, everything kept in one directory.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::files;
use crate::server::{FILE_NAME, Stored};

use pulse_server::{Config, Running, start};
use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What is stored at first start.
pub(crate) const EXAMPLES: &[&str] = &[
    include_str!("../../../examples/disk-check.yaml"),
    include_str!("../../../examples/fleet-facts.yaml"),
    include_str!("../../../examples/rolling-restart.yaml"),
];

/// Where everything is kept when nothing is said: other verbs find it in their current directory.
const DATA: &str = "pulse-data";

/// Arguments of `pulse up`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where everything is kept
    #[arg(long, env = "PULSE_DATA", default_value = DATA, value_name = "DIR")]
    data: PathBuf,
    /// Start no worker in this process
    #[arg(long)]
    no_worker: bool,
    #[command(flatten)]
    server: pulse_server::Args,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let Args { data, no_worker, mut server } = args;
    pulse_server::check_environment().map_err(super::server::failed)?;
    pulse_server::init_logging("warn").map_err(super::server::failed)?;
    make_directory(&data)?;
    let database = data.join("pulse.db");
    // A start that came to its end leaves the file; one without room may have left a part of a database.
    let first_start = !data.join(FILE_NAME).exists();
    server.database_url.get_or_insert_with(|| format!("sqlite://{}", database.display()));
    if server.worker_key.is_none() {
        server.worker_key = Some(key_file(&data, "worker.key")?);
    }
    if server.data_key.is_none() {
        server.data_key = Some(key_file(&data, "data.key")?);
    }
    let config = Config::try_from(server).map_err(super::server::failed)?;
    let key = config.worker_key.clone().unwrap_or_default();
    let stop = CancellationToken::new();
    let running = start(config, stop.clone()).await.map_err(super::server::failed)?;
    if first_start {
        running.seed(EXAMPLES).await.map_err(super::server::failed)?;
    }
    let person = context.environment.get("USER").unwrap_or("local").to_owned();
    // A damaged file is written anew.
    let last = Stored::read(&data).ok().flatten();
    let last = last.as_ref().map(|stored| stored.token.reveal());
    let token = running.local_token(&person, last).await.map_err(super::server::failed)?;
    Stored { url: local_url(&running), token: crate::server::Secret::new(token.reveal()) }.write(&data)?;
    let worker = (!no_worker).then(|| tokio::spawn(pulse_worker::run(worker(&running, &data, key), stop.clone())));
    greet(&running, &data, context)?;
    let stopping = stop.clone();
    tokio::spawn(async move {
        pulse_server::stop_signal().await;
        stopping.cancel();
    });
    let ended = tokio::select! {
        ended = running.finished() => ended.map_err(super::server::failed),
        error = worker_failed(worker) => {
            stop.cancel();
            // The server gets a moment to close its database.
            tokio::time::sleep(Duration::from_millis(500)).await;
            Err(error)
        }
    };
    ended.map(|()| Exit::SUCCESS)
}

/// Waits for the worker to fail for good; one that was stopped says nothing.
async fn worker_failed(worker: Option<tokio::task::JoinHandle<Result<(), pulse_worker::Error>>>) -> Error {
    let Some(worker) = worker else { return std::future::pending().await };
    match worker.await {
        Ok(Err(error)) => super::worker_error(&error),
        Err(error) => Error::input(format!("the local worker failed: {error}")),
        Ok(Ok(())) => std::future::pending().await,
    }
}

fn greet(running: &Running, data: &Path, context: &mut Context) -> Result<(), Error> {
    let style = context.out.style;
    context.out.line(&format!("{} {}", style.bold("PULSE is running at"), running.url()))?;
    context.out.line(&format!("  sign in (works once, for 15 minutes):  {}", running.sign_in_link()))?;
    context.out.line(&format!("  in a second terminal{}", second_terminal(data)))?;
    context.out.line("  Ctrl-C stops it; commands run on, and what waits goes on at the next start")?;
    context.out.flush()
}

/// What finds this server from another terminal.
fn second_terminal(data: &Path) -> String {
    if data == Path::new(DATA) {
        return ", in this directory:  pulse run disk-check".to_owned();
    }
    let data = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    format!(":  PULSE_DATA={} pulse run disk-check", super::questions::quoted(&data.display().to_string()))
}

/// The URL for programs on this machine: the address itself, whatever the public one is.
fn local_url(running: &Running) -> String {
    let mut address = running.address;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::from([127, 0, 0, 1]));
    }
    format!("http://{address}")
}

fn worker(running: &Running, data: &Path, key: String) -> pulse_worker::Config {
    pulse_worker::Config {
        server: format!("{}/ws/worker", local_url(running).replacen("http", "ws", 1)),
        key,
        name: pulse_worker::hostname(),
        labels: [("local".to_owned(), "yes".to_owned())].into(),
        capacity: pulse_worker::default_capacity(),
        state_dir: data.join("worker"),
        heartbeat: Duration::from_secs(15),
        supervisor: pulse_worker::Program::this(),
    }
}

fn make_directory(data: &Path) -> Result<(), Error> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.map_err(|error| Error::File { path: data.to_owned(), reason: error.to_string() })
}

/// A key of this installation, for its workers or for its secrets: 32 bytes in hex, made once, from the operating
/// system's random bits.
fn key_file(data: &Path, name: &str) -> Result<String, Error> {
    let path = data.join(name);
    let failed = |error: std::io::Error| Error::File { path: path.clone(), reason: error.to_string() };
    let there = match fs::read_to_string(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        text => text.map_err(failed)?,
    };
    if !there.trim().is_empty() {
        return Ok(there.trim().to_owned());
    }
    let key = pulse_server::access::Secret::generate("");
    if files::make_private(&path, key.reveal()).map_err(failed)? {
        return Ok(key.reveal().to_owned());
    }
    // Another start was quicker, or a version of before left the empty file of a start for which there was no room.
    let made = fs::read_to_string(&path).map_err(failed)?;
    match made.trim() {
        "" => Err(Error::File { path, reason: "is empty: remove it, and a key is made".to_owned() }),
        key => Ok(key.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_terminal_is_told_where_the_data_is() {
        assert_eq!(second_terminal(Path::new("pulse-data")), ", in this directory:  pulse run disk-check");
        assert_eq!(second_terminal(Path::new("/srv/pulse")), ":  PULSE_DATA=/srv/pulse pulse run disk-check");
        let spaced = second_terminal(Path::new("/srv/my pulse"));
        assert_eq!(spaced, ":  PULSE_DATA='/srv/my pulse' pulse run disk-check");
    }

    #[test]
    fn every_example_is_stored() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
        let paths = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        // Their tests are in a directory of its own; there are no directories of examples.
        let files = paths.filter(|path| path.is_file()).map(|path| fs::read_to_string(path).unwrap());
        let mut files: Vec<String> = files.collect();
        let mut embedded = EXAMPLES.to_vec();
        files.sort();
        embedded.sort_unstable();
        assert_eq!(files, embedded);
    }
}
