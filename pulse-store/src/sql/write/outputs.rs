//! The output of a group: each piece gets its execution's next cursor, unless it is kept already.

use super::group::Group;
use super::job::OutputJob;
use super::statements::{Insert, LookUp};
use crate::Error;
use crate::sql::entity::{output, stored};
use pulse_core::command::Stream;
use pulse_core::ids::{CommandId, ExecutionId};
use sea_orm::prelude::Uuid;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryResult, QuerySelect, Value};
use std::collections::HashMap;

/// The pieces that this group adds, by what makes them one, with their cursors.
type Added = HashMap<(CommandId, u64, Stream), u64>;

pub(super) async fn write(group: &mut Group<'_>, jobs: Vec<&mut OutputJob>) -> Result<(), DbErr> {
    load_cursors(group, &jobs).await?;
    load_command_ends(group, &jobs).await?;
    let mut added = Added::new();
    let mut rows = Vec::new();
    for job in jobs {
        let record = &job.record;
        let (execution_id, chunk) = (record.execution_id, &record.chunk);
        let piece = (chunk.command_id, chunk.seq, chunk.stream);
        if let Some(cursor) = kept(group, piece, &added).await? {
            job.reply.decide(Ok(cursor));
            continue;
        }
        let Some(last) = group.memory.cursors.get_mut(&execution_id) else {
            job.reply.decide(Err(Error::NotFound { what: "execution", id: execution_id.to_string() }));
            continue;
        };
        *last += 1;
        let cursor = *last;
        added.insert(piece, cursor);
        let end = group.memory.command_ends.entry(chunk.command_id).or_default();
        *end = chunk.seq.max(*end);
        rows.extend(output::values(record, cursor));
        job.reply.decide(Ok(cursor));
    }
    group.memory.statements.insert(group.db, Insert::Output, rows).await
}

/// Looks up the last cursor of the executions that are not remembered; one that does not exist stays unknown.
async fn load_cursors(group: &mut Group<'_>, jobs: &[&mut OutputJob]) -> Result<(), DbErr> {
    let unknown = jobs.iter().map(|job| job.record.execution_id);
    let unknown = keys(unknown.filter(|id| !group.memory.cursors.contains_key(id)).map(|id| id.0));
    if unknown.is_empty() {
        return Ok(());
    }
    for row in group.memory.statements.look_up(group.db, LookUp::Existing, &unknown).await? {
        group.memory.cursors.insert(ExecutionId(row.try_get_by_index(0)?), 0);
    }
    for row in group.memory.statements.look_up(group.db, LookUp::Cursors, &unknown).await? {
        // A deleted execution whose output still goes has cursors, but is none.
        if let Some(cursor) = group.memory.cursors.get_mut(&ExecutionId(row.try_get_by_index(0)?)) {
            *cursor = number(&row, 1)?;
        }
    }
    Ok(())
}

/// Looks up the highest number of the commands that are not remembered.
async fn load_command_ends(group: &mut Group<'_>, jobs: &[&mut OutputJob]) -> Result<(), DbErr> {
    let unknown = jobs.iter().map(|job| job.record.chunk.command_id);
    let unknown = keys(unknown.filter(|id| !group.memory.command_ends.contains_key(id)).map(|id| id.0));
    if unknown.is_empty() {
        return Ok(());
    }
    for row in group.memory.statements.look_up(group.db, LookUp::CommandEnds, &unknown).await? {
        let id = CommandId(row.try_get_by_index(0)?);
        group.memory.command_ends.insert(id, number(&row, 1)?);
    }
    Ok(())
}

fn keys(ids: impl Iterator<Item = Uuid>) -> Vec<Value> {
    let mut ids: Vec<Uuid> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(Value::from).collect()
}

fn number(row: &QueryResult, index: usize) -> Result<u64, DbErr> {
    let value: i64 = row.try_get_by_index(index)?;
    u64::try_from(value).map_err(|_| DbErr::Type(format!("a count is {value}")))
}

/// The cursor of a piece that is kept, or about to be. Only a number that is not above its command's last can be.
async fn kept(group: &Group<'_>, piece: (CommandId, u64, Stream), added: &Added) -> Result<Option<u64>, DbErr> {
    let (command_id, seq, stream) = piece;
    if seq > group.memory.command_ends.get(&command_id).copied().unwrap_or(0) {
        return Ok(None);
    }
    if let Some(cursor) = added.get(&piece) {
        return Ok(Some(*cursor));
    }
    let found: Option<i64> = output::Entity::find()
        .select_only()
        .column(output::Column::Cursor)
        .filter(output::Column::CommandId.eq(command_id.0))
        .filter(output::Column::Seq.eq(stored(seq)))
        .filter(output::Column::Stream.eq(stream.as_str()))
        .into_tuple()
        .one(group.db)
        .await?;
    found.map(|cursor| u64::try_from(cursor).map_err(|_| DbErr::Type(format!("a cursor is {cursor}")))).transpose()
}
