//! The supervisor as a process: how it begins, apart from whoever started it, and cleans up after one that died.

use super::cgroup::{self, Cgroup};
use super::keeper::{self, Setup};
use super::outputs;
use crate::Error;
use crate::runner::{Reaper, kill_strays};
use crate::spool::{Kept, Spool};
use crate::state::{self, Log, Origin, Place};
use rustix::process::setsid;
use serde::{Deserialize, Serialize};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The hidden verb.
pub const VERB: &str = "supervise";
/// The socket, relative to the state directory: a path to one may have 107 bytes only.
pub const SOCKET: &str = "supervisor.sock";
/// Held while a supervisor lives.
pub const LOCK: &str = "supervisor.lock";
/// What is known of the last one.
pub const RECORD: &str = "supervisor.json";
/// What it writes to standard output once it can be connected to. A line that begins otherwise says why it cannot.
pub const READY: &str = "ready";

/// Time for another supervisor that is about to end to do so.
const PREDECESSOR: Duration = Duration::from_secs(10);
/// Time between TERM and KILL for what a former supervisor left running.
const LEFT_GRACE: Duration = Duration::from_secs(2);
/// Threads for calls that wait for the disk: a few, for commands with much output, besides the log's.
const DISK_THREADS: usize = 8;

/// `supervisor.json`: for people, and for the one that comes after it.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    pid: u32,
    version: String,
    #[serde(default)]
    cgroup: Option<PathBuf>,
    /// Whose supervisor it is: what a copy of the directory says of it is another's.
    #[serde(default)]
    origin: Option<Origin>,
}

/// Becomes a supervisor if the arguments of this process say so: `PROGRAM supervise --state DIR`. To be called before there
/// are threads, and before anything reads settings: a supervisor has none.
pub fn supervise_if_asked(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    if arguments.next()? != VERB || arguments.next()? != "--state" {
        return None;
    }
    let dir = PathBuf::from(arguments.next()?);
    Some(match supervise(&dir) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let line = pulse_core::text::one_line(&error.to_string());
            let _ = writeln!(io::stdout(), "{line}");
            let _ = writeln!(io::stderr(), "{line}");
            ExitCode::FAILURE
        }
    })
}

fn supervise(dir: &Path) -> Result<(), Error> {
    let io_error = |error: io::Error| Error::state(dir, &error);
    // It fails for the leader of a group, which is what a shell's own child is: then the session is the shell's.
    let _ = setsid();
    let _ = rustix::thread::set_name(c"pulse-supervise");
    std::env::set_current_dir(dir).map_err(io_error)?;
    crate::fault::install().map_err(|reason| io_error(io::Error::other(reason)))?;
    start_log();
    let lock = lock_within(PREDECESSOR).map_err(io_error)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(DISK_THREADS)
        .thread_stack_size(512 * 1024)
        .build()
        .map_err(io_error)?;
    runtime.block_on(run(dir, lock))?;
    // Nothing is under way but what may be given up.
    runtime.shutdown_background();
    Ok(())
}

async fn run(dir: &Path, lock: File) -> Result<(), Error> {
    let io_error = |error: io::Error| Error::state(dir, &error);
    let place = Place::of(&lock, LOCK).map_err(io_error)?;
    let mut log = Log::open(dir)?;
    let origin = Origin::of(dir).map_err(io_error)?;
    clean_up(dir, &origin, &mut log).await?;
    let reaper = Reaper::new().map(Arc::new);
    let cgroup = Cgroup::enter();
    say_what_holds(&reaper, &cgroup);
    let record = Record {
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        cgroup: cgroup.as_ref().ok().map(|cgroup| cgroup.path().to_owned()),
        origin: Some(origin),
    };
    let text = serde_json::to_string(&record).expect("plain data becomes JSON");
    state::replace(dir, Path::new(RECORD), |out| out.write_all(text.as_bytes())).map_err(io_error)?;
    let results = log.results();
    let known = results.iter().map(|result| result.command_id).collect();
    outputs::remove_unknown(dir.to_owned(), known).await;

    let _ = fs::remove_file(SOCKET);
    let listener = UnixListener::bind(SOCKET).map_err(io_error)?;
    fs::set_permissions(SOCKET, fs::Permissions::from_mode(0o600)).map_err(io_error)?;
    let stop = CancellationToken::new();
    stop_on_signals(&stop).map_err(io_error)?;
    let _ = writeln!(io::stdout(), "{READY}").and_then(|()| io::stdout().flush());
    // Whoever started this one reads to the end of it.
    let nothing = OpenOptions::new().read(true).write(true).open("/dev/null").map_err(io_error)?;
    let _ = rustix::stdio::dup2_stdout(&nothing);

    let (log, written, log_thread) = state::spawn(log);
    let dir = dir.to_owned();
    let reaper = reaper.ok();
    keeper::run(Setup { listener, results, log, written, log_thread, place, reaper, dir, stop }).await;
    let _ = fs::remove_file(SOCKET);
    drop(cgroup);
    tracing::debug!("nothing runs and nobody is connected: the supervisor ends");
    Ok(())
}

/// Ends what a former supervisor of this directory left, and gives its commands up. What a copy of another directory lists
/// is given up as well, but whatever runs of it is that one's.
async fn clean_up(dir: &Path, here: &Origin, log: &mut Log) -> Result<(), Error> {
    let unfinished = log.unfinished();
    let former = fs::read(dir.join(RECORD)).ok().and_then(|text| serde_json::from_slice::<Record>(&text).ok());
    let origin = former.as_ref().and_then(|record| record.origin.as_ref());
    let is_own = origin.is_none_or(|origin| origin.is_same(here));
    let mut found = 0;
    if is_own {
        if !unfinished.is_empty() {
            found = kill_strays(&unfinished, Some(LEFT_GRACE)).await;
        }
        if let Some(path) = former.and_then(|record| record.cgroup) {
            found += tokio::task::spawn_blocking(move || cgroup::kill(&path)).await.unwrap_or(0);
        }
    }
    if !is_own {
        tracing::warn!(
            commands = unfinished.len(),
            "the state directory is a copy: what the other one's supervisor runs is left alone; here its commands are lost"
        );
    } else if !unfinished.is_empty() {
        tracing::warn!(
            commands = unfinished.len(),
            processes = found,
            "the supervisor before this one was killed while commands ran: lost"
        );
    }
    let reason = match is_own {
        true => "the worker's supervisor died while it ran: nobody knows whether it took effect",
        false => "the worker's state directory was copied while it ran: nobody knows whether it took effect",
    };
    log.give_up_unfinished(reason, |command_id| {
        Spool::recover(outputs::of(dir, command_id)).unwrap_or_else(|error| {
            tracing::error!(%command_id, %error, "the output of a lost command cannot be read");
            Kept::default()
        })
    })
}

fn say_what_holds(reaper: &io::Result<Arc<Reaper>>, cgroup: &Result<Cgroup, String>) {
    let by = match (reaper, cgroup) {
        (Ok(_), Ok(_)) => "as children, and by cgroup if the supervisor is killed",
        (Ok(_), Err(_)) => "as children, and by their environment if the supervisor is killed",
        (Err(_), Ok(_)) => "by their environment, and by cgroup if the supervisor is killed",
        (Err(_), Err(_)) => "by their environment",
    };
    tracing::info!(
        pid = std::process::id(),
        version = env!("CARGO_PKG_VERSION"),
        left_behind_are_found = by,
        "supervisor starts"
    );
    if let Err(reason) = cgroup {
        tracing::info!(%reason, "no cgroup");
    }
}

fn stop_on_signals(stop: &CancellationToken) -> io::Result<()> {
    let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    // Nobody's terminal is its business.
    let mut hangup = signal(SignalKind::hangup())?;
    let stop = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = term.recv() => stop.cancel(),
                _ = int.recv() => stop.cancel(),
                _ = hangup.recv() => {}
            }
        }
    });
    Ok(())
}

fn lock_within(patience: Duration) -> io::Result<File> {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(lock) = state::lock(Path::new(LOCK))? {
            return Ok(lock);
        }
        if Instant::now() > deadline {
            return Err(io::Error::other("another supervisor has the state directory and does not answer"));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn start_log() {
    let filter = std::env::var("PULSE_LOG").ok().and_then(|text| tracing_subscriber::EnvFilter::try_new(text).ok());
    let filter = filter.unwrap_or_else(|| tracing_subscriber::EnvFilter::new("info"));
    // On a full disk nothing can be said, and everything goes on: the subscriber's own complaint would be a panic.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .log_internal_errors(false);
    let _ = log.try_init();
}
