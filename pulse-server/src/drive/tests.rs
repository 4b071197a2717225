//! No input is lost, whatever the store says and however many come at once; and none has an effect of which a person was
//! told that it had none.

use super::fixtures::{begin, driver, save, start, status, stop, until, until_status};
use super::resident::Resident;
use super::{Begun, Driver, Error, recover};
use crate::clock;
use crate::fleet::fixtures::Connected;
use pulse_core::ids::{ExecutionId, WorkerId};
use pulse_core::status::ExecutionStatus;
use pulse_engine::Input;
use pulse_store::{MemoryStore, SaveWorkflow, Store, WorkerRecord};
use std::sync::Arc;
use std::time::Duration;

mod coming;
mod delivery;
mod earlier;
mod returning;
mod stranded;

const FAMILY: &str = "name: family
steps: [{id: all, type: foreach, items: '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]', parallel: 5, steps: [{id: sub, workflow: child}]}]";
const CHILD: &str = "name: child\nsteps: [{id: a, type: wait, duration: 100ms}]";
const TURNS: &str = "name: turns\nconcurrency: {limit: 2, policy: queue}\nsteps: [{id: a, type: wait, duration: 20ms}]";
const ASKS: &str = "name: asks\nsteps: [{id: ask, message: Well?}]";
const NEWEST: &str = "name: newest\nconcurrency: {limit: 1, policy: cancel_oldest}\nsteps: [{id: ask, message: Well?}]";
const SINGLE: &str = "name: single\nconcurrency: {limit: 1, policy: skip}\nsteps: [{id: ask, message: Well?}]";
const ANY: &str = "name: any\nsteps: [{id: a, command: 'true', targets: any}]";
const NAMED: &str = "name: named\nsteps: [{id: a, command: 'true', targets: [w1]}]";
const LATER: &str = "name: later\nsteps: [{id: a, command: 'true', targets: any, on_offline: wait, wait_for: 1h}]";
const LABEL: &str = "name: label\nsteps: [{id: a, command: 'true', targets: role=x, on_offline: wait, wait_for: 1h}]";
const FIRST: &str = "name: first\nsteps: [{id: a, command: 'true', targets: [w1], on_offline: wait, wait_for: 1h}]";
const REMOTE: &str = "name: remote\nsteps: [{id: a, command: 'true', targets: [w], on_offline: wait, wait_for: 1h}]";

async fn store() -> (Arc<MemoryStore>, Arc<dyn Store>) {
    let memory = Arc::new(MemoryStore::new());
    let store: Arc<dyn Store> = memory.clone();
    for definition in [FAMILY, CHILD, TURNS, ASKS, NEWEST, SINGLE, ANY, NAMED, LATER, LABEL, FIRST, REMOTE] {
        save(&store, definition).await;
    }
    (memory, store)
}

fn abort() -> Input {
    Input::Abort { by: "ann".to_owned(), reason: None }
}

async fn all_complete(driver: &Driver, ids: Vec<ExecutionId>) {
    for id in ids {
        until_status(driver, id, ExecutionStatus::Completed).await;
    }
}

#[tokio::test]
async fn who_comes_while_a_task_is_there_finds_it_and_it_stays_for_them() {
    let (resident, id) = (Resident::default(), ExecutionId(uuid::Uuid::now_v7()));
    let (first, messages) = resident.enter(id);
    let messages = messages.expect("the first one runs the task");
    // The second comes before the first one's input is through, and is slow to hand over its own.
    let (second, other) = resident.enter(id);
    assert!(other.is_none() && second.same_channel(&first), "one task folds the journal");
    drop(first);
    assert!(!resident.leave(id, &messages), "somebody is about to hand something over");
    drop(second);
    assert!(resident.leave(id, &messages));
    assert!(resident.enter(id).1.is_some(), "whoever comes next folds what is in the journal then");
    // A task that panicked is nobody's way.
    let (_, gone) = resident.enter(ExecutionId(uuid::Uuid::nil()));
    drop(gone);
    assert!(resident.enter(ExecutionId(uuid::Uuid::nil())).1.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn children_that_end_at_once_are_all_counted() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    let mut parents = Vec::new();
    for _ in 0..100 {
        parents.push(start(&driver, "family").await);
    }
    all_complete(&driver, parents).await;
}

#[tokio::test]
async fn what_nobody_would_give_again_waits_while_the_store_is_full() {
    let (memory, store) = store().await;
    let driver = driver(&store).await;
    let asks = start(&driver, "asks").await;
    let (mut all, mut doomed) = (Vec::new(), Vec::new());
    for _ in 0..5 {
        all.push(start(&driver, "family").await);
        all.push(start(&driver, "turns").await);
        doomed.push(start(&driver, "newest").await);
    }
    let newest = doomed.pop().unwrap();
    for _ in 0..2 {
        memory.refuse_writes(Some(pulse_store::Error::Full { detail: "no space".to_owned() }));
        // A person is told, and nothing comes of what they said.
        let refused = driver.input(asks, abort()).await;
        assert!(matches!(refused, Err(Error::Store(pulse_store::Error::Full { .. }))), "{refused:?}");
        assert!(begin(&driver, "newest", None).await.is_err());
        tokio::time::sleep(Duration::from_millis(1_200)).await;
        memory.refuse_writes(None);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    all_complete(&driver, all).await;
    for id in doomed {
        until_status(&driver, id, ExecutionStatus::Aborted).await;
    }
    assert_eq!(status(&driver, asks).await, Some(ExecutionStatus::Waiting));
    assert_eq!(status(&driver, newest).await, Some(ExecutionStatus::Waiting), "the one that failed took no place");
    driver.input(asks, abort()).await.unwrap();
    assert_eq!(status(&driver, asks).await, Some(ExecutionStatus::Aborted));
}

#[tokio::test]
async fn a_person_is_told_while_others_wait_for_room() {
    let (memory, store) = store().await;
    let driver = driver(&store).await;
    let asks = start(&driver, "asks").await;
    memory.refuse_writes(Some(pulse_store::Error::Full { detail: "no space".to_owned() }));
    // Nobody waits for this one: it goes on trying.
    driver.give(asks, abort());
    tokio::time::sleep(Duration::from_millis(50)).await;
    let answer =
        Input::Answer { prompt_id: None, response: "Yes".into(), by: "ann".into(), fields: Default::default() };
    let told = driver.input(asks, answer).await;
    assert!(matches!(told, Err(Error::Store(pulse_store::Error::Full { .. }))), "{told:?}");
    memory.refuse_writes(None);
    until_status(&driver, asks, ExecutionStatus::Aborted).await;
}

#[tokio::test]
async fn stops_and_starts_fail_nobody() {
    let (memory, store) = store().await;
    let mut driver = driver(&store).await;
    let (mut all, mut doomed) = (Vec::new(), Vec::new());
    for round in 0..3 {
        for _ in 0..5 {
            all.push(start(&driver, "family").await);
            all.push(start(&driver, "turns").await);
            doomed.push(start(&driver, "newest").await);
        }
        // In the midst of things, and once with inputs that wait for room.
        tokio::time::sleep(Duration::from_millis(30)).await;
        if round == 1 {
            memory.refuse_writes(Some(pulse_store::Error::Full { detail: "no space".to_owned() }));
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        stop(&driver).await;
        memory.refuse_writes(None);
        driver = super::fixtures::driver(&store).await;
        recover(&driver).await.unwrap();
    }
    all_complete(&driver, all).await;
    let newest = doomed.pop().unwrap();
    for id in doomed {
        until_status(&driver, id, ExecutionStatus::Aborted).await;
    }
    assert_eq!(status(&driver, newest).await, Some(ExecutionStatus::Waiting));
}

#[tokio::test]
async fn the_oldest_is_ended_after_a_restart_when_it_had_not_heard_of_it() {
    let (_, store) = store().await;
    let oldest = start(&driver(&store).await, "newest").await;
    // To this one nothing runs yet: as if the server had stopped between the newer one's first entry and the abort.
    let newest = start(&driver(&store).await, "newest").await;
    let after = driver(&store).await;
    recover(&after).await.unwrap();
    until_status(&after, oldest, ExecutionStatus::Aborted).await;
    assert_eq!(status(&after, newest).await, Some(ExecutionStatus::Waiting));
}

#[tokio::test]
async fn a_start_that_is_repeated_with_its_key_needs_no_place() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    for name in ["newest", "single"] {
        let key = Some(name);
        // Both at once, as when a client gives up waiting and tries again.
        let (first, second) = tokio::join!(begin(&driver, name, key), begin(&driver, name, key));
        let ids: Vec<_> = [first.unwrap(), second.unwrap(), begin(&driver, name, key).await.unwrap()]
            .map(|begun| match begun {
                Begun::New(id) => (true, id),
                Begun::Repeated(id) => (false, id),
                Begun::KeyReused(id) => panic!("{id}"),
            })
            .into();
        assert_eq!(ids.iter().filter(|(is_new, _)| *is_new).count(), 1, "{ids:?}");
        assert!(ids.iter().all(|(_, id)| *id == ids[0].1), "{ids:?}");
        driver.input(ids[0].1, Input::Timer).await.unwrap();
        assert_eq!(status(&driver, ids[0].1).await, Some(ExecutionStatus::Waiting), "{name}");
    }
    assert!(matches!(begin(&driver, "single", Some("another")).await, Err(Error::Skipped { limit: 1 })));
}

/// Waits until nobody is in memory.
async fn all_leave(driver: &Driver) {
    until("nobody is in memory", async || (driver.0.resident.len() == 0).then_some(())).await;
}

#[tokio::test]
async fn who_has_the_way_to_an_execution_and_goes_away_does_not_keep_it_in_memory() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    let id = start(&driver, "asks").await;
    all_leave(&driver).await;
    let way = driver.inbox(id);
    tokio::task::yield_now().await;
    assert_eq!(driver.0.resident.len(), 1);
    drop(way);
    all_leave(&driver).await;
}

#[tokio::test]
async fn an_execution_whose_command_takes_long_is_in_memory_nowhere() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    let mut worker = Connected::new(&driver, 1, Vec::new()).await;
    let id = start(&driver, "any").await;
    let command = worker.next().await;
    all_leave(&driver).await;
    worker.succeeds(command).await;
    until_status(&driver, id, ExecutionStatus::Completed).await;
    assert!(worker.sent().is_empty(), "it is not sent again because it was folded again");
}

#[tokio::test]
async fn a_workflow_that_gets_a_limit_counts_those_that_run() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    let (first, second) = (start(&driver, "asks").await, start(&driver, "asks").await);
    let found = store.workflow_by_name("asks").await.unwrap().unwrap();
    let save = SaveWorkflow {
        id: found.id,
        name: found.name,
        description: String::new(),
        tags: Vec::new(),
        definition: ASKS.replace("steps", "concurrency: {limit: 2, policy: queue}\nsteps"),
        webhook: None,
        by: "ann".to_owned(),
        at: clock::now(),
        expected: None,
    };
    store.save_workflow(save).await.unwrap();
    let third = start(&driver, "asks").await;
    assert_eq!(status(&driver, third).await, Some(ExecutionStatus::Queued));
    stop(&driver).await;
    let driver = super::fixtures::driver(&store).await;
    recover(&driver).await.unwrap();
    let fourth = start(&driver, "asks").await;
    assert_eq!(status(&driver, fourth).await, Some(ExecutionStatus::Queued));
    driver.input(first, abort()).await.unwrap();
    until_status(&driver, third, ExecutionStatus::Waiting).await;
    driver.input(second, abort()).await.unwrap();
    until_status(&driver, fourth, ExecutionStatus::Waiting).await;
}

#[tokio::test]
async fn a_worker_that_comes_and_goes_again_is_waited_for_still() {
    let (_, store) = store().await;
    let worker = WorkerRecord {
        id: WorkerId(uuid::Uuid::new_v4()),
        name: "w".into(),
        labels: Default::default(),
        capacity: 1,
        draining: true,
        version: String::new(),
        last_seen: pulse_core::time::Timestamp::from_millis(0),
        metadata: Default::default(),
        created_at: clock::now(),
    };
    store.save_worker(worker.clone()).await.unwrap();
    let driver = driver(&store).await;
    // The registry has one worker, and it was the last that was seen: it is not waited for in vain.
    driver.fleet().returning().came(worker.id);
    let id = start(&driver, "remote").await;
    assert_eq!(driver.fold(id).await.unwrap().awaited(), [worker.id]);
    driver.worker_online(worker.id);
    // By the time of the decision it is gone again; the next time it comes, the execution hears of it.
    driver.input(id, Input::Timer).await.unwrap();
    assert!(driver.0.awaited.waits(id, Some(worker.id)));
}
