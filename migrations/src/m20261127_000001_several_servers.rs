//! What several servers on one database need: leases that are found by their end, and how far each writer has come.

use crate::columns::{clustered, create_index, id, int64};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261127_000001_several_servers"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "the trait's own signature, which async_trait cannot match otherwise")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Ended executions keep their last lease; by the status they are passed over.
        let mut lease = Index::create().col("status").col("lease_until").col("id").take();
        // One server alone takes no leases. MariaDB has no partial indexes.
        if manager.get_database_backend() != DbBackend::MySql {
            lease.and_where(Expr::col("lease_until").is_not_null());
        }
        create_index(manager, "executions_lease_until", "executions", lease).await?;

        // The number of the last group that each writer committed, written in the same transaction: by it a writer that
        // lost its connection during a commit finds out whether that happened. Not used on SQLite.
        let mut writers = Table::create()
            .table("writers")
            .col(id("id").not_null().primary_key())
            .col(int64("last_group").not_null())
            .col(int64("seen_at").not_null())
            .take();
        manager.create_table(clustered(manager, &mut writers)).await
    }
}
