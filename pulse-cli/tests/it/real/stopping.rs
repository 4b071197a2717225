//! A server that is stopped: it tells its browsers, takes no new work, lets what is open end, and is gone in time.

use super::installation::Installation;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Browser = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// A browser's connection that watches the list of executions.
async fn watch(installation: &Installation) -> Browser {
    let mut request = (installation.url.replace("http://", "ws://") + "/ws").into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", installation.token()).parse().unwrap());
    let (mut browser, _) = connect_async(request).await.unwrap();
    browser.send(Message::text(r#"{"type": "subscribe", "topics": ["executions"]}"#)).await.unwrap();
    let Some(Ok(Message::Text(text))) = browser.next().await else { panic!("no answer") };
    assert!(text.contains("subscribed"), "{text}");
    browser
}

/// A start whose body is yet to come.
struct OpenStart {
    stream: BufReader<TcpStream>,
    body: String,
}

impl OpenStart {
    fn begin(installation: &Installation, prefer: &str) -> Self {
        let address = installation.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let body = json!({"command": "sleep 60", "targets": ["all"]}).to_string();
        let (token, length) = (installation.token(), body.len());
        write!(
            stream,
            "POST /api/commands HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\n{prefer}\
             content-type: application/json\r\ncontent-length: {length}\r\nexpect: 100-continue\r\n\r\n"
        )
        .unwrap();
        let mut start = Self { stream: BufReader::new(stream), body };
        // The server has begun to read the body: the request is in its hands.
        assert_eq!(start.line(), "HTTP/1.1 100 Continue\r\n");
        assert_eq!(start.line(), "\r\n");
        start
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line
    }

    fn send_body(&mut self) {
        let body = std::mem::take(&mut self.body);
        self.stream.get_mut().write_all(body.as_bytes()).unwrap();
    }

    /// The answer's status and body.
    fn answer(mut self) -> (String, Value) {
        let mut text = String::new();
        self.stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        (head.lines().next().unwrap().to_owned(), serde_json::from_str(body).unwrap())
    }
}

#[test]
fn a_stopped_server_tells_browsers_refuses_starts_and_ends_in_time() {
    let mut installation = Installation::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut browser = runtime.block_on(watch(&installation));
    // It never reads again, and never closes.
    let deaf = runtime.block_on(watch(&installation));
    let mut start = OpenStart::begin(&installation, "");
    let mut waiting = OpenStart::begin(&installation, "prefer: wait=300\r\n");
    waiting.send_body();
    let id = installation.until("the command runs", || {
        let page = installation.get("/api/executions");
        let running = page["items"].as_array()?.iter().find(|execution| execution["status"] == "running")?;
        running["id"].as_str().map(str::to_owned)
    });

    installation.terminate();
    let told = runtime.block_on(async {
        loop {
            match browser.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return frame,
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    assert_eq!((u16::from(told.code), told.reason.as_str()), (1001, "the server stops"));
    start.send_body();
    let (status, problem) = start.answer();
    assert_eq!((status.as_str(), &problem["code"]), ("HTTP/1.1 503 Service Unavailable", &json!("unavailable")));
    assert!(problem["detail"].as_str().unwrap().contains("stopping"), "{problem}");
    // Who waits for the end learns what was started.
    let (status, body) = waiting.answer();
    assert_eq!((status.as_str(), &body["id"]), ("HTTP/1.1 202 Accepted", &json!(id)));
    installation.ends_within(std::time::Duration::from_secs(10));
    drop(deaf);

    // What was refused was not started, and what ran runs on.
    installation.start_again();
    let page = installation.get("/api/executions");
    let items = page["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["id"], &items[0]["status"]), (1, &json!(id), &json!("running")));
    assert_eq!(installation.call("POST", &format!("/api/executions/{id}/abort"), Some(json!({}))).0, 204);
    installation.wait_for(&id, &["aborted"]);
}
