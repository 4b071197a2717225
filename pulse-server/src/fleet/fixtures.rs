//! Workers for tests: all of a connection but its socket.

use super::session::Opened;
use crate::clock;
use crate::drive::Driver;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::ids::{CommandId, WorkerId};
use pulse_core::protocol::worker::{FromWorker, Hello, KnownCommand, PROTOCOL, ToWorker};
use pulse_core::time::Timestamp;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest wait for a message: far beyond what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// A worker that is connected.
pub(crate) struct Connected(Opened);

/// A worker's id.
pub(crate) fn worker_id(n: u128) -> WorkerId {
    WorkerId(uuid::Uuid::from_u128(n))
}

impl Connected {
    /// Connects the worker `w{n}` with room for one command, which knows these.
    pub async fn new(driver: &Driver, n: u128, commands: Vec<KnownCommand>) -> Self {
        let opened = Self::greets(driver, n, commands).await;
        opened.0.session.welcomed();
        opened
    }

    /// The same, before it has heard that it is welcome.
    pub async fn greets(driver: &Driver, n: u128, commands: Vec<KnownCommand>) -> Self {
        let hello = Hello {
            protocol: PROTOCOL,
            worker_id: worker_id(n),
            instance: String::new(),
            name: format!("w{n}"),
            version: "1".to_owned(),
            labels: Default::default(),
            capacity: 1,
            metadata: Default::default(),
            commands,
        };
        let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
        let (fleet, stop) = (driver.fleet().clone(), CancellationToken::new());
        let opened = Opened::of(hello, peer, fleet, driver.clone(), stop).await;
        let (opened, _) = opened.unwrap_or_else(|refusal| panic!("{refusal:?}"));
        Self(opened)
    }

    /// The next command that it is sent.
    pub async fn next(&mut self) -> CommandId {
        loop {
            let message = tokio::time::timeout(PATIENCE, self.0.outgoing.recv()).await;
            match message.expect("it is sent a command").expect("it is connected") {
                ToWorker::Dispatch(dispatch) => return dispatch.command_id,
                _ => continue,
            }
        }
    }

    /// The commands that it has been sent by now.
    pub fn sent(&mut self) -> Vec<CommandId> {
        let messages = std::iter::from_fn(|| self.0.outgoing.try_recv().ok());
        let sent = messages.filter_map(|message| match message {
            ToWorker::Dispatch(dispatch) => Some(dispatch.command_id),
            _ => None,
        });
        sent.collect()
    }

    /// It has not been heard from for so long that it is unreachable.
    pub fn falls_silent(&self) {
        let session = &self.0.session;
        let long_ago = Timestamp::from_millis(clock::steady().as_millis() - 60_000);
        let heard = session.fleet.with(session.worker_id, |worker, _| worker.ledger.heard(session.id, long_ago));
        assert!(heard.is_some(), "it is connected");
        let mut inner = session.fleet.inner();
        session.fleet.changed(&mut inner, session.worker_id);
    }

    /// It is heard from.
    pub async fn beats(&mut self) {
        assert!(self.0.session.message(FromWorker::Heartbeat { metadata: Default::default() }).await.is_ok());
    }

    /// It tells that a command has succeeded.
    pub async fn succeeds(&mut self, command_id: CommandId) {
        let end = CommandEnd { exit_code: Some(0), ..CommandEnd::without_process(Outcome::Exited, "") };
        let told = self.0.session.message(FromWorker::Result { command_id, end }).await;
        assert!(told.is_ok(), "the command is its own");
    }
}
