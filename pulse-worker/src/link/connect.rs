//! Making one connection, and telling failures that pass from those that stay.

use crate::Error;
use pulse_core::protocol::worker::MAX_MESSAGE_BYTES;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Response, StatusCode, header::AUTHORIZATION};
use tokio_tungstenite::tungstenite::{self, protocol::WebSocketConfig};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

/// An open WebSocket.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Time for connecting, TLS and the upgrade together.
const TIMEOUT: Duration = Duration::from_secs(15);
/// What is read from the socket at once. One connection per process, small messages.
const READ_BUFFER: usize = 8 * 1024;
/// So much is gathered before it is written; flushed whenever nothing more is waiting.
const WRITE_BUFFER: usize = 32 * 1024;
/// Room for messages that the socket does not take: more than one of any size. The sender waits long before that.
const MOST_WRITE_BUFFER: usize = WRITE_BUFFER + 2 * MAX_MESSAGE_BYTES;

/// Why there is no connection.
#[derive(Debug)]
pub enum Failure {
    /// Trying again does not help.
    Permanent(Error),
    /// Trying again may help. In words.
    Temporary(String),
}

impl Failure {
    /// A failure that may pass.
    pub fn temporary(reason: impl ToString) -> Self {
        Self::Temporary(reason.to_string())
    }
}

/// Connects to the server's worker endpoint.
pub async fn connect(server: &str, key: &str) -> Result<Socket, Failure> {
    let refused = |code: &str, detail: String| Failure::Permanent(Error::Refused { code: code.into(), detail });
    let mut request = server.into_client_request().map_err(|error| refused("url", format!("{server}: {error}")))?;
    let mut bearer = HeaderValue::from_str(&format!("Bearer {key}"))
        .map_err(|_| refused("bad-key", "the key has characters that no key has".into()))?;
    bearer.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, bearer);
    if server.starts_with("wss:") {
        // One is there already when another part of the program uses TLS.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MOST_WRITE_BUFFER)
        .max_message_size(Some(MAX_MESSAGE_BYTES))
        .max_frame_size(Some(MAX_MESSAGE_BYTES));
    // Nagle's algorithm would hold back every small message that follows another.
    match tokio::time::timeout(TIMEOUT, connect_async_with_config(request, Some(config), true)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(tungstenite::Error::Http(response))) => Err(answered(&response)),
        Ok(Err(error)) => Err(Failure::temporary(error)),
        Err(_) => Err(Failure::temporary("no answer in time")),
    }
}

/// The server answered, but not by an upgrade.
fn answered(response: &Response<Option<Vec<u8>>>) -> Failure {
    let status = response.status();
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::Permanent(Error::Refused {
            code: format!("http-{}", status.as_u16()),
            detail: "it does not accept the key".into(),
        }),
        StatusCode::NOT_FOUND => {
            Failure::temporary("404 Not Found: is this the URL of a PULSE server, of at least this version?")
        }
        other => Failure::temporary(other),
    }
}
