//! What watchers hear of commands that wait to be sent, or whose worker cannot be reached.

use super::super::fixtures::{driver, start};
use super::store;
use crate::fleet::Told;
use crate::fleet::fixtures::Connected;
use crate::live::Live;
use pulse_core::ids::{CommandId, ExecutionId};
use pulse_core::protocol::browser::ToBrowser;
use pulse_core::status::Delivery;
use tokio::sync::broadcast::Receiver;

/// What came about deliveries: `Ok` of what one page shows, `Err` of the list.
type Heard = Result<(ExecutionId, Vec<CommandId>, Vec<CommandId>), (ExecutionId, Option<Delivery>)>;

fn heard(live: &mut Receiver<Live>) -> Vec<Heard> {
    let messages = std::iter::from_fn(|| live.try_recv().ok());
    let all = messages.filter_map(|message| match serde_json::from_str(&message.text).unwrap() {
        ToBrowser::ExecutionDelivery { execution_id, queued, unreachable } => {
            assert_eq!(message.topic.to_string(), format!("execution:{execution_id}"));
            Some(Ok((execution_id, queued, unreachable)))
        }
        ToBrowser::DeliveryUpdate { execution_id, delivery } => {
            assert_eq!(message.topic.to_string(), "executions");
            Some(Err((execution_id, delivery)))
        }
        _ => None,
    });
    all.collect()
}

#[tokio::test]
async fn watchers_hear_what_waits_and_what_cannot_be_reached_and_when_that_is_over() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    let (fleet, mut live, mut told) = (driver.fleet(), driver.hub().subscribe(), Told::default());
    let mut w1 = Connected::new(&driver, 1, Vec::new()).await;
    let first = start(&driver, "named").await;
    let running = w1.next().await;
    fleet.tell_deliveries(&mut told);
    assert_eq!(heard(&mut live), [], "it runs: nothing waits");

    let second = start(&driver, "named").await;
    let waiting = driver.fold(second).await.unwrap().outstanding()[0].command_id;
    let is_queued = [Ok((second, vec![waiting], vec![])), Err((second, Some(Delivery::Queued)))];
    fleet.tell_deliveries(&mut told);
    assert_eq!(heard(&mut live), is_queued);
    fleet.tell_deliveries(&mut told);
    assert_eq!(heard(&mut live), [], "nothing has changed");

    w1.falls_silent();
    fleet.tell_deliveries(&mut told);
    let is_silent = [Ok((first, vec![], vec![running])), Err((first, Some(Delivery::WorkerUnreachable)))];
    assert_eq!(heard(&mut live), is_silent, "the other one is queued as before");
    let now = fleet.deliveries([first, second].into_iter());
    assert!(now.contains(&ToBrowser::ExecutionDelivery {
        execution_id: first,
        queued: vec![],
        unreachable: vec![running]
    }));
    assert!(now.contains(&ToBrowser::ExecutionDelivery {
        execution_id: second,
        queued: vec![waiting],
        unreachable: vec![]
    }));

    w1.beats().await;
    w1.succeeds(running).await;
    assert_eq!(w1.next().await, waiting);
    fleet.tell_deliveries(&mut told);
    let over = heard(&mut live);
    assert_eq!(over.len(), 4, "{over:?}");
    for id in [first, second] {
        assert!(over.contains(&Ok((id, vec![], vec![]))) && over.contains(&Err((id, None))), "{over:?}");
    }
}

#[tokio::test]
async fn who_comes_later_hears_what_waits_then() {
    let (_, store) = store().await;
    let driver = driver(&store).await;
    let mut told = Told::default();
    let mut w1 = Connected::new(&driver, 1, Vec::new()).await;
    start(&driver, "named").await;
    let running = w1.next().await;
    let second = start(&driver, "named").await;
    let live = driver.hub().subscribe();
    driver.fleet().tell_deliveries(&mut told);
    drop(live);
    // Nobody hears that it is sent.
    w1.succeeds(running).await;
    let waiting = w1.next().await;
    driver.fleet().tell_deliveries(&mut told);
    let third = start(&driver, "named").await;
    let mut live = driver.hub().subscribe();
    driver.fleet().tell_deliveries(&mut told);
    let of_third = driver.fold(third).await.unwrap().outstanding()[0].command_id;
    assert_eq!(heard(&mut live), [Ok((third, vec![of_third], vec![])), Err((third, Some(Delivery::Queued)))]);
    let now = driver.fleet().deliveries([second].into_iter());
    assert_eq!(now, [ToBrowser::ExecutionDelivery { execution_id: second, queued: vec![], unreachable: vec![] }]);
    w1.succeeds(waiting).await;
}
