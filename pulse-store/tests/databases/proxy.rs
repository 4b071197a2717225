//! A way to a database server that can be cut where it hurts.

use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What happens to the next commit, or to everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Everything passes.
    Open,
    /// The next commit does not reach the server; both ends are cut. Then everything passes.
    CutBeforeCommit,
    /// The next commit reaches the server, its answer reaches nobody. Then everything passes.
    CutAfterCommit,
    /// The next commit reaches the server long after the client was cut off. Then everything passes.
    CommitComesLate,
    /// Whatever is connected is cut, and nobody listens any more.
    Closed,
    /// Nothing passes, in either direction, and nothing is cut.
    Silent,
}

/// What clients connect to instead of the server.
pub struct Proxy {
    way: Arc<Mutex<Way>>,
    cut: tokio::sync::watch::Sender<u32>,
    address: String,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// Starts one, and answers it with the URL that leads through it. Nothing is encrypted, so that it can read.
    pub async fn start(url: &str) -> (Self, String) {
        let (before, rest) = url.split_once("://").unwrap();
        let (user, place) = rest.rsplit_once('@').unwrap();
        let (server, database) = place.split_once('/').unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listener_address = listener.local_addr().unwrap();
        let address = listener_address.to_string();
        let plain = if before == "mysql" { "ssl-mode=DISABLED" } else { "sslmode=disable" };
        let through = format!("{before}://{user}@{address}/{database}?{plain}");
        let (way, server) = (Arc::new(Mutex::new(Way::Open)), server.to_owned());
        let cut = tokio::sync::watch::Sender::new(0);
        let (shared, cuts) = (way.clone(), cut.clone());
        let task = tokio::spawn(async move {
            let (mut listener, address) = (Some(listener), listener_address);
            loop {
                if *shared.lock().unwrap() == Way::Closed {
                    listener = None;
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    continue;
                }
                let listening = match listener.take() {
                    Some(listening) => listening,
                    None => TcpListener::bind(address).await.unwrap(),
                };
                let accepted = tokio::time::timeout(Duration::from_millis(10), listening.accept()).await;
                listener = Some(listening);
                let Ok(accepted) = accepted else { continue };
                let (client, _) = accepted.unwrap();
                let cut = cuts.subscribe();
                // It may have come while the way was being closed.
                if *shared.lock().unwrap() == Way::Closed {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&server).await else { continue };
                tokio::spawn(carry(client, server, shared.clone(), cut));
            }
        });
        (Self { way, cut, address, task }, through)
    }

    pub fn set(&self, way: Way) {
        *self.way.lock().unwrap() = way;
        if way == Way::Closed {
            self.cut.send_modify(|cuts| *cuts += 1);
        }
    }

    /// Whether what was set for the next commit has happened.
    pub fn is_open(&self) -> bool {
        *self.way.lock().unwrap() == Way::Open
    }

    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    mut client: TcpStream,
    mut server: TcpStream,
    way: Arc<Mutex<Way>>,
    mut cut: tokio::sync::watch::Receiver<u32>,
) {
    let (mut up, mut down) = (vec![0; 65536], vec![0; 65536]);
    loop {
        while *way.lock().unwrap() == Way::Silent {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::select! {
            _ = cut.changed() => return,
            read = client.read(&mut up) => {
                let Ok(count @ 1..) = read else { return };
                let sent = &up[..count];
                // It was read while the way became silent.
                while *way.lock().unwrap() == Way::Silent {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
                let is_commit = sent.windows(6).any(|window| window == b"COMMIT");
                let now = match is_commit {
                    true => std::mem::replace(&mut *way.lock().unwrap(), Way::Open),
                    false => Way::Open,
                };
                match now {
                    Way::Open | Way::Closed | Way::Silent => {
                        if server.write_all(sent).await.is_err() {
                            return;
                        }
                    }
                    Way::CutBeforeCommit => return,
                    Way::CutAfterCommit => {
                        server.write_all(sent).await.unwrap();
                        // The answer comes, and is told to nobody.
                        let _ = server.read(&mut down).await;
                        return;
                    }
                    Way::CommitComesLate => {
                        drop(client);
                        tokio::time::sleep(Duration::from_millis(1500)).await;
                        server.write_all(sent).await.unwrap();
                        let _ = server.read(&mut down).await;
                        return;
                    }
                }
            }
            read = server.read(&mut down) => {
                let Ok(count @ 1..) = read else { return };
                if client.write_all(&down[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
