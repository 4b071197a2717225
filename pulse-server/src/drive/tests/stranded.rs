//! Commands that wait for workers which are given no work: another worker gets them where any would do, nobody gets them
//! twice, and where they wait that is said.

use super::super::fixtures::{driver, start, until, until_status};
use super::super::{Driver, recover};
use super::{abort, store};
use crate::fleet::fixtures::{Connected, worker_id};
use crate::fleet::watch;
use pulse_core::api::WorkerChange;
use pulse_core::event::Event;
use pulse_core::ids::{CommandId, ExecutionId, Seq};
use pulse_core::status::ExecutionStatus;
use pulse_engine::Input;

async fn drain(driver: &Driver, n: u128, draining: bool) {
    let change = WorkerChange { draining: Some(draining), ..WorkerChange::default() };
    assert!(driver.fleet().change(worker_id(n), change).await.unwrap());
}

/// The kinds of the events of an execution that are about where its commands are.
async fn told(driver: &Driver, id: ExecutionId) -> Vec<String> {
    let entries = driver.store().read(id, Seq(0), 1_000).await.unwrap();
    let told = entries.iter().filter_map(|entry| match &entry.event {
        Event::CommandSent { worker, .. } => Some(format!("sent {}", worker.worker)),
        Event::CommandMoved { worker, from, .. } => Some(format!("moved {} {}", from.worker, worker.worker)),
        Event::CommandHeld { worker, reason, .. } => Some(format!("held {} {reason}", worker.worker)),
        Event::CommandResult { worker, end, .. } => Some(format!("{} {:?}", worker.worker, end.outcome)),
        _ => None,
    });
    told.collect()
}

/// A worker that runs one command, and an execution of this workflow whose command waits for its room.
async fn waiting(driver: &Driver, workflow: &str) -> (Connected, CommandId, ExecutionId) {
    let mut w1 = Connected::new(driver, 1, Vec::new()).await;
    start(driver, "any").await;
    let first = w1.next().await;
    let id = start(driver, workflow).await;
    assert!(w1.sent().is_empty() && told(driver, id).await == ["sent w1"], "it waits for room");
    (w1, first, id)
}

fn watched(driver: &Driver) {
    driver.spawn(watch(driver.fleet().clone(), driver.clone(), driver.0.stop.clone()));
}

#[tokio::test]
async fn what_waits_for_a_worker_that_drains_goes_to_another_where_any_will_do() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    let (mut w1, first, id) = waiting(&driver, "any").await;
    let mut w2 = Connected::new(&driver, 2, Vec::new()).await;
    drain(&driver, 1, true).await;
    watched(&driver);
    let second = w2.next().await;
    assert_eq!(told(&driver, id).await, ["sent w1", "moved w1 w2"]);
    w2.succeeds(second).await;
    until_status(&driver, id, ExecutionStatus::Completed).await;
    w1.succeeds(first).await;
    drain(&driver, 1, false).await;
    let mut w1 = Connected::new(&driver, 1, Vec::new()).await;
    assert!(first != second && w1.sent().is_empty());
}

#[tokio::test]
async fn what_is_this_workers_waits_and_says_so_once() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    let (w1, _, id) = waiting(&driver, "named").await;
    let mut w2 = Connected::new(&driver, 2, Vec::new()).await;
    drain(&driver, 1, true).await;
    watched(&driver);
    until("more is told", async || (told(&driver, id).await.len() == 2).then_some(())).await;
    drop(w1);
    assert!(driver.fleet().inspect().stranded.is_empty(), "it is asked once");
    assert!(w2.sent().is_empty() && told(&driver, id).await == ["sent w1", "held w1 draining"]);
    // Without what ran, so that there is room.
    drain(&driver, 1, false).await;
    let mut w1 = Connected::new(&driver, 1, Vec::new()).await;
    let all = [w1.next().await];
    w1.succeeds(all[0]).await;
    let last = w1.next().await;
    w1.succeeds(last).await;
    until_status(&driver, id, ExecutionStatus::Completed).await;
}

#[tokio::test]
async fn a_crash_between_any_two_steps_of_a_move_neither_loses_nor_doubles_it() {
    for is_decided in [false, true] {
        let (_, store) = store().await;
        let before = driver(&store).await;
        let (_w1, first, id) = waiting(&before, "any").await;
        let command = before.fold(id).await.unwrap().outstanding()[0].command_id;
        let mut w2 = Connected::new(&before, 2, Vec::new()).await;
        drain(&before, 1, true).await;
        let asked = before.fleet().inspect().stranded;
        assert_eq!(asked.iter().map(|asked| asked.command_id).collect::<Vec<_>>(), [command]);
        // Between the question and the decision it is sent nowhere, whoever comes.
        drain(&before, 1, false).await;
        let mut w1 = Connected::new(&before, 1, Vec::new()).await;
        assert_eq!(w1.sent(), [first], "the one it has never heard of");
        if is_decided {
            // Committed; what follows from it is lost with this driver.
            drain(&before, 1, true).await;
            before.input(id, Input::CommandStranded { command_id: command, worker_id: worker_id(1) }).await.unwrap();
            assert_eq!(w2.sent(), [command]);
            drain(&before, 1, false).await;
        }
        // All that was in memory is gone; nobody has said anything of it.
        let after = driver(&store).await;
        recover(&after).await.unwrap();
        let mut w1 = Connected::new(&after, 1, Vec::new()).await;
        let mut w2 = Connected::new(&after, 2, Vec::new()).await;
        assert_eq!(w1.sent(), [first], "it has room for one");
        w1.succeeds(first).await;
        let on = if is_decided { &mut w2 } else { &mut w1 };
        assert_eq!(on.next().await, command);
        on.succeeds(command).await;
        until_status(&after, id, ExecutionStatus::Completed).await;
        assert!(w1.sent().is_empty() && w2.sent().is_empty());
    }
}

#[tokio::test]
async fn an_abort_while_it_is_asked_about_ends_it() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    let (_w1, _, id) = waiting(&driver, "any").await;
    let mut w2 = Connected::new(&driver, 2, Vec::new()).await;
    drain(&driver, 1, true).await;
    let asked = driver.fleet().inspect().stranded;
    driver.input(id, abort()).await.unwrap();
    let (command_id, worker_id) = (asked[0].command_id, asked[0].worker_id);
    driver.input(id, Input::CommandStranded { command_id, worker_id }).await.unwrap();
    watched(&driver);
    until("more is told", async || (told(&driver, id).await.len() == 2).then_some(())).await;
    assert_eq!(told(&driver, id).await, ["sent w1", "w1 Cancelled"]);
    assert!(w2.sent().is_empty());
}
