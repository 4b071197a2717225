//! The first schema.

mod access;
mod executions;
mod output;
mod workers;
mod workflows;

use sea_orm_migration::prelude::*;

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261124_000001_initial"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    #[expect(elided_lifetimes_in_paths, reason = "the trait's own signature, which async_trait cannot match otherwise")]
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        executions::create(manager).await?;
        output::create(manager).await?;
        workflows::create(manager).await?;
        workers::create(manager).await?;
        access::create(manager).await
    }
}
