//! Tokens and sessions.

use crate::columns::{create_index, digest, id, int64, plain, short_text};
use sea_orm_migration::prelude::*;

pub(super) async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut tokens = Table::create()
        .table("tokens")
        .col(id("id").not_null().primary_key())
        .col(digest("hash").unique_key())
        .col(short_text("name").not_null())
        .col(short_text("role").not_null())
        .col(short_text("created_by").not_null())
        .col(int64("created_at").not_null())
        .col(int64("expires_at").not_null())
        .take();
    manager.create_table(plain(manager, &mut tokens)).await?;

    let mut sessions = Table::create()
        .table("sessions")
        .col(digest("hash").primary_key())
        .col(short_text("name").not_null())
        .col(short_text("role").not_null())
        .col(short_text("csrf").not_null())
        .col(int64("created_at").not_null())
        .col(int64("expires_at").not_null())
        .take();
    manager.create_table(plain(manager, &mut sessions)).await?;
    create_index(manager, "sessions_expires_at", "sessions", Index::create().col("expires_at").take()).await
}
