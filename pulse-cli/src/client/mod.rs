//! The server's HTTP interface, as calls with the types of `pulse_core::api`.

mod answer;
mod list;
mod socket;

pub use socket::{Refusal, Socket};

use crate::error::Error;
use crate::server::{Address, Server};
use reqwest::header::{AUTHORIZATION, HeaderValue, IF_MATCH};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Once;
use std::time::Duration;
use uuid::Uuid;

/// Long enough for a far server, short enough not to wonder.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Every answer of the interface is small and quick; what streams goes over the WebSocket.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

/// Speaks to one server.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    address: Address,
    authorization: Option<HeaderValue>,
}

impl Client {
    /// A client for a server. Nothing is sent yet.
    ///
    /// # Errors
    /// When the token cannot be sent in a header, or the system's certificates cannot be read.
    pub fn new(server: Server) -> Result<Self, Error> {
        install_crypto();
        let authorization = server.token.map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.reveal())).map_err(|_| {
                Error::input("the token holds characters that no token has")
                    .with_hint("give it on one line, without quotes")
            })?;
            value.set_sensitive(true);
            Ok(value)
        });
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(REQUEST_TIMEOUT)
            // The server never redirects; following one would carry the token elsewhere.
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("pulse/", env!("CARGO_PKG_VERSION")));
        if !server.address.is_tls() {
            // Reading the system's certificates takes longer than the whole call.
            builder = builder.tls_certs_only([]);
        }
        let http = builder.build().map_err(|error| Error::input(format!("HTTP cannot be used: {error}")))?;
        Ok(Self { http, address: server.address, authorization: authorization.transpose()? })
    }

    /// The server's address.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Reads a resource.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses, or answers something else.
    pub async fn get<T: DeserializeOwned>(&self, path: &[&str], query: &[(&str, String)]) -> Result<T, Error> {
        self.json(self.request(Method::GET, path)?.query(query)).await
    }

    /// Changes something, and reads what came of it.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> Result<T, Error> {
        self.json(self.request(Method::POST, path)?.json(body)).await
    }

    /// Changes something.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn post_quietly(&self, path: &[&str], body: &impl Serialize) -> Result<(), Error> {
        self.send(self.request(Method::POST, path)?.json(body)).await.map(drop)
    }

    /// Starts something. The request carries a key, so that a server that gets it twice starts it once.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn start<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> Result<T, Error> {
        let key = Uuid::new_v4().to_string();
        self.json(self.request(Method::POST, path)?.header("Idempotency-Key", key).json(body)).await
    }

    /// Replaces a resource, if it still has the version.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn put<T: DeserializeOwned>(
        &self,
        path: &[&str],
        version: u32,
        body: &impl Serialize,
    ) -> Result<T, Error> {
        self.json(self.request(Method::PUT, path)?.header(IF_MATCH, format!("\"{version}\"")).json(body)).await
    }

    /// Changes parts of a resource.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn patch<T: DeserializeOwned>(&self, path: &[&str], body: &impl Serialize) -> Result<T, Error> {
        self.json(self.request(Method::PATCH, path)?.json(body)).await
    }

    /// Removes a resource.
    ///
    /// # Errors
    /// As [`Client::get`].
    pub async fn delete(&self, path: &[&str]) -> Result<(), Error> {
        self.send(self.request(Method::DELETE, path)?).await.map(drop)
    }

    fn request(&self, method: Method, path: &[&str]) -> Result<RequestBuilder, Error> {
        let request = self.http.request(method, self.address.join(path)?);
        Ok(match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value.clone()),
            None => request,
        })
    }

    async fn json<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let body = self.send(request).await?;
        answer::read(&self.address, &body)
    }

    /// Sends a request and gives the body of an answer that is no refusal.
    async fn send(&self, request: RequestBuilder) -> Result<Vec<u8>, Error> {
        let unreachable = |error: reqwest::Error| Error::Unreachable {
            url: self.address.to_string(),
            reason: answer::root_cause(&error),
        };
        let response = request.send().await.map_err(unreachable)?;
        let (status, media) = (response.status(), answer::media_type(response.headers()));
        let body = response.bytes().await.map_err(unreachable)?;
        if status.is_success() {
            return Ok(body.into());
        }
        Err(answer::refusal(&self.address, status.as_u16(), &media, &body))
    }
}

/// Chooses the one cryptography library of this program, for HTTP and WebSocket alike.
pub(crate) fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that one is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}
