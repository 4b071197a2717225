//! The conformance suite on database servers, and what is said of those only.
//!
//! Needs a MariaDB and a PostgreSQL server, here or at `PULSE_TEST_MARIADB_URL` and `PULSE_TEST_POSTGRES_URL`, and users
//! who may create databases there: `cargo test -p pulse-store --features databases --test databases`.

use pulse_store::conformance::databases::{FreshDatabase, Server};
use pulse_store::{OpenOptions, Store, open};
use std::sync::Arc;

#[path = "../shared/migrating.rs"]
mod migrating;
#[path = "../shared/model.rs"]
mod model;
mod opening;
mod outages;
mod proxy;
mod servers;

/// Few connections: many tests run at once.
const OPTIONS: OpenOptions = OpenOptions {
    synchronous: pulse_store::Synchronous::Full,
    read_connections: 2,
    patience: std::time::Duration::from_secs(60),
};

/// Makes a test for each server of an `async fn` that takes one.
macro_rules! on_both {
    ($($(#[$attribute:meta])* $name:ident)*) => {
        mod on_mariadb {
            $($(#[$attribute])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(pulse_store::conformance::databases::Server::MariaDb).await;
            })*
        }
        mod on_postgres {
            $($(#[$attribute])* #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(pulse_store::conformance::databases::Server::Postgres).await;
            })*
        }
    };
}
use on_both;

async fn open_fresh(server: Server) -> (Arc<dyn Store>, FreshDatabase) {
    let database = FreshDatabase::create(server).await;
    let store = open(&database.url(), OPTIONS).await.unwrap();
    (store, database)
}

async fn open_mariadb() -> (Arc<dyn Store>, FreshDatabase) {
    open_fresh(Server::MariaDb).await
}

async fn open_postgres() -> (Arc<dyn Store>, FreshDatabase) {
    open_fresh(Server::Postgres).await
}

/// Random operations against the model. Fewer than on SQLite: each case is a database of its own.
mod against_the_model {
    use crate::{OPTIONS, model};
    use proptest::prelude::*;
    use pulse_store::conformance::databases::{FreshDatabase, Server};

    fn config() -> ProptestConfig {
        ProptestConfig { cases: 6, max_shrink_iters: 64, failure_persistence: None, ..ProptestConfig::default() }
    }

    fn run(server: Server, ops: &[model::Op]) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let database = FreshDatabase::create(server).await;
            let url = database.url();
            model::run(ops, model::Model::new(), async || pulse_store::open(&url, OPTIONS).await.unwrap()).await;
        });
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn mariadb(ops in prop::collection::vec(model::op(), 20..60)) {
            run(Server::MariaDb, &ops);
        }

        #[test]
        fn postgres(ops in prop::collection::vec(model::op(), 20..60)) {
            run(Server::Postgres, &ops);
        }
    }
}

mod on_mariadb {
    pulse_store::conformance_tests!(crate::open_mariadb);
    crate::migrating_tests!(sea_orm::DbBackend::MySql);
}

mod on_postgres {
    pulse_store::conformance_tests!(crate::open_postgres);
    crate::migrating_tests!(sea_orm::DbBackend::Postgres);
}
