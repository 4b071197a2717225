//! One running command: its task, and its output on the way to the spool.

use super::keeper::Event;
use crate::runner::{self, Environment, Output, Piece, Request, Stop};
use crate::spool::Spool;
use futures_util::FutureExt as _;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::ids::CommandId;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_blocking};

/// A spool that the keeper and the command share. Held only for one call; those that wait for the disk are made on
/// threads for that.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Mutex<Spool>>);

impl Shared {
    /// Shares a spool.
    pub fn new(spool: Spool) -> Self {
        Self(Arc::new(Mutex::new(spool)))
    }

    /// The spool, if it is free and no call on it waits for the disk.
    pub fn in_memory(&self) -> Option<MutexGuard<'_, Spool>> {
        let spool = match self.0.try_lock() {
            Ok(spool) => spool,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        spool.is_in_memory().then_some(spool)
    }

    /// Does something on a thread that may wait.
    pub fn waiting<T: Send + 'static>(&self, call: impl FnOnce(&mut Spool) -> T + Send + 'static) -> JoinHandle<T> {
        let spool = self.0.clone();
        spawn_blocking(move || call(&mut spool.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

/// Runs a command to its end, closes its output, and says so.
pub async fn run(
    request: Request,
    environment: Environment,
    spool: Shared,
    stop: watch::Receiver<Option<Stop>>,
    events: mpsc::Sender<Event>,
) {
    let command_id = request.command_id;
    let output = ToSpool { command_id, spool: spool.clone(), events: events.clone(), writing: None, last: None };
    let run = AssertUnwindSafe(runner::run(&request, &environment, output, stop)).catch_unwind();
    let end = run.await.unwrap_or_else(|_| {
        CommandEnd::without_process(Outcome::Lost, "the worker made a mistake while it ran: see supervisor.log")
    });
    pulse_core::fault::point("supervisor.exited");
    let in_memory = spool.in_memory().map(|mut spool| (spool.close(), spool.last()));
    let closed = match in_memory {
        Some(closed) => closed,
        None => spool.waiting(|spool| (spool.close(), spool.last())).await.unwrap_or_default(),
    };
    let (kept, last) = closed;
    let _ = events.send(Event::Ended { command_id, end, kept, last }).await;
}

/// A command's output on its way to the spool.
struct ToSpool {
    command_id: CommandId,
    spool: Shared,
    events: mpsc::Sender<Event>,
    /// A piece that is being written, and what will be the last number then.
    writing: Option<JoinHandle<u64>>,
    /// A last number that the keeper has not been told.
    last: Option<u64>,
}

impl Output for ToSpool {
    fn put(&mut self, piece: Piece) {
        let Piece { stream, data, .. } = piece;
        if let Some(mut spool) = self.spool.in_memory()
            && spool.fits_in_memory(&data)
        {
            spool.append(stream, data);
            self.last = Some(spool.last());
            return;
        }
        self.writing = Some(self.spool.waiting(move |spool| {
            spool.append(stream, data);
            spool.last()
        }));
    }

    async fn ready(&mut self) {
        if let Some(writing) = &mut self.writing {
            self.last = writing.await.ok();
            self.writing = None;
        }
        if let Some(last) = self.last
            && let Ok(room) = self.events.reserve().await
        {
            room.send(Event::Printed { command_id: self.command_id, last });
            self.last = None;
        }
    }
}
