//! Owners, leases and fences.

use super::fixtures::{append, create, create_in, new_id, record, seqs};
use crate::{Append, Appended, Error, ExecutionRecord, Store};
use futures_util::future::join_all;
use pulse_core::ids::{ExecutionId, Seq};
use pulse_core::status::ExecutionStatus;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

/// A lease that has ended when it is given.
const OVER: Duration = Duration::ZERO;

fn owner(n: usize) -> String {
    format!("server-{n}")
}

/// Of many who claim at once one wins, under a fence that is larger than before.
pub async fn one_of_many_claims_wins(store: Arc<dyn Store>) {
    let id = new_id();
    store.append(Append { fence: 5, ..append(record(id), 1, 1) }).await.unwrap();
    for fence in 6..=8 {
        let calls = (0..16).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.claim(id, &owner(n), LONG).await.unwrap().map(|claim| (n, claim)) })
        });
        let won: Vec<_> = join_all(calls).await.into_iter().filter_map(Result::unwrap).collect();
        let [(n, claim)] = won[..] else { panic!("{won:?}") };
        assert_eq!((claim.execution_id, claim.fence), (id, fence));
        let summary = store.execution(id).await.unwrap().unwrap();
        assert_eq!((summary.owner, summary.fence), (Some(owner(n)), fence));
        assert_eq!(summary.lease_until, Some(claim.lease_until));
        assert_eq!(store.claim(id, &owner(n), LONG).await, Ok(None), "not twice");
        assert_eq!(store.release(id, &owner(n)).await, Ok(true));
    }
}

/// Several who claim what is abandoned share it out: everything once, nothing twice.
pub async fn batches_are_shared_out(store: Arc<dyn Store>) {
    let mut ids = BTreeSet::new();
    for _ in 0..60 {
        let id = create(&*store, record(new_id())).await;
        store.claim(id, "gone", OVER).await.unwrap().unwrap();
        ids.insert(id);
    }
    let claimers = (0..4).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claims = store.claim_abandoned(&owner(n), LONG, 7).await.unwrap();
                assert!(claims.len() <= 7 && claims.iter().all(|claim| claim.fence == 2), "{claims:?}");
                // Others may have been quicker with all of a batch: only an empty table ends it.
                let left = store.unfinished(None, 100).await.unwrap();
                mine.extend(claims.iter().map(|claim| claim.execution_id));
                if left.iter().all(|record| record.owner.as_deref() != Some("gone")) {
                    return mine;
                }
            }
        })
    });
    let shares: Vec<Vec<ExecutionId>> = join_all(claimers).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(shares.iter().map(Vec::len).sum::<usize>(), 60, "nothing twice");
    assert_eq!(shares.iter().flatten().copied().collect::<BTreeSet<_>>(), ids);
    for (n, share) in shares.iter().enumerate() {
        for id in share {
            assert_eq!(store.execution(*id).await.unwrap().unwrap().owner, Some(owner(n)));
        }
    }
}

/// After a claim the owner of before can neither append, nor replace the summary, nor renew, nor release.
pub async fn an_old_owner_is_refused(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    let old = store.claim(id, "old", OVER).await.unwrap().unwrap();
    let under = |fence, seq| Append { fence, ..append(record(id), seq, seq) };
    assert_eq!(store.append(under(old.fence, 2)).await, Ok(Appended::New), "the lease alone refuses nothing");
    let new = store.claim(id, "new", LONG).await.unwrap().unwrap();
    assert!(new.fence > old.fence && new.lease_until > old.lease_until);
    assert_eq!(store.append(under(old.fence, 3)).await, Err(Error::Fenced { execution_id: id }));
    let alone = Append { entries: Vec::new(), ..append(record(id), 2, 2) };
    assert_eq!(store.append(Append { fence: old.fence, ..alone }).await, Err(Error::Fenced { execution_id: id }));
    assert_eq!(store.renew(&[id], "old", LONG).await, Ok(vec![]));
    assert_eq!(store.release(id, "old").await, Ok(false));
    assert_eq!(store.append(under(new.fence, 3)).await, Ok(Appended::New));
    assert_eq!(seqs(&*store, id).await, [1, 2, 3]);
    let summary = store.execution(id).await.unwrap().unwrap();
    assert_eq!((summary.owner.as_deref(), summary.fence), (Some("new"), new.fence));
}

/// A lease that is renewed in time, or late but before anybody else came, stays.
pub async fn a_renewed_lease_is_not_claimable(store: Arc<dyn Store>) {
    let (a, b, c) = (create(&*store, record(new_id())).await, create(&*store, record(new_id())).await, new_id());
    for id in [a, b] {
        store.claim(id, "mine", OVER).await.unwrap().unwrap();
    }
    assert_eq!(store.renew(&[a, c], "mine", LONG).await, Ok(vec![a]));
    assert_eq!(store.claim(a, "other", LONG).await, Ok(None));
    let claimed = store.claim_abandoned("other", LONG, 10).await.unwrap();
    assert_eq!(claimed.iter().map(|claim| claim.execution_id).collect::<Vec<_>>(), [b]);
    let many: Vec<ExecutionId> = std::iter::repeat_with(new_id).take(1200).chain([a, b]).collect();
    assert_eq!(store.renew(&many, "mine", LONG).await, Ok(vec![a]), "the other one is lost, and it says so");
    assert_eq!(store.execution(a).await.unwrap().unwrap().fence, 1, "no new fence for it");
}

/// By anybody, also by who had it, and by order of when leases ended.
pub async fn a_lease_that_ended_is_claimable(store: Arc<dyn Store>) {
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(create(&*store, record(new_id())).await);
    }
    ids.swap(0, 2);
    for id in &ids {
        let claim = store.claim(*id, "a", OVER).await.unwrap().unwrap();
        // The clock goes on before the next lease.
        while store.database_time().await.unwrap() <= claim.lease_until {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    assert_eq!(store.claim(ids[2], "a", LONG).await.unwrap().unwrap().fence, 2);
    let first = store.claim_abandoned("b", LONG, 1).await.unwrap();
    assert_eq!(first.iter().map(|claim| claim.execution_id).collect::<Vec<_>>(), [ids[0]]);
    let rest = store.claim_abandoned("b", LONG, 10).await.unwrap();
    assert_eq!(rest.iter().map(|claim| (claim.execution_id, claim.fence)).collect::<Vec<_>>(), [(ids[1], 2)]);
    assert_eq!(store.claim_abandoned("b", LONG, 10).await.unwrap(), []);
}

/// What is released belongs to nobody: it can be claimed by its id, and nobody goes looking for it.
pub async fn released_ones_are_free(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    assert_eq!(store.claim_abandoned("a", LONG, 10).await.unwrap(), []);
    let first = store.claim(id, "a", LONG).await.unwrap().unwrap();
    assert_eq!(store.release(id, "a").await, Ok(true));
    assert_eq!(store.release(id, "a").await, Ok(false));
    let summary = store.execution(id).await.unwrap().unwrap();
    assert_eq!((summary.owner, summary.lease_until, summary.fence), (None, None, first.fence));
    assert_eq!(store.claim_abandoned("b", LONG, 10).await.unwrap(), []);
    assert_eq!(store.claim(id, "b", LONG).await.unwrap().unwrap().fence, first.fence + 1);
}

/// Not what has ended, nor what is not there.
pub async fn claims_only_what_goes_on(store: Arc<dyn Store>) {
    for status in ExecutionStatus::ALL {
        let id = create_in(&*store, *status).await;
        assert_eq!(store.claim(id, "a", LONG).await.unwrap().is_some(), !status.is_final(), "{status}");
    }
    let id = create(&*store, record(new_id())).await;
    let claim = store.claim(id, "gone", OVER).await.unwrap().unwrap();
    let ended = ExecutionRecord { status: ExecutionStatus::Completed, ..record(id) };
    store.append(Append { fence: claim.fence, ..append(ended, 2, 2) }).await.unwrap();
    assert_eq!(store.claim_abandoned("a", LONG, 10).await.unwrap(), []);
    assert_eq!(store.claim(new_id(), "a", LONG).await, Ok(None));
    assert_eq!(store.claim_abandoned("a", LONG, 0).await.unwrap(), []);
}

/// The owner of a new execution is the one in its summary; after that, what appends say of it does not count.
pub async fn appends_leave_the_lease_alone(store: Arc<dyn Store>) {
    let id = new_id();
    let lease_until = Some(store.database_time().await.unwrap().plus(LONG));
    let begun = ExecutionRecord { owner: Some("a".to_owned()), lease_until, ..record(id) };
    store.append(append(begun, 1, 1)).await.unwrap();
    assert_eq!(store.claim(id, "b", LONG).await, Ok(None));
    for status in [ExecutionStatus::Running, ExecutionStatus::Waiting] {
        let seq = store.execution(id).await.unwrap().unwrap().last_seq.0 + 1;
        store.append(append(ExecutionRecord { status, ..record(id) }, seq, seq)).await.unwrap();
    }
    let summary = store.execution(id).await.unwrap().unwrap();
    assert_eq!((summary.owner.as_deref(), summary.lease_until), (Some("a"), lease_until));
    assert_eq!((summary.status, summary.last_seq), (ExecutionStatus::Waiting, Seq(3)));
}

/// Leases are by the database's clock, in milliseconds.
pub async fn times_come_from_one_clock(store: Arc<dyn Store>) {
    let id = create(&*store, record(new_id())).await;
    let before = store.database_time().await.unwrap();
    assert!(before.as_millis() > 1_700_000_000_000, "milliseconds since the epoch: {before}");
    let lease = Duration::from_millis(123_457);
    let claim = store.claim(id, "a", lease).await.unwrap().unwrap();
    let after = store.database_time().await.unwrap();
    assert!(before.plus(lease) <= claim.lease_until && claim.lease_until <= after.plus(lease));
    let again = store.renew(&[id], "a", lease * 2).await.unwrap();
    assert_eq!(again, [id]);
    let summary = store.execution(id).await.unwrap().unwrap();
    assert!(summary.lease_until >= Some(before.plus(lease * 2)));
}
