//! The sender against receivers on this machine, with a store in memory and a look-up that is told what to answer.

use super::names::{Found, Names};
use super::sender::Sender;
use super::{Allowed, SigningKey, Webhooks};
use crate::clock;
use crate::secrets::DataKey;
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{DeliveryId, ExecutionId, Seq};
use pulse_core::status::{ExecutionStatus, Trigger, WebhookEvent, WebhookStatus};
use pulse_store::{Append, Deliveries as _, DeliveryRecord, ExecutionRecord, Journal as _, MemoryStore, NewDelivery};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Longest wait for anything: far beyond what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Answers from a list, and the last one for ever; counts how often it was asked.
struct Told {
    answers: Vec<Result<Vec<&'static str>, &'static str>>,
    asked: AtomicUsize,
}

impl Told {
    fn new(answers: impl Into<Vec<Result<Vec<&'static str>, &'static str>>>) -> Arc<Self> {
        Arc::new(Self { answers: answers.into(), asked: AtomicUsize::new(0) })
    }
}

impl Names for Told {
    fn look_up(&self, _: String) -> Found {
        let index = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        let answer = match &self.answers[index] {
            Ok(all) => Ok(all.iter().map(|address| address.parse::<IpAddr>().unwrap()).collect()),
            Err(error) => Err(io::Error::other(*error)),
        };
        Box::pin(async move { answer })
    }
}

/// A receiver that answers every request with the same; it keeps what it is sent. One of none keeps its callers waiting.
struct Receiver {
    port: u16,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Receiver {
    async fn start(answer: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, requests) = (listener.local_addr().unwrap().port(), Arc::new(Mutex::new(Vec::new())));
        let kept = requests.clone();
        tokio::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let kept = kept.clone();
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    // Every body here ends so, and nothing else does.
                    while !request.ends_with(b"END") {
                        if socket.read_buf(&mut request).await.unwrap_or(0) == 0 {
                            return;
                        }
                    }
                    kept.lock().unwrap().push(String::from_utf8(request).unwrap());
                    match answer {
                        // Who has heard enough goes away.
                        Some(answer) => drop(socket.write_all(answer.as_bytes()).await),
                        None => std::future::pending().await,
                    }
                });
            }
        });
        Self { port, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

/// A sender over a store in memory; it ends with this.
struct Sending {
    store: Arc<MemoryStore>,
    stop: CancellationToken,
}

impl Sending {
    async fn start(names: Arc<Told>, allow: &str, with_key: bool, deliveries: Vec<NewDelivery>) -> Self {
        let (store, stop) = (Arc::new(MemoryStore::new()), CancellationToken::new());
        let id = ExecutionId(Uuid::now_v7());
        let event = Event::WorkflowError { message: "x".to_owned() };
        let entries = vec![Entry { seq: Seq(1), timestamp: clock::now(), event }];
        let append = Append {
            execution_id: id,
            fence: 0,
            entries,
            record: record(id),
            idempotency: None,
            secrets: None,
            deliveries,
        };
        store.append(append).await.unwrap();
        let data_key = with_key.then(|| DataKey::parse(&"a".repeat(64)).unwrap());
        let key = SigningKey::load(&*store, data_key.as_ref()).await.unwrap();
        let (webhooks, allowed) = (Webhooks::new("http://pulse.test"), Allowed::parse(allow).unwrap());
        let sender = Sender::with_names(store.clone(), webhooks, key, allowed, stop.clone(), names);
        tokio::spawn(sender.run());
        Self { store, stop }
    }

    /// Waits until a call is as it should be.
    async fn until(&self, id: DeliveryId, is_so: impl Fn(&DeliveryRecord) -> bool) -> DeliveryRecord {
        let found = async {
            loop {
                let record = self.store.delivery(id).await.unwrap().unwrap();
                if is_so(&record) {
                    return record;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.expect("waited in vain for a call")
    }

    /// Waits until a call has been tried.
    async fn tried(&self, id: DeliveryId) -> DeliveryRecord {
        self.until(id, |record| record.progress.error.is_some() || record.progress.next_try_at.is_none()).await
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn record(id: ExecutionId) -> ExecutionRecord {
    ExecutionRecord {
        id,
        workflow_id: None,
        workflow: Some("w".to_owned()),
        version: None,
        title: "w".to_owned(),
        status: ExecutionStatus::Running,
        started_by: "ann".to_owned(),
        trigger: Trigger::Api,
        created_at: clock::now(),
        started_at: None,
        finished_at: None,
        error: None,
        waiting_for_input: false,
        wake_at: None,
        active_commands: 0,
        last_seq: Seq(1),
        owner: None,
        lease_until: None,
        fence: 0,
    }
}

fn call(url: &str) -> NewDelivery {
    NewDelivery {
        id: DeliveryId(Uuid::now_v7()),
        event: WebhookEvent::Waiting,
        url: url.to_owned(),
        host: super::call::host_of(url),
        body: "END".to_owned(),
        created_at: clock::now(),
    }
}

const FINE: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfine";

#[tokio::test]
async fn a_name_is_looked_up_once_for_a_try_and_the_call_goes_where_that_said() {
    let receiver = Receiver::start(Some(FINE)).await;
    // Were it asked again, it would lead somewhere else: where nobody is, or where it must not.
    let names = Told::new([Ok(vec!["127.0.0.1"]), Ok(vec!["169.254.169.254"])]);
    let what = call(&format!("http://hooks.example:{}/a?b=c", receiver.port));
    let sending = Sending::start(names.clone(), "127.0.0.1", true, vec![what.clone()]).await;
    let progress = sending.tried(what.id).await.progress;
    assert_eq!((progress.status, progress.answer.as_deref()), (WebhookStatus::Delivered, Some("fine")));
    assert_eq!(names.asked.load(Ordering::SeqCst), 1);
    let requests = receiver.requests();
    assert!(requests.len() == 1 && requests[0].starts_with("POST /a?b=c HTTP/1.1\r\n"), "{requests:?}");
    assert!(requests[0].contains(&format!("host: hooks.example:{}\r\n", receiver.port)), "by its name: {requests:?}");
}

#[tokio::test]
async fn a_name_that_leads_inside_is_not_called_and_looked_up_again_later() {
    let receiver = Receiver::start(Some(FINE)).await;
    for (answer, says) in [
        (vec!["127.0.0.1"], "hooks.example is at 127.0.0.1, a loopback address"),
        (vec!["8.8.8.8", "10.0.0.7"], "hooks.example is at 10.0.0.7, a private address"),
        (vec!["::ffff:127.0.0.1"], "hooks.example is at ::ffff:127.0.0.1, an IPv4 address in an IPv6 one"),
        (vec!["fe80::1"], "hooks.example is at fe80::1, a link-local address"),
        (vec![], "the name hooks.example cannot be looked up: it has no address"),
    ] {
        let what = call(&format!("http://hooks.example:{}/", receiver.port));
        let names = Told::new([Ok(answer)]);
        let sending = Sending::start(names, "192.168.0.0/16", true, vec![what.clone()]).await;
        let progress = sending.tried(what.id).await.progress;
        let error = progress.error.unwrap();
        assert!(error.starts_with(says), "{error}");
        assert_eq!(progress.status, WebhookStatus::Pending, "another look-up may say otherwise");
        // And so it does: tried again, it is looked up and refused again.
        sending.until(what.id, |record| record.progress.attempts > 1).await;
    }
    assert!(receiver.requests().is_empty());
}

#[tokio::test]
async fn an_address_that_leads_inside_is_given_up_at_once_and_never_looked_up() {
    let receiver = Receiver::start(Some(FINE)).await;
    let names = Told::new([Err("never asked")]);
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "0177.1", "[::ffff:127.0.0.1]", "127.0.0.1."] {
        let what = call(&format!("http://{host}:{}/", receiver.port));
        let sending = Sending::start(names.clone(), "10.0.0.0/8", true, vec![what.clone()]).await;
        let progress = sending.tried(what.id).await.progress;
        assert_eq!((progress.status, progress.attempts), (WebhookStatus::GivenUp, 1), "{host}");
        assert!(progress.error.unwrap().contains("PULSE_WEBHOOK_ALLOW"), "{host}");
    }
    assert!(receiver.requests().is_empty());
    assert_eq!(names.asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn whatever_is_no_success_is_tried_again_and_a_redirect_is_not_followed() {
    let target = Receiver::start(Some(FINE)).await;
    let redirect: &'static str = Box::leak(
        format!(
            "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{}/\r\ncontent-length: 0\r\n\r\n",
            target.port
        )
        .into_boxed_str(),
    );
    let names = Told::new([Err("never asked")]);
    for (answer, status, says) in [
        (redirect, Some(307), "answered 307; a redirect is not followed"),
        ("HTTP/1.1 503 Busy\r\ncontent-length: 9\r\n\r\nnot\0 \u{1f980}", Some(503), "answered 503"),
        ("this is no HTTP\r\n\r\n", None, "no answer: "),
    ] {
        let receiver = Receiver::start(Some(answer)).await;
        let what = call(&format!("http://127.0.0.1:{}/?token=hunter2", receiver.port));
        let sending = Sending::start(names.clone(), "127.0.0.1", true, vec![what.clone()]).await;
        let progress = sending.tried(what.id).await.progress;
        let error = progress.error.unwrap();
        assert!(error.starts_with(says) && !error.contains("hunter2"), "{error}");
        assert_eq!((progress.status, progress.answer_status), (WebhookStatus::Pending, status));
        if status == Some(503) {
            assert_eq!(progress.answer.as_deref(), Some("not\u{fffd} \u{1f980}"), "made storable");
        }
        sending.until(what.id, |record| record.progress.attempts > 1).await;
    }
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn of_a_long_answer_the_beginning_is_kept() {
    let answer: &'static str = Box::leak(
        format!("HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n{}", "é".repeat(100_000)).into_boxed_str(),
    );
    let receiver = Receiver::start(Some(answer)).await;
    let what = call(&format!("http://127.0.0.1:{}/", receiver.port));
    let sending = Sending::start(Told::new([Err("never asked")]), "127.0.0.1", true, vec![what.clone()]).await;
    let progress = sending.tried(what.id).await.progress;
    assert_eq!(progress.status, WebhookStatus::Delivered);
    assert_eq!(progress.answer, Some("é".repeat(500)));
}

#[tokio::test]
async fn a_receiver_that_never_answers_holds_up_nobody_else() {
    let (silent, fine) = (Receiver::start(None).await, Receiver::start(Some(FINE)).await);
    let slow: Vec<NewDelivery> = (0..200).map(|_| call(&format!("http://127.0.0.1:{}/", silent.port))).collect();
    let other = call(&format!("http://127.0.0.1:{}/", fine.port));
    let all = slow.iter().cloned().chain([other.clone()]).collect();
    let sending = Sending::start(Told::new([Err("never asked")]), "127.0.0.1", true, all).await;
    assert_eq!(sending.tried(other.id).await.progress.status, WebhookStatus::Delivered);
    let pending = sending.store.next_deliveries(&[], 1000).await.unwrap();
    let is_tried = |record: &&DeliveryRecord| record.progress.attempts > 0 && record.progress.error.is_none();
    assert!(pending.iter().filter(is_tried).count() <= 1, "one at a time");
    // The first is let go in the end, and it is said why.
    let error = sending.tried(slow[0].id).await.progress.error.unwrap();
    assert_eq!(error, "no answer within 10 s");
}

#[tokio::test]
async fn without_a_key_nothing_is_sent_and_it_is_said_why() {
    let receiver = Receiver::start(Some(FINE)).await;
    let what = call(&format!("http://127.0.0.1:{}/", receiver.port));
    let sending = Sending::start(Told::new([Err("never asked")]), "127.0.0.1", false, vec![what.clone()]).await;
    let progress = sending.tried(what.id).await.progress;
    assert!(progress.error.unwrap().contains("PULSE_DATA_KEY"));
    assert_eq!(progress.status, WebhookStatus::Pending, "it is sent once there is one");
    assert!(receiver.requests().is_empty());
}
