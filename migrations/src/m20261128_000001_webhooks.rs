//! Calls of webhooks: what is to be sent, to whom, and what came of it.

use crate::columns::{create_index, id, int64, long_text, plain, short_text};
use sea_orm_migration::prelude::*;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261128_000001_webhooks"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "the trait's own signature, which async_trait cannot match otherwise")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut deliveries = Table::create()
            .table("webhook_deliveries")
            .col(id("id").not_null().primary_key())
            .col(id("execution_id").not_null())
            .col(short_text("event").not_null())
            .col(long_text(manager, "url").not_null())
            // Host and port: who is called one at a time.
            .col(short_text("host").not_null())
            // What is sent, the same at each try.
            .col(long_text(manager, "body").not_null())
            .col(int64("created_at").not_null())
            .col(int64("attempts").not_null())
            // Only while it is to be tried.
            .col(int64("next_try_at"))
            .col(short_text("status").not_null())
            .col(int64("answer_status"))
            .col(long_text(manager, "answer"))
            .col(long_text(manager, "error"))
            .take();
        manager.create_table(plain(manager, &mut deliveries)).await?;
        let of_execution = Index::create().col("execution_id").col("id").take();
        create_index(manager, "webhook_deliveries_execution", "webhook_deliveries", of_execution).await?;
        let due = Index::create().col("next_try_at").col("id").take();
        create_index(manager, "webhook_deliveries_due", "webhook_deliveries", due).await
    }
}
