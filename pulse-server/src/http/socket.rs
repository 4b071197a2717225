//! Upgrading a request to a WebSocket, with small buffers and with every limit set: `warp::ws` has neither.
//! See `tokio_tungstenite`; the handshake is RFC 6455, section 4.2.

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use std::time::Duration;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};
use warp::http::{HeaderMap, StatusCode, header};
use warp::reply::Response;

/// Most that is buffered for a peer that does not read.
const MAX_UNSENT_BYTES: usize = 1 << 20;
/// How long a peer may take to read one message before it is given up.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);

/// The peer is gone, or does not read.
#[derive(Debug)]
pub struct Gone;

/// An open WebSocket.
pub struct Socket {
    /// The connection; read from it directly, write with [`Socket::send`].
    pub stream: WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>,
}

/// Why a request cannot become a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadHandshake {
    /// It does not ask for one.
    NotAsked,
    /// It speaks another version than 13.
    Version,
    /// Its key is missing or malformed.
    Key,
}

/// Checks a handshake and answers its accept key.
///
/// # Errors
/// What is wrong with it.
pub fn accept_key(headers: &HeaderMap) -> Result<String, BadHandshake> {
    let has = |name: header::HeaderName, word: &str| {
        headers
            .get_all(name)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    if !has(header::UPGRADE, "websocket") || !has(header::CONNECTION, "upgrade") {
        return Err(BadHandshake::NotAsked);
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(BadHandshake::Version);
    }
    // Base64 of 16 bytes: 22 characters and two signs of padding.
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(header::HeaderValue::as_bytes);
    match key.filter(|key| key.len() == 24 && key.ends_with(b"==")) {
        Some(key) => Ok(derive_accept_key(key)),
        None => Err(BadHandshake::Key),
    }
}

/// The answer that turns the connection into a WebSocket.
pub fn switching(accept: &str) -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, header::HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, header::HeaderValue::from_static("websocket"));
    if let Ok(accept) = accept.parse() {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

impl Socket {
    /// Waits until the connection has been handed over. `max_message` is in bytes, for messages and frames alike.
    ///
    /// # Errors
    /// When the client went away before that.
    pub async fn open(upgrade: OnUpgrade, max_message: usize) -> Result<Self, Gone> {
        let io = upgrade.await.map_err(|_| Gone)?;
        let config = WebSocketConfig::default()
            .read_buffer_size(4096)
            .write_buffer_size(0)
            .max_write_buffer_size(MAX_UNSENT_BYTES.max(max_message * 2))
            .max_message_size(Some(max_message))
            .max_frame_size(Some(max_message));
        Ok(Self { stream: WebSocketStream::from_raw_socket(TokioIo::new(io), Role::Server, Some(config)).await })
    }

    /// Sends a message; gives up when the peer does not read.
    ///
    /// # Errors
    /// When the peer is gone.
    pub async fn send(&mut self, message: Message) -> Result<(), Gone> {
        match tokio::time::timeout(SEND_TIMEOUT, self.stream.send(message)).await {
            Ok(Ok(())) => Ok(()),
            _ => Err(Gone),
        }
    }

    /// Says why, and closes; waits a moment for the peer to do the same.
    pub async fn close(mut self, code: u16, reason: &'static str) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
        let closing = async {
            if self.stream.close(Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(2), closing).await;
    }

    /// Closes after an error on reading, with the code that belongs to it.
    pub async fn close_after(self, error: &Error) {
        match error {
            Error::Capacity(_) => self.close(1009, "message too large").await,
            Error::Utf8(_) => self.close(1007, "text that is no UTF-8").await,
            Error::Protocol(_) => self.close(1002, "protocol error").await,
            _ => {}
        }
    }
}
