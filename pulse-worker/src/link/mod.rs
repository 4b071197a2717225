//! The connection to the server, kept up: one task that connects, passes messages both ways, finds out when the server
//! is gone, and tries again. What the messages mean is the agent's business.

mod backoff;
mod connect;
mod session;

use crate::ledger::Message;
use crate::{Config, Error};
use backoff::{Backoff, LONGEST};
use connect::Failure;
use pulse_core::protocol::worker::ToWorker;
use pulse_core::text::one_line;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Events that may wait for the agent. When it is full the socket is not read, and the server comes to wait.
const EVENTS: usize = 64;
/// Messages that may wait for the socket. Small: what waits here was taken from a command and is held in memory.
const OUTGOING: usize = 16;
/// A connection that lasted so long after its welcome was a good one: the next try comes soon.
const GOOD: Duration = Duration::from_secs(10);

/// What happened to the connection.
#[derive(Debug)]
pub enum Event {
    /// There is one; the first message to it must be a hello. It closes when the sender is dropped.
    Opened(mpsc::Sender<Message>),
    /// The server said something.
    Received(ToWorker),
    /// It is gone. Another will come.
    Closed,
    /// The server refuses this worker; no other connection will come.
    Refused(Error),
}

/// Starts the task. It ends after a refusal, or when `stop` is cancelled: it then closes a connection that there is as
/// soon as its sender is dropped.
pub fn spawn(config: &Config, stop: CancellationToken) -> (mpsc::Receiver<Event>, JoinHandle<()>) {
    let (events, receiver) = mpsc::channel(EVENTS);
    let link =
        Link { server: config.server.clone(), key: config.key.clone(), heartbeat: config.heartbeat, events, stop };
    (receiver, tokio::spawn(link.run()))
}

/// The time between heartbeats that a server's welcome asks for, within bounds: outside them it would be flooded, or a
/// dead one found too late.
pub fn heartbeat(asked_ms: u64) -> Duration {
    Duration::from_millis(asked_ms.clamp(100, 3_600_000))
}

struct Link {
    server: String,
    key: String,
    heartbeat: Duration,
    events: mpsc::Sender<Event>,
    stop: CancellationToken,
}

impl Link {
    async fn run(self) {
        let mut backoff = Backoff::default();
        // One line per change, not per try.
        let mut last_failure = None;
        while !self.stop.is_cancelled() {
            let failure = match self.connect_once(&mut backoff, &mut last_failure).await {
                Ok(()) => continue,
                Err(failure) => failure,
            };
            match failure {
                Failure::Permanent(error) => {
                    let _ = self.events.send(Event::Refused(error)).await;
                    return;
                }
                Failure::Temporary(reason) => {
                    if last_failure.as_ref() != Some(&reason) {
                        tracing::warn!(
                            server = %self.server, reason = %one_line(&reason),
                            "no connection; trying again, at most {} s apart", LONGEST.as_secs()
                        );
                        last_failure = Some(reason);
                    }
                }
            }
            tokio::select! {
                () = sleep(backoff.next()) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }

    /// One connection from its beginning to its end. `Ok` when it was ended by `stop`.
    async fn connect_once(&self, backoff: &mut Backoff, last_failure: &mut Option<String>) -> Result<(), Failure> {
        let socket = tokio::select! {
            socket = connect::connect(&self.server, &self.key) => socket?,
            () = self.stop.cancelled() => return Ok(()),
        };
        let (outgoing, queue) = mpsc::channel(OUTGOING);
        if self.events.send(Event::Opened(outgoing)).await.is_err() {
            return Ok(());
        }
        let mut welcomed_at = None;
        let ended = session::run(socket, queue, &self.events, self.heartbeat, |session| {
            tracing::info!(server = %self.server, session = %one_line(session), "connected");
            welcomed_at = Some(Instant::now());
        })
        .await;
        if welcomed_at.is_some() {
            *last_failure = None;
            backoff.shorten();
        }
        if welcomed_at.is_some_and(|at| at.elapsed() >= GOOD) {
            backoff.reset();
        }
        if self.events.send(Event::Closed).await.is_err() {
            return Ok(());
        }
        ended
    }
}
