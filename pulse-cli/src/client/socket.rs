//! The live connection: one WebSocket with the messages of `pulse_core::protocol::browser`.

use super::{Client, answer, install_crypto};
use crate::error::Error;
use futures_util::{SinkExt as _, StreamExt as _};
use pulse_core::protocol::browser::{FromBrowser, ToBrowser};
use serde::Deserialize;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::header::AUTHORIZATION;
use tokio_tungstenite::tungstenite::{Error as WsError, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// For the whole of TCP, TLS and upgrade.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An open live connection.
#[derive(Debug)]
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    url: String,
}

/// Why there is no live connection.
#[derive(Debug)]
pub enum Refusal {
    /// It may work later: why it does not now.
    Lost(String),
    /// It will not: trying again does not help.
    Final(Error),
}

impl Socket {
    /// Connects, as the same person as over HTTP. Dropping the future leaves nothing behind.
    ///
    /// # Errors
    /// Whether trying again may help, and why.
    pub async fn open(client: &Client) -> Result<Self, Refusal> {
        install_crypto();
        let url = client.address().socket();
        let mut request = url.as_str().into_client_request().map_err(|error| Refusal::Lost(error.to_string()))?;
        if let Some(value) = &client.authorization {
            request.headers_mut().insert(AUTHORIZATION, value.clone());
        }
        match tokio::time::timeout(CONNECT_TIMEOUT, connect_async(request)).await {
            Err(_) => Err(Refusal::Lost("no answer in time".to_owned())),
            Ok(Ok((stream, _))) => Ok(Self { stream, url }),
            Ok(Err(WsError::Http(response))) => {
                let status = response.status().as_u16();
                let media = answer::media_type(response.headers());
                let body = response.body().clone().unwrap_or_default();
                match status {
                    // A server that starts or stops, or a proxy before one that is gone.
                    429 | 500.. => Err(Refusal::Lost(format!("status {status}"))),
                    _ => Err(Refusal::Final(answer::refusal(client.address(), status, &media, &body))),
                }
            }
            Ok(Err(error)) => Err(Refusal::Lost(answer::root_cause(&error))),
        }
    }

    /// Sends a message.
    ///
    /// # Errors
    /// Why the connection is lost.
    pub async fn send(&mut self, message: &FromBrowser) -> Result<(), Refusal> {
        let text = serde_json::to_string(message).map_err(|error| Refusal::Lost(error.to_string()))?;
        self.stream.send(Message::text(text)).await.map_err(lost)
    }

    /// Asks the other side for a sign of life.
    ///
    /// # Errors
    /// Why the connection is lost.
    pub async fn ping(&mut self) -> Result<(), Refusal> {
        self.stream.send(Message::Ping(Vec::new().into())).await.map_err(lost)
    }

    /// The next thing heard: a message, or nothing but a sign of life. Cancel safe.
    ///
    /// # Errors
    /// Why the connection is lost, or why what came is not understood.
    pub async fn next(&mut self) -> Result<Option<ToBrowser>, Refusal> {
        match self.stream.next().await {
            None => Err(Refusal::Lost("the server closed the connection".to_owned())),
            Some(Err(error)) => Err(lost(error)),
            Some(Ok(Message::Text(text))) => self.read(&text).map_err(Refusal::Final),
            Some(Ok(Message::Close(_))) => Err(Refusal::Lost("the server closed the connection".to_owned())),
            Some(Ok(_)) => Ok(None),
        }
    }

    /// Reads a message. Kinds that this program does not know are left out: a newer server may send more.
    fn read(&self, text: &str) -> Result<Option<ToBrowser>, Error> {
        #[derive(Deserialize)]
        struct Kind {
            r#type: String,
        }
        serde_json::from_str(text).map(Some).or_else(|error| match serde_json::from_str::<Kind>(text) {
            Ok(kind) if !matches!(kind.r#type.as_str(), "execution_event" | "output") => Ok(None),
            _ => Err(Error::NotPulse { url: self.url.clone(), what: format!("a message is not as expected: {error}") }),
        })
    }
}

fn lost(error: WsError) -> Refusal {
    Refusal::Lost(answer::root_cause(&error))
}
