//! Many writers at once.

use super::fixtures::{append, new_id, record, seqs};
use crate::{Append, Appended, Error, Store};
use futures_util::FutureExt;
use futures_util::future::join_all;
use pulse_core::ids::Seq;
use std::sync::Arc;

/// Of those who expect the same next number one succeeds; the others learn what comes next.
pub async fn one_of_many_writers_wins(store: Arc<dyn Store>) {
    let id = new_id();
    store.append(append(record(id), 1, 1)).await.unwrap();
    let writers: Vec<_> = (0..32)
        .map(|n| {
            let store = store.clone();
            let mut mine = append(record(id), 2, 3);
            mine.record.active_commands = n;
            tokio::spawn(async move { store.append(mine).await })
        })
        .collect();
    let answers: Vec<_> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
    let winners: Vec<usize> = (0..32).filter(|n| answers[*n] == Ok(Appended::New)).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    let conflict = Err(Error::Conflict { execution_id: id, expected: Seq(2), actual: Seq(4) });
    assert!(answers.iter().enumerate().all(|(n, answer)| n == winners[0] || *answer == conflict), "{answers:?}");
    assert_eq!(seqs(&*store, id).await, [1, 2, 3]);
    let summary = store.execution(id).await.unwrap().unwrap();
    assert_eq!(summary.active_commands as usize, winners[0], "the summary is the winner's");
}

/// Appends that follow each other may be under way together, from the first on.
pub async fn takes_many_appends_of_one_execution_at_once(store: Arc<dyn Store>) {
    let (id, other) = (new_id(), new_id());
    let mut appends = Vec::new();
    for n in 0..50 {
        let mut next = append(record(id), 2 * n + 1, 2 * n + 2);
        next.record.active_commands = u32::try_from(n).unwrap();
        appends.push(store.append(next));
        appends.push(store.append(append(record(other), n + 1, n + 1)));
    }
    // Polled in this order, which is the order in which they are queued.
    let answers = join_all(appends).await;
    assert!(answers.iter().all(|answer| *answer == Ok(Appended::New)), "{answers:?}");
    assert_eq!(seqs(&*store, id).await, (1..=100).collect::<Vec<_>>());
    assert_eq!(seqs(&*store, other).await, (1..=50).collect::<Vec<_>>());
    let summary = store.execution(id).await.unwrap().unwrap();
    assert_eq!((summary.last_seq, summary.active_commands), (Seq(100), 49));
}

/// In whatever company a refused append is, the others are not touched by it.
pub async fn a_conflict_fails_nobody_else(store: Arc<dyn Store>) {
    let fenced = new_id();
    store.append(Append { fence: 9, ..append(record(fenced), 1, 1) }).await.unwrap();
    let ids: Vec<_> = (0..60).map(|_| new_id()).collect();
    let mut calls = Vec::new();
    for (n, id) in ids.iter().enumerate() {
        calls.push(store.append(append(record(*id), 1, 2)));
        match n % 3 {
            0 => calls.push(store.append(append(record(*id), 5, 5))),
            1 => calls.push(store.append(append(record(fenced), 2, 2))),
            _ => calls.push(store.append(append(record(*id), 1, 1))),
        }
    }
    let answers = join_all(calls).await;
    for pair in answers.chunks(2) {
        assert_eq!(pair[0], Ok(Appended::New));
        assert!(matches!(pair[1], Err(Error::Conflict { .. } | Error::Fenced { .. })), "{:?}", pair[1]);
    }
    for id in ids {
        assert_eq!(seqs(&*store, id).await, [1, 2]);
    }
    assert_eq!(seqs(&*store, fenced).await, [1]);
}

/// Groups and appends of many rows.
pub async fn takes_more_rows_than_one_statement(store: Arc<dyn Store>) {
    let long = new_id();
    store.append(append(record(long), 1, 777)).await.unwrap();
    assert_eq!(seqs(&*store, long).await, (1..=777).collect::<Vec<_>>());

    let ids: Vec<_> = (0..333).map(|_| new_id()).collect();
    let answers = join_all(ids.iter().map(|id| store.append(append(record(*id), 1, 1)))).await;
    assert!(answers.iter().all(|answer| *answer == Ok(Appended::New)));
    assert_eq!(store.unfinished(None, 1000).await.unwrap().len(), 334);
}

/// A caller that goes away leaves all or nothing behind, and what it had begun goes before what comes after.
pub async fn dropped_calls_are_whole(store: Arc<dyn Store>) {
    let begun: Vec<_> = (0..40).map(|_| new_id()).collect();
    for id in &begun {
        // Once polled it is on its way; then it is dropped.
        let _ = store.append(append(record(*id), 1, 3)).now_or_never();
    }
    let aborted: Vec<_> = (0..40).map(|_| new_id()).collect();
    for id in &aborted {
        let (store, id) = (store.clone(), *id);
        tokio::spawn(async move { store.append(append(record(id), 1, 3)).await }).abort();
    }
    let last = new_id();
    store.append(append(record(last), 1, 1)).await.unwrap();
    for id in begun {
        assert_eq!(seqs(&*store, id).await, [1, 2, 3]);
        assert_eq!(store.execution(id).await.unwrap().unwrap().last_seq, Seq(3));
    }
    for id in aborted {
        let summary = store.execution(id).await.unwrap();
        let journal = seqs(&*store, id).await;
        assert_eq!(journal.len(), summary.map_or(0, |_| 3));
    }
}

/// What was begun before the end is written; what comes after is refused.
pub async fn refuses_writes_once_closed(store: Arc<dyn Store>) {
    let id = new_id();
    let mut begun = Box::pin(store.append(append(record(id), 1, 1)));
    let early = begun.as_mut().now_or_never();
    store.close().await;
    let answer = match early {
        Some(answer) => answer,
        None => begun.await,
    };
    assert_eq!(answer, Ok(Appended::New));
    assert!(matches!(store.append(append(record(id), 2, 2)).await, Err(Error::Unavailable { .. })));
    assert!(matches!(store.delete_worker(pulse_core::ids::WorkerId(id.0)).await, Err(Error::Unavailable { .. })));
    assert_eq!(*store.failed().borrow(), None, "closing is no failure");
    store.close().await;
}
