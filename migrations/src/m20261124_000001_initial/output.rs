//! Output of commands, in pieces of up to 64 KiB.

use crate::columns::{clustered, create_index, id, int64, long_text, short_text};
use sea_orm_migration::prelude::*;

pub(super) async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let mut table = Table::create()
        .table("command_output")
        .col(id("execution_id").not_null())
        .col(int64("cursor").not_null())
        .col(id("command_id").not_null())
        .col(short_text("stream").not_null())
        .col(int64("seq").not_null())
        .col(short_text("step_id").not_null())
        .col(short_text("worker").not_null())
        .col(int64("attempt").not_null())
        .col(long_text(manager, "data").not_null())
        // Cursors have no gaps. Two servers that give out the same one collide here, and the second tries again.
        .primary_key(Index::create().col("execution_id").col("cursor"))
        .take();
    manager.create_table(clustered(manager, &mut table)).await?;

    // A piece's identity; the number before the stream, so that a command's last piece is one look-up.
    let identity = Index::create().col("command_id").col("seq").col("stream").unique().take();
    create_index(manager, "command_output_piece", "command_output", identity).await
}
