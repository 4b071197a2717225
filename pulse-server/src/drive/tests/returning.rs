//! After a start, workers are on their way back: what needs them waits, and nothing else does. What was told to stop before the
//! stop is told so again.

use super::super::fixtures::{driver, start, stop, until_status};
use super::super::{Driver, recover};
use super::{abort, store};
use crate::fleet::fixtures::{Connected, worker_id};
use crate::fleet::watch;
use pulse_core::command::Outcome;
use pulse_core::event::Event;
use pulse_core::ids::{ExecutionId, Seq};
use pulse_core::status::ExecutionStatus;
use pulse_engine::Input;

fn watched(driver: &Driver) {
    driver.spawn(watch(driver.fleet().clone(), driver.clone(), driver.0.stop.clone()));
}

async fn kinds(driver: &Driver, id: ExecutionId) -> Vec<&'static str> {
    let entries = driver.store().read(id, Seq(0), 1_000).await.unwrap();
    entries.iter().map(|entry| entry.event.kind()).collect()
}

#[tokio::test]
async fn a_start_is_durable_while_its_worker_is_on_its_way() {
    let (_, store) = store().await;
    let before = driver(&store).await;
    drop(Connected::new(&before, 1, Vec::new()).await);
    stop(&before).await;

    let again = driver(&store).await;
    let id = start(&again, "named").await;
    assert_eq!(kinds(&again, id).await, ["execution_created"], "it is there, and no worker was left out");
    again.input(id, Input::Timer).await.unwrap();
    assert_eq!(kinds(&again, id).await, ["execution_created"], "whoever asks does not wait either");
    stop(&again).await;

    // Another start finds it, though nothing of it is under way.
    let after = driver(&store).await;
    recover(&after).await.unwrap();
    let mut w1 = Connected::new(&after, 1, Vec::new()).await;
    let command = w1.next().await;
    w1.succeeds(command).await;
    until_status(&after, id, ExecutionStatus::Completed).await;
    assert!(!kinds(&after, id).await.contains(&"worker_offline"));
}

#[tokio::test]
async fn what_was_never_sent_and_is_told_to_stop_ends_after_a_restart() {
    let (_, store) = store().await;
    let before = driver(&store).await;
    let mut w1 = Connected::new(&before, 1, Vec::new()).await;
    start(&before, "named").await;
    w1.next().await;
    let id = start(&before, "named").await;
    // Nobody takes what the fleet has to say: as if the server were killed right after the abort.
    before.input(id, abort()).await.unwrap();
    let state = before.fold(id).await.unwrap();
    let never_sent: Vec<_> = state.stopping_commands().map(|command| command.command_id).collect();
    assert_eq!(never_sent.len(), 1);
    drop(w1);
    stop(&before).await;

    let after = driver(&store).await;
    recover(&after).await.unwrap();
    watched(&after);
    let mut w1 = Connected::new(&after, 1, Vec::new()).await;
    until_status(&after, id, ExecutionStatus::Aborted).await;
    let entries = after.store().read(id, Seq(0), 1_000).await.unwrap();
    let ends = entries.iter().filter_map(|entry| match &entry.event {
        Event::CommandResult { worker, end, .. } => Some((worker.worker_id, end.outcome)),
        Event::NotStopped { .. } => panic!("it was never sent"),
        _ => None,
    });
    assert_eq!(ends.collect::<Vec<_>>(), [(worker_id(1), Outcome::Cancelled)]);
    assert!(!w1.sent().contains(&never_sent[0]), "nobody starts it");
}
