//! Finding out who is asking: by token, session cookie, what a trusted proxy says, or worker key. Guessing is slowed down per address.

use super::{BadHeaders, OneTimeCodes, ProxySignIn, Secret, hash};
use crate::clock;
use pulse_core::status::Role;
use pulse_core::time::Timestamp;
use pulse_store::{SessionRecord, Store, TokenRecord};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use subtle::ConstantTimeEq;
use warp::http::HeaderMap;

/// How long a sign-in lasts.
const SESSION: Duration = Duration::from_secs(12 * 3600);
/// Wrong credentials from one address within [`WINDOW`] before it has to wait.
const MAX_FAILURES: u32 = 20;
/// The time over which failures are counted.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered at once; beyond that the oldest window is dropped first.
const MAX_ADDRESSES: usize = 10_000;

/// Stands behind the names of those whom a proxy signs in, where they own something.
pub const BY_PROXY: &str = " (proxy)";
/// Stands between who made a token and what it is called. No token is called with it.
pub const MADE: char = '/';

/// Who acts with a token: it is told with who made it, so that none can be called like somebody else.
fn holder(token: &TokenRecord) -> String {
    match token.created_by.as_str() {
        crate::local::MADE_BY => token.name.clone(),
        owner => format!("{owner}{MADE}{}", token.name),
    }
}

/// Who is asking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Their name, for journals and lists.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The groups they are in, as a proxy tells them; tokens and local sign-ins have none.
    pub groups: Vec<String>,
    /// What has to be sent with every change; none for tokens.
    pub csrf: Option<String>,
    /// Whether a proxy signs them in, with every request anew.
    pub by_proxy: bool,
}

impl Caller {
    /// Under what they make tokens: nobody else has it. Whom a proxy signs in may be called like somebody of our own.
    pub fn owner(&self) -> String {
        match self.by_proxy {
            true => format!("{}{BY_PROXY}", self.name),
            false => self.name.clone(),
        }
    }

    fn new(name: String, role: Role, csrf: Option<String>) -> Self {
        Self { name, role, groups: Vec::new(), csrf, by_proxy: false }
    }
}

/// What came with a request.
#[derive(Clone, Debug)]
pub enum Credential {
    /// `Authorization: Bearer`.
    Token(String),
    /// The session cookie.
    Session(String),
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// No credential, or a wrong one.
    Unknown,
    /// Too many wrong ones from this address.
    TooMany,
}

/// Everything that tells who is asking.
pub struct Access {
    store: Arc<dyn Store>,
    admin_token: Option<[u8; 32]>,
    worker_key: Option<[u8; 32]>,
    /// The codes of one-time links.
    pub codes: OneTimeCodes,
    proxy: ProxySignIn,
    failures: Mutex<HashMap<IpAddr, (Timestamp, u32)>>,
}

impl Access {
    /// Knows the bootstrap token and the workers' key by their hashes only.
    pub fn new(store: Arc<dyn Store>, admin_token: Option<&str>, worker_key: Option<&str>, proxy: ProxySignIn) -> Self {
        Self {
            store,
            admin_token: admin_token.map(hash),
            worker_key: worker_key.map(hash),
            codes: OneTimeCodes::default(),
            proxy,
            failures: Mutex::default(),
        }
    }

    /// Who has this credential.
    ///
    /// # Errors
    /// [`Denied`] inside, a store that cannot be read outside.
    pub async fn caller(&self, credential: &Credential, peer: IpAddr) -> pulse_store::Result<Result<Caller, Denied>> {
        if self.must_wait(peer) {
            return Ok(Err(Denied::TooMany));
        }
        let now = clock::now();
        let found = match credential {
            Credential::Token(token) => {
                let hash = hash(token);
                if self.admin_token.is_some_and(|admin| admin.ct_eq(&hash).into()) {
                    Some(Caller::new("admin-token".to_owned(), Role::Admin, None))
                } else {
                    let token = self.store.token_by_hash(&hash).await?.filter(|token| token.expires_at > now);
                    token.map(|token| Caller::new(holder(&token), token.role, None))
                }
            }
            Credential::Session(cookie) => {
                let session = self.store.session_by_hash(&hash(cookie)).await?;
                let session = session.filter(|session| session.expires_at > now);
                session.map(|session| Caller::new(session.name, session.role, Some(session.csrf)))
            }
        };
        if found.is_none() {
            self.note_failure(peer);
        }
        Ok(found.ok_or(Denied::Unknown))
    }

    /// Who a trusted proxy says that it is, if it does.
    ///
    /// # Errors
    /// When it sent what it must not.
    pub fn proxied(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Option<Caller>, BadHeaders> {
        self.proxy.caller(headers, peer)
    }

    /// The address whose guesses are counted: the peer's, or that of the client in front of a trusted proxy.
    pub fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        self.proxy.client(headers, peer)
    }

    /// Whether this is the workers' key.
    pub fn is_worker(&self, key: &str, peer: IpAddr) -> Result<(), Denied> {
        if self.must_wait(peer) {
            return Err(Denied::TooMany);
        }
        if self.worker_key.is_some_and(|known| known.ct_eq(&hash(key)).into()) {
            return Ok(());
        }
        self.note_failure(peer);
        Err(Denied::Unknown)
    }

    /// Starts a session: the cookie's secret, and who it stands for.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn sign_in(&self, name: &str, role: Role) -> pulse_store::Result<(Secret, Caller)> {
        let (cookie, csrf, now) = (Secret::generate(""), Secret::generate(""), clock::now());
        let csrf = csrf.reveal().to_owned();
        let session = SessionRecord {
            hash: cookie.hash(),
            name: name.to_owned(),
            role,
            csrf: csrf.clone(),
            created_at: now,
            expires_at: now.plus(SESSION),
        };
        self.store.insert_session(session).await?;
        self.store.delete_expired(now).await?;
        Ok((cookie, Caller::new(name.to_owned(), role, Some(csrf))))
    }

    /// Counts a wrong credential from an address.
    pub fn note_failure(&self, peer: IpAddr) {
        let now = clock::now();
        let mut failures = self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if failures.len() >= MAX_ADDRESSES {
            failures.retain(|_, (since, _)| now.since(*since) < WINDOW);
            if failures.len() >= MAX_ADDRESSES {
                failures.clear();
            }
        }
        let (since, count) = failures.entry(peer).or_insert((now, 0));
        if now.since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count += 1;
    }

    /// Whether an address has guessed too often.
    pub fn must_wait(&self, peer: IpAddr) -> bool {
        let failures = self.failures.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        failures.get(&peer).is_some_and(|(since, count)| *count >= MAX_FAILURES && clock::now().since(*since) < WINDOW)
    }
}
