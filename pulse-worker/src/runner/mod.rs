//! Running one command: its own process group, its time limit, its output as it comes, and no orphan left behind.
//! Needs no server and no worker around it.
//!
//! A command is stopped (time limit, cancel) by TERM to its whole group, and KILL after the grace. When its leader has
//! ended, its pipes are read for a bounded time, then whatever is left of the group is killed. What has left the group
//! (`setsid`, a daemon) is found by the [`Reaper`], where the environment has one. Elsewhere it is found by [`MARKER`] in
//! the environments of all processes; that costs about a millisecond per hundred processes, so it is looked for only when
//! a command was stopped, or when something was left in its group or at its pipes.
//!
//! A command has no session of its own, only a group: a session needs code between fork and exec, and so a fork instead of
//! `posix_spawn`, which took half as long again in a process of 4 MiB (0.61 and 0.90 ms per shell) and several times as
//! long in a large one. The flag of `posix_spawn` for it, which the standard library does not offer yet, is no way out:
//! where the kernel schedules by session (autogroup), every command is a group of its own beside the supervisor's, and
//! on a busy machine with two cores eight shells at a time ran at a third to a half of the rate. In a CPU cgroup other than
//! the root, where autogroup has no effect, there was no such loss.
//!
//! What a session is good for is there all the same on a worker: the supervisor's has no terminal, and what leaves the
//! group is found. Run without a supervisor, at a terminal, a command that reads from `/dev/tty` is stopped by the kernel
//! and ends at its time limit.

mod environment;
mod group;
mod mask;
mod output;
mod pump;
mod reaper;
mod spawn;
mod strays;
#[cfg(test)]
mod tests;
mod text;

pub use environment::{Environment, MARKER, Portable};
pub use output::{Output, Piece};
pub use reaper::Reaper;
pub use strays::kill_strays;

use group::Group;
use mask::Needles;
use pulse_core::command::{CommandEnd, CommandSpec, Outcome};
use pulse_core::ids::CommandId;
use pump::Pump;
use reaper::Follow;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Child;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How long the pipes may stay open after the leader has ended by itself. What a command's own helpers still have to say
/// comes at once; only what was left behind takes longer.
const HELPERS: Duration = Duration::from_secs(1);
/// How long in all to wait for pipes that somebody still holds after everything was killed that could be found.
const LAST_DRAIN: Duration = Duration::from_millis(500);
/// How often it is looked whether a stopped group has gone.
const POLL: Duration = Duration::from_millis(20);

/// A command to run.
#[derive(Clone)]
pub struct Request {
    /// The attempt's identity; the process finds it in [`MARKER`].
    pub command_id: CommandId,
    /// What is run.
    pub spec: CommandSpec,
    /// Time between TERM and KILL.
    pub kill_grace: Duration,
    /// Values that must not be seen in its output.
    pub mask: Vec<String>,
}

impl std::fmt::Debug for Request {
    /// Without what is run: it may hold secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request").field("command_id", &self.command_id).finish_non_exhaustive()
    }
}

/// A wish to stop a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// What the end is to say: [`Outcome::Cancelled`] or [`Outcome::Lost`].
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
    /// Time between TERM and KILL; a later wish can only shorten it.
    pub grace: Duration,
}

/// Runs a command to its end. Never fails: what goes wrong is an end, too.
///
/// Everything it prints is given to `output`, in order, before this returns; while `output` takes nothing, the command's
/// pipes are not read. Nothing of the request's secrets is in it, nor in the end. Set `stop` to stop it. Dropping the future kills only the leader: use `stop`.
pub async fn run(
    request: &Request,
    environment: &Environment,
    output: impl Output,
    mut stop: watch::Receiver<Option<Stop>>,
) -> CommandEnd {
    if let Some(stop) = stop.borrow_and_update().clone() {
        return CommandEnd::without_process(stop.outcome, stop.reason);
    }
    let needles = Needles::of(&request.mask);
    let masked = |text: String| needles.as_ref().map_or_else(|| text.clone(), |needles| needles.mask(&text));
    let mut child = match spawn::spawn(request, environment) {
        Ok(child) => child,
        Err(reason) => return CommandEnd::without_process(Outcome::NotStarted, masked(reason)),
    };
    let started = Instant::now();
    pulse_core::fault::point("supervisor.spawned");
    let reaper = environment.reaper();
    let followed = reaper.map(|reaper| reaper.follow(child.id(), request.command_id));
    let group = Group::of(&child);
    let mut pump = Pump::new(child.stdout.take(), child.stderr.take(), output, needles.as_ref());
    let run = follow(request, &mut child, group, &mut pump, stop).await;
    let duration_ms = u64::try_from(run.ended.duration_since(started).as_millis()).unwrap_or(u64::MAX);
    if let Some(followed) = &followed {
        followed.leader_was_reaped();
    }
    clean_up(request.command_id, &run, group, &mut pump, reaper.map(|reaper| &**reaper).zip(followed)).await;
    let streams = pump.finish().await;
    let (outcome, error) = match (run.stopped, &run.status) {
        (Some(stopped), _) => (stopped.outcome, Some(stopped.reason)),
        (None, Ok(_)) => (Outcome::Exited, None),
        (None, Err(error)) => (Outcome::Lost, Some(format!("its exit could not be read: {error}"))),
    };
    let status = run.status.ok();
    CommandEnd {
        outcome,
        exit_code: status.and_then(|status| status.code()),
        signal: status.and_then(|status| status.signal()),
        duration_ms,
        stdout: streams.stdout,
        stderr: streams.stderr,
        stdout_bytes: streams.stdout_bytes,
        stderr_bytes: streams.stderr_bytes,
        error: error.map(masked),
    }
}

/// How the leader ended.
struct Run {
    status: std::io::Result<ExitStatus>,
    ended: Instant,
    stopped: Option<Stop>,
    /// When the group is killed, if it was stopped.
    kill_at: Option<Instant>,
}

/// Follows the leader until it has ended and been reaped. Until then its process id, and so the group's, is its own.
async fn follow(
    request: &Request,
    child: &mut Child,
    group: Group,
    pump: &mut Pump<impl Output>,
    mut stop: watch::Receiver<Option<Stop>>,
) -> Run {
    let stdin = child.stdin.take();
    let write = async {
        if let (Some(mut stdin), Some(text)) = (stdin, &request.spec.stdin) {
            // A command need not read what it is given.
            let _ = stdin.write_all(text.as_bytes()).await;
        }
    };
    tokio::pin!(write);
    let (mut written, mut pumped, mut killed, mut nobody_asks) = (false, false, false, false);
    let limit = Duration::from_millis(request.spec.timeout_ms);
    let deadline = sleep(limit);
    tokio::pin!(deadline);
    let mut stopped: Option<Stop> = None;
    let mut kill_at: Option<Instant> = None;
    loop {
        let wish = tokio::select! {
            biased;
            status = child.wait() => return Run { status, ended: Instant::now(), stopped, kill_at },
            () = sleep_until(kill_at.unwrap_or_else(Instant::now)), if kill_at.is_some() && !killed => {
                killed = true;
                group.kill();
                continue;
            }
            () = &mut deadline, if stopped.is_none() => Stop {
                outcome: Outcome::TimedOut,
                reason: format!("stopped at its time limit of {limit:?}"),
                grace: request.kill_grace,
            },
            changed = stop.changed(), if !nobody_asks => {
                nobody_asks = changed.is_err();
                match stop.borrow_and_update().clone() {
                    Some(stop) => stop,
                    None => continue,
                }
            }
            () = &mut write, if !written => {
                written = true;
                continue;
            }
            () = pump.run(), if !pumped => {
                pumped = true;
                continue;
            }
        };
        // An end that has happened counts, though this process has not been told: after a pause of it, or of the whole
        // machine, the time limit is over at the same moment.
        if let Ok(Some(status)) = child.try_wait() {
            return Run { status: Ok(status), ended: Instant::now(), stopped, kill_at };
        }
        let at = after(wish.grace);
        kill_at = Some(kill_at.map_or(at, |earlier| earlier.min(at)));
        if stopped.is_none() {
            stopped = Some(wish);
            group.terminate();
        }
    }
}

/// Leaves nothing of the command alive, and reads what is left in its pipes: what its writers wrote stays there when
/// they are killed, so nothing here waits for the output to take it.
async fn clean_up(
    command_id: CommandId,
    run: &Run,
    group: Group,
    pump: &mut Pump<impl Output>,
    reaper: Option<(&Reaper, Follow<'_>)>,
) {
    match run.kill_at {
        // The others of the group have been told to end, too, and have the same time for it.
        Some(kill_at) => {
            let gone = async {
                while group.has_members() && Instant::now() < kill_at {
                    sleep(POLL).await;
                }
            };
            while_pumping(pump, gone).await;
        }
        None => {
            let _ = timeout(HELPERS, pump.run()).await;
        }
    }
    let survived = group.has_members();
    if survived {
        group.kill();
    }
    match reaper {
        Some((reaper, followed)) => {
            drop(followed);
            while_pumping(pump, reaper.kill_rest(command_id)).await;
        }
        None if survived || !pump.is_at_end() || run.stopped.is_some() => {
            while_pumping(pump, kill_strays(&[command_id], None)).await;
        }
        None => {}
    }
    if !pump.is_at_end() {
        pump.drain(LAST_DRAIN).await;
    }
}

/// Waits for something while the pump goes on.
async fn while_pumping<T>(pump: &mut Pump<impl Output>, future: impl Future<Output = T>) -> T {
    tokio::pin!(future);
    let mut pumped = false;
    loop {
        tokio::select! {
            biased;
            done = &mut future => return done,
            () = pump.run(), if !pumped => pumped = true,
        }
    }
}

/// A moment from now, or in thirty years.
fn after(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or(now + Duration::from_secs(30 * 365 * 86_400))
}
