//! Executions that wait for workers go on when these are given work: when they come, when they are heard again, when they
//! take commands again. And what a worker's hello leaves of what others have changed.

use super::super::fixtures::{driver, start, stop, until, until_status};
use super::super::{Driver, recover};
use super::store;
use crate::fleet::fixtures::{Connected, worker_id};
use crate::fleet::watch;
use pulse_core::api::WorkerChange;
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::status::ExecutionStatus;
use std::collections::HashSet;

/// Waits for one worker by its name, by its label, and for any.
const WAITING: [&str; 3] = ["first", "label", "later"];

fn watched(driver: &Driver) {
    driver.spawn(watch(driver.fleet().clone(), driver.clone(), driver.0.stop.clone()));
}

async fn change(driver: &Driver, change: WorkerChange) {
    assert!(driver.fleet().change(worker_id(1), change).await.unwrap());
}

/// A worker that is connected and has the label that is asked for.
async fn labelled(driver: &Driver) -> Connected {
    let worker = Connected::new(driver, 1, Vec::new()).await;
    let labels = Some([("role".to_owned(), "x".to_owned())].into());
    change(driver, WorkerChange { labels, ..WorkerChange::default() }).await;
    worker
}

async fn all_wait(driver: &Driver) -> Vec<ExecutionId> {
    let mut all = Vec::new();
    for workflow in WAITING {
        let id = start(driver, workflow).await;
        let state = driver.fold(id).await.unwrap();
        assert!(state.outstanding().is_empty() && state.awaited() == [worker_id(1)], "{workflow}");
        all.push(id);
    }
    all
}

async fn until_sent(driver: &Driver, ids: &[ExecutionId]) -> HashSet<CommandId> {
    let mut sent = HashSet::new();
    for id in ids {
        let first = async || driver.fold(*id).await.unwrap().outstanding().first().map(|command| command.command_id);
        sent.insert(until("a command is sent", first).await);
    }
    sent
}

#[tokio::test]
async fn a_worker_that_is_heard_again_is_given_what_waited_for_it() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    let mut worker = labelled(&driver).await;
    // It has been looked after once, so that nothing comes of its coming.
    assert_eq!(driver.fleet().inspect().came, [worker_id(1)]);
    worker.falls_silent();
    let all = all_wait(&driver).await;
    worker.beats().await;
    watched(&driver);
    let mut sent = until_sent(&driver, &all).await;
    while !sent.is_empty() {
        let next = worker.next().await;
        assert!(sent.remove(&next));
        worker.succeeds(next).await;
    }
    for id in all {
        until_status(&driver, id, ExecutionStatus::Completed).await;
    }
}

#[tokio::test]
async fn a_worker_that_takes_commands_again_is_given_what_waited_for_it() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    let mut worker = labelled(&driver).await;
    watched(&driver);
    change(&driver, WorkerChange { draining: Some(true), ..WorkerChange::default() }).await;
    let all = all_wait(&driver).await;
    // It was told to drain and has to come again; what waited for it does not wait for that.
    change(&driver, WorkerChange { draining: Some(false), ..WorkerChange::default() }).await;
    let sent = until_sent(&driver, &all).await;
    assert!(worker.sent().is_empty());
    let mut worker = Connected::new(&driver, 1, Vec::new()).await;
    assert!(sent.contains(&worker.next().await));
}

#[tokio::test]
async fn a_worker_that_nobody_knew_is_any_worker() {
    for is_restarted in [false, true] {
        let (_, store) = store().await;
        let mut driver = driver(&store).await;
        let ids = [start(&driver, "later").await, start(&driver, "later").await];
        assert!(driver.fold(ids[0]).await.unwrap().awaits_any());
        if is_restarted {
            stop(&driver).await;
            driver = super::super::fixtures::driver(&store).await;
            recover(&driver).await.unwrap();
        }
        let mut worker = Connected::new(&driver, 7, Vec::new()).await;
        for _ in 0..2 {
            let next = worker.next().await;
            worker.succeeds(next).await;
        }
        for id in ids {
            until_status(&driver, id, ExecutionStatus::Completed).await;
        }
    }
}

#[tokio::test]
async fn a_hello_leaves_what_was_changed_while_it_came() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    let _worker = Connected::new(&driver, 1, Vec::new()).await;
    // As by a change that is stored, and that the hello under way has not seen.
    assert!(store.change_worker(worker_id(1), None, Some(true)).await.unwrap());
    let _worker = Connected::new(&driver, 1, Vec::new()).await;
    assert!(store.worker(worker_id(1)).await.unwrap().unwrap().draining);
    let labels = Some([("role".to_owned(), "x".to_owned())].into());
    change(&driver, WorkerChange { labels: labels.clone(), ..WorkerChange::default() }).await;
    // The labels of a hello that was under way while these were stored.
    store.change_worker(worker_id(1), Some(Default::default()), None).await.unwrap();
    let after = super::super::fixtures::driver(&store).await;
    let view = after.fleet().view("w1").unwrap();
    assert!(view.draining && Some(view.labels) == labels);
}
