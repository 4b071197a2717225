//! Output.

use super::fixtures::{create, new_command, new_id, piece, record};
use crate::{Error, OutputFilter, OutputRecord, Store};
use futures_util::future::join_all;
use pulse_core::command::Stream;
use pulse_core::ids::ExecutionId;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Everything of an execution.
async fn all(store: &dyn Store, id: ExecutionId) -> Vec<(u64, u64)> {
    let pieces = store.output(id, 0, &OutputFilter::default(), usize::MAX).await.unwrap();
    pieces.iter().map(|chunk| (chunk.cursor, chunk.seq)).collect()
}

/// Pieces come back whole, with their cursors.
pub async fn keeps_pieces_in_order(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    let command = new_command();
    assert_eq!(store.output_end(command).await.unwrap(), 0);
    let mut expected = Vec::new();
    for seq in 1..=3 {
        let mut record = piece(id, command, seq);
        record.chunk.data = format!("{seq} 🦀 \u{10ffff}\r\n\u{1b}[31m");
        record.chunk.gap_bytes = (seq == 2).then_some(1 << 40);
        record.chunk.cursor = 99;
        let cursor = store.append_output(record.clone()).await.unwrap();
        assert_eq!(cursor, seq);
        record.chunk.cursor = cursor;
        expected.push(record.chunk);
    }
    assert_eq!(store.output(id, 0, &OutputFilter::default(), 10).await.unwrap(), expected);
    assert_eq!(store.output_end(command).await.unwrap(), 3);
}

/// A piece that comes again, at once or later, is the one that is kept.
pub async fn keeps_a_piece_once(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    let command = new_command();
    let twice = [1, 1, 2, 1, 2, 3].map(|seq| store.append_output(piece(id, command, seq)));
    let cursors: Vec<_> = join_all(twice).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(cursors, [1, 1, 2, 1, 2, 3]);
    let mut changed = piece(id, command, 2);
    changed.chunk.data = "something else".to_owned();
    assert_eq!(store.append_output(changed).await, Ok(2));
    let mut other_stream = piece(id, command, 2);
    other_stream.chunk.stream = Stream::Stderr;
    assert_eq!(store.append_output(other_stream.clone()).await, Ok(4), "another stream is another piece");
    assert_eq!(store.append_output(other_stream).await, Ok(4));
    assert_eq!(all(&*store, id).await, [(1, 1), (2, 2), (3, 3), (4, 2)]);
    assert_eq!(store.output(id, 1, &OutputFilter::default(), 1).await.unwrap()[0].data, "line 2\n");
}

/// Cursors of an execution are 1, 2, 3, …, whoever writes.
pub async fn numbers_pieces_without_gaps(store: Arc<dyn Store>) {
    let a = create(&*store, record(new_id())).await;
    let b = create(&*store, record(new_id())).await;
    let writers = (0..8).map(|n| {
        let (store, command, id) = (store.clone(), new_command(), if n % 2 == 0 { a } else { b });
        tokio::spawn(async move {
            let mut last = 0;
            for seq in 1..=25 {
                let cursor = store.append_output(piece(id, command, seq)).await.unwrap();
                assert!(cursor > last, "a command's own pieces keep their order");
                last = cursor;
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    for id in [a, b] {
        let cursors: Vec<u64> = all(&*store, id).await.into_iter().map(|(cursor, _)| cursor).collect();
        assert_eq!(cursors, (1..=100).collect::<Vec<_>>());
    }
}

/// Who follows by cursor sees every piece, while many are written.
pub async fn a_reader_misses_nothing(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (store, command) = (store.clone(), new_command());
            tokio::spawn(async move {
                for seq in 1..=50 {
                    store.append_output(piece(id, command, seq)).await.unwrap();
                }
            })
        })
        .collect();
    let (mut seen, start) = (Vec::new(), Instant::now());
    while seen.len() < 200 {
        assert!(start.elapsed() < Duration::from_secs(60), "only {} pieces were seen", seen.len());
        let after = seen.last().copied().unwrap_or(0);
        let page = store.output(id, after, &OutputFilter::default(), 30).await.unwrap();
        seen.extend(page.iter().map(|chunk| chunk.cursor));
        tokio::task::yield_now().await;
    }
    assert_eq!(seen, (1..=200).collect::<Vec<_>>());
    for writer in writers {
        writer.await.unwrap();
    }
}

/// Numbers may come late or leave gaps; the end is the highest.
pub async fn takes_pieces_in_any_order(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    let command = new_command();
    for (n, seq) in [5, 2, 9, 1].into_iter().enumerate() {
        assert_eq!(store.append_output(piece(id, command, seq)).await, Ok(n as u64 + 1));
    }
    assert_eq!(store.append_output(piece(id, command, 2)).await, Ok(2));
    assert_eq!(all(&*store, id).await, [(1, 5), (2, 2), (3, 9), (4, 1)]);
    assert_eq!(store.output_end(command).await.unwrap(), 9);
}

/// By step, worker, stream and command.
pub async fn filters_pieces(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    let (x, y) = (new_command(), new_command());
    let mut pieces: Vec<OutputRecord> = (1..=5).map(|seq| piece(id, if seq < 3 { x } else { y }, seq)).collect();
    pieces[1].chunk.step_id = "test".into();
    pieces[2].chunk.worker = "web-2".to_owned();
    pieces[3].chunk.stream = Stream::Stderr;
    // What is missing may be of both streams.
    pieces[4].chunk.gap_bytes = Some(7);
    for record in pieces {
        store.append_output(record).await.unwrap();
    }
    let any = OutputFilter::default();
    for (filter, expected) in [
        (OutputFilter { step: Some("test".into()), ..any.clone() }, vec![2]),
        (OutputFilter { worker: Some("web-1".to_owned()), ..any.clone() }, vec![1, 2, 4, 5]),
        (OutputFilter { stream: Some(Stream::Stderr), ..any.clone() }, vec![4, 5]),
        (OutputFilter { command_id: Some(y), ..any.clone() }, vec![3, 4, 5]),
        (OutputFilter { command_id: Some(y), stream: Some(Stream::Stdout), ..any.clone() }, vec![3, 5]),
        (OutputFilter { command_id: Some(new_command()), ..any }, vec![]),
    ] {
        let found = store.output(id, 0, &filter, 10).await.unwrap();
        assert_eq!(found.iter().map(|chunk| chunk.seq).collect::<Vec<_>>(), expected, "{filter:?}");
    }
}

/// In pages, after a cursor.
pub async fn pages_pieces(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    let command = new_command();
    join_all((1..=10).map(|seq| store.append_output(piece(id, command, seq)))).await;
    let page = store.output(id, 4, &OutputFilter::default(), 3).await.unwrap();
    assert_eq!(page.iter().map(|chunk| chunk.cursor).collect::<Vec<_>>(), [5, 6, 7]);
    assert_eq!(store.output(id, 10, &OutputFilter::default(), 3).await.unwrap(), []);
    assert_eq!(store.output(id, u64::MAX, &OutputFilter::default(), 3).await.unwrap(), []);
}

/// Output belongs to an execution.
pub async fn refuses_output_of_nothing(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    let (nothing, command) = (new_id(), new_command());
    let calls = [store.append_output(piece(nothing, command, 1)), store.append_output(piece(id, new_command(), 1))];
    let answers = join_all(calls).await;
    assert_eq!(answers[0], Err(Error::NotFound { what: "execution", id: nothing.to_string() }));
    assert_eq!(answers[1], Ok(1));
    assert_eq!(store.output(nothing, 0, &OutputFilter::default(), 10).await.unwrap(), []);
}

/// Pieces of 64 KiB, many at once.
pub async fn keeps_large_pieces(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    let command = new_command();
    let data = "0123456789abcdé".repeat(64 * 1024 / 16);
    let calls = (1..=300).map(|seq| {
        let mut large = piece(id, command, seq);
        large.chunk.data = data.clone();
        store.append_output(large)
    });
    assert!(join_all(calls).await.iter().all(Result::is_ok));
    let kept = store.output(id, 0, &OutputFilter::default(), 1000).await.unwrap();
    assert_eq!(kept.len(), 300);
    assert!(kept.iter().all(|chunk| chunk.data == data));
}
