//! Two servers of PULSE on one database: each has its own writer.

use crate::{OPTIONS, on_both};
use futures_util::future::join_all;
use pulse_core::ids::{ExecutionId, WorkerId, WorkflowId};
use pulse_core::status::ExecutionStatus;
use pulse_store::conformance::databases::{FreshDatabase, Server};
use pulse_store::conformance::fixtures::{NOW, append, create, new_command, new_id, piece, record, seqs};
use pulse_store::{
    Append, Appended, Error, ExecutionFilter, ExecutionRecord, IdempotencyKey, OutputFilter, SaveWorkflow, Store,
    WorkerRecord, open,
};
use std::sync::Arc;
use std::time::Duration;
use uuid::Uuid;

on_both! {
    /// Of two appends with the same number one wins, and what the other one has is refused as a whole.
    one_of_two_appends_wins
    /// An append and a claim at once: what is acknowledged under the old fence stands before the claim, never after.
    nothing_is_appended_under_an_old_fence
    /// Of two claims one wins.
    one_of_two_claims_wins
    /// One key starts one execution.
    a_key_counts_once
    /// Cursors have no gaps, and a piece that both bring is kept once.
    output_stays_in_order
    /// Names, versions and texts that both write at once.
    both_write_the_same_things
}

async fn two(server: Server) -> ([Arc<dyn Store>; 2], FreshDatabase) {
    let database = FreshDatabase::create(server).await;
    let url = database.url();
    let (one, two) = tokio::join!(open(&url, OPTIONS), open(&url, OPTIONS));
    ([one.unwrap(), two.unwrap()], database)
}

async fn one_of_two_appends_wins(server: Server) {
    let ([one, two], _database) = two(server).await;
    let ids: Vec<ExecutionId> = (0..60).map(|_| new_id()).collect();
    for seq in [1, 3] {
        // Each with other entries of its own group around it.
        let calls = |store: &Arc<dyn Store>, status| {
            join_all(ids.iter().map(|id| {
                let (store, record) = (store.clone(), ExecutionRecord { status, ..record(*id) });
                tokio::spawn(async move { store.append(append(record, seq, seq + 1)).await })
            }))
        };
        let (a, b) = tokio::join!(calls(&one, ExecutionStatus::Queued), calls(&two, ExecutionStatus::Waiting));
        for (index, (a, b)) in a.into_iter().zip(b).enumerate() {
            let (a, b) = (a.unwrap(), b.unwrap());
            let won = match (&a, &b) {
                (Ok(Appended::New), Err(Error::Conflict { .. })) => ExecutionStatus::Queued,
                (Err(Error::Conflict { .. }), Ok(Appended::New)) => ExecutionStatus::Waiting,
                other => panic!("{other:?}"),
            };
            let summary = one.execution(ids[index]).await.unwrap().unwrap();
            assert_eq!(summary.status, won, "the summary is the winner's");
        }
    }
    for id in ids {
        assert_eq!(seqs(&*two, id).await, [1, 2, 3, 4]);
    }
}

async fn nothing_is_appended_under_an_old_fence(server: Server) {
    let ([old, new], _database) = two(server).await;
    for round in 0..30 {
        let id = create(&*old, record(new_id())).await;
        let fence = old.claim(id, "old", Duration::ZERO).await.unwrap().unwrap().fence;
        let appending = tokio::spawn({
            let old = old.clone();
            async move {
                let mut last = 1;
                loop {
                    assert!(last < 3000, "it goes on and on under the old fence");
                    match old.append(Append { fence, ..append(record(id), last + 1, last + 1) }).await {
                        Ok(_) => last += 1,
                        Err(Error::Fenced { .. }) => return last,
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }
        });
        tokio::time::sleep(Duration::from_millis(round)).await;
        let claim = new.claim(id, "new", Duration::from_secs(60)).await.unwrap().unwrap();
        let at_claim = seqs(&*new, id).await.len() as u64;
        let acknowledged = appending.await.unwrap();
        let summary = new.execution(id).await.unwrap().unwrap();
        assert_eq!(
            (summary.fence, summary.owner.as_deref()),
            (claim.fence, Some("new")),
            "nobody wrote over the claim"
        );
        assert_eq!((acknowledged, summary.last_seq.0), (at_claim, at_claim));
        let next = append(record(id), at_claim + 1, at_claim + 1);
        assert_eq!(new.append(Append { fence: claim.fence, ..next }).await, Ok(Appended::New));
    }
}

async fn one_of_two_claims_wins(server: Server) {
    let (stores, _database) = two(server).await;
    for _ in 0..30 {
        let id = create(&*stores[0], record(new_id())).await;
        let calls = (0..8).map(|n| {
            let store = stores[n % 2].clone();
            tokio::spawn(async move { store.claim(id, &format!("owner-{n}"), Duration::from_secs(60)).await.unwrap() })
        });
        let won: Vec<_> = join_all(calls).await.into_iter().filter_map(Result::unwrap).collect();
        assert_eq!(won.len(), 1, "{won:?}");
    }
    for _ in 0..40 {
        let id = create(&*stores[0], record(new_id())).await;
        stores[0].claim(id, "gone", Duration::ZERO).await.unwrap().unwrap();
    }
    let batches = (0..2).map(|n| {
        let store = stores[n].clone();
        tokio::spawn(async move {
            let mut count = 0;
            for _ in 0..10 {
                count += store.claim_abandoned(&format!("owner-{n}"), Duration::from_secs(60), 8).await.unwrap().len();
            }
            count
        })
    });
    let counts: Vec<usize> = join_all(batches).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(counts.iter().sum::<usize>(), 40, "{counts:?}");
}

async fn a_key_counts_once(server: Server) {
    let (stores, _database) = two(server).await;
    for round in 0..10 {
        let calls = (0..8).map(|n| {
            let store = stores[n % 2].clone();
            let idempotency = Some(IdempotencyKey {
                scope: "ada run".to_owned(),
                key: round.to_string(),
                request_hash: "h".to_owned(),
            });
            tokio::spawn(async move { store.append(Append { idempotency, ..append(record(new_id()), 1, 1) }).await })
        });
        let answers: Vec<_> = join_all(calls).await.into_iter().map(|call| call.unwrap().unwrap()).collect();
        assert_eq!(answers.iter().filter(|answer| **answer == Appended::New).count(), 1, "{answers:?}");
        assert_eq!(stores[0].unfinished(None, 100).await.unwrap().len(), round + 1);
    }
}

async fn output_stays_in_order(server: Server) {
    let (stores, _database) = two(server).await;
    let id = create(&*stores[0], record(new_id())).await;
    let command = new_command();
    let both = stores.iter().map(|store| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut cursors = Vec::new();
            for seq in 1..=40 {
                cursors.push(store.append_output(piece(id, command, seq)).await.unwrap());
                store.append_output(piece(id, new_command(), 1)).await.unwrap();
            }
            cursors
        })
    });
    let cursors: Vec<Vec<u64>> = join_all(both).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(cursors[0], cursors[1], "each piece has one cursor");
    let kept = stores[0].output(id, 0, &OutputFilter::default(), 1000).await.unwrap();
    assert_eq!(kept.iter().map(|chunk| chunk.cursor).collect::<Vec<_>>(), (1..=120).collect::<Vec<_>>());
}

async fn both_write_the_same_things(server: Server) {
    let (stores, _database) = two(server).await;
    let workflow = WorkflowId(Uuid::now_v7());
    for round in 1..=20_u32 {
        let save = |name: &str, id, expected| SaveWorkflow {
            id,
            name: name.to_owned(),
            description: String::new(),
            tags: Vec::new(),
            definition: String::new(),
            webhook: None,
            by: "ada".to_owned(),
            at: NOW,
            expected,
        };
        // One change from the version of before, of the same workflow.
        let calls = stores.iter().map(|store| store.save_workflow(save("Größe", workflow, Some(round - 1))));
        let answers = join_all(calls).await;
        let versions: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).map(|w| w.version).collect();
        assert_eq!(versions, [round], "{answers:?}");
        assert!(answers.contains(&Err(Error::VersionConflict { current: round })), "{answers:?}");

        // One name for two workflows, in two spellings, and for two workers.
        let names = [format!("Name {round}"), format!("NAME {round}")];
        let calls = stores
            .iter()
            .zip(&names)
            .map(|(store, name)| store.save_workflow(save(name, WorkflowId(Uuid::now_v7()), None)));
        let answers = join_all(calls).await;
        let taken = |error: &Error| matches!(error, Error::NameTaken { .. });
        assert_eq!(answers.iter().filter(|answer| answer.as_ref().is_err_and(taken)).count(), 1, "{answers:?}");
        let calls = stores.iter().zip(&names).map(|(store, name)| {
            store.save_worker(WorkerRecord {
                id: WorkerId(Uuid::now_v7()),
                name: name.clone(),
                labels: Default::default(),
                capacity: 1,
                draining: false,
                version: String::new(),
                last_seen: NOW,
                metadata: Default::default(),
                created_at: NOW,
            })
        });
        let answers = join_all(calls).await;
        assert_eq!(answers.iter().filter(|answer| answer.as_ref().is_err_and(taken)).count(), 1, "{answers:?}");

        // One text that is new, while executions with the last one are deleted.
        let titled = |n: u32| ExecutionRecord { title: format!("text {n}"), ..record(new_id()) };
        let ended = ExecutionRecord { status: ExecutionStatus::Completed, ..titled(round) };
        let gone = create(&*stores[0], ended).await;
        let (a, b, deleted) = tokio::join!(
            stores[0].append(append(titled(round + 1), 1, 1)),
            stores[1].append(append(titled(round), 1, 1)),
            stores[0].delete_execution(gone)
        );
        assert_eq!((a, b, deleted), (Ok(Appended::New), Ok(Appended::New), Ok(true)));
        let filter = ExecutionFilter { text: Some(format!("text {round}")), ..ExecutionFilter::default() };
        let found = stores[0].executions(&filter, None, 100).await.unwrap();
        let exact = found.iter().filter(|record| record.title == format!("text {round}")).count();
        assert_eq!(exact, if round == 1 { 1 } else { 2 }, "what uses a text is found by it: {found:?}");
    }
}
