//! A database that goes away: before a commit, during one, for a while, for too long.

use crate::proxy::{Proxy, Way};
use crate::{OPTIONS, on_both};
use futures_util::FutureExt;
use futures_util::future::join_all;
use pulse_core::ids::{ExecutionId, WorkflowId};
use pulse_core::status::ExecutionStatus;
use pulse_store::conformance::databases::{FreshDatabase, Server};
use pulse_store::conformance::fixtures::{NOW, append, create, create_in, new_command, new_id, piece, record, seqs};
use pulse_store::{Appended, Error, OpenOptions, OutputFilter, SaveWorkflow, Store, open};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

on_both! {
    /// Cut before the commit was sent: nothing was written, and it is written again.
    a_commit_that_was_not_sent_is_sent_again
    /// Cut after it: it was written, and is not written again.
    a_commit_that_was_not_answered_counts
    /// The server gets to the commit long after: the doubt lasts as long.
    a_commit_that_comes_late_counts
    /// Whoever asks meanwhile waits, and is answered when it is over.
    an_outage_is_waited_out
    /// Not for ever: then nothing was written, and it says so.
    a_long_outage_is_said_to_be_one
    /// One that closes during an outage does not hang.
    closing_ends_the_waiting
    /// Nor does one that closes while the server says nothing.
    closing_waits_for_no_silent_server
    /// Requests that go away leave every connection as good as it was.
    calls_that_go_away_harm_nobody
}

async fn through_proxy(server: Server, options: OpenOptions) -> (Arc<dyn Store>, Proxy, FreshDatabase) {
    let database = FreshDatabase::create(server).await;
    let (proxy, url) = Proxy::start(&database.url()).await;
    let store = open(&url, options).await.unwrap();
    (store, proxy, database)
}

fn definition(id: WorkflowId) -> SaveWorkflow {
    SaveWorkflow {
        id,
        name: format!("workflow {id}"),
        description: String::new(),
        tags: Vec::new(),
        definition: "steps: []".to_owned(),
        webhook: None,
        by: "ada".to_owned(),
        at: NOW,
        expected: None,
    }
}

/// Writes of every kind that meet the way, each of which has to happen exactly once.
async fn once_each(server: Server, way: Way) {
    let (store, proxy, _database) = through_proxy(server, OPTIONS).await;
    let before = create(&*store, record(new_id())).await;
    for _ in 0..5 {
        proxy.set(way);
        let ids: Vec<ExecutionId> = (0..10).map(|_| new_id()).collect();
        let (workflow, command) = (WorkflowId(Uuid::now_v7()), new_command());
        let appends = join_all(ids.iter().map(|id| store.append(append(record(*id), 1, 3))));
        let outputs = join_all((1..=5).map(|seq| store.append_output(piece(before, command, seq))));
        let (appended, kept, saved) = tokio::join!(appends, outputs, store.save_workflow(definition(workflow)));
        assert!(proxy.is_open(), "it has been cut");
        assert!(appended.iter().all(|answer| *answer == Ok(Appended::New)), "{appended:?}");
        let kept: Vec<u64> = kept.into_iter().map(Result::unwrap).collect();
        assert!(kept.windows(2).all(|pair| pair[1] == pair[0] + 1), "{kept:?}");
        assert_eq!(saved.unwrap().version, 1);
        assert_eq!(store.workflow_versions(workflow).await.unwrap().len(), 1);
        for id in ids {
            assert_eq!(seqs(&*store, id).await, [1, 2, 3]);
        }
        let filter = OutputFilter { command_id: Some(command), ..OutputFilter::default() };
        assert_eq!(store.output(before, 0, &filter, 100).await.unwrap().len(), 5);
    }
    assert_eq!(*store.failed().borrow(), None);
    store.close().await;
}

async fn a_commit_that_was_not_sent_is_sent_again(server: Server) {
    once_each(server, Way::CutBeforeCommit).await;
}

async fn a_commit_that_was_not_answered_counts(server: Server) {
    once_each(server, Way::CutAfterCommit).await;
}

async fn a_commit_that_comes_late_counts(server: Server) {
    once_each(server, Way::CommitComesLate).await;
}

async fn an_outage_is_waited_out(server: Server) {
    let (store, proxy, _database) = through_proxy(server, OPTIONS).await;
    let known = create(&*store, record(new_id())).await;
    // Several connections that are there when it begins.
    join_all((0..8).map(|_| store.execution(known))).await;
    // The second one for longer than a pool waits for a connection.
    for outage_ms in [1200, 7000] {
        proxy.set(Way::Closed);
        let id = new_id();
        let (writes, reads) = (store.clone(), store.clone());
        let write = tokio::spawn(async move { writes.append(append(record(id), 1, 2)).await });
        let read = tokio::spawn(async move { reads.execution(known).await });
        tokio::time::sleep(Duration::from_millis(outage_ms)).await;
        assert!(!write.is_finished() && !read.is_finished(), "they wait");
        proxy.set(Way::Open);
        assert_eq!(write.await.unwrap(), Ok(Appended::New));
        assert_eq!(read.await.unwrap().unwrap().unwrap().id, known);
        assert_eq!(seqs(&*store, id).await, [1, 2]);
    }
    store.close().await;
}

async fn a_long_outage_is_said_to_be_one(server: Server) {
    let options = OpenOptions { patience: Duration::from_secs(1), ..OPTIONS };
    let (store, proxy, _database) = through_proxy(server, options).await;
    create(&*store, record(new_id())).await;
    proxy.set(Way::Closed);
    let ids: Vec<_> = (0..3).map(|_| new_id()).collect();
    let answers = join_all(ids.iter().map(|id| store.append(append(record(*id), 1, 1)))).await;
    for answer in answers {
        let error = answer.unwrap_err();
        assert!(matches!(error, Error::Unavailable { .. }) && error.retryable(), "{error:?}");
        let line = error.to_string();
        assert!(line.contains(proxy.address()) && line.contains("nothing was written"), "{line}");
    }
    proxy.set(Way::Open);
    for id in ids {
        assert_eq!(seqs(&*store, id).await, [0; 0]);
        assert_eq!(store.append(append(record(id), 1, 1)).await, Ok(Appended::New));
    }
    store.close().await;
}

async fn closing_ends_the_waiting(server: Server) {
    let (store, proxy, _database) = through_proxy(server, OPTIONS).await;
    create(&*store, record(new_id())).await;
    proxy.set(Way::Closed);
    let writes = store.clone();
    let write = tokio::spawn(async move { writes.append(append(record(new_id()), 1, 1)).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    tokio::time::timeout(Duration::from_secs(30), store.close()).await.expect("it closes");
    assert!(matches!(write.await.unwrap(), Err(Error::Unavailable { .. })));
}

async fn closing_waits_for_no_silent_server(server: Server) {
    let (store, proxy, _database) = through_proxy(server, OPTIONS).await;
    create(&*store, record(new_id())).await;
    proxy.set(Way::Silent);
    let writes = store.clone();
    let write = tokio::spawn(async move { writes.append(append(record(new_id()), 1, 1)).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    // The write itself has 30 s for its statements and 30 s for its commit.
    tokio::time::timeout(Duration::from_secs(20), store.close()).await.expect("it closes");
    assert!(!write.is_finished());
    write.abort();
}

async fn calls_that_go_away_harm_nobody(server: Server) {
    let (store, _proxy, _database) = through_proxy(server, OPTIONS).await;
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(create_in(&*store, ExecutionStatus::Running).await);
    }
    for round in 0..400_u64 {
        let (reads, writes, id) = (store.clone(), store.clone(), ids[round as usize % 10]);
        let calls = [
            tokio::spawn(async move { drop(reads.executions(&Default::default(), None, 100).await) }),
            tokio::spawn(async move { drop(writes.append(append(record(id), 2, 2)).await) }),
        ];
        // At the first poll, and a little later.
        let _ = store.unfinished(None, 10).now_or_never();
        tokio::time::sleep(Duration::from_micros(round * 10)).await;
        calls.into_iter().for_each(|call| call.abort());
    }
    for id in ids {
        let (summary, journal) = (store.execution(id).await.unwrap().unwrap(), seqs(&*store, id).await);
        assert_eq!(journal.len() as u64, summary.last_seq.0);
        let next = summary.last_seq.0 + 1;
        assert_eq!(store.append(append(record(id), next, next)).await, Ok(Appended::New));
    }
    assert_eq!(*store.failed().borrow(), None);
    store.close().await;
}
