//! Markers for output that is not kept: a command that prints more than its limit keeps its head and its tail.

use crate::columns::{add_column, int64};
use sea_orm_migration::prelude::*;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261126_000001_output_gaps"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "the trait's own signature, which async_trait cannot match otherwise")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Pieces of before have text, and no marker.
        add_column(manager, "command_output", "gap_bytes", int64("gap_bytes").null().take()).await
    }
}
