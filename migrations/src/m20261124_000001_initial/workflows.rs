//! Workflows: one row each, and one for each version.

use crate::columns::{folded, id, int64, long_text, plain, short_text};
use sea_orm_migration::prelude::*;

pub(super) async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut workflows = Table::create()
        .table("workflows")
        .col(id("id").not_null().primary_key())
        // The folded name; none for a deleted workflow, whose name is free.
        .col(folded("name_key").unique_key())
        .col(int64("version").not_null())
        // Name, description and tags, folded: what a text filter looks through.
        .col(long_text(manager, "search").not_null())
        .col(short_text("created_by").not_null())
        .col(int64("created_at").not_null())
        .take();
    manager.create_table(plain(manager, &mut workflows)).await?;

    let mut versions = Table::create()
        .table("workflow_versions")
        .col(id("workflow_id").not_null())
        .col(int64("version").not_null())
        .col(short_text("name").not_null())
        .col(long_text(manager, "description").not_null())
        .col(long_text(manager, "tags").not_null())
        .col(long_text(manager, "definition").not_null())
        .col(long_text(manager, "webhook"))
        .col(short_text("saved_by").not_null())
        .col(int64("saved_at").not_null())
        .primary_key(Index::create().col("workflow_id").col("version"))
        .foreign_key(ForeignKey::create().from("workflow_versions", "workflow_id").to("workflows", "id"))
        .take();
    manager.create_table(plain(manager, &mut versions)).await
}
