//! Summaries: lists, wake-ups, deletion.

use super::fixtures::{NOW, append, create, create_in, new_command, new_id, piece, record, seqs};
use crate::{Append, Appended, Error, ExecutionFilter, ExecutionRecord, IdempotencyKey, OutputFilter, Store};
use futures_util::future::join_all;
use pulse_core::ids::ExecutionId;
use pulse_core::status::ExecutionStatus;
use pulse_core::time::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

/// One by its id.
pub async fn finds_by_id(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    assert_eq!(store.execution(id).await.unwrap().map(|record| record.id), Some(id));
    assert_eq!(store.execution(new_id()).await.unwrap(), None);
}

async fn pages(store: &dyn Store, filter: &ExecutionFilter, size: usize) -> Vec<ExecutionId> {
    let mut seen = Vec::new();
    loop {
        let page = store.executions(filter, seen.last().copied(), size).await.unwrap();
        seen.extend(page.iter().map(|record| record.id));
        if page.len() < size {
            return seen;
        }
    }
}

/// All of them, newest first, in pages of any size, with and without a filter.
pub async fn pages_newest_first(store: Arc<dyn Store>) {
    let mut ids = Vec::new();
    for n in 0..60 {
        ids.push(create_in(&*store, ExecutionStatus::ALL[n % 6]).await);
    }
    ids.reverse();
    let some = ExecutionFilter { status: ExecutionStatus::ALL[1..4].to_vec(), ..ExecutionFilter::default() };
    for size in [1, 7, 20, 100] {
        assert_eq!(pages(&*store, &ExecutionFilter::default(), size).await, ids);
        assert_eq!(pages(&*store, &some, size).await.len(), 30);
    }
    let page = store.executions(&some, None, 30).await.unwrap();
    assert!(page.is_sorted_by(|a, b| a.id > b.id));
    assert_eq!(store.executions(&some, None, 0).await.unwrap(), []);
}

/// Executions that come, and change, between two pages neither repeat nor hide what was there.
pub async fn pages_stay_put_while_more_come(store: Arc<dyn Store>) {
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(create_in(&*store, ExecutionStatus::Running).await);
    }
    let mut seen: Vec<ExecutionId> = Vec::new();
    for n in 0..10 {
        let page = store.executions(&ExecutionFilter::default(), seen.last().copied(), 2).await.unwrap();
        seen.extend(page.iter().map(|record| record.id));
        create_in(&*store, ExecutionStatus::Queued).await;
        let ended = ExecutionRecord { status: ExecutionStatus::Completed, ..record(ids[19 - n]) };
        store.append(append(ended, 2, 2)).await.unwrap();
    }
    ids.reverse();
    assert_eq!(seen, ids);
}

/// Abbreviated ids, in any spelling.
pub async fn finds_by_prefix(store: Arc<dyn Store>) {
    let ids = [0x0192_aaaa_0000, 0x0192_aaaa_0001, 0x0192_ab00_0000, 0xffff_ffff_ffff]
        .map(|millis: u128| ExecutionId(Uuid::from_u128(millis << 80 | 0x7123_8000_0000_0000_0456)));
    for id in ids {
        create(&*store, record(id)).await;
    }
    let [a, b, c, z] = ids;
    for (prefix, found) in [
        ("0192aaaa", vec![b, a]),
        ("0192AAAA-0001", vec![b]),
        ("0192a", vec![c, b, a]),
        ("0192", vec![c, b, a]),
        ("f", vec![z]),
        ("", vec![z, c, b, a]),
        ("0192aaaa0002", vec![]),
        ("xyz", vec![]),
        ("0192aaaa%", vec![]),
        (&a.to_string(), vec![a]),
        (&format!("{a}00"), vec![]),
    ] {
        assert_eq!(store.executions_by_prefix(prefix, 10).await.unwrap(), found, "{prefix:?}");
    }
    assert_eq!(store.executions_by_prefix("0192", 2).await.unwrap(), [c, b]);
}

/// What has to be gone on with, oldest first.
pub async fn lists_the_unfinished(store: Arc<dyn Store>) {
    let mut open = Vec::new();
    for n in 0..30 {
        let status = ExecutionStatus::ALL[n % 6];
        let id = create_in(&*store, status).await;
        if !status.is_final() {
            open.push(id);
        }
    }
    let first = store.unfinished(None, 10).await.unwrap();
    assert_eq!(first.iter().map(|record| record.id).collect::<Vec<_>>(), open[..10]);
    let rest = store.unfinished(Some(open[9]), 10).await.unwrap();
    assert_eq!(rest.iter().map(|record| record.id).collect::<Vec<_>>(), open[10..]);
}

/// What has to be woken, the earliest first, and only what goes on.
pub async fn lists_what_is_due(store: Arc<dyn Store>) {
    let at = |offset| Timestamp::from_millis(NOW.as_millis() + offset);
    let waits = |status, wake_at| ExecutionRecord { status, wake_at, ..record(new_id()) };
    let late = create(&*store, waits(ExecutionStatus::Waiting, Some(at(0)))).await;
    let early = create(&*store, waits(ExecutionStatus::Running, Some(at(-5000)))).await;
    create(&*store, waits(ExecutionStatus::Waiting, Some(at(1)))).await;
    create(&*store, waits(ExecutionStatus::Waiting, None)).await;
    create(&*store, waits(ExecutionStatus::Aborted, Some(at(-1)))).await;
    assert_eq!(store.due(at(0), 10).await.unwrap(), [(early, at(-5000)), (late, at(0))]);
    assert_eq!(store.due(at(0), 1).await.unwrap(), [(early, at(-5000))]);
    assert_eq!(store.due(at(-5001), 10).await.unwrap(), []);

    let woken = ExecutionRecord { wake_at: None, ..record(early) };
    store.append(append(woken, 2, 2)).await.unwrap();
    assert_eq!(store.due(at(0), 10).await.unwrap(), [(late, at(0))]);
}

/// With its journal, output and idempotency keys, and nobody else's.
pub async fn deletes_with_everything(store: Arc<dyn Store>) {
    let key = IdempotencyKey { scope: "s".to_owned(), key: "k".to_owned(), request_hash: "h".to_owned() };
    let (gone, stays) = (new_id(), create_in(&*store, ExecutionStatus::Completed).await);
    let ended = ExecutionRecord { status: ExecutionStatus::Failed, ..record(gone) };
    store.append(Append { idempotency: Some(key.clone()), ..append(ended, 1, 5) }).await.unwrap();
    let (command, other) = (new_command(), new_command());
    for seq in 1..=3 {
        store.append_output(piece(gone, command, seq)).await.unwrap();
        store.append_output(piece(stays, other, seq)).await.unwrap();
    }

    assert_eq!(store.delete_execution(gone).await, Ok(true));
    assert_eq!(store.delete_execution(gone).await, Ok(false));
    assert_eq!(store.execution(gone).await.unwrap(), None);
    assert_eq!(seqs(&*store, gone).await, [0; 0]);
    assert_eq!(store.output(gone, 0, &OutputFilter::default(), 10).await.unwrap(), []);
    assert_eq!(store.output_end(command).await.unwrap(), 0);
    let late = store.append_output(piece(gone, command, 4)).await;
    assert_eq!(late, Err(Error::NotFound { what: "execution", id: gone.to_string() }));

    let again = Append { idempotency: Some(key), ..append(record(new_id()), 1, 1) };
    assert_eq!(store.append(again).await, Ok(Appended::New), "its key is free");
    assert_eq!(seqs(&*store, stays).await, [1]);
    assert_eq!(store.output(stays, 0, &OutputFilter::default(), 10).await.unwrap().len(), 3);
}

/// One with more entries and output than are deleted at once.
pub async fn deletes_a_long_one(store: Arc<dyn Store>) {
    let id = new_id();
    let ended = ExecutionRecord { status: ExecutionStatus::Completed, ..record(id) };
    store.append(append(ended, 1, 1500)).await.unwrap();
    let command = new_command();
    join_all((1..=200).map(|seq| store.append_output(piece(id, command, seq)))).await;
    assert_eq!(store.delete_execution(id).await, Ok(true));
    assert_eq!(seqs(&*store, id).await, [0; 0]);
    assert_eq!(store.output(id, 0, &OutputFilter::default(), 1000).await.unwrap(), []);
}

/// Only what has ended can go.
pub async fn refuses_to_delete_what_goes_on(store: Arc<dyn Store>) {
    for status in ExecutionStatus::ALL.iter().filter(|status| !status.is_final()) {
        let id = create_in(&*store, *status).await;
        assert_eq!(store.delete_execution(id).await, Err(Error::NotEnded { execution_id: id }));
        assert_eq!(seqs(&*store, id).await, [1]);
    }
}
