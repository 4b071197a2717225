//! The appends of a group: each decided by what is stored and by what came before it in the group, then all written.

use super::group::Group;
use super::job::AppendJob;
use super::statements::{Insert, LookUp};
use crate::sql::entity::{delivery, event, execution, idempotency, text};
use crate::{Appended, Error, Result};
use pulse_core::ids::{ExecutionId, Seq};
use sea_orm::prelude::Uuid;
use sea_orm::{DbErr, Value};
use std::collections::{BTreeMap, HashMap};

/// Where a journal ends, with what this group adds to it.
#[derive(Default)]
struct Head {
    last: Seq,
    fence: i64,
    /// The status in the database; none for an execution that is not there yet.
    stored: Option<String>,
    exists: bool,
}

/// What has been used of idempotency keys: digest to execution and request.
type UsedKeys = HashMap<Vec<u8>, (ExecutionId, String)>;

pub(super) async fn write(group: &mut Group<'_>, mut jobs: Vec<&mut AppendJob>) -> Result<(), DbErr> {
    let mut heads = load_heads(group, &jobs).await?;
    let mut used = load_keys(group, &jobs).await?;
    for job in &mut jobs {
        let head = heads.entry(job.append.execution_id).or_default();
        let decision = decide(job, head, &mut used);
        job.reply.decide(decision.clone());
        job.accepted = decision == Ok(Appended::New);
    }
    jobs.retain(|job| job.accepted);
    insert_events(group, &jobs).await?;
    write_summaries(group, &jobs, &heads).await?;
    write_secrets(group, &jobs).await?;
    insert_deliveries(group, &jobs).await?;
    insert_keys(group, &jobs).await
}

async fn load_heads(group: &mut Group<'_>, jobs: &[&mut AppendJob]) -> Result<HashMap<ExecutionId, Head>, DbErr> {
    let mut ids: Vec<Uuid> = jobs.iter().map(|job| job.append.execution_id.0).collect();
    ids.sort_unstable();
    ids.dedup();
    let ids: Vec<Value> = ids.into_iter().map(Value::from).collect();
    let rows = group.memory.statements.look_up(group.db, LookUp::Heads, &ids).await?;
    let mut heads = HashMap::with_capacity(jobs.len());
    for row in rows {
        let last: i64 = row.try_get_by_index(1)?;
        let last = Seq(u64::try_from(last).map_err(|_| DbErr::Type(format!("last_seq is {last}")))?);
        let head = Head { last, fence: row.try_get_by_index(2)?, stored: Some(row.try_get_by_index(3)?), exists: true };
        heads.insert(ExecutionId(row.try_get_by_index(0)?), head);
    }
    Ok(heads)
}

async fn load_keys(group: &mut Group<'_>, jobs: &[&mut AppendJob]) -> Result<UsedKeys, DbErr> {
    let digests: Vec<Value> = jobs.iter().filter_map(|job| job.digest.clone()).map(Value::from).collect();
    let rows = group.memory.statements.look_up(group.db, LookUp::IdempotencyKeys, &digests).await?;
    rows.iter()
        .map(|row| Ok((row.try_get_by_index(0)?, (ExecutionId(row.try_get_by_index(1)?), row.try_get_by_index(2)?))))
        .collect()
}

/// Whether an append may be written. If so, it counts as written for those after it.
fn decide(job: &AppendJob, head: &mut Head, used: &mut UsedKeys) -> Result<Appended> {
    let append = &job.append;
    let execution_id = append.execution_id;
    if let (Some(digest), Some(key)) = (&job.digest, &append.idempotency)
        && let Some((execution_id, request_hash)) = used.get(digest)
    {
        let same_request = *request_hash == key.request_hash;
        return Ok(Appended::Existing { execution_id: *execution_id, same_request });
    }
    if head.exists && head.fence > append.fence {
        return Err(Error::Fenced { execution_id });
    }
    let (expected, actual) = (append.expected(), head.last.next());
    if expected != actual || (append.entries.is_empty() && !head.exists) {
        return Err(Error::Conflict { execution_id, expected, actual });
    }
    head.last = append.record.last_seq;
    head.fence = append.fence;
    head.exists = true;
    if let (Some(digest), Some(key)) = (&job.digest, &append.idempotency) {
        used.insert(digest.clone(), (execution_id, key.request_hash.clone()));
    }
    Ok(Appended::New)
}

async fn insert_events(group: &mut Group<'_>, jobs: &[&mut AppendJob]) -> Result<(), DbErr> {
    let values = jobs.iter().flat_map(|job| &job.events).flat_map(event::Model::values).collect();
    group.memory.statements.insert(group.db, Insert::Events, values).await
}

/// Writes each execution's summary once, as it is after the group's last append to it.
async fn write_summaries(
    group: &mut Group<'_>,
    jobs: &[&mut AppendJob],
    heads: &HashMap<ExecutionId, Head>,
) -> Result<(), DbErr> {
    let latest: BTreeMap<_, &AppendJob> = jobs.iter().map(|job| (job.append.execution_id, &**job)).collect();
    insert_texts(group, latest.values().map(|job| &job.text)).await?;
    let (mut inserts, mut moves, mut stays) = (Vec::new(), Vec::new(), Vec::new());
    for (id, job) in latest {
        let append = &job.append;
        let values = execution::values(&append.record, append.fence, job.text.key);
        match heads.get(&id).and_then(|head| head.stored.as_deref()) {
            None => inserts.extend(values),
            Some(status) if status == append.record.status.as_str() => stays.push(values),
            Some(_) => moves.push(values),
        }
    }
    let statements = &mut group.memory.statements;
    statements.insert(group.db, Insert::Executions, inserts).await?;
    statements.update_executions(group.db, moves, true).await?;
    statements.update_executions(group.db, stays, false).await
}

/// Adds the texts that are not there yet: most have been seen before.
async fn insert_texts(group: &mut Group<'_>, texts: impl Iterator<Item = &text::Model>) -> Result<(), DbErr> {
    let mut new: BTreeMap<i64, &text::Model> = texts.map(|text| (text.key, text)).collect();
    new.retain(|key, _| !group.memory.texts.contains(key));
    let keys: Vec<Value> = new.keys().map(|key| (*key).into()).collect();
    for row in group.memory.statements.look_up(group.db, LookUp::Texts, &keys).await? {
        let key = row.try_get_by_index(0)?;
        new.remove(&key);
        group.memory.texts.insert(key);
    }
    group.memory.texts.extend(new.keys());
    let values = new.values().flat_map(|text| text.values()).collect();
    group.memory.statements.insert(group.db, Insert::Texts, values).await
}

/// Keeps the secrets of new executions, and deletes those of executions that have ended.
async fn write_secrets(group: &mut Group<'_>, jobs: &[&mut AppendJob]) -> Result<(), DbErr> {
    let ended = |job: &&&mut AppendJob| job.append.record.status.is_final();
    let mut over: Vec<Uuid> = jobs.iter().filter(ended).map(|job| job.append.execution_id.0).collect();
    let sealed = jobs.iter().filter_map(|job| {
        let id = job.append.execution_id.0;
        let sealed = job.append.secrets.as_ref().filter(|_| !over.contains(&id))?;
        Some([Value::from(id), sealed.clone().into()])
    });
    let values = sealed.flatten().collect();
    let statements = &mut group.memory.statements;
    statements.insert(group.db, Insert::Secrets, values).await?;
    over.sort_unstable();
    over.dedup();
    statements.delete_secrets(group.db, over.into_iter().map(Value::from).collect()).await
}

async fn insert_deliveries(group: &mut Group<'_>, jobs: &[&mut AppendJob]) -> Result<(), DbErr> {
    let rows = jobs.iter().flat_map(|job| {
        let append = &job.append;
        append.deliveries.iter().flat_map(|delivery| delivery::values(append.execution_id, delivery))
    });
    let values = rows.collect();
    group.memory.statements.insert(group.db, Insert::Deliveries, values).await
}

async fn insert_keys(group: &mut Group<'_>, jobs: &[&mut AppendJob]) -> Result<(), DbErr> {
    let keys = jobs.iter().filter_map(|job| {
        let (digest, key) = (job.digest.clone()?, job.append.idempotency.as_ref()?);
        Some(idempotency::Model {
            digest,
            execution_id: job.append.execution_id.0,
            request_hash: key.request_hash.clone(),
        })
    });
    let values = keys.flat_map(|key| key.values()).collect();
    group.memory.statements.insert(group.db, Insert::IdempotencyKeys, values).await
}
