//! One open connection until it ends.

use super::Event;
use super::connect::{Failure, Socket};
use crate::Error;
use crate::ledger::{Coming, Message, Opening};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt as _, StreamExt as _};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{self, Error as WsError, Message as Frame};

/// Time for the answer to a hello.
const WELCOME: Duration = Duration::from_secs(15);
/// Time for a close to get through. The rest of a stop waits for it.
const CLOSE: Duration = Duration::from_secs(1);
/// A server that says nothing for so many heartbeats, not even the answer to a ping, is gone.
const SILENT_HEARTBEATS: u32 = 3;
/// What a server may say instead of a welcome that passes by itself.
const PASSING: [&str; 4] = ["unavailable", "stopping", "busy", "replaced"];

type Sink = SplitSink<Socket, Frame>;

/// How a connection ended.
enum End {
    /// The queue's sender was dropped: the worker wants to go.
    Ours,
    /// Something went wrong, and this is what the server is told about it.
    Broken(Failure, Option<CloseCode>),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Broken(failure, None)
    }
}

/// Passes messages both ways until the connection ends. `Ok` when this side ended it.
pub async fn run(
    socket: Socket,
    queue: mpsc::Receiver<Message>,
    events: &mpsc::Sender<Event>,
    heartbeat: Duration,
    welcomed: impl FnMut(&str),
) -> Result<(), Failure> {
    let (mut sink, mut stream) = socket.split();
    let (heartbeats, heartbeat) = tokio::sync::watch::channel(heartbeat);
    let end = tokio::select! {
        end = write(&mut sink, queue, heartbeat) => end,
        end = read(&mut stream, events, &heartbeats, welcomed) => end,
    };
    let (result, code) = match end {
        End::Ours => (Ok(()), Some(CloseCode::Away)),
        End::Broken(failure, code) => (Err(failure), code),
    };
    if let Some(code) = code {
        let close = CloseFrame { code, reason: "".into() };
        // The server finds out by itself when this does not get through.
        let _ = timeout(CLOSE, async {
            sink.send(Frame::Close(Some(close))).await?;
            while stream.next().await.is_some_and(|frame| frame.is_ok()) {}
            Ok::<(), WsError>(())
        })
        .await;
    }
    result
}

/// Sends what is queued, and a ping per heartbeat so that a living server has something to answer.
async fn write(
    sink: &mut Sink,
    mut queue: mpsc::Receiver<Message>,
    mut heartbeat: tokio::sync::watch::Receiver<Duration>,
) -> End {
    let mut pings = ticks(*heartbeat.borrow());
    loop {
        let first = tokio::select! {
            message = queue.recv() => match message {
                Some(message) => frame(message),
                None => return End::Ours,
            },
            _ = pings.tick() => Frame::Ping(tungstenite::Bytes::new()),
            Ok(()) = heartbeat.changed() => {
                pings = ticks(*heartbeat.borrow_and_update());
                continue;
            }
        };
        let longest = *heartbeat.borrow() * SILENT_HEARTBEATS;
        let sent = timeout(longest, async {
            sink.feed(first).await?;
            while let Ok(message) = queue.try_recv() {
                sink.feed(frame(message)).await?;
            }
            sink.flush().await
        });
        match sent.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return Failure::temporary(describe(&error)).into(),
            Err(_) => return Failure::temporary("the server takes no messages").into(),
        }
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = interval_at(Instant::now() + period, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

fn frame(message: Message) -> Frame {
    Frame::Text(match message {
        Message::Frame(text) => text,
        Message::Plain(message) => serde_json::to_string(&message).expect("plain data becomes JSON").into(),
    })
}

/// Hands on what comes, from the welcome on.
async fn read(
    stream: &mut futures_util::stream::SplitStream<Socket>,
    events: &mpsc::Sender<Event>,
    heartbeats: &tokio::sync::watch::Sender<Duration>,
    mut welcomed: impl FnMut(&str),
) -> End {
    let mut opening = Opening::default();
    let mut silent_since = Instant::now();
    loop {
        let patience = if opening.is_welcome() { *heartbeats.borrow() * SILENT_HEARTBEATS } else { WELCOME };
        let frame = tokio::select! {
            biased;
            frame = stream.next() => frame,
            () = sleep_until(silent_since + patience) => {
                let reason = if opening.is_welcome() { "the server is silent" } else { "no answer to the hello" };
                return Failure::temporary(reason).into();
            }
        };
        silent_since = Instant::now();
        let text = match frame {
            Some(Ok(Frame::Text(text))) => text,
            Some(Ok(Frame::Close(close))) => return Failure::temporary(closed(close.as_ref())).into(),
            Some(Ok(Frame::Binary(_))) => {
                return End::Broken(Failure::temporary("a binary message"), Some(CloseCode::Unsupported));
            }
            Some(Ok(_)) => continue,
            Some(Err(error)) => {
                let code = matches!(error, WsError::Capacity(_)).then_some(CloseCode::Size);
                return End::Broken(Failure::temporary(describe(&error)), code);
            }
            None => return Failure::temporary("the connection was closed").into(),
        };
        let message = match serde_json::from_str(&text) {
            Ok(message) => message,
            Err(error) => {
                let reason = format!("the server sent something that is no message: {error}");
                return End::Broken(Failure::temporary(reason), Some(CloseCode::Policy));
            }
        };
        match opening.hear(&message) {
            Coming::Refusal { code, detail } => return refused(code, detail).into(),
            Coming::Welcome { session, heartbeat_interval_ms } => {
                heartbeats.send_replace(super::heartbeat(heartbeat_interval_ms));
                welcomed(session);
            }
            Coming::OutOfTurn => {
                let reason = "the server did not answer the hello with a welcome";
                return End::Broken(Failure::temporary(reason), Some(CloseCode::Policy));
            }
            Coming::Message => {}
        }
        // The time for which the agent is busy is not the server's silence.
        if events.send(Event::Received(message)).await.is_err() {
            return End::Ours;
        }
        silent_since = Instant::now();
    }
}

fn refused(code: &str, detail: &str) -> Failure {
    if PASSING.contains(&code) {
        return Failure::temporary(format!("{code}: {detail}"));
    }
    Failure::Permanent(Error::Refused { code: code.to_owned(), detail: detail.to_owned() })
}

fn closed(close: Option<&CloseFrame>) -> String {
    match close {
        Some(close) if !close.reason.is_empty() => format!("the server closed the connection: {}", close.reason),
        Some(close) => format!("the server closed the connection ({})", u16::from(close.code)),
        None => "the server closed the connection".to_owned(),
    }
}

fn describe(error: &WsError) -> String {
    match error {
        WsError::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake) => {
            "the connection broke".to_owned()
        }
        other => other.to_string(),
    }
}
