//! One writer, one journal.

use super::fixtures::{NOW, append, create, entry, new_command, new_id, of_workflow, piece, record, seqs};
use crate::{Append, Appended, Error, ExecutionFilter, ExecutionRecord, OutputFilter, Store};
use pulse_core::event::Entry;
use pulse_core::ids::{ExecutionId, Seq, WorkflowId};
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_core::time::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

/// Entries come back as they were, from anywhere, as many as asked for; an unknown journal is empty.
pub async fn reads_back_what_was_appended(store: Arc<dyn Store>) {
    let id = new_id();
    let first = append(record(id), 1, 3);
    let second = append(record(id), 4, 5);
    assert_eq!(store.append(first.clone()).await, Ok(Appended::New));
    assert_eq!(store.append(second.clone()).await, Ok(Appended::New));

    let all: Vec<Entry> = first.entries.into_iter().chain(second.entries).collect();
    assert_eq!(store.read(id, Seq(0), 100).await.unwrap(), all);
    assert_eq!(store.read(id, Seq(2), 2).await.unwrap(), all[2..4]);
    assert_eq!(store.read(id, Seq(5), 100).await.unwrap(), []);
    assert_eq!(store.read(id, Seq(u64::MAX), 100).await.unwrap(), []);
    assert_eq!(store.read(id, Seq(0), 0).await.unwrap(), []);
    assert_eq!(store.read(new_id(), Seq(0), 100).await.unwrap(), []);
}

/// Characters beyond the BMP, combining ones, escapes and quotes stay what they are, in entries and in summaries.
pub async fn keeps_every_character(store: Arc<dyn Store>) {
    let text = "🦀 𝔘𝔫𝔦 e\u{301} \u{10ffff} \u{1} \u{7f} \u{2028} ' \" \\ % _ \r\n\t 日本語 ﷽";
    let id = new_id();
    let mut with_text = append(record(id), 1, 1);
    with_text.entries = vec![entry(1, text)];
    with_text.record.title = text.to_owned();
    with_text.record.error = Some(text.to_owned());
    with_text.record.started_by = text.to_owned();
    store.append(with_text.clone()).await.unwrap();
    assert_eq!(store.read(id, Seq(0), 10).await.unwrap(), with_text.entries);
    assert_eq!(store.execution(id).await.unwrap(), Some(with_text.record));
}

/// A NUL, which one of the databases cannot keep in a text, stays in entries, which are JSON. Elsewhere it becomes the
/// replacement character everywhere, and looking for it finds that.
pub async fn replaces_nul(store: Arc<dyn Store>) {
    let id = new_id();
    let mut with_nul = append(of_workflow(record(id), "de\0ploy"), 1, 1);
    with_nul.entries = vec![entry(1, "a\0b")];
    with_nul.record.title = "ti\0tle".to_owned();
    with_nul.record.error = Some("er\0ror".to_owned());
    with_nul.record.started_by = "a\0da".to_owned();
    store.append(with_nul.clone()).await.unwrap();
    assert_eq!(store.read(id, Seq(0), 10).await.unwrap(), with_nul.entries);
    let kept = store.execution(id).await.unwrap().unwrap();
    assert_eq!((kept.title.as_str(), kept.error.as_deref()), ("ti\u{fffd}tle", Some("er\u{fffd}ror")));
    assert_eq!((kept.started_by.as_str(), kept.workflow.as_deref()), ("a\u{fffd}da", Some("de\u{fffd}ploy")));
    let filter = ExecutionFilter {
        workflow: Some("DE\0PLOY".to_owned()),
        started_by: Some("a\0da".to_owned()),
        text: Some("I\0TL".to_owned()),
        ..ExecutionFilter::default()
    };
    assert_eq!(store.executions(&filter, None, 10).await.unwrap(), [kept]);

    let mut output = piece(id, new_command(), 1);
    output.chunk.data = "x\0y".to_owned();
    store.append_output(output).await.unwrap();
    assert_eq!(store.output(id, 0, &OutputFilter::default(), 10).await.unwrap()[0].data, "x\u{fffd}y");
    let none = OutputFilter { worker: Some("\0".to_owned()), ..OutputFilter::default() };
    assert_eq!(store.output(id, 0, &none, 10).await.unwrap(), []);
}

/// Names that are told again keep their first 255 characters, and are found by the whole.
pub async fn keeps_the_start_of_long_names(store: Arc<dyn Store>) {
    let (id, long) = (new_id(), "é🦀".repeat(200));
    let start: String = long.chars().take(255).collect();
    store.append(append(ExecutionRecord { started_by: long.clone(), ..record(id) }, 1, 1)).await.unwrap();
    assert_eq!(store.execution(id).await.unwrap().unwrap().started_by, start);
    let filter = ExecutionFilter { started_by: Some(long.clone()), ..ExecutionFilter::default() };
    assert_eq!(store.executions(&filter, None, 10).await.unwrap().len(), 1);
    let mut output = piece(id, new_command(), 1);
    (output.chunk.worker, output.chunk.step_id) = (long.clone(), long.as_str().into());
    store.append_output(output).await.unwrap();
    let filter =
        OutputFilter { worker: Some(long.clone()), step: Some(long.as_str().into()), ..OutputFilter::default() };
    assert_eq!(store.output(id, 0, &filter, 10).await.unwrap()[0].worker, start);
}

/// An entry of 1 MiB.
pub async fn keeps_large_entries(store: Arc<dyn Store>) {
    let id = new_id();
    let mut large = append(record(id), 1, 3);
    large.entries[1] = entry(2, &"0123456789abcdé\u{1f980}".repeat(1024 * 1024 / 19));
    store.append(large.clone()).await.unwrap();
    assert!(store.read(id, Seq(0), 10).await.unwrap() == large.entries);
}

/// Times keep their milliseconds, from before the epoch too.
pub async fn keeps_milliseconds(store: Arc<dyn Store>) {
    let id = new_id();
    let odd = Timestamp::from_millis(1_795_527_091_123);
    let mut times = append(record(id), 1, 2);
    times.entries[0].timestamp = odd;
    times.entries[1].timestamp = Timestamp::from_millis(-1);
    times.record.started_at = Some(odd);
    times.record.finished_at = Some(Timestamp::from_millis(odd.as_millis() + 1));
    times.record.wake_at = Some(Timestamp::from_millis(1));
    store.append(times.clone()).await.unwrap();
    assert_eq!(store.read(id, Seq(0), 10).await.unwrap(), times.entries);
    assert_eq!(store.execution(id).await.unwrap(), Some(times.record));
}

/// Nothing but the next number is taken, and what is refused leaves nothing behind.
pub async fn refuses_gaps(store: Arc<dyn Store>) {
    let id = new_id();
    let conflict =
        |expected, actual| Err(Error::Conflict { execution_id: id, expected: Seq(expected), actual: Seq(actual) });
    assert_eq!(store.append(append(record(id), 2, 2)).await, conflict(2, 1), "a journal starts at 1");
    assert_eq!(store.execution(id).await.unwrap(), None);
    store.append(append(record(id), 1, 2)).await.unwrap();
    assert_eq!(store.append(append(record(id), 4, 4)).await, conflict(4, 3), "a gap");
    assert_eq!(store.append(append(record(id), 2, 3)).await, conflict(2, 3), "a number twice");
    let mut torn = append(record(id), 3, 5);
    torn.entries.remove(1);
    assert_eq!(store.append(torn).await, conflict(5, 4), "a gap inside");
    assert_eq!(seqs(&*store, id).await, [1, 2]);
    assert_eq!(store.execution(id).await.unwrap().unwrap().last_seq, Seq(2));
}

/// The summary has to be of this execution, after these entries.
pub async fn refuses_a_summary_of_something_else(store: Arc<dyn Store>) {
    let id = new_id();
    let mut other = append(record(id), 1, 2);
    other.record.id = new_id();
    let mut early = append(record(id), 1, 2);
    early.record.last_seq = Seq(1);
    for wrong in [other, early] {
        assert!(matches!(store.append(wrong).await, Err(Error::Corrupt { .. })));
    }
    assert_eq!(seqs(&*store, id).await, [0; 0]);
}

/// The summary is the last append's, in every field that may change.
pub async fn keeps_the_latest_summary(store: Arc<dyn Store>) {
    let id = new_id();
    let mut expected = ExecutionRecord {
        workflow_id: Some(WorkflowId(Uuid::now_v7())),
        workflow: Some("Deploy".to_owned()),
        version: Some(7),
        trigger: Trigger::Schedule,
        status: ExecutionStatus::Queued,
        ..record(id)
    };
    store.append(append(expected.clone(), 1, 1)).await.unwrap();
    expected = ExecutionRecord {
        status: ExecutionStatus::Waiting,
        started_at: Some(NOW),
        finished_at: Some(NOW),
        error: Some("no".to_owned()),
        waiting_for_input: true,
        wake_at: Some(NOW),
        active_commands: 3,
        last_seq: Seq(2),
        ..expected
    };
    store.append(append(expected.clone(), 2, 2)).await.unwrap();
    assert_eq!(store.execution(id).await.unwrap(), Some(expected.clone()));

    let cleared = ExecutionRecord {
        status: ExecutionStatus::Completed,
        error: None,
        waiting_for_input: false,
        wake_at: None,
        active_commands: 0,
        last_seq: Seq(3),
        ..expected
    };
    store.append(append(cleared.clone(), 3, 3)).await.unwrap();
    assert_eq!(store.execution(id).await.unwrap(), Some(cleared));
}

/// An append without entries replaces the summary, if it is the one for the journal's end.
pub async fn replaces_a_summary_alone(store: Arc<dyn Store>) {
    let alone = |id: ExecutionId, last_seq| {
        let record = ExecutionRecord { last_seq: Seq(last_seq), active_commands: 5, ..record(id) };
        Append {
            execution_id: id,
            fence: 0,
            entries: Vec::new(),
            record,
            idempotency: None,
            secrets: None,
            deliveries: Vec::new(),
        }
    };
    let id = create(&*store, record(new_id())).await;
    assert_eq!(store.append(alone(id, 1)).await, Ok(Appended::New));
    assert_eq!(store.execution(id).await.unwrap().unwrap().active_commands, 5);
    assert_eq!(seqs(&*store, id).await, [1]);
    assert!(matches!(store.append(alone(id, 2)).await, Err(Error::Conflict { .. })));
    let unknown = new_id();
    assert!(matches!(store.append(alone(unknown, 0)).await, Err(Error::Conflict { .. })));
    assert_eq!(store.execution(unknown).await.unwrap(), None);
}

/// Whoever appends under a larger fence takes the execution over; those under a smaller one are refused.
pub async fn refuses_an_old_fence(store: Arc<dyn Store>) {
    let id = new_id();
    let under = |fence, seq| Append { fence, ..append(record(id), seq, seq) };
    store.append(under(3, 1)).await.unwrap();
    assert_eq!(store.append(under(2, 2)).await, Err(Error::Fenced { execution_id: id }));
    assert_eq!(store.append(under(3, 2)).await, Ok(Appended::New));
    assert_eq!(store.append(under(4, 3)).await, Ok(Appended::New));
    assert_eq!(store.append(under(3, 4)).await, Err(Error::Fenced { execution_id: id }));
    assert_eq!(seqs(&*store, id).await, [1, 2, 3]);
    assert_eq!(store.execution(id).await.unwrap().unwrap().fence, 4);
}
