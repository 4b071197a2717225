//! Upkeep over executions that the engine made.

use super::retention::{before, sweep};
use super::{Checked, Rebuilt, check, rebuild};
use crate::drive::record;
use pulse_core::ids::ExecutionId;
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_core::time::Timestamp;
use pulse_engine::fleet::Fleet;
use pulse_engine::{Context, Input, Start, State, advance, load};
use pulse_store::{Append, Executions as _, MemoryStore, Store};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const DAY: Duration = Duration::from_secs(86_400);
const NOW: Timestamp = Timestamp::from_millis(1_795_527_091_007);

/// An execution that has ended (or waits for a person) so many days ago, in the store.
async fn execution(store: &dyn Store, days_ago: u32, ended: bool) -> ExecutionId {
    let at = before(NOW, DAY * days_ago);
    let definition = if ended {
        "steps: [{type: set, values: {a: 1}}]"
    } else {
        "steps: [{type: prompt, message: a, timeout: 1000d}]"
    };
    let plan = load(definition).plan.expect("a definition");
    let millis = u64::try_from(at.as_millis()).unwrap();
    let timestamp = uuid::Timestamp::from_unix(uuid::NoContext, millis / 1_000, 0);
    let id = ExecutionId(uuid::Uuid::new_v7(timestamp));
    let start = Start {
        workflow: None,
        definition: Some(pulse_engine::quick_command("uptime", 5.0, None)),
        params: Default::default(),
        targets: None,
        started_by: "ann".into(),
        trigger: Trigger::Command,
        parent: None,
        queue: None,
    };
    let fleet = Fleet::default();
    let cx = Context { now: at, entropy: 7, fleet: &fleet };
    let mut state = State::new(id);
    let entries = advance(&plan, &mut state, Input::Start(Box::new(start)), &cx).unwrap().entries;
    let record = record(&state, "uptime").unwrap();
    assert_eq!(record.status.is_final(), ended, "{record:?}");
    let append = Append {
        execution_id: id,
        fence: 0,
        entries,
        record,
        idempotency: None,
        secrets: None,
        deliveries: Vec::new(),
    };
    store.append(append).await.unwrap();
    id
}

#[tokio::test]
async fn retention_deletes_what_ended_before_and_nothing_else() {
    let store = MemoryStore::default();
    let old = [execution(&store, 40, true).await, execution(&store, 31, true).await];
    let kept = [execution(&store, 40, false).await, execution(&store, 29, true).await];
    let stop = CancellationToken::new();
    assert_eq!(sweep(&store, before(NOW, DAY * 30), &stop).await, Ok(2));
    for id in old {
        assert_eq!(store.execution(id).await, Ok(None));
    }
    for id in kept {
        assert!(store.execution(id).await.unwrap().is_some());
    }
    assert_eq!(sweep(&store, before(NOW, DAY * 30), &stop).await, Ok(0));
    stop.cancel();
    assert_eq!(sweep(&store, NOW, &stop).await, Ok(0), "a server that stops deletes nothing more");
}

#[tokio::test]
async fn a_wrong_summary_is_found_and_made_again() {
    let store = MemoryStore::default();
    let (wrong, right) = (execution(&store, 1, true).await, execution(&store, 1, false).await);
    let found = |checked: Checked| (checked.executions, checked.gaps.len(), checked.differing.len());
    assert_eq!(found(check(&store).await.unwrap()), (2, 0, 0));

    let before = store.execution(wrong).await.unwrap().unwrap();
    let mut broken = before.clone();
    (broken.status, broken.finished_at) = (ExecutionStatus::Failed, None);
    store.replace_summary(broken).await.unwrap();
    assert_eq!(found(check(&store).await.unwrap()), (2, 0, 1));

    let expected = Rebuilt { journals: 2, written: 1, damaged: Vec::new() };
    assert_eq!(rebuild(&store).await.unwrap(), expected);
    assert_eq!(store.execution(wrong).await.unwrap(), Some(before));
    assert!(store.execution(right).await.unwrap().is_some_and(|record| record.waiting_for_input));
    assert_eq!(rebuild(&store).await.unwrap(), Rebuilt { written: 0, ..expected });
}
