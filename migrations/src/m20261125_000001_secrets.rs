//! Secrets of executions, sealed by the server, and small settings of the installation.

use crate::columns::{clustered, id, long_binary, short_text};
use sea_orm_migration::prelude::*;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261125_000001_secrets"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "the trait's own signature, which async_trait cannot match otherwise")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A row lives from the execution's first entry to its end.
        let mut secrets = Table::create()
            .table("execution_secrets")
            .col(id("execution_id").not_null().primary_key())
            .col(long_binary(manager, "sealed").not_null())
            .take();
        manager.create_table(clustered(manager, &mut secrets)).await?;
        let mut settings = Table::create()
            .table("settings")
            .col(short_text("name").not_null().primary_key())
            .col(long_binary(manager, "value").not_null())
            .take();
        manager.create_table(clustered(manager, &mut settings)).await
    }
}
