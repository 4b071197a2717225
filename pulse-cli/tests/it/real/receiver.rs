//! A receiver of webhooks on this machine.

use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver as Inbox, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest wait for a call: far beyond what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(90);

/// What was sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// The first line.
    pub line: String,
    /// Name in lower case, and value.
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    /// A header that must be there once.
    pub fn header(&self, name: &str) -> &str {
        let found: Vec<&str> =
            self.headers.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect();
        assert_eq!(found.len(), 1, "{name}: {self:?}");
        found[0]
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// It takes everything until it is told otherwise.
pub struct Receiver {
    pub url: String,
    answer: Arc<Mutex<(u16, &'static str)>>,
    requests: Inbox<Request>,
    closed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Receiver {
    pub fn start() -> Self {
        Self::at("http://127.0.0.1:0")
    }

    /// One at a known place.
    pub fn at(url: &str) -> Self {
        let listener = TcpListener::bind(url.strip_prefix("http://").unwrap()).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new((200, "taken")));
        let (sender, requests) = channel();
        let (known, closed) = (answer.clone(), Arc::new(AtomicBool::new(false)));
        let is_closed = closed.clone();
        let thread = std::thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                if is_closed.load(Ordering::SeqCst) {
                    return;
                }
                let answer = *known.lock().unwrap();
                take(stream, &sender, answer);
            }
        });
        Self { url, answer, requests, closed, thread: Some(thread) }
    }

    /// What it answers from now on.
    pub fn answer(&self, status: u16, text: &'static str) {
        *self.answer.lock().unwrap() = (status, text);
    }

    /// The next call.
    pub fn next(&self) -> Request {
        self.requests.recv_timeout(PATIENCE).expect("waited in vain for a call of the webhook")
    }

    /// Whether it has not been called since the last one that was asked for.
    pub fn is_quiet(&self) -> bool {
        self.requests.try_recv().is_err()
    }

    /// Nobody is at its place any more.
    pub fn close(mut self) {
        self.closed.store(true, Ordering::SeqCst);
        // It is waiting for somebody to come.
        drop(TcpStream::connect(self.url.strip_prefix("http://").unwrap()));
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Reads a request and answers it. One that breaks off is nobody's.
fn take(mut stream: TcpStream, sender: &Sender<Request>, (status, text): (u16, &str)) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let header = |line: &String| line.split_once(':').map(|(n, v)| (n.to_ascii_lowercase(), v.trim().to_owned()));
    let headers: Vec<(String, String)> = lines.iter().skip(1).filter_map(header).collect();
    let length =
        headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{text}", text.len());
    let _ = stream.write_all(answer.as_bytes());
    let _ = sender.send(Request { line: lines[0].clone(), headers, body: String::from_utf8(body).unwrap() });
}
