//! A small server that stands in for the real one: HTTP/1.1 and WebSocket on a real socket, a journal that grows, cuts
//! and omissions where a test wants them.

use crate::story::{ID, Story};
use futures_util::{SinkExt as _, StreamExt as _};
use pulse_core::protocol::browser::{FromBrowser, ToBrowser};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request as Upgrade, Response as Upgraded};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: HashMap<String, String>,
    pub head: String,
    pub body: Value,
}

type Hook = Box<dyn Fn(&Request, &mut Story) -> (u16, Value) + Send>;

#[derive(Default)]
struct World {
    story: Story,
    requests: Vec<Request>,
    answers: HashMap<String, (u16, Value)>,
    hooks: HashMap<String, Hook>,
    /// For each connection still to come, after how many messages it is cut.
    cuts: Vec<usize>,
    /// Messages (counted from 1 over all connections) that are left out, and told as lagged.
    omitted: Vec<usize>,
    sent: usize,
    subscriptions: Vec<FromBrowser>,
    output_first: bool,
}

/// The server; it stops when dropped.
pub struct StandIn {
    pub url: String,
    world: Arc<Mutex<World>>,
    _runtime: tokio::runtime::Runtime,
}

impl StandIn {
    /// Starts one whose execution has this story so far.
    pub fn start(story: Story) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World { story, ..World::default() }));
        let shared = world.clone();
        runtime.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(connection(stream, shared.clone()));
            }
        });
        let server = Self { url, world, _runtime: runtime };
        server.answer("POST /api/workflows/disk-check/execute", 202, json!({"id": ID}));
        server.answer("POST /api/commands", 202, json!({"id": ID}));
        server
    }

    /// Answers a call with this from now on.
    pub fn answer(&self, call: &str, status: u16, body: Value) {
        self.world.lock().unwrap().answers.insert(call.to_owned(), (status, body));
    }

    /// Answers a call with a problem.
    pub fn refuse(&self, call: &str, status: u16, detail: &str) {
        self.answer(call, status, json!({"title": "Refused", "status": status, "detail": detail, "code": "refused"}));
    }

    /// Lets a call change the story.
    pub fn on(&self, call: &str, hook: impl Fn(&Request, &mut Story) -> (u16, Value) + Send + 'static) {
        self.world.lock().unwrap().hooks.insert(call.to_owned(), Box::new(hook));
    }

    /// Cuts the coming connections, each after so many messages.
    pub fn cut_after(&self, messages: &[usize]) {
        self.world.lock().unwrap().cuts = messages.to_vec();
    }

    /// Leaves out these messages.
    pub fn omit(&self, messages: &[usize]) {
        self.world.lock().unwrap().omitted = messages.to_vec();
    }

    /// Sends missed output before missed events.
    pub fn output_first(&self) {
        self.world.lock().unwrap().output_first = true;
    }

    /// Lets the story go on.
    pub fn goes_on(&self, change: impl FnOnce(Story) -> Story) {
        let mut world = self.world.lock().unwrap();
        world.story = change(world.story.clone());
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.world.lock().unwrap().requests.clone()
    }

    /// Waits until there have been so many subscriptions.
    pub fn wait_for_subscriptions(&self, count: usize) {
        let began = std::time::Instant::now();
        while self.subscriptions().len() < count {
            assert!(began.elapsed() < Duration::from_secs(10), "only {} subscriptions", self.subscriptions().len());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The subscriptions so far.
    pub fn subscriptions(&self) -> Vec<FromBrowser> {
        self.world.lock().unwrap().subscriptions.clone()
    }
}

async fn connection(mut stream: TcpStream, world: Arc<Mutex<World>>) {
    // Only looked at: the WebSocket library wants to read the head itself.
    let mut buffer = vec![0; 8 * 1024];
    let head = loop {
        let Ok(read) = stream.peek(&mut buffer).await else { return };
        let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
        match text.find("\r\n\r\n") {
            Some(end) => break text[..end + 4].to_owned(),
            None if read == 0 => return,
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    };
    if head.starts_with("GET /ws ") {
        websocket(stream, world).await;
        return;
    }
    let field = |name: &str| {
        head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        })
    };
    let length: usize = field("content-length").map_or(0, |length| length.parse().unwrap());
    let mut all = vec![0; head.len() + length];
    if stream.read_exact(&mut all).await.is_err() {
        return;
    }
    let mut line = head.split(' ');
    let (method, target) = (line.next().unwrap_or_default(), line.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let query = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned()));
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.collect(),
        body: serde_json::from_slice(&all[head.len()..]).unwrap_or(Value::Null),
        head,
    };
    let (status, body) = respond(&request, &mut world.lock().unwrap());
    let media = if status < 400 { "application/json" } else { "application/problem+json" };
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let (media, body) = match body.strip_prefix("\"html:") {
        Some(text) => ("text/html", text.trim_end_matches('"').to_owned()),
        None => (media, body),
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {media}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all((head + body.as_str()).as_bytes()).await;
    let _ = stream.shutdown().await;
}

fn respond(request: &Request, world: &mut World) -> (u16, Value) {
    world.requests.push(request.clone());
    let call = format!("{} {}", request.method, request.path);
    if let Some(hook) = world.hooks.get(&call) {
        return hook(request, &mut world.story);
    }
    if let Some(answer) = world.answers.get(&call) {
        return answer.clone();
    }
    let number = |name: &str| request.query.get(name).map_or(0, |text| text.parse::<u64>().unwrap());
    // Pages of two, so that every reader has to go on.
    if call == format!("GET /api/executions/{ID}/events") {
        let left: Vec<_> = world.story.entries.iter().filter(|e| e.seq.0 > number("after")).collect();
        let next = (left.len() > 2).then(|| left[1].seq.to_string());
        return (200, json!({"items": left.iter().take(2).collect::<Vec<_>>(), "next": next}));
    }
    if call == format!("GET /api/executions/{ID}/output") {
        let left: Vec<_> = world.story.output.iter().filter(|c| c.cursor > number("cursor")).collect();
        let next = (left.len() > 2).then(|| left[1].cursor.to_string());
        return (200, json!({"items": left.iter().take(2).collect::<Vec<_>>(), "next": next}));
    }
    (404, json!({"title": "Not Found", "status": 404, "detail": format!("there is no {call}"), "code": "not-found"}))
}

#[expect(clippy::result_large_err, reason = "the library's signature")]
fn check(request: &Upgrade, response: Upgraded) -> Result<Upgraded, ErrorResponse> {
    match request.headers().get("authorization") {
        Some(value) if value == "Bearer t0ken" => Ok(response),
        _ => {
            let body =
                json!({"title": "Unauthorized", "status": 401, "detail": "no such token", "code": "unauthorized"});
            let mut refusal = ErrorResponse::new(Some(body.to_string()));
            *refusal.status_mut() = tokio_tungstenite::tungstenite::http::StatusCode::UNAUTHORIZED;
            Err(refusal)
        }
    }
}

async fn websocket(stream: TcpStream, world: Arc<Mutex<World>>) {
    let Ok(mut socket) = tokio_tungstenite::accept_hdr_async(stream, check).await else { return };
    let Some(Ok(Message::Text(text))) = socket.next().await else { return };
    let subscription: FromBrowser = serde_json::from_str(&text).unwrap();
    let FromBrowser::Subscribe { topics, after } = subscription.clone();
    let known = |kind: &str| after.get(&format!("{kind}:{ID}")).copied();
    let mut cut = {
        let mut world = world.lock().unwrap();
        world.subscriptions.push(subscription);
        let cuts = &mut world.cuts;
        (!cuts.is_empty()).then(|| cuts.remove(0))
    };
    let (mut seq, mut cursor) = (known("execution").unwrap_or(0), known("output"));
    let mut greeted = false;
    loop {
        let messages = news(&world.lock().unwrap(), &mut seq, &mut cursor);
        for message in messages {
            let message = {
                let mut world = world.lock().unwrap();
                world.sent += 1;
                if world.omitted.contains(&world.sent) { ToBrowser::Lagged { topics: topics.clone() } } else { message }
            };
            if !say(&mut socket, &message, &mut cut).await {
                return;
            }
        }
        if !std::mem::replace(&mut greeted, true)
            && !say(&mut socket, &ToBrowser::Subscribed { topics: topics.clone() }, &mut cut).await
        {
            return;
        }
        // Reading on lets the library answer pings and notice the end.
        let heard = tokio::time::timeout(Duration::from_millis(10), socket.next()).await;
        if matches!(heard, Ok(None | Some(Err(_)))) {
            return;
        }
    }
}

/// Sends a message, unless this is where the connection is cut.
async fn say(socket: &mut WebSocketStream<TcpStream>, message: &ToBrowser, cut: &mut Option<usize>) -> bool {
    if let Some(left) = cut {
        if *left == 0 {
            return false;
        }
        *left -= 1;
    }
    socket.send(Message::text(serde_json::to_string(message).unwrap())).await.is_ok()
}

/// What a subscriber does not have yet: all events, then all output, or the other way round.
fn news(world: &World, seq: &mut u64, cursor: &mut Option<u64>) -> Vec<ToBrowser> {
    let id = ID.parse().unwrap();
    let entries = world.story.entries.iter().filter(|entry| entry.seq.0 > *seq).cloned();
    let mut events: Vec<_> = entries.map(|entry| ToBrowser::ExecutionEvent { execution_id: id, entry }).collect();
    let chunks = world.story.output.iter().filter(|chunk| cursor.is_some_and(|cursor| chunk.cursor > cursor)).cloned();
    let mut output: Vec<_> = chunks.map(|chunk| ToBrowser::Output { execution_id: id, chunk }).collect();
    *seq = world.story.entries.last().map_or(*seq, |entry| entry.seq.0);
    *cursor = cursor.map(|cursor| world.story.output.last().map_or(cursor, |chunk| chunk.cursor));
    if world.output_first {
        std::mem::swap(&mut events, &mut output);
    }
    events.extend(output);
    events
}
