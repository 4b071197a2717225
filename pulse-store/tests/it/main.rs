//! The conformance suite over every implementation, and what is said of one only.

mod crash;
#[path = "../shared/migrating.rs"]
mod migrating;
#[path = "../shared/model.rs"]
mod model;
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

/// Random operations against the model, the SQLite file being closed and left open in between.
mod against_the_model {
    use crate::model;
    use proptest::prelude::*;

    fn config() -> ProptestConfig {
        ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() }
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn memory(ops in prop::collection::vec(model::op(), 1..60)) {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                // It forgets everything when it is opened again.
                let ops: Vec<_> = ops.into_iter().filter(|op| !matches!(op, model::Op::Reopen { .. })).collect();
                model::run(&ops, model::Model::new(), async || crate::open_memory().await.0).await;
            });
        }

        #[test]
        fn sqlite(ops in prop::collection::vec(model::op(), 1..60)) {
            let dir = tempfile::TempDir::new().unwrap();
            let url = format!("sqlite://{}/pulse.db", dir.path().display());
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(model::run(&ops, model::Model::new(), async || {
                pulse_store::open(&url, pulse_store::OpenOptions::default()).await.unwrap()
            }));
        }
    }
}

mod on_memory {
    pulse_store::conformance_tests!(crate::open_memory);
}

mod on_sqlite {
    pulse_store::conformance_tests!(crate::open_sqlite);
    crate::migrating_tests!(sea_orm::DbBackend::Sqlite);
}
