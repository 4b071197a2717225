//! Calls of webhooks: with their entries or not at all, each moved by one at a time, gone with their execution.

use super::fixtures::{NOW, append, create_in, new_id, record};
use crate::{Append, DeliveryProgress, DeliveryRecord, Error, ExecutionRecord, IdempotencyKey, NewDelivery, Store};
use futures_util::future::join_all;
use pulse_core::ids::{DeliveryId, ExecutionId};
use pulse_core::status::{ExecutionStatus, WebhookEvent, WebhookStatus};
use pulse_core::time::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

fn at(offset: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + offset)
}

/// A call of a host, caused so long after [`NOW`].
fn call(host: &str, offset: i64) -> NewDelivery {
    NewDelivery {
        id: DeliveryId(Uuid::now_v7()),
        event: WebhookEvent::Waiting,
        url: format!("http://{host}/größe?🦀"),
        host: host.to_owned(),
        body: format!("{{\"🦀\": {offset}}}"),
        created_at: at(offset),
    }
}

fn new(execution_id: ExecutionId, what: &NewDelivery) -> DeliveryRecord {
    DeliveryRecord { execution_id, what: what.clone(), progress: DeliveryProgress::new(what.created_at) }
}

/// Appends an execution's first entry with calls.
async fn with(store: &dyn Store, deliveries: &[NewDelivery]) -> ExecutionId {
    let id = new_id();
    store.append(Append { deliveries: deliveries.to_vec(), ..append(record(id), 1, 1) }).await.unwrap();
    id
}

/// In one transaction, and listed by execution, oldest first, in pages.
pub async fn are_written_with_their_entries(store: Arc<dyn Store>) {
    let (first, second, others) = (call("a", 0), call("b", 1), call("a", 2));
    let (id, other) =
        (with(&*store, &[first.clone(), second.clone()]).await, with(&*store, std::slice::from_ref(&others)).await);
    assert_eq!(store.deliveries(id, None, 10).await.unwrap(), [new(id, &first), new(id, &second)]);
    assert_eq!(store.deliveries(id, None, 1).await.unwrap(), [new(id, &first)]);
    assert_eq!(store.deliveries(id, Some(first.id), 10).await.unwrap(), [new(id, &second)]);
    assert_eq!(store.deliveries(id, Some(second.id), 10).await.unwrap(), []);
    assert_eq!(store.delivery(others.id).await.unwrap(), Some(new(other, &others)));
    assert_eq!(store.delivery(DeliveryId(Uuid::now_v7())).await.unwrap(), None);
    assert_eq!(store.deliveries(new_id(), None, 10).await.unwrap(), []);

    // More than one statement takes.
    let many: Vec<NewDelivery> = (0..150).map(|n| call("c", n)).collect();
    let id = with(&*store, &many).await;
    let listed = store.deliveries(id, None, 200).await.unwrap();
    assert_eq!(listed, many.iter().map(|what| new(id, what)).collect::<Vec<_>>());
}

/// A conflict and a repeated request write nothing, though others of their group are written.
pub async fn are_not_written_with_a_refused_append(store: Arc<dyn Store>) {
    let (id, key) = (new_id(), IdempotencyKey { scope: "s".into(), key: "k".into(), request_hash: "h".into() });
    let first = |id, what: &NewDelivery| Append {
        deliveries: vec![what.clone()],
        idempotency: Some(key.clone()),
        ..append(record(id), 1, 1)
    };
    let taken = call("a", 0);
    store.append(first(id, &taken)).await.unwrap();
    let (again, conflict, fine) = (call("a", 1), call("a", 2), call("a", 3));
    let appends = [
        first(new_id(), &again),
        Append { deliveries: vec![conflict.clone()], ..append(record(id), 7, 7) },
        Append { deliveries: vec![fine.clone()], ..append(record(id), 2, 2) },
    ];
    let appended = join_all(appends.map(|append| store.append(append))).await;
    assert!(matches!(appended[1], Err(Error::Conflict { .. })), "{appended:?}");
    assert_eq!(store.next_deliveries(&[], 10).await.unwrap(), [new(id, &taken), new(id, &fine)]);
}

/// By when they are to be tried next; those of hosts that are busy are left out, and those that are over.
pub async fn come_by_their_time_and_not_from_busy_hosts(store: Arc<dyn Store>) {
    let (late, early, other, over) = (call("a", 5), call("a", -5), call("b", 1), call("a", 0));
    let id = with(&*store, &[late.clone(), early.clone(), other.clone(), over.clone()]).await;
    for status in [WebhookStatus::Delivered, WebhookStatus::GivenUp] {
        let progress = DeliveryProgress { status, next_try_at: None, ..DeliveryProgress::new(NOW) };
        assert!(store.move_delivery(over.id, 0, progress).await.unwrap());
        let next = store.next_deliveries(&[], 10).await.unwrap();
        assert_eq!(next, [new(id, &early), new(id, &other), new(id, &late)]);
    }
    assert_eq!(store.next_deliveries(&[], 1).await.unwrap(), [new(id, &early)]);
    assert_eq!(store.next_deliveries(&["a".into()], 10).await.unwrap(), [new(id, &other)]);
    assert_eq!(store.next_deliveries(&["a".into(), "b".into()], 10).await.unwrap(), []);
}

/// Of many who begin the same try one does, and only who began it ends it.
pub async fn are_moved_by_one_only(store: Arc<dyn Store>) {
    let what = call("a", 0);
    let id = with(&*store, std::slice::from_ref(&what)).await;
    let begun = DeliveryProgress { attempts: 1, next_try_at: Some(at(9)), ..DeliveryProgress::new(NOW) };
    let begin = (0..8).map(|_| store.move_delivery(what.id, 0, begun.clone()));
    let who = join_all(begin).await.into_iter().filter(|moved| *moved == Ok(true)).count();
    assert_eq!(who, 1);
    let kept = store.delivery(what.id).await.unwrap().unwrap();
    assert_eq!(kept, DeliveryRecord { progress: begun, ..new(id, &what) });

    let ended = DeliveryProgress {
        attempts: 1,
        status: WebhookStatus::Delivered,
        next_try_at: None,
        answer_status: Some(299),
        answer: Some("fine 🦀".to_owned()),
        error: None,
    };
    assert_eq!(store.move_delivery(what.id, 0, ended.clone()).await, Ok(false));
    assert_eq!(store.move_delivery(what.id, 1, ended.clone()).await, Ok(true));
    // The same once more is the same.
    assert_eq!(store.move_delivery(what.id, 1, ended.clone()).await, Ok(true));
    assert_eq!(store.delivery(what.id).await.unwrap().unwrap().progress, ended);
    assert_eq!(store.move_delivery(DeliveryId(Uuid::now_v7()), 0, ended).await, Ok(false));
}

/// And nobody else's do.
pub async fn go_with_their_execution(store: Arc<dyn Store>) {
    let (what, others) = (call("a", 0), call("a", 1));
    let other = with(&*store, std::slice::from_ref(&others)).await;
    let id = create_in(&*store, ExecutionStatus::Running).await;
    let ended = ExecutionRecord { status: ExecutionStatus::Failed, ..record(id) };
    store.append(Append { deliveries: vec![what.clone()], ..append(ended, 2, 2) }).await.unwrap();
    assert_eq!(store.delete_execution(id).await, Ok(true));
    assert_eq!(store.delivery(what.id).await.unwrap(), None);
    assert_eq!(store.next_deliveries(&[], 10).await.unwrap(), [new(other, &others)]);
    let progress = DeliveryProgress { attempts: 1, ..DeliveryProgress::new(NOW) };
    assert_eq!(store.move_delivery(what.id, 0, progress).await, Ok(false), "a try that was under way");
}

/// Whatever a receiver answers.
pub async fn keep_what_any_answer_holds(store: Arc<dyn Store>) {
    let what = NewDelivery { host: "h".repeat(300), ..call("a", 0) };
    with(&*store, std::slice::from_ref(&what)).await;
    let progress = DeliveryProgress {
        attempts: 1,
        answer_status: Some(500),
        answer: Some("nul \0 and \u{1f980} '\"\\".to_owned()),
        error: Some("e\0".to_owned()),
        ..DeliveryProgress::new(NOW)
    };
    assert_eq!(store.move_delivery(what.id, 0, progress).await, Ok(true));
    let kept = store.delivery(what.id).await.unwrap().unwrap();
    assert_eq!(kept.progress.answer.as_deref(), Some("nul \u{fffd} and \u{1f980} '\"\\"));
    assert_eq!(kept.progress.error.as_deref(), Some("e\u{fffd}"));
    assert_eq!(kept.what.host.len(), 255);
}
