//! Sealed secrets live as long as their execution; settings stay.

use super::fixtures::{append, new_id, record};
use crate::{Append, Appended, ExecutionRecord, IdempotencyKey, Store};
use futures_util::future::join_all;
use pulse_core::ids::ExecutionId;
use pulse_core::status::ExecutionStatus;
use std::sync::Arc;

/// Every byte there is, more than once.
fn sealed(length: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(length).collect()
}

fn with(id: ExecutionId, secrets: Option<Vec<u8>>, first: u64, last: u64, status: ExecutionStatus) -> Append {
    Append { secrets, ..append(ExecutionRecord { status, ..record(id) }, first, last) }
}

/// From the first append to the one that ends the execution, whichever way; and a late entry brings nothing back.
pub async fn keeps_them_until_the_end(store: Arc<dyn Store>) {
    for status in ExecutionStatus::ALL.iter().filter(|status| status.is_final()) {
        let id = new_id();
        assert_eq!(store.execution_secrets(id).await, Ok(None));
        store.append(with(id, Some(sealed(200_000)), 1, 2, ExecutionStatus::Running)).await.unwrap();
        assert_eq!(store.execution_secrets(id).await, Ok(Some(sealed(200_000))));
        store.append(with(id, None, 3, 3, ExecutionStatus::Waiting)).await.unwrap();
        assert_eq!(store.execution_secrets(id).await, Ok(Some(sealed(200_000))), "they outlive other appends");
        store.append(with(id, None, 4, 4, *status)).await.unwrap();
        assert_eq!(store.execution_secrets(id).await, Ok(None), "{status}");
        store.append(with(id, None, 5, 5, *status)).await.unwrap();
        assert_eq!(store.execution_secrets(id).await, Ok(None));
        assert_eq!(store.delete_execution(id).await, Ok(true));
        assert_eq!(store.execution_secrets(id).await, Ok(None));
    }
}

/// A repeated request and a conflict leave the first one's secrets, and none of their own.
pub async fn takes_none_of_a_refused_append(store: Arc<dyn Store>) {
    let key = IdempotencyKey { scope: "s".to_owned(), key: "k".to_owned(), request_hash: "h".to_owned() };
    let (first, second) = (new_id(), new_id());
    let request = |id, secrets| Append {
        idempotency: Some(key.clone()),
        ..with(id, Some(secrets), 1, 1, ExecutionStatus::Running)
    };
    assert_eq!(store.append(request(first, sealed(1))).await, Ok(Appended::New));
    let repeated = store.append(request(second, sealed(2))).await;
    assert_eq!(repeated, Ok(Appended::Existing { execution_id: first, same_request: true }));
    assert!(store.append(with(first, Some(sealed(3)), 1, 1, ExecutionStatus::Running)).await.is_err());
    assert!(store.append(with(first, None, 9, 9, ExecutionStatus::Failed)).await.is_err(), "it ends nothing");
    assert_eq!(store.execution_secrets(first).await, Ok(Some(sealed(1))));
    assert_eq!(store.execution_secrets(second).await, Ok(None));
}

/// Many at once, of which every second one ends.
pub async fn deletes_only_those_of_the_ended(store: Arc<dyn Store>) {
    let ids: Vec<ExecutionId> = (0..150).map(|_| new_id()).collect();
    let begin = |id: &ExecutionId| store.append(with(*id, Some(sealed(40)), 1, 1, ExecutionStatus::Running));
    assert!(join_all(ids.iter().map(begin)).await.into_iter().all(|appended| appended.is_ok()));
    let end = |id: &ExecutionId| store.append(with(*id, None, 2, 2, ExecutionStatus::Completed));
    assert!(join_all(ids.iter().step_by(2).map(end)).await.into_iter().all(|appended| appended.is_ok()));
    for (index, id) in ids.iter().enumerate() {
        let left = store.execution_secrets(*id).await.unwrap().is_some();
        assert_eq!(left, index % 2 == 1, "the {index}th");
    }
}

/// First and last append in one group, and one append that is both.
pub async fn a_group_may_begin_and_end(store: Arc<dyn Store>) {
    let (id, at_once) = (new_id(), new_id());
    let appends = [
        with(id, Some(sealed(9)), 1, 1, ExecutionStatus::Running),
        with(id, None, 2, 2, ExecutionStatus::Completed),
        with(at_once, Some(sealed(9)), 1, 3, ExecutionStatus::Completed),
    ];
    for appended in join_all(appends.map(|append| store.append(append))).await {
        assert_eq!(appended, Ok(Appended::New));
    }
    assert_eq!(store.execution_secrets(id).await, Ok(None));
    assert_eq!(store.execution_secrets(at_once).await, Ok(None));
}

/// The latest value of each name.
pub async fn keeps_settings(store: Arc<dyn Store>) {
    assert_eq!(store.setting("a").await, Ok(None));
    for (name, value) in [("a", sealed(300)), ("b", Vec::new()), ("a", sealed(70_000)), ("A", sealed(1))] {
        store.put_setting(name, value.clone()).await.unwrap();
        assert_eq!(store.setting(name).await, Ok(Some(value)));
    }
    assert_eq!(store.setting("a").await, Ok(Some(sealed(70_000))));
}

/// The first value of a name, whoever asks.
pub async fn keeps_the_first_setting(store: Arc<dyn Store>) {
    let values = (1..=8).map(|n| store.keep_setting("k", vec![n]));
    let kept: Vec<_> = join_all(values).await.into_iter().map(|kept| kept.unwrap()).collect();
    assert!(kept.iter().all(|value| *value == kept[0]), "{kept:?}");
    assert_eq!(store.setting("k").await, Ok(Some(kept[0].clone())));
    assert_eq!(store.keep_setting("other", vec![9]).await, Ok(vec![9]));
}
