//! What retention and a rebuild of the summaries need.

use super::fixtures::{NOW, append, create, id_at, new_id, record, seqs};
use crate::{Append, Appended, Error, ExecutionFilter, ExecutionRecord, Store};
use pulse_core::ids::{ExecutionId, Seq};
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_core::time::Timestamp;
use std::sync::Arc;

fn at(offset: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + offset)
}

async fn finished(store: &dyn Store, created: i64, finished: i64, status: ExecutionStatus) -> ExecutionId {
    let id = id_at(at(created));
    create(store, ExecutionRecord { status, finished_at: Some(at(finished)), ..record(id) }).await
}

/// Only what has ended, before the time, to the millisecond; the oldest first, and as many as asked for.
pub async fn lists_what_finished_before(store: Arc<dyn Store>) {
    use ExecutionStatus::{Aborted, Completed, Failed, Running};
    let b = finished(&*store, -900_000, -1, Failed).await;
    let c = finished(&*store, -800_000, -700_000, Aborted).await;
    let a = finished(&*store, -990_000, -980_000, Completed).await;
    let d = finished(&*store, 0, 0, Completed).await;
    finished(&*store, -850_000, 5, Completed).await;
    finished(&*store, -840_000, -830_000, Running).await;
    create(&*store, ExecutionRecord { status: Completed, finished_at: None, ..record(id_at(at(-500))) }).await;
    assert_eq!(store.finished_before(at(0), 10).await.unwrap(), [a, b, c]);
    assert_eq!(store.finished_before(at(0), 2).await.unwrap(), [a, b]);
    assert_eq!(store.finished_before(at(0), 0).await.unwrap(), []);
    assert_eq!(store.finished_before(at(1), 10).await.unwrap(), [a, b, c, d]);
    assert_eq!(store.finished_before(at(-980_000), 10).await.unwrap(), []);
    assert_eq!(store.delete_execution(a).await, Ok(true));
    assert_eq!(store.finished_before(at(0), 10).await.unwrap(), [b, c]);
}

/// Every execution with a journal, in pages, but those that are deleted.
pub async fn pages_journals(store: Arc<dyn Store>) {
    assert_eq!(store.journals(None, 10).await.unwrap(), []);
    let mut ids = Vec::new();
    for n in 0..25 {
        let id = new_id();
        store
            .append(append(ExecutionRecord { status: ExecutionStatus::ALL[n % 6], ..record(id) }, 1, 4))
            .await
            .unwrap();
        ids.push(id);
    }
    assert_eq!(store.delete_execution(ids.remove(9)).await, Ok(true), "a completed one");
    for size in [1, 4, 100] {
        let mut seen: Vec<ExecutionId> = Vec::new();
        loop {
            let page = store.journals(seen.last().copied(), size).await.unwrap();
            seen.extend(&page);
            if page.len() < size {
                break;
            }
        }
        assert_eq!(seen, ids, "in pages of {size}");
    }
}

/// Every field is replaced, but owner, lease and fence; lists, searches and appends go by the new one.
pub async fn writes_a_summary_anew(store: Arc<dyn Store>) {
    let id = new_id();
    let wrong = ExecutionRecord {
        title: "wrong".to_owned(),
        owner: Some("a".to_owned()),
        lease_until: Some(NOW),
        ..record(id)
    };
    store.append(Append { fence: 3, ..append(wrong, 1, 2) }).await.unwrap();
    let right = ExecutionRecord {
        title: "Größe".to_owned(),
        workflow: Some("Deploy".to_owned()),
        version: Some(7),
        status: ExecutionStatus::Waiting,
        started_by: "bob".to_owned(),
        trigger: Trigger::Schedule,
        created_at: at(-1),
        started_at: Some(at(1)),
        error: Some("no".to_owned()),
        waiting_for_input: true,
        wake_at: Some(at(2)),
        active_commands: 4,
        last_seq: Seq(2),
        ..record(id)
    };
    assert_eq!(store.replace_summary(right.clone()).await, Ok(()));
    let kept = ExecutionRecord { owner: Some("a".to_owned()), lease_until: Some(NOW), fence: 3, ..right.clone() };
    assert_eq!(store.execution(id).await.unwrap(), Some(kept.clone()));
    assert_eq!(store.replace_summary(right.clone()).await, Ok(()), "again");

    let by_text = |text: &str| ExecutionFilter { text: Some(text.to_owned()), ..ExecutionFilter::default() };
    assert_eq!(store.executions(&by_text("wrong"), None, 10).await.unwrap(), []);
    assert_eq!(store.executions(&by_text("GRÖßE"), None, 10).await.unwrap(), [kept]);
    assert_eq!(store.due(at(2), 10).await.unwrap(), [(id, at(2))]);
    assert_eq!(seqs(&*store, id).await, [1, 2]);
    assert_eq!(store.append(append(right.clone(), 3, 3)).await, Err(Error::Fenced { execution_id: id }));
    assert_eq!(store.append(Append { fence: 3, ..append(right, 3, 3) }).await, Ok(Appended::New));
}

/// The summary has to be the one for the end of a journal that is there.
pub async fn writes_no_summary_of_another_journal(store: Arc<dyn Store>) {
    let id = new_id();
    store.append(append(record(id), 1, 2)).await.unwrap();
    let at_end = |last_seq| ExecutionRecord { last_seq: Seq(last_seq), title: "new".to_owned(), ..record(id) };
    for (last_seq, expected) in [(1, Seq(2)), (3, Seq(4))] {
        let conflict = Error::Conflict { execution_id: id, expected, actual: Seq(3) };
        assert_eq!(store.replace_summary(at_end(last_seq)).await, Err(conflict));
    }
    assert_eq!(store.execution(id).await.unwrap().unwrap().title, "uptime");

    let unknown = record(new_id());
    let missing = |id: ExecutionId| Err(Error::NotFound { what: "journal of execution", id: id.to_string() });
    assert_eq!(store.replace_summary(unknown.clone()).await, missing(unknown.id));
    assert_eq!(store.execution(unknown.id).await.unwrap(), None);
    let ended = ExecutionRecord { status: ExecutionStatus::Completed, ..record(id) };
    store.append(append(ended.clone(), 3, 3)).await.unwrap();
    store.delete_execution(id).await.unwrap();
    assert_eq!(store.replace_summary(ExecutionRecord { last_seq: Seq(3), ..ended }).await, missing(id));
    assert_eq!(store.execution(id).await.unwrap(), None, "it stays deleted");
}
