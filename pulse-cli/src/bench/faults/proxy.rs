//! A TCP proxy between a worker and the server that can be cut, one way or both.

use super::plan::{Cut, Direction};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, OwnedMutexGuard, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Bytes that are forwarded at once.
const BUFFER: usize = 16 * 1024;

/// A proxy. It runs until it is dropped.
pub struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    cut: Arc<watch::Sender<Option<Direction>>>,
    /// How many connections there are.
    open: watch::Sender<usize>,
    /// One cut at a time.
    cutting: Arc<Mutex<()>>,
    stop: CancellationToken,
}

impl Proxy {
    /// Listens on a free port and forwards to `server`.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn start(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (cut, stop) = (Arc::new(watch::Sender::new(None)), CancellationToken::new());
        let open = watch::Sender::new(0);
        let (watched, stopped, counted) = (cut.clone(), stop.clone(), open.clone());
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = stopped.cancelled() => return,
                    accepted = listener.accept() => accepted,
                };
                let Ok((worker, _)) = accepted else { continue };
                if *watched.borrow() == Some(Direction::Both) {
                    continue;
                }
                let (cut, stop, open) = (watched.subscribe(), stopped.clone(), counted.clone());
                tokio::spawn(async move {
                    let Ok(server) = TcpStream::connect(server).await else { return };
                    open.send_modify(|open| *open += 1);
                    forward(worker, server, cut, stop).await;
                    open.send_modify(|open| *open -= 1);
                });
            }
        });
        Ok(Self { address, cut, open, cutting: Arc::default(), stop })
    }

    /// Cuts for a time, after any cut that is going on, as soon as there is a connection or `patience` is over. At its end
    /// the connections that were cut are gone. Answers whether there was one.
    pub async fn cut(&self, Cut { pause, direction, time }: Cut, patience: Duration) -> bool {
        let was_connected = self.connected(patience).await;
        tokio::time::sleep(pause).await;
        let _one = self.cutting.lock().await;
        self.cut.send_replace(Some(direction));
        tokio::time::sleep(time).await;
        self.cut.send_replace(None);
        was_connected
    }

    /// Waits until there is a connection, but no longer than `patience`. Answers whether there is one.
    pub async fn connected(&self, patience: Duration) -> bool {
        timeout(patience, self.open.subscribe().wait_for(|open| *open > 0)).await.is_ok()
    }

    /// While this is held no cut begins. None while one is going on.
    pub fn whole(&self) -> Option<OwnedMutexGuard<()>> {
        self.cutting.clone().try_lock_owned().ok()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn forward(
    worker: TcpStream,
    server: TcpStream,
    cut: watch::Receiver<Option<Direction>>,
    stop: CancellationToken,
) {
    // Small messages must not wait for each other.
    let _ = (worker.set_nodelay(true), server.set_nodelay(true));
    let (from_worker, to_worker) = worker.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = stop.cancelled() => {}
        () = pump(from_worker, to_server, Direction::ToServer, cut.clone()) => {}
        () = pump(from_server, to_worker, Direction::ToWorker, cut) => {}
    }
}

/// Forwards one way until the connection ends. While this way is cut nothing passes; after that the connection is over,
/// for what was sent meanwhile is gone.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    direction: Direction,
    mut cut: watch::Receiver<Option<Direction>>,
) {
    let mut buffer = vec![0; BUFFER];
    loop {
        let now = *cut.borrow_and_update();
        if now == Some(Direction::Both) {
            return;
        }
        if now == Some(direction) {
            let _ = cut.wait_for(|cut| *cut != Some(direction)).await;
            return;
        }
        tokio::select! {
            changed = cut.changed() => if changed.is_err() { return },
            read = from.read(&mut buffer) => match read {
                Ok(length) if length > 0 => if to.write_all(&buffer[..length]).await.is_err() { return },
                _ => return,
            }
        }
    }
}
