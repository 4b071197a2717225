//! What a store must do, as a model that is simple enough to be seen to be right, operations to try, and how a store is
//! held against the model. The test targets include this file.

use futures_util::future::join_all;
use proptest::prelude::*;
use pulse_core::command::Stream;
use pulse_core::event::Event;
use pulse_core::ids::{CommandId, DeliveryId, ExecutionId, Seq};
use pulse_core::status::{ExecutionStatus, WebhookEvent};
use pulse_store::conformance::fixtures;
use pulse_store::{Append, Appended, Error, ExecutionRecord, IdempotencyKey, NewDelivery, OutputFilter, Store};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

/// How many executions are worked on at a time.
const SLOTS: usize = 3;

/// Something to do to the execution in a slot.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Appends `count` entries; the first one's number is off by `offset` from what comes next, the fence by `fence`.
    Append {
        slot: usize,
        count: u64,
        offset: i64,
        fence: i64,
        key: Option<(u8, u8)>,
        end: bool,
    },
    /// Appends one entry to each slot, all at once.
    Burst,
    Output {
        slot: usize,
        command: u8,
        seq: u64,
        stderr: bool,
    },
    Delete {
        slot: usize,
    },
    /// Claims it, for long or with a lease that has ended at once.
    Claim {
        slot: usize,
        owner: u8,
        over: bool,
    },
    Renew {
        slot: usize,
        owner: u8,
        over: bool,
    },
    Release {
        slot: usize,
        owner: u8,
    },
    /// Writes the summary anew.
    Rebuild {
        slot: usize,
    },
    /// Ends the store, in order or without a word, and opens it again.
    Reopen {
        close: bool,
    },
}

pub fn op() -> impl Strategy<Value = Op> {
    let slot = 0..SLOTS;
    let append = (
        slot.clone(),
        0..4_u64,
        -1..=1_i64,
        -1..=1_i64,
        prop::option::weighted(0.3, (0..3_u8, 0..2_u8)),
        any::<bool>(),
    );
    prop_oneof![
        // Mostly right ones, or nothing would come of it.
        6 => (slot.clone(), 1..4_u64, prop::bool::weighted(0.4)).prop_map(|(slot, count, end)| Op::Append {
            slot, count, offset: 0, fence: 0, key: None, end
        }),
        3 => append.prop_map(|(slot, count, offset, fence, key, end)| Op::Append { slot, count, offset, fence, key, end }),
        2 => Just(Op::Burst),
        3 => (slot.clone(), 0..2_u8, 1..5_u64, any::<bool>())
            .prop_map(|(slot, command, seq, stderr)| Op::Output { slot, command, seq, stderr }),
        3 => slot.clone().prop_map(|slot| Op::Delete { slot }),
        2 => (slot.clone(), 0..2_u8, any::<bool>()).prop_map(|(slot, owner, over)| Op::Claim { slot, owner, over }),
        1 => (slot.clone(), 0..2_u8, any::<bool>()).prop_map(|(slot, owner, over)| Op::Renew { slot, owner, over }),
        1 => (slot.clone(), 0..2_u8).prop_map(|(slot, owner)| Op::Release { slot, owner }),
        1 => slot.prop_map(|slot| Op::Rebuild { slot }),
        1 => any::<bool>().prop_map(|close| Op::Reopen { close }),
    ]
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    New,
    /// Its key was used for this execution; whether by the same request.
    Existing(u64, bool),
    Conflict(u64, u64),
    Fenced,
    NotEnded,
    NotFound,
    Cursor(u64),
    Was(bool),
    /// Claimed under this fence, or not.
    Fence(Option<i64>),
    Done,
    All(Vec<Answer>),
}

/// All that is known of an execution; nothing of one that is not there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Execution {
    /// What the entries say, in order.
    entries: Vec<String>,
    /// None when there is no summary.
    pub summary: Option<Summary>,
    /// Command, number and whether it is stderr, in order of the cursors.
    output: Vec<(u8, u64, bool)>,
    secrets: bool,
    /// Which appends caused a call of a webhook each.
    deliveries: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    ended: bool,
    last_seq: u64,
    fence: i64,
    owner: Option<u8>,
    /// Which append wrote it.
    mark: u32,
}

/// Everything that is in a store.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub executions: BTreeMap<u64, Execution>,
    /// Whose lease goes on.
    pub leased: BTreeMap<u64, bool>,
    /// Numbers of the executions in the slots.
    pub slots: [u64; SLOTS],
    /// The number of the next execution.
    pub next: u64,
    pub keys: BTreeMap<u8, (u64, u8)>,
    /// Counts operations: so no two entries or summaries are the same.
    pub count: u32,
}

impl Model {
    pub fn new() -> Self {
        Self { slots: std::array::from_fn(|slot| slot as u64), next: SLOTS as u64, ..Self::default() }
    }

    fn at(&self, slot: usize) -> (u64, Execution) {
        let id = self.slots[slot];
        (id, self.executions.get(&id).cloned().unwrap_or_default())
    }

    /// Does it, and says what has to be answered.
    pub fn apply(&mut self, op: &Op) -> Answer {
        self.count += 1;
        match *op {
            Op::Append { slot, count, offset, fence, key, end } => self.append(slot, count, offset, fence, key, end),
            Op::Burst => Answer::All((0..SLOTS).map(|slot| self.append(slot, 1, 0, 0, None, false)).collect()),
            Op::Output { slot, command, seq, stderr } => {
                let id = self.slots[slot];
                let Some(known) = self.executions.get_mut(&id) else { return Answer::NotFound };
                let piece = (command, seq, stderr);
                let index = known.output.iter().position(|kept| *kept == piece).unwrap_or_else(|| {
                    known.output.push(piece);
                    known.output.len() - 1
                });
                Answer::Cursor(index as u64 + 1)
            }
            Op::Delete { slot } => {
                let id = self.slots[slot];
                match self.executions.get(&id).and_then(|known| known.summary.as_ref()) {
                    None => Answer::Was(false),
                    Some(summary) if !summary.ended => Answer::NotEnded,
                    Some(_) => {
                        self.executions.remove(&id);
                        self.leased.remove(&id);
                        self.keys.retain(|_, (used_for, _)| *used_for != id);
                        // Ids are not used twice.
                        self.slots[slot] = self.next;
                        self.next += 1;
                        Answer::Was(true)
                    }
                }
            }
            Op::Claim { slot, owner, over } => {
                let id = self.slots[slot];
                let leased = self.leased.get(&id).copied().unwrap_or(false);
                let summary = self.executions.get_mut(&id).and_then(|known| known.summary.as_mut());
                let Some(summary) = summary.filter(|summary| !summary.ended && !leased) else {
                    return Answer::Fence(None);
                };
                summary.owner = Some(owner);
                summary.fence += 1;
                let fence = summary.fence;
                self.leased.insert(id, !over);
                Answer::Fence(Some(fence))
            }
            Op::Renew { slot, owner, over } => match self.held(slot, owner) {
                true => {
                    self.leased.insert(self.slots[slot], !over);
                    Answer::Was(true)
                }
                false => Answer::Was(false),
            },
            Op::Release { slot, owner } => match self.held(slot, owner) {
                true => {
                    let id = self.slots[slot];
                    self.leased.remove(&id);
                    if let Some(summary) = self.executions.get_mut(&id).and_then(|known| known.summary.as_mut()) {
                        summary.owner = None;
                    }
                    Answer::Was(true)
                }
                false => Answer::Was(false),
            },
            Op::Rebuild { slot } => match self.executions.get_mut(&self.slots[slot]).map(|known| &mut known.summary) {
                Some(Some(summary)) => {
                    summary.mark = self.count;
                    Answer::Done
                }
                _ => Answer::NotFound,
            },
            Op::Reopen { .. } => Answer::Done,
        }
    }

    fn held(&self, slot: usize, owner: u8) -> bool {
        self.at(slot).1.summary.is_some_and(|summary| summary.owner == Some(owner))
    }

    fn append(&mut self, slot: usize, count: u64, offset: i64, fence: i64, key: Option<(u8, u8)>, end: bool) -> Answer {
        let (id, mut known) = self.at(slot);
        let plan = Plan::of(&known, offset, fence);
        if let Some((key, hash)) = key
            && let Some((used_for, used_hash)) = self.keys.get(&key)
        {
            return Answer::Existing(*used_for, *used_hash == hash);
        }
        if known.summary.as_ref().is_some_and(|summary| summary.fence > plan.fence) {
            return Answer::Fenced;
        }
        let next = known.entries.len() as u64 + 1;
        if plan.first != next || (count == 0 && known.summary.is_none()) {
            return Answer::Conflict(plan.first, next);
        }
        known.secrets = !end && (known.secrets || known.summary.is_none());
        known.entries.extend((0..count).map(|n| text(self.count, n)));
        known.deliveries.push(self.count);
        let owner = known.summary.and_then(|summary| summary.owner);
        let last_seq = known.entries.len() as u64;
        known.summary = Some(Summary { ended: end, last_seq, fence: plan.fence, owner, mark: self.count });
        self.executions.insert(id, known);
        if let Some((key, hash)) = key {
            self.keys.insert(key, (id, hash));
        }
        Answer::New
    }
}

/// The numbers of an append.
struct Plan {
    first: u64,
    fence: i64,
}

impl Plan {
    fn of(known: &Execution, offset: i64, fence: i64) -> Self {
        let next = known.entries.len() as i64 + 1;
        let stored = known.summary.as_ref().map_or(0, |summary| summary.fence);
        Self { first: (next + offset).max(1) as u64, fence: (stored + fence).max(0) }
    }
}

fn text(count: u32, n: u64) -> String {
    // Some of them larger than a page of the database.
    let filler = if (u64::from(count) + n).is_multiple_of(5) { 9000 } else { 3 };
    format!("{count} {n} {}", "🦀".repeat(filler))
}

fn execution_id(number: u64) -> ExecutionId {
    ExecutionId(Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + u128::from(number)))
}

/// The call that an append causes. Those of one execution are listed in the order of the appends.
fn delivery(execution: u64, mark: u32) -> NewDelivery {
    NewDelivery {
        id: DeliveryId(Uuid::from_u128(u128::from(mark) << 80 | 0x7000_8000_0000_0000_0000 | u128::from(execution))),
        event: WebhookEvent::Waiting,
        url: "http://hooks.example".to_owned(),
        host: "hooks.example:80".to_owned(),
        body: mark.to_string(),
        created_at: fixtures::NOW,
    }
}

fn number(id: ExecutionId) -> u64 {
    (id.0.as_u128() & 0xffff_ffff) as u64
}

fn command_id(execution: u64, command: u8) -> CommandId {
    CommandId(Uuid::from_u128(
        0x0199_0000_0001_7000_8000_0000_0000_0000 + u128::from(execution * 16) + u128::from(command),
    ))
}

fn record(id: u64, known: &Summary) -> ExecutionRecord {
    ExecutionRecord {
        status: if known.ended { ExecutionStatus::Completed } else { ExecutionStatus::Running },
        active_commands: known.mark,
        last_seq: Seq(known.last_seq),
        ..fixtures::record(execution_id(id))
    }
}

fn lease(over: bool) -> Duration {
    if over { Duration::ZERO } else { Duration::from_secs(3600) }
}

fn owner(owner: u8) -> String {
    format!("server-{owner}")
}

async fn append(store: &dyn Store, model: &Model, op: &Op) -> Answer {
    let Op::Append { slot, count, offset, fence, key, end } = *op else { panic!("{op:?} appends nothing") };
    let (id, known) = model.at(slot);
    let plan = Plan::of(&known, offset, fence);
    let mark = model.count + 1;
    let entries = (0..count).map(|n| fixtures::entry(plan.first + n, &text(mark, n))).collect();
    let summary = Summary { ended: end, last_seq: plan.first + count - 1, fence: 0, owner: None, mark };
    let append = Append {
        execution_id: execution_id(id),
        fence: plan.fence,
        entries,
        record: record(id, &summary),
        idempotency: key.map(|(key, hash)| IdempotencyKey {
            scope: "ada".to_owned(),
            key: key.to_string(),
            request_hash: hash.to_string(),
        }),
        secrets: (known.summary.is_none() && plan.first == 1).then(|| vec![7; 40]),
        deliveries: vec![delivery(id, mark)],
    };
    match store.append(append).await {
        Ok(Appended::New) => Answer::New,
        Ok(Appended::Existing { execution_id, same_request }) => Answer::Existing(number(execution_id), same_request),
        Err(error) => refused(error),
    }
}

fn refused(error: Error) -> Answer {
    match error {
        Error::Conflict { expected, actual, .. } => Answer::Conflict(expected.0, actual.0),
        Error::Fenced { .. } => Answer::Fenced,
        Error::NotEnded { .. } => Answer::NotEnded,
        Error::NotFound { .. } => Answer::NotFound,
        other => panic!("{other:?}"),
    }
}

/// Does it to a store, as the model says before it does it too.
pub async fn perform(store: &dyn Store, model: &Model, op: &Op) -> Answer {
    match *op {
        Op::Append { .. } => append(store, model, op).await,
        Op::Burst => {
            let one = |slot| Op::Append { slot, count: 1, offset: 0, fence: 0, key: None, end: false };
            let ops: Vec<Op> = (0..SLOTS).map(one).collect();
            Answer::All(join_all(ops.iter().map(|op| append(store, model, op))).await)
        }
        Op::Output { slot, command, seq, stderr } => {
            let id = model.slots[slot];
            let mut piece = fixtures::piece(execution_id(id), command_id(id, command), seq);
            piece.chunk.stream = if stderr { Stream::Stderr } else { Stream::Stdout };
            store.append_output(piece).await.map_or_else(refused, Answer::Cursor)
        }
        Op::Delete { slot } => {
            store.delete_execution(execution_id(model.slots[slot])).await.map_or_else(refused, Answer::Was)
        }
        Op::Claim { slot, owner: by, over } => {
            let claimed = store.claim(execution_id(model.slots[slot]), &owner(by), lease(over)).await.unwrap();
            Answer::Fence(claimed.map(|claim| claim.fence))
        }
        Op::Renew { slot, owner: by, over } => {
            let ids = [execution_id(model.slots[slot])];
            Answer::Was(!store.renew(&ids, &owner(by), lease(over)).await.unwrap().is_empty())
        }
        Op::Release { slot, owner: by } => {
            Answer::Was(store.release(execution_id(model.slots[slot]), &owner(by)).await.unwrap())
        }
        Op::Rebuild { slot } => {
            let (id, known) = model.at(slot);
            let ended = Summary { ended: false, last_seq: 0, fence: 0, owner: None, mark: 0 };
            let summary = Summary { mark: model.count + 1, ..known.summary.unwrap_or(ended) };
            store.replace_summary(record(id, &summary)).await.map_or_else(refused, |()| Answer::Done)
        }
        Op::Reopen { .. } => Answer::Done,
    }
}

/// What a store has of an execution. Panics where it is torn: numbers with gaps, a summary of another end.
pub async fn observe(store: &dyn Store, number: u64) -> Execution {
    let id = execution_id(number);
    let journal = store.read(id, Seq(0), 10_000).await.unwrap();
    let entries: Vec<String> = journal
        .iter()
        .zip(1..)
        .map(|(entry, seq)| match &entry.event {
            Event::WorkflowError { message } if entry.seq == Seq(seq) => message.clone(),
            _ => panic!("entry {seq} of {number} is {entry:?}"),
        })
        .collect();
    let summary = store.execution(id).await.unwrap().map(|found| Summary {
        ended: found.status.is_final(),
        last_seq: found.last_seq.0,
        fence: found.fence,
        owner: found.owner.map(|owner| owner.trim_start_matches("server-").parse().unwrap()),
        mark: found.active_commands,
    });
    let pieces = store.output(id, 0, &OutputFilter::default(), 10_000).await.unwrap();
    let output = pieces.iter().zip(1..).map(|(piece, cursor)| {
        assert_eq!(piece.cursor, cursor, "cursors have no gaps");
        let command = (0..2).find(|command| command_id(number, *command) == piece.command_id).unwrap();
        (command, piece.seq, piece.stream == Stream::Stderr)
    });
    let secrets = store.execution_secrets(id).await.unwrap();
    assert!(secrets.as_ref().is_none_or(|sealed| *sealed == vec![7; 40]));
    let calls = store.deliveries(id, None, 10_000).await.unwrap();
    let deliveries = calls.into_iter().map(|call| call.what.body.parse().unwrap()).collect();
    Execution { entries, summary, output: output.collect(), secrets: secrets.is_some(), deliveries }
}

/// Holds everything in a store against the model.
pub async fn compare(store: &dyn Store, model: &Model) {
    for id in 0..model.next {
        let expected = model.executions.get(&id).cloned().unwrap_or_default();
        assert_eq!(observe(store, id).await, expected, "execution {id}");
    }
    let known: Vec<ExecutionId> = model.executions.keys().map(|id| execution_id(*id)).collect();
    assert_eq!(store.journals(None, 1000).await.unwrap(), known);
    let open = model.executions.iter().filter(|(_, known)| known.summary.as_ref().is_some_and(|s| !s.ended));
    let unfinished: Vec<ExecutionId> =
        store.unfinished(None, 1000).await.unwrap().into_iter().map(|record| record.id).collect();
    assert_eq!(unfinished, open.map(|(id, _)| execution_id(*id)).collect::<Vec<_>>());
}

/// Does operations to a store and to the model, and holds one against the other at each reopening and in the end.
pub async fn run(ops: &[Op], mut model: Model, open: impl AsyncFn() -> Arc<dyn Store>) {
    let mut store = open().await;
    for op in ops {
        let answer = perform(&*store, &model, op).await;
        assert_eq!(answer, model.apply(op), "{op:?}");
        if let Op::Reopen { close } = op {
            if *close {
                store.close().await;
            }
            drop(store);
            store = open().await;
            compare(&*store, &model).await;
        }
    }
    compare(&*store, &model).await;
    store.close().await;
}
