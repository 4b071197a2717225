//! Idempotency keys.

use super::fixtures::{append, create, new_id, record, seqs};
use crate::{Append, Appended, Error, IdempotencyKey, Store};
use futures_util::future::join_all;
use pulse_core::ids::ExecutionId;
use std::sync::Arc;

fn keyed(id: ExecutionId, scope: &str, key: &str, request_hash: &str) -> Append {
    let idempotency =
        IdempotencyKey { scope: scope.to_owned(), key: key.to_owned(), request_hash: request_hash.to_owned() };
    Append { idempotency: Some(idempotency), ..append(record(id), 1, 1) }
}

/// The same request again is answered with what the first one made, and makes nothing.
pub async fn a_key_counts_once(store: Arc<dyn Store>) {
    let (first, second) = (new_id(), new_id());
    let (request, other) = (keyed(first, "ada run", "k", "h"), keyed(first, "ada run", "k", "other"));
    let (key, other) = (request.idempotency.clone().unwrap(), other.idempotency.unwrap());
    assert_eq!(store.used(&key).await, Ok(None));
    assert_eq!(store.append(request).await, Ok(Appended::New));
    assert_eq!(store.used(&key).await, Ok(Some(Appended::Existing { execution_id: first, same_request: true })));
    assert_eq!(store.used(&other).await, Ok(Some(Appended::Existing { execution_id: first, same_request: false })));
    let again = store.append(keyed(second, "ada run", "k", "h")).await;
    assert_eq!(again, Ok(Appended::Existing { execution_id: first, same_request: true }));
    assert_eq!(store.execution(second).await.unwrap(), None);
    assert_eq!(seqs(&*store, second).await, [0; 0]);
    let same = store.append(keyed(first, "ada run", "k", "h")).await;
    assert_eq!(
        same,
        Ok(Appended::Existing { execution_id: first, same_request: true }),
        "even where it would conflict"
    );
}

/// Another request under a used key is said to be one.
pub async fn another_request_under_a_key_is_told_apart(store: Arc<dyn Store>) {
    let first = new_id();
    store.append(keyed(first, "ada run", "k", "h")).await.unwrap();
    let other = store.append(keyed(new_id(), "ada run", "k", "other")).await;
    assert_eq!(other, Ok(Appended::Existing { execution_id: first, same_request: false }));
}

/// Scopes and keys are exact, and do not run into each other.
pub async fn keys_hold_in_their_scope(store: Arc<dyn Store>) {
    for (scope, key) in [("ab", "c"), ("a", "bc"), ("", "abc"), ("ab", "C"), ("ab", "c "), ("abc", "")] {
        assert_eq!(store.append(keyed(new_id(), scope, key, "h")).await, Ok(Appended::New), "{scope:?} {key:?}");
    }
    let long = "k".repeat(100_000);
    assert_eq!(store.append(keyed(new_id(), "ab", &long, "h")).await, Ok(Appended::New));
}

/// Of many at once under one key one is new, and the others are told which.
pub async fn many_at_once_start_one(store: Arc<dyn Store>) {
    let ids: Vec<_> = (0..32).map(|_| new_id()).collect();
    let calls = ids.iter().map(|id| {
        let (store, request) = (store.clone(), keyed(*id, "ada run", "k", "h"));
        tokio::spawn(async move { store.append(request).await.unwrap() })
    });
    let answers: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap).collect();
    let new: Vec<_> = ids.iter().zip(&answers).filter(|(_, answer)| **answer == Appended::New).collect();
    assert_eq!(new.len(), 1, "{answers:?}");
    let existing = Appended::Existing { execution_id: *new[0].0, same_request: true };
    assert_eq!(answers.iter().filter(|answer| **answer == existing).count(), 31);
    assert_eq!(store.unfinished(None, 100).await.unwrap().len(), 1);
}

/// A key whose append was refused is still free.
pub async fn a_refused_append_uses_no_key(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    assert!(matches!(store.append(keyed(id, "s", "k", "h")).await, Err(Error::Conflict { .. })));
    assert_eq!(store.append(keyed(new_id(), "s", "k", "h")).await, Ok(Appended::New));
}
