//! The accept loop: our own, because warp's sets no time limit on headers and no cap on connections.

use super::request::Peer;
use crate::access::TrustedProxies;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use warp::filters::BoxedFilter;
use warp::reply::Response;

/// How long a request's headers may take, and an idle connection may stay open.
const HEADER_TIMEOUT: Duration = Duration::from_secs(20);
/// Open connections in all.
const MAX_CONNECTIONS: usize = 10_000;
/// Open connections from one address; loopback and trusted proxies are not counted: everybody comes from there.
const MAX_PER_ADDRESS: usize = 500;
/// How long open requests may take after the stop.
const DRAIN: Duration = Duration::from_secs(3);

/// Binds the address.
///
/// # Errors
/// When it cannot be bound; the text names it and says what to do.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            format!("{address} is in use: another program listens there; stop it, or choose another with --listen")
        }
        std::io::ErrorKind::PermissionDenied => format!("{address} may not be used: ports below 1024 need privileges"),
        _ => format!("{address} cannot be listened on: {error}"),
    })
}

/// Serves until the stop, then lets open requests finish for a moment.
pub async fn serve(
    listener: TcpListener,
    routes: BoxedFilter<(Response,)>,
    trusted: TrustedProxies,
    stop: CancellationToken,
) {
    let service = warp::service(routes);
    let connections = TaskTracker::new();
    let addresses: Addresses = Arc::default();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, most likely: closing connections will help.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        // A socket of IPv6 shows addresses of IPv4 as its own kind.
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let most = if peer.ip().is_loopback() || trusted.contains(peer.ip()) { usize::MAX } else { MAX_PER_ADDRESS };
        let Some(place) = Place::take(&addresses, peer.ip(), most, connections.len()) else {
            drop(stream);
            continue;
        };
        let service = TowerToHyperService::new(service.clone());
        let stop = stop.clone();
        connections.spawn(async move {
            connection(stream, peer, service, stop).await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    let _ = tokio::time::timeout(DRAIN, connections.wait()).await;
}

async fn connection<S>(stream: TcpStream, peer: SocketAddr, service: TowerToHyperService<S>, stop: CancellationToken)
where
    TowerToHyperService<S>:
        hyper::service::Service<hyper::Request<hyper::body::Incoming>, Response = Response> + Clone + Send + 'static,
    <TowerToHyperService<S> as hyper::service::Service<hyper::Request<hyper::body::Incoming>>>::Future: Send,
    <TowerToHyperService<S> as hyper::service::Service<hyper::Request<hyper::body::Incoming>>>::Error:
        Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        hyper::service::Service::call(&service, request)
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).max_buf_size(64 << 10);
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    tokio::select! {
        result = serving.as_mut() => {
            if let Err(error) = result {
                tracing::debug!(%peer, %error, "a connection has ended badly");
            }
        }
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            let _ = serving.await;
        }
    }
}

type Addresses = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// A connection's place among those of its address.
struct Place {
    addresses: Addresses,
    address: IpAddr,
}

impl Place {
    fn take(addresses: &Addresses, address: IpAddr, most: usize, open: usize) -> Option<Self> {
        let mut counts = addresses.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let count = counts.entry(address).or_insert(0);
        if open >= MAX_CONNECTIONS || *count >= most {
            return None;
        }
        *count += 1;
        Some(Self { addresses: addresses.clone(), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.addresses.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.address);
            }
        }
    }
}
