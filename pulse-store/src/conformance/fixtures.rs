//! Executions, entries and pieces of output to test with.

use crate::{Append, ExecutionRecord, Journal, OutputRecord, Store};
use pulse_core::api::OutputChunk;
use pulse_core::command::Stream;
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{Attempt, CommandId, ExecutionId, Seq, WorkflowId};
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_core::time::Timestamp;
use uuid::Uuid;

/// Some time, with milliseconds.
pub const NOW: Timestamp = Timestamp::from_millis(1_795_527_091_007);

/// A new id, larger than those before it.
pub fn new_id() -> ExecutionId {
    ExecutionId(Uuid::now_v7())
}

/// An id made at a time.
pub fn id_at(time: Timestamp) -> ExecutionId {
    let random = Uuid::new_v4().as_u128() & 0x0fff_3fff_ffff_ffff_ffff;
    let millis = u128::try_from(time.as_millis()).unwrap();
    ExecutionId(Uuid::from_u128(millis << 80 | 0x7000_8000_0000_0000_0000 | random))
}

/// The time in an id.
pub fn time_of(id: ExecutionId) -> Timestamp {
    Timestamp::from_millis(i64::try_from(id.0.as_u128() >> 80).unwrap())
}

/// A running execution of a quick command, before its first entry.
pub fn record(id: ExecutionId) -> ExecutionRecord {
    ExecutionRecord {
        id,
        workflow_id: None,
        workflow: None,
        version: None,
        title: "uptime".to_owned(),
        status: ExecutionStatus::Running,
        started_by: "ada".to_owned(),
        trigger: Trigger::Command,
        created_at: time_of(id),
        started_at: None,
        finished_at: None,
        error: None,
        waiting_for_input: false,
        wake_at: None,
        active_commands: 0,
        last_seq: Seq(0),
        owner: None,
        lease_until: None,
        fence: 0,
    }
}

/// An entry with a text in it.
pub fn entry(seq: u64, text: &str) -> Entry {
    Entry { seq: Seq(seq), timestamp: NOW, event: Event::WorkflowError { message: text.to_owned() } }
}

/// Entries `first..=last` for an execution, with its summary after them.
pub fn append(mut record: ExecutionRecord, first: u64, last: u64) -> Append {
    record.last_seq = Seq(last);
    Append {
        execution_id: record.id,
        fence: 0,
        entries: (first..=last).map(|seq| entry(seq, &format!("entry {seq}"))).collect(),
        record,
        idempotency: None,
        secrets: None,
        deliveries: Vec::new(),
    }
}

/// Stores an execution with one entry and this summary.
pub async fn create(store: &dyn Store, record: ExecutionRecord) -> ExecutionId {
    let id = record.id;
    store.append(append(record, 1, 1)).await.unwrap();
    id
}

/// Stores a new execution in a state.
pub async fn create_in(store: &dyn Store, status: ExecutionStatus) -> ExecutionId {
    create(store, ExecutionRecord { status, ..record(new_id()) }).await
}

/// Makes a record one of a workflow.
pub fn of_workflow(record: ExecutionRecord, name: &str) -> ExecutionRecord {
    let workflow_id = Some(WorkflowId(Uuid::now_v7()));
    ExecutionRecord { workflow_id, workflow: Some(name.to_owned()), version: Some(3), title: name.to_owned(), ..record }
}

/// The numbers of all entries of a journal.
pub async fn seqs(store: &(impl Journal + ?Sized), id: ExecutionId) -> Vec<u64> {
    store.read(id, Seq(0), usize::MAX).await.unwrap().into_iter().map(|entry| entry.seq.0).collect()
}

/// A piece of standard output.
pub fn piece(execution_id: ExecutionId, command_id: CommandId, seq: u64) -> OutputRecord {
    OutputRecord {
        execution_id,
        chunk: OutputChunk {
            cursor: 0,
            command_id,
            step_id: "build".into(),
            worker: "web-1".to_owned(),
            attempt: Attempt::FIRST,
            stream: Stream::Stdout,
            seq,
            data: format!("line {seq}\n"),
            gap_bytes: None,
        },
    }
}

/// A new command's id.
pub fn new_command() -> CommandId {
    CommandId(Uuid::now_v7())
}
