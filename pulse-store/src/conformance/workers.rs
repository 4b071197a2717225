//! The registry of workers.

use super::fixtures::NOW;
use crate::{Error, Store, WorkerRecord};
use pulse_core::ids::WorkerId;
use pulse_core::time::Timestamp;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

fn worker(name: &str) -> WorkerRecord {
    WorkerRecord {
        id: WorkerId(Uuid::now_v7()),
        name: name.to_owned(),
        labels: [("os", "linux"), ("größe", "🦀")].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
        capacity: 8,
        draining: false,
        version: "0.1.0".to_owned(),
        last_seen: NOW,
        metadata: json!({"b": 1.5, "a": {"list": [1, null, "x"]}}).as_object().unwrap().clone(),
        created_at: NOW,
    }
}

/// Inserts, then replaces everything.
pub async fn saves_and_replaces(store: Arc<dyn Store>) {
    let mut one = worker("Web-1");
    store.save_worker(one.clone()).await.unwrap();
    assert_eq!(store.worker(one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(store.worker_by_name("wEB-1").await.unwrap(), Some(one.clone()));
    assert_eq!(store.worker_by_name("web-2").await.unwrap(), None);
    one.name = "web-2".to_owned();
    one.labels.clear();
    one.capacity = 1;
    one.draining = true;
    one.last_seen = NOW.plus(Duration::from_millis(1));
    one.metadata.clear();
    store.save_worker(one.clone()).await.unwrap();
    assert_eq!(store.worker(one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(store.worker_by_name("web-1").await.unwrap(), None);
    assert_eq!(store.workers().await.unwrap(), [one]);
}

/// What a worker tells leaves what others have changed of it.
pub async fn greets(store: Arc<dyn Store>) {
    let mut one = worker("web-1");
    store.greet_worker(one.clone()).await.unwrap();
    assert_eq!(store.worker(one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(store.change_worker(one.id, None, Some(true)).await, Ok(true));
    (one.name, one.capacity, one.last_seen) = ("web-2".to_owned(), 3, NOW.plus(Duration::from_millis(1)));
    store.greet_worker(WorkerRecord { created_at: one.last_seen, ..one.clone() }).await.unwrap();
    one.draining = true;
    assert_eq!(store.worker(one.id).await.unwrap(), Some(one.clone()));
    one.labels = [("os".to_owned(), "bsd".to_owned())].into();
    assert_eq!(store.change_worker(one.id, Some(one.labels.clone()), None).await, Ok(true));
    assert_eq!(store.change_worker(one.id, None, None).await, Ok(true));
    assert_eq!(store.worker(one.id).await.unwrap(), Some(one.clone()));
    assert_eq!(store.change_worker(worker("web-3").id, None, Some(true)).await, Ok(false));
    assert_eq!(store.greet_worker(worker("WEB-2")).await, Err(Error::NameTaken { name: "WEB-2".to_owned() }));
    assert_eq!(store.workers().await.unwrap(), [one]);
}

/// Ignoring case, for inserts and for renames.
pub async fn names_are_unique(store: Arc<dyn Store>) {
    let one = worker("web-1");
    store.save_worker(one.clone()).await.unwrap();
    assert_eq!(store.save_worker(worker("WEB-1")).await, Err(Error::NameTaken { name: "WEB-1".to_owned() }));
    let mut two = worker("web-2");
    store.save_worker(two.clone()).await.unwrap();
    two.name = "Web-1".to_owned();
    assert_eq!(store.save_worker(two).await, Err(Error::NameTaken { name: "Web-1".to_owned() }));
    store.save_worker(WorkerRecord { name: "WEB-1".to_owned(), ..one }).await.unwrap();
    assert_eq!(store.workers().await.unwrap().len(), 2);
}

/// All, ignoring case.
pub async fn lists_by_name(store: Arc<dyn Store>) {
    for name in ["b", "A", "C", "a2"] {
        store.save_worker(worker(name)).await.unwrap();
    }
    let names: Vec<_> = store.workers().await.unwrap().into_iter().map(|worker| worker.name).collect();
    assert_eq!(names, ["A", "a2", "b", "C"]);
}

/// Times only move on, and the unknown are passed over.
pub async fn touches_forward_only(store: Arc<dyn Store>) {
    let (one, two, three) = (worker("1"), worker("2"), worker("3"));
    for worker in [&one, &two, &three] {
        store.save_worker(worker.clone()).await.unwrap();
    }
    let at = |millis: i64| Timestamp::from_millis(NOW.as_millis() + millis);
    let unknown = worker("4").id;
    store.touch_workers(vec![(one.id, at(5)), (two.id, at(-5)), (unknown, at(5))]).await.unwrap();
    store.touch_workers(vec![]).await.unwrap();
    let seen: Vec<_> = store.workers().await.unwrap().into_iter().map(|worker| worker.last_seen).collect();
    assert_eq!(seen, [at(5), at(0), at(0)]);
    let many: Vec<_> =
        (0..1200).map(|n| (if n == 1100 { three.id } else { WorkerId(Uuid::now_v7()) }, at(9))).collect();
    store.touch_workers(many).await.unwrap();
    assert_eq!(store.worker(three.id).await.unwrap().unwrap().last_seen, at(9));
}

/// A deleted worker is gone, and its name free.
pub async fn forgets(store: Arc<dyn Store>) {
    let one = worker("web-1");
    store.save_worker(one.clone()).await.unwrap();
    assert_eq!(store.delete_worker(one.id).await, Ok(true));
    assert_eq!(store.delete_worker(one.id).await, Ok(false));
    assert_eq!(store.worker(one.id).await.unwrap(), None);
    store.save_worker(worker("WEB-1")).await.unwrap();
}
