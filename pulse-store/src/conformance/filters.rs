//! Filters of the list of executions.

use super::fixtures::{create, create_in, id_at, new_id, of_workflow, record};
use crate::{ExecutionFilter, ExecutionRecord, Store};
use futures_util::future::join_all;
use pulse_core::ids::ExecutionId;
use pulse_core::status::ExecutionStatus;
use pulse_core::time::Timestamp;
use std::sync::Arc;

async fn found(store: &dyn Store, filter: ExecutionFilter) -> Vec<ExecutionId> {
    store.executions(&filter, None, 100).await.unwrap().into_iter().map(|record| record.id).collect()
}

/// Each state, several, and one that is named twice.
pub async fn by_status(store: Arc<dyn Store>) {
    use ExecutionStatus::{Aborted, Completed, Failed, Running};
    let running = create_in(&*store, Running).await;
    let failed = create_in(&*store, Failed).await;
    let aborted = create_in(&*store, Aborted).await;
    for (status, expected) in [
        (vec![], vec![aborted, failed, running]),
        (vec![Running], vec![running]),
        (vec![Failed, Aborted], vec![aborted, failed]),
        (vec![Failed, Failed], vec![failed]),
        (vec![Completed], vec![]),
        (ExecutionStatus::ALL.to_vec(), vec![aborted, failed, running]),
    ] {
        let filter = ExecutionFilter { status: status.clone(), ..ExecutionFilter::default() };
        assert_eq!(found(&*store, filter).await, expected, "{status:?}");
    }
}

/// By the workflow's name, whatever its case, and the whole of it.
pub async fn by_workflow(store: Arc<dyn Store>) {
    let lower = create(&*store, of_workflow(record(new_id()), "überprüfen")).await;
    let upper = create(&*store, of_workflow(record(new_id()), "ÜBERPRÜFEN")).await;
    create(&*store, of_workflow(record(new_id()), "überprüfen 2")).await;
    create(&*store, record(new_id())).await;
    for name in ["überprüfen", "Überprüfen", "ÜBERPRÜFEN"] {
        let filter = ExecutionFilter { workflow: Some(name.to_owned()), ..ExecutionFilter::default() };
        assert_eq!(found(&*store, filter).await, [upper, lower], "{name}");
    }
    for name in ["überprüfe", "uberprufen", "", "%"] {
        let filter = ExecutionFilter { workflow: Some(name.to_owned()), ..ExecutionFilter::default() };
        assert_eq!(found(&*store, filter).await, [], "{name}");
    }
}

/// By exactly who started it.
pub async fn by_who_started_it(store: Arc<dyn Store>) {
    let by = |name: &str| ExecutionRecord { started_by: name.to_owned(), ..record(new_id()) };
    let ada = create(&*store, by("ada")).await;
    create(&*store, by("ada2")).await;
    let filter = ExecutionFilter { started_by: Some("ada".to_owned()), ..ExecutionFilter::default() };
    assert_eq!(found(&*store, filter).await, [ada]);
}

/// By a text in the title or the error, whatever its case. Nothing in it is a pattern.
pub async fn by_text(store: Arc<dyn Store>) {
    let titled = |title: &str, error: Option<&str>| ExecutionRecord {
        title: title.to_owned(),
        error: error.map(str::to_owned),
        ..record(new_id())
    };
    let a = create(&*store, titled("Deploy Größe 🦀", None)).await;
    let b = create(&*store, titled("backup", Some("disk 100% FULL: /var_log!"))).await;
    let c = create(&*store, titled("backup", Some("größe falsch"))).await;
    for (text, expected) in [
        ("deploy", vec![a]),
        ("GRÖSSE", vec![]),
        ("GRÖßE", vec![c, a]),
        ("🦀", vec![a]),
        ("disk 100% f", vec![b]),
        ("100_", vec![]),
        ("k%F", vec![]),
        ("var_log!", vec![b]),
        ("varxlog", vec![]),
        ("BACKUP", vec![c, b]),
        ("", vec![c, b, a]),
        ("'; DROP TABLE executions; --", vec![]),
    ] {
        let filter = ExecutionFilter { text: Some(text.to_owned()), ..ExecutionFilter::default() };
        assert_eq!(found(&*store, filter).await, expected, "{text:?}");
    }
}

/// By a text that is in few of many different ones, and by one that is in them all, in pages.
pub async fn by_text_among_many(store: Arc<dyn Store>) {
    let titled = |n: usize| ExecutionRecord {
        title: format!("Job {n:04}"),
        status: ExecutionStatus::ALL[n % 6],
        ..record(new_id())
    };
    let records: Vec<_> = (0..1500).map(titled).collect();
    for some in records.chunks(300) {
        join_all(some.iter().map(|record| create(&*store, record.clone()))).await;
    }
    for (text, status) in [
        ("job", vec![]),
        ("job 0", vec![]),
        ("job 1", vec![ExecutionStatus::Failed, ExecutionStatus::Queued]),
        ("7", vec![]),
        ("b 007", vec![ExecutionStatus::Running]),
        ("job 0815", vec![]),
        ("job 2", vec![]),
    ] {
        let filter = ExecutionFilter { text: Some(text.to_owned()), status, ..ExecutionFilter::default() };
        let expected: Vec<_> = records.iter().rev().filter(|record| filter.matches(record)).map(|r| r.id).collect();
        let mut found: Vec<ExecutionId> = Vec::new();
        loop {
            let page = store.executions(&filter, found.last().copied(), 170).await.unwrap();
            found.extend(page.iter().map(|record| record.id));
            if page.len() < 170 {
                break;
            }
        }
        assert_eq!(found, expected, "{text}");
    }
}

/// A text is found as long as there is an execution with it, whatever has been deleted.
pub async fn by_text_after_deletions(store: Arc<dyn Store>) {
    let titled = || ExecutionRecord {
        title: "unique".to_owned(),
        error: Some("reason".to_owned()),
        status: ExecutionStatus::Failed,
        ..record(new_id())
    };
    for text in ["unique", "reason"] {
        let filter = ExecutionFilter { text: Some(text.to_owned()), ..ExecutionFilter::default() };
        let (one, two) = (create(&*store, titled()).await, create(&*store, titled()).await);
        store.delete_execution(one).await.unwrap();
        assert_eq!(found(&*store, filter.clone()).await, [two]);
        store.delete_execution(two).await.unwrap();
        assert_eq!(found(&*store, filter.clone()).await, []);
        let three = create(&*store, titled()).await;
        assert_eq!(found(&*store, filter).await, [three]);
        store.delete_execution(three).await.unwrap();
    }
}

/// By when it was created, to the millisecond, both ends included.
pub async fn by_time(store: Arc<dyn Store>) {
    let at = |millis: i64| Timestamp::from_millis(1_795_000_000_000 + millis);
    let mut ids = Vec::new();
    for n in 0..5 {
        // Some are created a moment after their ids were made.
        let id = id_at(at(n * 1000));
        let created_at = at(n * 1000 + n % 2);
        ids.push(create(&*store, ExecutionRecord { created_at, ..record(id) }).await);
    }
    let range = |since: Option<i64>, until: Option<i64>| ExecutionFilter {
        since: since.map(at),
        until: until.map(at),
        ..ExecutionFilter::default()
    };
    let newest_first = |range: std::ops::Range<usize>| ids[range].iter().rev().copied().collect::<Vec<_>>();
    assert_eq!(found(&*store, range(Some(1001), None)).await, newest_first(1..5));
    assert_eq!(found(&*store, range(Some(1002), None)).await, newest_first(2..5));
    assert_eq!(found(&*store, range(None, Some(3001))).await, newest_first(0..4));
    assert_eq!(found(&*store, range(None, Some(3000))).await, newest_first(0..3));
    assert_eq!(found(&*store, range(Some(1001), Some(2000))).await, newest_first(1..3));
    assert_eq!(found(&*store, range(Some(2001), Some(2999))).await, []);
    assert_eq!(found(&*store, range(Some(3000), Some(1000))).await, []);
}

/// Everything given has to hold.
pub async fn by_all_at_once(store: Arc<dyn Store>) {
    let one = ExecutionRecord {
        status: ExecutionStatus::Failed,
        error: Some("no route to host".to_owned()),
        ..of_workflow(record(new_id()), "Deploy")
    };
    let created_at = one.created_at;
    let id = create(&*store, one).await;
    let all = ExecutionFilter {
        status: vec![ExecutionStatus::Failed, ExecutionStatus::Running],
        workflow: Some("deploy".to_owned()),
        started_by: Some("ada".to_owned()),
        text: Some("ROUTE".to_owned()),
        since: Some(created_at),
        until: Some(created_at),
    };
    assert_eq!(found(&*store, all.clone()).await, [id]);
    let later = Some(Timestamp::from_millis(created_at.as_millis() + 1));
    for but in [
        ExecutionFilter { status: vec![ExecutionStatus::Running], ..all.clone() },
        ExecutionFilter { workflow: Some("other".to_owned()), ..all.clone() },
        ExecutionFilter { started_by: Some("bob".to_owned()), ..all.clone() },
        ExecutionFilter { text: Some("rout3".to_owned()), ..all.clone() },
        ExecutionFilter { since: later, until: None, ..all },
    ] {
        assert_eq!(found(&*store, but.clone()).await, [], "{but:?}");
    }
}
