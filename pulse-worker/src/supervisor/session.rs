//! Connections of agents: the greeting, and the tasks that read and write the one that was greeted last.

use super::keeper::Event;
use super::protocol::{self, CURRENT, FromSupervisor, ToSupervisor};
use pulse_core::text::one_line;
use std::time::Duration;
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Batches of frames that may wait for the socket. Small: more is gathered meanwhile, and goes at once.
const OUTGOING: usize = 2;
/// Time for an agent's hello.
const HELLO: Duration = Duration::from_secs(5);

/// Listens to a new connection until it has said hello. Another user's is dropped.
pub fn greet(stream: UnixStream, events: mpsc::Sender<Event>) {
    let own = rustix::process::geteuid().as_raw();
    if stream.peer_cred().is_ok_and(|peer| peer.uid() != own && peer.uid() != 0) {
        return;
    }
    tokio::spawn(async move {
        let (reader, mut writer) = stream.into_split();
        let mut reader = BufReader::new(reader);
        let hello = timeout(HELLO, protocol::receive_from_agent(&mut reader)).await;
        let Ok(Ok(Some(ToSupervisor::Hello { oldest, newest, version, environment }))) = hello else { return };
        let is_spoken = (oldest..=newest).contains(&CURRENT);
        let mut welcome = Vec::new();
        let protocol = is_spoken.then_some(CURRENT);
        let (own, pid) = (env!("CARGO_PKG_VERSION").to_owned(), std::process::id());
        protocol::message(&mut welcome, &FromSupervisor::Welcome { protocol, version: own, pid });
        if writer.write_all(&welcome).await.is_ok() && is_spoken {
            tracing::debug!(version = %one_line(&version), "an agent is connected");
            let environment = environment.into();
            let _ = events.send(Event::Connected { environment, reader, writer }).await;
        }
    });
}

/// A connection that was greeted. Nothing more is read from it once this is dropped; what was handed to it is written.
pub struct Session {
    number: u64,
    outgoing: mpsc::Sender<Vec<u8>>,
    reader: JoinHandle<()>,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Session {
    /// Begins to read and to write. What it hears is marked with its number.
    pub fn new(
        number: u64,
        reader: BufReader<OwnedReadHalf>,
        writer: OwnedWriteHalf,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let (outgoing, batches) = mpsc::channel(OUTGOING);
        tokio::spawn(write(writer, batches));
        let reader = tokio::spawn(read(reader, number, events));
        Self { number, outgoing, reader }
    }

    /// Which one it is.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Where batches of frames go.
    pub fn outgoing(&self) -> &mpsc::Sender<Vec<u8>> {
        &self.outgoing
    }
}

/// Room for a batch; nothing, ever, when the socket is gone: its reader says so.
pub async fn room(outgoing: Option<&mpsc::Sender<Vec<u8>>>) -> Option<mpsc::Permit<'_, Vec<u8>>> {
    match outgoing {
        Some(outgoing) => outgoing.reserve().await.ok(),
        None => None,
    }
}

async fn read(mut reader: BufReader<OwnedReadHalf>, session: u64, events: mpsc::Sender<Event>) {
    while let Ok(Some(message)) = protocol::receive_from_agent(&mut reader).await {
        if events.send(Event::Said { session, message }).await.is_err() {
            return;
        }
    }
    let _ = events.send(Event::Gone { session }).await;
}

async fn write(mut writer: OwnedWriteHalf, mut batches: mpsc::Receiver<Vec<u8>>) {
    while let Some(batch) = batches.recv().await {
        if writer.write_all(&batch).await.is_err() {
            return;
        }
    }
}
