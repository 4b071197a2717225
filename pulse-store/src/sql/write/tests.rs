//! What the writer does when the database fails.

use super::{Kind, Writer};
use crate::conformance::fixtures::{append, entry, new_id, record};
use crate::sql::sqlite::{connect, open_sqlite, settings};
use crate::{Append, Appended, Error, OpenOptions, Store, Synchronous};
use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

fn first_entry(text: &str) -> Append {
    Append { entries: vec![entry(1, text)], ..append(record(new_id()), 1, 1) }
}

async fn database() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("pulse.db");
    open_sqlite(&path, OpenOptions::default()).await.unwrap().close().await;
    (dir, path)
}

async fn count(path: &std::path::Path) -> usize {
    use crate::Executions;
    let store = open_sqlite(path, OpenOptions::default()).await.unwrap();
    store.executions(&crate::ExecutionFilter::default(), None, 1000).await.unwrap().len()
}

/// Without room nothing is acknowledged and nothing is written; with room again it goes on by itself.
#[tokio::test]
async fn a_full_disk_is_waited_out() {
    let (_dir, path) = database().await;
    let full = Arc::new(AtomicBool::new(true));
    let (settings, is_full) = (settings(&path, Synchronous::Full), full.clone());
    let writer = Writer::start(
        Kind::File,
        Box::new(move || {
            // As many pages as there are: the next one does not fit.
            let pages = if is_full.load(Ordering::SeqCst) { "1" } else { "1000000" };
            Box::pin(connect(settings.clone().pragma("max_page_count", pages)))
        }),
        "test".into(),
    );
    let large = "x".repeat(64 * 1024);
    let answers = join_all((0..5).map(|_| writer.append(first_entry(&large)))).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(Error::Full { .. }))), "{answers:?}");
    assert_eq!(*writer.failed().borrow(), None);
    assert!(matches!(writer.trouble(), Some(Error::Full { .. })), "{:?}", writer.trouble());
    assert_eq!(count(&path).await, 0);

    full.store(false, Ordering::SeqCst);
    assert_eq!(writer.append(first_entry(&large)).await, Ok(Appended::New));
    assert_eq!(writer.trouble(), None);
    assert_eq!(count(&path).await, 1);
}

/// A database that fails otherwise takes no more writes, even when it works again, and says why.
#[tokio::test]
async fn a_failed_database_is_left_alone() {
    let (_dir, path) = database().await;
    let (settings, other) = (settings(&path, Synchronous::Full), settings(&path, Synchronous::Full));
    let writer = Writer::start(Kind::File, Box::new(move || Box::pin(connect(settings.clone()))), "test".into());
    assert_eq!(writer.append(first_entry("")).await, Ok(Appended::New));

    let other = connect(other).await.unwrap();
    other.execute_unprepared("ALTER TABLE execution_events RENAME TO elsewhere").await.unwrap();
    let mut failed = writer.failed();
    let answer = writer.append(first_entry("")).await;
    assert!(matches!(answer, Err(Error::Failed { .. })), "{answer:?}");
    failed.changed().await.unwrap();
    let reason = failed.borrow().clone().unwrap();
    assert!(reason.contains("execution_events"), "{reason}");

    other.execute_unprepared("ALTER TABLE elsewhere RENAME TO execution_events").await.unwrap();
    let answer = writer.append(first_entry("")).await;
    assert!(matches!(answer, Err(Error::Failed { .. })), "{answer:?}");
    assert_eq!(count(&path).await, 1);
}

/// One write that the database refuses fails alone.
#[tokio::test]
async fn an_impossible_write_fails_alone() {
    let (_dir, path) = database().await;
    let settings = settings(&path, Synchronous::Full);
    let trigger = "CREATE TRIGGER refuse BEFORE INSERT ON executions WHEN NEW.title = 'impossible' \
                   BEGIN SELECT RAISE(ABORT, 'impossible'); END";
    connect(settings.clone()).await.unwrap().execute_unprepared(trigger).await.unwrap();
    let writer = Writer::start(Kind::File, Box::new(move || Box::pin(connect(settings.clone()))), "test".into());
    let answers = join_all((0..9).map(|n| {
        let mut append = first_entry("");
        if n == 4 {
            append.record.title = "impossible".to_owned();
        }
        writer.append(append)
    }));
    for (n, answer) in answers.await.into_iter().enumerate() {
        match n {
            4 => assert!(matches!(answer, Err(Error::Corrupt { .. })), "{answer:?}"),
            _ => assert_eq!(answer, Ok(Appended::New)),
        }
    }
    assert_eq!(*writer.failed().borrow(), None);
    assert_eq!(count(&path).await, 8);
}
