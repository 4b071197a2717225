//! One worker's connection: hello, then messages both ways. Each command's output and result are handled in order by a
//! small task of their own, so that commands do not wait for each other's commits.

use super::connections::From;
use super::conversation::{Conversation, Heard, NotYours, Said};
use super::followed::Followed;
use super::{Fleet, HEARTBEAT, SILENCE};
use crate::drive::Driver;
use crate::http::socket::{Gone, Socket};
use futures_util::StreamExt;
use pulse_core::fault;
use pulse_core::ids::{CommandId, WorkerId};
use pulse_core::protocol::worker::{FromWorker, Hello, ToWorker};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

/// How long a worker may take to say hello.
pub(super) const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Messages to a worker that may wait to be sent: enough for the acknowledgements of a worker with thousands of slots.
const OUTGOING: usize = 4_096;
/// Messages of one command that may wait for their commit. Beyond that its connection is not read: the worker holds back.
const PER_COMMAND: usize = 64;

/// With how many commands a connection begins to look for those that are over: few, and seldom to be looked through.
const MOST_COMMANDS: usize = 256;

/// Serves a worker until the connection ends or the server stops.
pub async fn serve(mut socket: Socket, peer: SocketAddr, fleet: Fleet, driver: Driver, stop: CancellationToken) {
    let Some(hello) = read_hello(&mut socket).await else {
        return socket.close(1008, "the first message must be hello").await;
    };
    let (mut opened, welcome) = match Opened::of(hello, peer, fleet, driver, stop).await {
        Ok(opened) => opened,
        Err(refusal) => {
            let _ = send(&mut socket, &refusal).await;
            return socket.close(1008, "hello refused").await;
        }
    };
    if send(&mut socket, &welcome).await.is_ok() {
        opened.session.welcomed();
        run(&mut opened, socket).await;
    }
    opened.session.over();
}

/// A connection whose hello was accepted.
pub(super) struct Opened {
    pub session: Session,
    /// What the worker is to be told.
    pub outgoing: mpsc::Receiver<ToWorker>,
    /// Ends it.
    pub cancel: CancellationToken,
    /// Asks for a sign of life.
    pub probe: Arc<Notify>,
}

impl Opened {
    /// Takes a hello in, and answers the first message besides.
    ///
    /// # Errors
    /// The message that refuses it.
    pub async fn of(
        hello: Hello,
        peer: SocketAddr,
        fleet: Fleet,
        driver: Driver,
        stop: CancellationToken,
    ) -> Result<(Self, ToWorker), ToWorker> {
        let (sender, outgoing) = mpsc::channel(OUTGOING);
        let cancel = stop.child_token();
        let (worker_id, name) = (hello.worker_id, hello.name.clone());
        let listed = hello.commands.clone();
        let probe = Arc::new(Notify::new());
        let from = From { sender: sender.clone(), cancel: cancel.clone(), probe: probe.clone(), peer };
        let welcome = fleet.hello(hello, from).await.inspect_err(|refusal| {
            tracing::warn!(worker = %name, ?refusal, "a worker's hello is refused");
        })?;
        tracing::info!(worker = %name, session = welcome.session, "a worker has connected");
        let (id, commands, most_commands) = (welcome.session, HashMap::new(), MOST_COMMANDS);
        let conversation = Conversation::new(id, &listed);
        let not_its_own = CancellationToken::new();
        let is_rejecting = false;
        let session = Session {
            worker_id,
            name,
            id,
            fleet,
            driver,
            sender,
            stop,
            conversation,
            commands,
            most_commands,
            is_rejecting,
            not_its_own,
        };
        Ok((Self { session, outgoing, cancel, probe }, welcome.message))
    }
}

async fn read_hello(socket: &mut Socket) -> Option<Hello> {
    let message = tokio::time::timeout(HELLO_TIMEOUT, socket.stream.next()).await.ok()??;
    match serde_json::from_str(message.ok()?.to_text().ok()?) {
        Ok(FromWorker::Hello(hello)) => Some(hello),
        _ => None,
    }
}

async fn send(socket: &mut Socket, message: &ToWorker) -> Result<(), Gone> {
    let text = serde_json::to_string(message).expect("a message has a JSON form");
    socket.send(Message::Text(text.into())).await
}

async fn run(opened: &mut Opened, mut socket: Socket) {
    let Opened { session, outgoing, cancel, probe } = opened;
    let mut ping = tokio::time::interval(HEARTBEAT);
    // After a standstill the workers' silence was this server's own.
    ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    ping.reset();
    let mut silent = Duration::ZERO;
    loop {
        tokio::select! {
            () = cancel.cancelled() => return socket.close(1001, "replaced, or the server stops").await,
            () = session.not_its_own.cancelled() => return socket.close(1008, "not yours").await,
            message = socket.stream.next() => {
                silent = Duration::ZERO;
                match message {
                    Some(Ok(Message::Text(text))) => match serde_json::from_str(&text) {
                        Ok(message) => if session.message(message).await.is_err() {
                            return socket.close(1008, "not yours").await;
                        },
                        Err(error) => {
                            tracing::warn!(worker = %session.worker_id, %error, "a worker's message is not understood");
                            return socket.close(1008, "message not understood").await;
                        }
                    },
                    Some(Ok(Message::Binary(_))) => return socket.close(1003, "text frames only").await,
                    Some(Ok(_)) => { session.fleet.heard(session.worker_id, session.id); }
                    Some(Err(error)) => return socket.close_after(&error).await,
                    None => return,
                }
            }
            Some(message) = outgoing.recv() => {
                let (before, after) = match message {
                    ToWorker::Dispatch(_) => ("dispatch.sending", "dispatch.sent"),
                    _ => ("ack.sending", "ack.sent"),
                };
                fault::point(before);
                if send(&mut socket, &message).await.is_err() {
                    return;
                }
                fault::point(after);
            }
            () = probe.notified() => {
                if socket.send(Message::Ping(Default::default())).await.is_err() {
                    return;
                }
            }
            _ = ping.tick() => {
                // The registry calls the worker unreachable after SILENCE; the connection is given up a while later.
                silent += HEARTBEAT;
                if silent > SILENCE * 2 || socket.send(Message::Ping(Default::default())).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// What comes from a worker.
pub(super) struct Session {
    pub worker_id: WorkerId,
    name: String,
    pub id: u64,
    pub fleet: Fleet,
    driver: Driver,
    sender: mpsc::Sender<ToWorker>,
    /// The server's end.
    stop: CancellationToken,
    conversation: Conversation,
    /// Who follows which command, and some whose task is over.
    commands: HashMap<CommandId, mpsc::Sender<Said>>,
    /// When it has so many, those whose task is over leave it.
    most_commands: usize,
    /// It took nothing since it last rejected a command.
    is_rejecting: bool,
    /// The worker has spoken of a command that a journal gives to another.
    not_its_own: CancellationToken,
}

impl Session {
    /// The worker has been told that it is welcome.
    pub fn welcomed(&self) {
        self.fleet.welcomed(self.worker_id, self.id);
        self.driver.worker_online(self.worker_id);
    }

    /// The connection has ended.
    pub fn over(&self) {
        self.fleet.gone(self.worker_id, self.id);
        tracing::info!(worker = %self.name, session = self.id, "a worker's connection has ended");
    }

    /// Takes what the worker says.
    ///
    /// # Errors
    /// When it speaks of something that is not its own.
    pub async fn message(&mut self, message: FromWorker) -> Result<(), NotYours> {
        if self.not_its_own.is_cancelled() {
            return Err(NotYours);
        }
        if matches!(message, FromWorker::Result { .. }) {
            fault::point("result.received");
        }
        match self.fleet.hear(self.worker_id, &mut self.conversation, message)? {
            Heard::Beat(_) => {}
            Heard::Accepted => self.is_rejecting = false,
            // A full disk rejects everything, again and again.
            Heard::Rejected(command_id, reason) => match std::mem::replace(&mut self.is_rejecting, true) {
                true => tracing::debug!(worker = %self.name, command = %command_id, reason, "rejected, too"),
                false => {
                    tracing::warn!(worker = %self.name, command = %command_id, reason, "a worker rejects commands")
                }
            },
            Heard::Said(command_id, said) => self.said(command_id, said).await,
        }
        Ok(())
    }

    /// Hands on what was said of a command to the command's task, which is started when there is none.
    async fn said(&mut self, command_id: CommandId, said: Said) {
        let said = match self.commands.get(&command_id) {
            Some(task) => match task.send(said).await {
                Ok(()) => return,
                Err(returned) => returned.0,
            },
            None => said,
        };
        let whose = self.fleet.whose(self.worker_id, &self.conversation, command_id);
        let (task, said_of) = mpsc::channel(PER_COMMAND);
        let followed = Followed {
            worker_id: self.worker_id,
            command_id,
            fleet: self.fleet.clone(),
            driver: self.driver.clone(),
            sender: self.sender.clone(),
            stop: self.stop.clone(),
            not_its_own: self.not_its_own.clone(),
        };
        self.driver.spawn(followed.follow(whose, said_of));
        if task.send(said).await.is_ok() {
            // A task that has come to its command's result is over. Not before: whatever is said once more of the command
            // waits behind what was said first.
            if self.commands.len() >= self.most_commands {
                self.commands.retain(|_, task| !task.is_closed());
                self.most_commands = MOST_COMMANDS.max(self.commands.len() * 2);
            }
            self.commands.insert(command_id, task);
        }
    }
}
