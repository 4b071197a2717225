//! How a writer finds out what became of a commit when its connection broke before the answer.
//!
//! Each transaction writes its number into the writer's own row. Afterwards, over a new connection, the row tells the
//! last number that was committed. It is read locked: as long as the old connection's transaction is neither committed
//! nor rolled back, it holds the row, and the read waits for it.

use crate::sql::clock;
use crate::sql::fault;
use sea_orm::prelude::Uuid;
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Query};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, TransactionTrait};

const TABLE: &str = "writers";

/// A writer's row.
pub(super) struct Marker {
    id: Uuid,
    /// Of the transaction that was tried last.
    number: i64,
}

impl Marker {
    pub(super) fn new() -> Self {
        Self { id: Uuid::new_v4(), number: 0 }
    }

    /// Makes the row, if it is not there.
    pub(super) async fn register(&self, connection: &DatabaseConnection) -> Result<(), DbErr> {
        let known = Query::select().column("last_group").from(TABLE).and_where(Expr::col("id").eq(self.id)).take();
        if connection.query_one(&known).await?.is_some() {
            return Ok(());
        }
        let now = clock::now(connection.get_database_backend());
        let mut row = Query::insert().into_table(TABLE).columns(["id", "last_group", "seen_at"]).take();
        row.values_panic([self.id.into(), self.number.into(), now]);
        connection.execute(&row).await?;
        Ok(())
    }

    /// Writes the next number. It comes first in a transaction.
    pub(super) async fn mark(&mut self, db: &DatabaseTransaction) -> Result<(), DbErr> {
        self.number += 1;
        let update = Query::update()
            .table(TABLE)
            .value("last_group", self.number)
            .value("seen_at", clock::now(db.get_database_backend()))
            .and_where(Expr::col("id").eq(self.id))
            .take();
        match db.execute(&update).await?.rows_affected() {
            1 => Ok(()),
            _ => Err(fault::custom("the writer's row in `writers` is missing")),
        }
    }

    /// Whether the transaction that was tried last has been committed. Waits until that is decided.
    pub(super) async fn is_committed(&self, connection: &DatabaseConnection) -> Result<bool, DbErr> {
        let transaction = connection.begin().await?;
        let select = Query::select()
            .column("last_group")
            .from(TABLE)
            .and_where(Expr::col("id").eq(self.id))
            .lock(LockType::Update)
            .take();
        let row = transaction.query_one(&select).await?;
        let last: i64 =
            row.ok_or_else(|| fault::custom("the writer's row in `writers` is missing"))?.try_get_by_index(0)?;
        transaction.rollback().await?;
        Ok(last == self.number)
    }
}
