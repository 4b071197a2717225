//! Journals and their summaries.
//!
//! Nothing refers to `executions` by foreign key: a deleted execution's row goes first, in one small transaction, and its
//! journal and output follow in pieces (`execution_deletions` remembers that they have to).

use crate::columns::{clustered, create_index, digest, folded, id, int64, long_text, short_text};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

pub(super) async fn create(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager.create_table(summaries(manager)).await?;
    for (name, index) in indexes(manager) {
        create_index(manager, name, "executions", index).await?;
    }
    manager.create_table(texts(manager)).await?;
    manager.create_table(events(manager)).await?;
    manager.create_table(idempotency_keys(manager)).await?;
    let by_execution = Index::create().col("execution_id").take();
    create_index(manager, "idempotency_keys_execution", "idempotency_keys", by_execution).await?;
    manager.create_table(deletions(manager)).await
}

fn summaries(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table = Table::create()
        .table("executions")
        .col(id("id").not_null().primary_key())
        .col(id("workflow_id"))
        .col(short_text("workflow"))
        .col(folded("workflow_key"))
        .col(int64("version"))
        .col(long_text(manager, "title").not_null())
        .col(short_text("status").not_null())
        .col(short_text("started_by").not_null())
        .col(short_text("trigger").not_null())
        .col(int64("created_at").not_null())
        .col(int64("started_at"))
        .col(int64("finished_at"))
        .col(long_text(manager, "error"))
        .col(ColumnDef::new("waiting_for_input").boolean().not_null())
        .col(int64("wake_at"))
        .col(int64("active_commands").not_null())
        .col(int64("last_seq").not_null())
        .col(short_text("owner"))
        .col(int64("lease_until"))
        .col(int64("fence").not_null())
        // Which of `execution_texts` a text filter finds it by.
        .col(int64("text_key").not_null())
        .take();
    clustered(manager, &mut table)
}

/// One for each filter of the list, each ending in the id, by which the list is sorted and paged.
fn indexes(manager: &SchemaManager<'_>) -> Vec<(&'static str, IndexCreateStatement)> {
    let index = |columns: &[&'static str]| {
        let mut index = Index::create();
        for column in columns {
            index.col(*column);
        }
        index
    };
    let mut wake = index(&["wake_at", "id"]);
    // Most executions never wait, and ended ones do no more. MariaDB has no partial indexes.
    if manager.get_database_backend() != DbBackend::MySql {
        wake.and_where(Expr::col("wake_at").is_not_null());
    }
    vec![
        ("executions_status", index(&["status", "id"])),
        ("executions_workflow", index(&["workflow_key", "status", "id"])),
        ("executions_started_by", index(&["started_by", "status", "id"])),
        ("executions_text", index(&["text_key", "id"])),
        ("executions_wake_at", wake),
    ]
}

/// The titles and errors that there are, folded, under a hash: far fewer than executions, so that a text that is in a few
/// of a million is found without a look at them all.
fn texts(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table = Table::create()
        .table("execution_texts")
        .col(int64("key").not_null().primary_key())
        .col(long_text(manager, "text").not_null())
        .take();
    clustered(manager, &mut table)
}

fn events(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table = Table::create()
        .table("execution_events")
        .col(id("execution_id").not_null())
        .col(int64("seq").not_null())
        .col(int64("at").not_null())
        .col(short_text("kind").not_null())
        .col(long_text(manager, "payload").not_null())
        .primary_key(Index::create().col("execution_id").col("seq"))
        .take();
    clustered(manager, &mut table)
}

/// By the digest of scope and key, which have no limit to their length.
fn idempotency_keys(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table = Table::create()
        .table("idempotency_keys")
        .col(digest("digest").primary_key())
        .col(id("execution_id").not_null())
        .col(long_text(manager, "request_hash").not_null())
        .take();
    clustered(manager, &mut table)
}

fn deletions(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table =
        Table::create().table("execution_deletions").col(id("execution_id").not_null().primary_key()).take();
    clustered(manager, &mut table)
}
