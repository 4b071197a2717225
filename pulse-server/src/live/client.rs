//! One watching client: what it subscribed to, how far it is with each topic, and catching up from the store. Topics
//! with numbers are sent strictly in order: a gap is closed from the store, a repetition is left out.

use super::hub::{Hub, Live, Topic};
use crate::fleet::Fleet;
use crate::http::socket::{Gone, Socket};
use futures_util::StreamExt;
use pulse_core::ids::Seq;
use pulse_core::protocol::browser::{FromBrowser, ToBrowser};
use pulse_store::{OutputFilter, Store};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

/// Topics that one client may watch.
const MAX_TOPICS: usize = 256;
/// Entries or pieces that are read from the store at once.
const CATCH_UP: usize = 256;
/// Between pings; a client that has not answered one by the next is gone.
const PING: Duration = Duration::from_secs(25);

/// Serves a client until it goes away or the server stops.
pub async fn serve(mut socket: Socket, hub: Hub, fleet: Fleet, store: Arc<dyn Store>, stop: CancellationToken) {
    let mut live = hub.subscribe();
    let mut client = Client { fleet, store, topics: BTreeMap::new() };
    let mut ping = tokio::time::interval(PING);
    ping.reset();
    let mut answered = true;
    loop {
        let sent = tokio::select! {
            () = stop.cancelled() => return socket.close(1001, "the server stops").await,
            message = socket.stream.next() => match message {
                Some(Ok(Message::Text(text))) => { answered = true; client.message(&mut socket, &text).await }
                Some(Ok(Message::Pong(_) | Message::Ping(_))) => { answered = true; Ok(()) }
                Some(Ok(Message::Binary(_))) => return socket.close(1003, "text frames only").await,
                Some(Ok(_)) => Ok(()),
                Some(Err(error)) => return socket.close_after(&error).await,
                None => return,
            },
            message = live.recv() => match message {
                Ok(live) => client.live(&mut socket, live).await,
                Err(RecvError::Lagged(_)) => client.lagged(&mut socket).await,
                Err(RecvError::Closed) => return,
            },
            _ = ping.tick() => {
                if !std::mem::replace(&mut answered, false) {
                    return socket.close(1001, "no answer to a ping").await;
                }
                socket.send(Message::Ping(Default::default())).await
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

struct Client {
    fleet: Fleet,
    store: Arc<dyn Store>,
    /// How far the client is with each topic; `None` until its first message, when it did not say.
    topics: BTreeMap<Topic, Option<u64>>,
}

impl Client {
    async fn message(&mut self, socket: &mut Socket, text: &str) -> Result<(), Gone> {
        let FromBrowser::Subscribe { topics, after } = match serde_json::from_str(text) {
            Ok(message) => message,
            Err(error) => return say(socket, &ToBrowser::Error { detail: format!("not understood: {error}") }).await,
        };
        let mut wanted = BTreeMap::new();
        for text in topics.iter().take(MAX_TOPICS + 1) {
            match text.parse::<Topic>() {
                Ok(topic) => drop(wanted.insert(topic, after.get(text).copied())),
                Err(detail) => return say(socket, &ToBrowser::Error { detail }).await,
            }
        }
        if wanted.len() > MAX_TOPICS {
            let detail = format!("at most {MAX_TOPICS} topics at once");
            return say(socket, &ToBrowser::Error { detail }).await;
        }
        self.topics = wanted;
        let known: Vec<Topic> =
            self.topics.iter().filter(|(_, after)| after.is_some()).map(|(topic, _)| *topic).collect();
        for topic in known {
            self.catch_up(socket, topic).await?;
        }
        // No numbers, no catching up: what holds now.
        let watched = self.topics.keys().filter_map(|topic| match topic {
            Topic::Execution(id) => Some(*id),
            _ => None,
        });
        for delivery in self.fleet.deliveries(watched) {
            say(socket, &delivery).await?;
        }
        say(socket, &ToBrowser::Subscribed { topics }).await
    }

    async fn live(&mut self, socket: &mut Socket, live: Live) -> Result<(), Gone> {
        let Some(position) = self.topics.get_mut(&live.topic) else { return Ok(()) };
        match (live.number, *position) {
            (Some(number), Some(last)) if number <= last => return Ok(()),
            (Some(number), Some(last)) if number > last + 1 => return self.catch_up(socket, live.topic).await,
            (Some(number), _) => *position = Some(number),
            (None, _) => {}
        }
        socket.send(Message::Text(live.text)).await
    }

    /// The client was too slow: what has numbers is caught up with here, for the rest it has to ask again.
    async fn lagged(&mut self, socket: &mut Socket) -> Result<(), Gone> {
        let topics = self.topics.keys().map(Topic::to_string).collect();
        say(socket, &ToBrowser::Lagged { topics }).await?;
        let numbered: Vec<Topic> =
            self.topics.iter().filter(|(_, last)| last.is_some()).map(|(topic, _)| *topic).collect();
        for topic in numbered {
            self.catch_up(socket, topic).await?;
        }
        Ok(())
    }

    /// Sends what the store has after the client's position.
    async fn catch_up(&mut self, socket: &mut Socket, topic: Topic) -> Result<(), Gone> {
        loop {
            let last = self.topics.get(&topic).copied().flatten().unwrap_or(0);
            let page = match self.page(topic, last).await {
                Ok(page) => page,
                Err(error) => {
                    tracing::warn!(%topic, %error, "a watching client cannot catch up");
                    return say(socket, &ToBrowser::Lagged { topics: vec![topic.to_string()] }).await;
                }
            };
            let full = page.len() == CATCH_UP;
            for (number, text) in page {
                socket.send(Message::Text(text)).await?;
                self.topics.insert(topic, Some(number));
            }
            if !full {
                return Ok(());
            }
        }
    }

    async fn page(&self, topic: Topic, after: u64) -> pulse_store::Result<Vec<(u64, Utf8Bytes)>> {
        let text =
            |message: ToBrowser| Utf8Bytes::from(serde_json::to_string(&message).expect("a message has a JSON form"));
        Ok(match topic {
            Topic::Execution(execution_id) => {
                let entries = self.store.read(execution_id, Seq(after), CATCH_UP).await?;
                let message = |entry: pulse_core::event::Entry| {
                    (entry.seq.0, text(ToBrowser::ExecutionEvent { execution_id, entry }))
                };
                entries.into_iter().map(message).collect()
            }
            Topic::Output(execution_id) => {
                let chunks = self.store.output(execution_id, after, &OutputFilter::default(), CATCH_UP).await?;
                let message = |chunk: pulse_core::api::OutputChunk| {
                    (chunk.cursor, text(ToBrowser::Output { execution_id, chunk }))
                };
                chunks.into_iter().map(message).collect()
            }
            Topic::Executions | Topic::Workers => Vec::new(),
        })
    }
}

async fn say(socket: &mut Socket, message: &ToBrowser) -> Result<(), Gone> {
    let text = serde_json::to_string(message).expect("a message has a JSON form");
    socket.send(Message::Text(text.into())).await
}
