//! A server from its start to its end.

use crate::access::{Access, ProxySignIn};
use crate::drive::{Driver, Timers, recover};
use crate::fleet::{self, Fleet};
use crate::http::{self, App};
use crate::live::Hub;
use crate::sole::Sole;
use crate::upkeep::{self, Rebuilt};
use crate::webhooks::{Sender, SigningKey, Webhooks};
use crate::{Config, Error, clock, secrets};
use pulse_store::Store;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// How long the tasks may take to end after the stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(8);

/// A running server.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    app: Arc<App>,
    /// Kept to the end: nobody else may use the database.
    sole: Sole,
    serving: JoinHandle<()>,
    stop: CancellationToken,
}

/// Starts a server: opens and migrates the database, takes up what was running, then listens. It ends when `stop` is
/// cancelled; wait for that with [`Running::finished`].
///
/// # Errors
/// One clear line for whatever keeps it from starting.
pub async fn start(config: Config, stop: CancellationToken) -> Result<Running, Error> {
    // The address first: a second server on one machine must not touch the first one's database.
    let listener = http::bind(config.listen).await.map_err(Error::Listen)?;
    let address = listener.local_addr().map_err(|error| Error::Listen(error.to_string()))?;
    let mut sole = Sole::of(&config.database_url).await?;
    let store = pulse_store::open(&config.database_url, config.database).await?;
    sole.opened();
    // What runs goes on by itself once there is room; what starts takes up what was running, and would wait there unseen.
    upkeep::probe(&*store).await?;
    secrets::check(&*store, config.data_key.as_ref()).await?;
    let webhook_key = SigningKey::load(&*store, config.data_key.as_ref()).await?;
    let webhooks = Webhooks::new(&url(address, config.public_url.as_deref()));
    let hub = Hub::default();
    let fleet = Fleet::load(store.clone(), hub.clone(), config.limits).await?;
    let (timers, due) = Timers::new();
    let driver =
        Driver::new(store.clone(), fleet.clone(), hub, timers, webhooks.clone(), config.data_key, stop.clone());
    let recovered = recover(&driver).await.map_err(Error::Recovery)?;
    if recovered > 0 {
        tracing::info!(executions = recovered, "took up what was running");
    }
    driver.spawn(due.run(driver.clone()));
    driver.spawn(fleet::watch(fleet, driver.clone(), stop.clone()));
    if let Some(keep) = config.retention {
        driver.spawn(upkeep::retention(store.clone(), keep, stop.clone()));
    }
    let sender = Sender::new(store.clone(), webhooks, webhook_key.clone(), config.webhook_allow, stop.clone());
    driver.spawn(sender.run());
    driver.spawn(upkeep::room(store.clone(), stop.clone()));
    let trusted = config.proxy.trusted.clone();
    let proxy = ProxySignIn::load(&*store, config.proxy).await?;
    let access = Access::new(store, config.admin_token.as_deref(), config.worker_key.as_deref(), proxy);
    let app = Arc::new(App {
        access,
        driver,
        public_url: config.public_url,
        webhook_key,
        legacy_agents: config.legacy_agents,
        ready: AtomicBool::new(true),
        stop: stop.clone(),
    });
    let serving = tokio::spawn(http::serve(listener, http::routes(app.clone()), trusted, stop.clone()));
    tracing::info!(%address, "listening");
    Ok(Running { address, app, sole, serving, stop })
}

/// Makes the summaries of executions again from their journals, without starting to serve. No other server may use the
/// database meanwhile.
///
/// # Errors
/// One clear line for whatever keeps it from that.
pub async fn rebuild(config: Config) -> Result<Rebuilt, Error> {
    // As at a start: what keeps a second server away keeps this away from a server.
    let _listener = http::bind(config.listen).await.map_err(Error::Listen)?;
    let mut sole = Sole::of(&config.database_url).await?;
    let store = pulse_store::open(&config.database_url, config.database).await?;
    sole.opened();
    let rebuilt = upkeep::rebuild(&*store).await;
    store.close().await;
    Ok(rebuilt?)
}

impl Running {
    /// The URL by which a browser on this machine, or the configured public, reaches the server.
    pub fn url(&self) -> String {
        url(self.address, self.app.public_url.as_deref())
    }

    /// A one-time sign-in link for an administrator. The code is in the fragment, which never reaches a log.
    pub fn sign_in_link(&self) -> String {
        let code = self.app.access.codes.issue(clock::now());
        format!("{}/sign-in#code={}", self.url(), code.reveal())
    }

    /// The store, for what is loaded at first start.
    pub fn store(&self) -> &Arc<dyn Store> {
        self.app.driver.store()
    }

    /// Waits for the end: the stop, or a database that failed or went away.
    ///
    /// # Errors
    /// When the database failed or went away.
    pub async fn finished(self) -> Result<(), Error> {
        let mut failed = self.app.driver.store().failed();
        let failure = tokio::select! {
            () = self.stop.cancelled() => None,
            Ok(reason) = failed.wait_for(Option::is_some) => reason.clone().map(Error::Failed),
            error = self.sole.gone() => Some(error),
        };
        self.app.ready.store(false, Ordering::Relaxed);
        self.stop.cancel();
        self.app.driver.fleet().disconnect_all();
        let ending = async {
            let _ = self.serving.await;
            self.app.driver.stopped().await;
        };
        if tokio::time::timeout(STOP_TIMEOUT, ending).await.is_err() {
            tracing::warn!("some tasks did not end in time");
        }
        self.app.driver.store().close().await;
        failure.map_or(Ok(()), Err)
    }
}

/// Where a server is that listens at an address: its public URL, else that address.
fn url(address: SocketAddr, public: Option<&str>) -> String {
    let local = || {
        let host = match address {
            address if address.ip().is_unspecified() => format!("127.0.0.1:{}", address.port()),
            address => address.to_string(),
        };
        format!("http://{host}")
    };
    public.map_or_else(local, |url| url.trim_end_matches('/').to_owned())
}
