//! A worker written by hand, over a real socket: it says what a test makes it say.

use super::installation::Installation;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const ID: &str = "01900000-0000-7000-8000-000000000001";

/// A worker written by hand.
pub struct Hand {
    pub runtime: tokio::runtime::Runtime,
    pub socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Hand {
    fn connect(installation: &Installation) -> Self {
        let key = std::fs::read_to_string(installation.directory.path().join("pulse-data/worker.key")).unwrap();
        let url = installation.url.replace("http://", "ws://") + "/ws/worker";
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {}", key.trim()).parse().unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let socket = runtime.block_on(tokio_tungstenite::connect_async(request)).unwrap().0;
        Self { runtime, socket }
    }

    /// Connects and says hello as this process; answers what the server says to that.
    pub fn hello(installation: &Installation, instance: &str, commands: Value) -> (Self, Value) {
        Self::hello_with(installation, 2, instance, commands)
    }

    /// The same with another capacity than two.
    pub fn hello_with(installation: &Installation, capacity: u32, instance: &str, commands: Value) -> (Self, Value) {
        let mut hand = Self::connect(installation);
        hand.say(json!({
            "type": "hello", "protocol": 1, "worker_id": ID, "name": "hand", "version": "0", "capacity": capacity,
            "labels": {"role": "told"}, "metadata": {}, "commands": commands, "instance": instance,
        }));
        let answer = hand.hear();
        (hand, answer)
    }

    pub fn say(&mut self, message: Value) {
        self.runtime.block_on(self.socket.send(Message::text(message.to_string()))).unwrap();
    }

    /// The next message; reading also answers pings.
    pub fn hear(&mut self) -> Value {
        self.hear_until_close().expect("the connection is open")
    }

    /// The next message, or `None` when the server has closed the connection.
    pub fn hear_until_close(&mut self) -> Option<Value> {
        loop {
            let next = async { tokio::time::timeout(Duration::from_secs(60), self.socket.next()).await };
            match self.runtime.block_on(next).expect("the server speaks") {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// The next message of this type.
    pub fn hear_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.hear();
            if message["type"] == kind {
                return message;
            }
        }
    }
}

/// The result of a command that ended well.
pub fn exited(command_id: &Value, stdout: &str) -> Value {
    json!({
        "type": "result", "command_id": command_id, "outcome": "exited", "exit_code": 0, "duration_ms": 1,
        "stdout": stdout, "stderr": "", "stdout_bytes": stdout.len(), "stderr_bytes": 0,
    })
}
