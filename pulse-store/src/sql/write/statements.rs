//! SQL texts of the hot path, each built once. Few enough that the connection keeps all of them prepared: numbers of
//! rows and ids go by [`step`].
//!
//! What counts here is the number of statements, each of which is a message to SQLite's thread and back.

use crate::sql::entity::{delivery, event, execution, idempotency, output, secrets, text};
use sea_orm::sea_query::{DeleteStatement, Expr, ExprTrait, InsertStatement, Query, SelectStatement, UpdateStatement};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, ExecResult, QueryResult, Statement, Value};
use std::collections::HashMap;

/// The most rows or ids in one statement: 64 summaries are 1,344 bound values, far from any database's limit.
const MOST: usize = 64;

/// The most that a statement carries in more than one row: far below the 16 MiB that MariaDB takes as one packet.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// The most updates in one text: what is prepared for it is kept, and more would save little.
const MOST_UPDATES: usize = 16;

/// What is inserted in many rows at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Insert {
    Deliveries,
    Events,
    Executions,
    IdempotencyKeys,
    Output,
    Secrets,
    Texts,
}

/// What is looked up by a list of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum LookUp {
    /// Id, last entry, fence and status of executions that are appended to. On a shared database nobody else changes them
    /// until the commit: neither appends to them nor takes them over.
    Heads,
    /// Which executions there are. On a shared database nobody deletes them until the commit, nor adds output to them: the
    /// cursors that are looked up next are the last ones.
    Existing,
    /// What requests with these digests of idempotency keys wrote.
    IdempotencyKeys,
    /// Which texts are there. On a shared database nobody deletes them until the commit.
    Texts,
    /// The last cursor of executions.
    Cursors,
    /// The last number of commands.
    CommandEnds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Shape {
    Insert(Insert, usize),
    LookUp(LookUp, usize),
    Update { count: usize, status: bool },
    DeleteSecrets(usize),
}

/// The texts built so far.
#[derive(Default)]
pub(super) struct Statements {
    texts: HashMap<Shape, String>,
}

impl Statements {
    /// Inserts rows, given as all their values one after another.
    pub(super) async fn insert(
        &mut self,
        db: &DatabaseTransaction,
        insert: Insert,
        mut values: Vec<Value>,
    ) -> Result<(), DbErr> {
        let width = insert.width();
        while !values.is_empty() {
            let rows = step(rows_that_fit(&values, width));
            let rest = values.split_off(rows * width);
            self.run(db, Shape::Insert(insert, rows), values).await?;
            values = rest;
        }
        Ok(())
    }

    /// Looks up keys; their number is filled up with the last one.
    pub(super) async fn look_up(
        &mut self,
        db: &DatabaseTransaction,
        look_up: LookUp,
        keys: &[Value],
    ) -> Result<Vec<QueryResult>, DbErr> {
        let mut found = Vec::new();
        for keys in keys.chunks(MOST) {
            let size = padded(keys.len());
            let mut values = keys.to_vec();
            values.resize(size, keys[keys.len() - 1].clone());
            let shape = Shape::LookUp(look_up, size);
            let statement = Statement::from_sql_and_values(db.get_database_backend(), self.text(db, shape), values);
            found.extend(db.query_all_raw(statement).await?);
        }
        Ok(found)
    }

    /// Replaces what may change of summaries, given as [`execution::values`]. Without the status where that stays: then
    /// its indexes are not touched.
    pub(super) async fn update_executions(
        &mut self,
        db: &DatabaseTransaction,
        mut summaries: Vec<[Value; 21]>,
        status: bool,
    ) -> Result<(), DbErr> {
        while !summaries.is_empty() {
            let count = match db.get_database_backend() {
                // Its driver takes several statements at once. The others prepare one at a time.
                DbBackend::Sqlite => step(summaries.len()).min(MOST_UPDATES),
                _ => 1,
            };
            let rest = summaries.split_off(count);
            let values = summaries.into_iter().flat_map(|values| updated(values, status)).collect();
            let result = self.run(db, Shape::Update { count, status }, values).await?;
            if result.rows_affected() != count as u64 {
                return Err(DbErr::RecordNotUpdated);
            }
            summaries = rest;
        }
        Ok(())
    }

    /// Deletes the secrets of executions, which few have; the number of ids is filled up with the last one.
    pub(super) async fn delete_secrets(&mut self, db: &DatabaseTransaction, ids: Vec<Value>) -> Result<(), DbErr> {
        for ids in ids.chunks(MOST) {
            let size = padded(ids.len());
            let mut values = ids.to_vec();
            values.resize(size, ids[ids.len() - 1].clone());
            self.run(db, Shape::DeleteSecrets(size), values).await?;
        }
        Ok(())
    }

    async fn run(&mut self, db: &DatabaseTransaction, shape: Shape, values: Vec<Value>) -> Result<ExecResult, DbErr> {
        let text = self.text(db, shape);
        db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), text, values)).await
    }

    fn text(&mut self, db: &DatabaseTransaction, shape: Shape) -> &str {
        let backend = db.get_database_backend();
        self.texts.entry(shape).or_insert_with(|| match shape {
            Shape::Insert(insert, rows) => backend.build(&insert.statement(rows)).sql,
            Shape::LookUp(look_up, keys) => backend.build(&look_up.statement(keys)).sql + look_up.lock(backend),
            Shape::DeleteSecrets(ids) => backend.build(&delete_secrets_statement(ids)).sql,
            Shape::Update { count, status } => vec![backend.build(&update_statement(status)).sql; count].join(";"),
        })
    }
}

/// How many of `count` are done next: all up to eight, then 16, 32 or 64.
fn step(count: usize) -> usize {
    match count {
        0..=8 => count,
        MOST.. => MOST,
        _ => 1 << count.ilog2(),
    }
}

/// How many of the rows go into one statement by their size.
fn rows_that_fit(values: &[Value], width: usize) -> usize {
    let size = |value: &Value| match value {
        Value::String(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 8,
    };
    let mut bytes = 0;
    let fits = values.chunks(width).take(MOST).take_while(|row| {
        bytes += row.iter().map(size).sum::<usize>();
        bytes <= MOST_BYTES
    });
    fits.count().max(1)
}

/// How many keys a statement for so many has: all up to eight, then 16, 32 or 64.
fn padded(count: usize) -> usize {
    if count <= 8 { count } else { count.next_power_of_two() }
}

/// The values of an update's statement: those it sets, and the id.
fn updated(values: [Value; 21], status: bool) -> Vec<Value> {
    let id = values[0].clone();
    let changing = execution::COLUMNS.into_iter().zip(values).filter(|(column, _)| changes(*column, status));
    changing.map(|(_, value)| value).chain([id]).collect()
}

impl Insert {
    fn width(self) -> usize {
        match self {
            Self::Deliveries => delivery::COLUMNS.len(),
            Self::Events => event::COLUMNS.len(),
            Self::Executions => execution::COLUMNS.len(),
            Self::IdempotencyKeys => idempotency::COLUMNS.len(),
            Self::Output => output::COLUMNS.len(),
            Self::Secrets => secrets::COLUMNS.len(),
            Self::Texts => text::COLUMNS.len(),
        }
    }

    fn statement(self, rows: usize) -> InsertStatement {
        let mut statement = Query::insert();
        match self {
            Self::Deliveries => statement.into_table(delivery::Entity).columns(delivery::COLUMNS),
            Self::Events => statement.into_table(event::Entity).columns(event::COLUMNS),
            Self::Executions => statement.into_table(execution::Entity).columns(execution::COLUMNS),
            Self::IdempotencyKeys => statement.into_table(idempotency::Entity).columns(idempotency::COLUMNS),
            Self::Output => statement.into_table(output::Entity).columns(output::COLUMNS),
            Self::Secrets => statement.into_table(secrets::Entity).columns(secrets::COLUMNS),
            Self::Texts => statement.into_table(text::Entity).columns(text::COLUMNS),
        };
        for _ in 0..rows {
            statement.values_panic(vec![placeholder(); self.width()]);
        }
        statement
    }
}

impl LookUp {
    /// What is written behind the select to lock what it finds. SQLite has one writer, and knows no such words.
    fn lock(self, backend: DbBackend) -> &'static str {
        match (self, backend) {
            // In one order, so that two who lock several of them seldom wait for each other.
            (Self::Heads | Self::Existing, DbBackend::MySql | DbBackend::Postgres) => " ORDER BY id FOR UPDATE",
            (Self::Texts, DbBackend::MySql) => " LOCK IN SHARE MODE",
            // Shared with updates of what is no key.
            (Self::Texts, DbBackend::Postgres) => " FOR KEY SHARE",
            _ => "",
        }
    }

    fn statement(self, keys: usize) -> SelectStatement {
        let keys = vec![placeholder(); keys];
        let mut select = Query::select();
        match self {
            Self::Heads => {
                use execution::Column::{Fence, Id, LastSeq, Status};
                select
                    .columns([Id, LastSeq, Fence, Status])
                    .from(execution::Entity)
                    .and_where(Expr::col(Id).is_in(keys));
            }
            Self::Existing => {
                let id = execution::Column::Id;
                select.column(id).from(execution::Entity).and_where(Expr::col(id).is_in(keys));
            }
            Self::IdempotencyKeys => {
                let digest = idempotency::Column::Digest;
                select.columns(idempotency::COLUMNS).from(idempotency::Entity).and_where(Expr::col(digest).is_in(keys));
            }
            Self::Texts => {
                let key = text::Column::Key;
                select.column(key).from(text::Entity).and_where(Expr::col(key).is_in(keys));
            }
            Self::Cursors => {
                use output::Column::{Cursor, ExecutionId};
                select.column(ExecutionId).expr(Expr::col(Cursor).max()).from(output::Entity);
                select.and_where(Expr::col(ExecutionId).is_in(keys)).group_by_col(ExecutionId);
            }
            Self::CommandEnds => {
                use output::Column::{CommandId, Seq};
                select.column(CommandId).expr(Expr::col(Seq).max()).from(output::Entity);
                select.and_where(Expr::col(CommandId).is_in(keys)).group_by_col(CommandId);
            }
        }
        select
    }
}

/// Whether an update sets a column: what an execution is stays, how it stands changes.
fn changes(column: execution::Column, status: bool) -> bool {
    use execution::Column::*;
    match column {
        Id | WorkflowId | Workflow | WorkflowKey | Version | Title | StartedBy | Trigger | CreatedAt => false,
        Status => status,
        // Those of whoever has claimed it, not of who appends.
        Owner | LeaseUntil => false,
        StartedAt | FinishedAt | Error | WaitingForInput | WakeAt | ActiveCommands | LastSeq | Fence | TextKey => true,
    }
}

fn update_statement(status: bool) -> UpdateStatement {
    let mut update = Query::update();
    update.table(execution::Entity);
    for column in execution::COLUMNS.into_iter().filter(|column| changes(*column, status)) {
        update.value(column, placeholder());
    }
    update.and_where(Expr::col(execution::Column::Id).eq(placeholder()));
    update
}

fn delete_secrets_statement(ids: usize) -> DeleteStatement {
    let of_ids = Expr::col(secrets::Column::ExecutionId).is_in(vec![placeholder(); ids]);
    Query::delete().from_table(secrets::Entity).and_where(of_ids).take()
}

/// Stands for a value in a text that is built once; only its place in the SQL matters.
fn placeholder() -> Expr {
    Expr::val(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_go_by_steps() {
        assert_eq!([1, 3, 8, 9, 15, 16, 63, 64, 200].map(step), [1, 3, 8, 8, 8, 16, 32, 64, 64]);
    }
}
