//! The registry of workers.

use crate::columns::{folded, id, int64, long_text, plain, short_text};
use sea_orm_migration::prelude::*;

pub(super) async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut workers = Table::create()
        .table("workers")
        .col(id("id").not_null().primary_key())
        .col(short_text("name").not_null())
        .col(folded("name_key").not_null().unique_key())
        .col(long_text(manager, "labels").not_null())
        .col(int64("capacity").not_null())
        .col(ColumnDef::new("draining").boolean().not_null())
        .col(short_text("version").not_null())
        .col(int64("last_seen").not_null())
        .col(long_text(manager, "metadata").not_null())
        .col(int64("created_at").not_null())
        .take();
    manager.create_table(plain(manager, &mut workers)).await
}
