//! Looking up where a webhook leads. What is found is checked, and the connection is made to what was checked: there is no
//! second look-up that could answer otherwise (DNS rebinding).

use super::address::{Allowed, refusal};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

/// The addresses of a name.
pub(super) type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Who knows the addresses of names.
pub(super) trait Names: Send + Sync + 'static {
    /// All addresses of a name.
    fn look_up(&self, name: String) -> Found;
}

/// The system's.
pub(super) struct System;

impl Names for System {
    fn look_up(&self, name: String) -> Found {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// Why there is no address to connect to.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAddress {
    /// One of them is forbidden, which is enough: a name of ours leads to nothing of the kind by accident.
    #[error("{0}")]
    Forbidden(String),
    /// It has none, or that cannot be found out.
    #[error("the name {name} cannot be looked up: {reason}")]
    Unknown {
        /// The name.
        name: String,
        /// Why.
        reason: String,
    },
}

/// Looks names up and checks what is found.
pub(super) struct Guard {
    pub names: Arc<dyn Names>,
    pub allowed: Allowed,
}

impl Guard {
    fn look_up(&self, name: String) -> impl Future<Output = Result<Vec<IpAddr>, NoAddress>> + Send + use<> {
        let (found, allowed) = (self.names.look_up(name.clone()), self.allowed.clone());
        async move {
            let unknown = |reason: String| NoAddress::Unknown { name: pulse_core::text::shorten(&name, 100), reason };
            let found = found.await.map_err(|error| unknown(error.to_string()))?;
            if found.is_empty() {
                return Err(unknown("it has no address".to_owned()));
            }
            for address in &found {
                allowed.check(*address).map_err(|what| NoAddress::Forbidden(refusal(&name, *address, what)))?;
            }
            Ok(found)
        }
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.look_up(name.as_str().to_owned());
        Box::pin(async move {
            // The port is the URL's.
            let addresses: Vec<SocketAddr> =
                found.await?.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
