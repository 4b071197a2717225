//! The conformance suite over every implementation, and what is said of one only.

#[path = "../shared/migrating.rs"]
mod migrating;
mod sqlite;

use pulse_store::{OpenOptions, Store, open};
use std::sync::Arc;
use tempfile::TempDir;

async fn open_memory() -> (Arc<dyn Store>, ()) {
    (open("memory:", OpenOptions::default()).await.unwrap(), ())
}

async fn open_sqlite() -> (Arc<dyn Store>, TempDir) {
    let dir = TempDir::new().unwrap();
    let url = format!("sqlite://{}/data/pulse.db", dir.path().display());
    (open(&url, OpenOptions::default()).await.unwrap(), dir)
}

mod on_memory {
    pulse_store::conformance_tests!(crate::open_memory);
}

mod on_sqlite {
    pulse_store::conformance_tests!(crate::open_sqlite);
    crate::migrating_tests!(sea_orm::DbBackend::Sqlite);
}
