//! From empty and from every schema that there was, to the newest; and no further back. For all databases: the test
//! targets include this file, and say for which of them its functions are tests.

use futures_util::future::join_all;
use pulse_core::ids::{ExecutionId, Seq, WorkflowId};
use pulse_core::status::ExecutionStatus;
use pulse_store::conformance::databases::{FreshDatabase, Server};
use pulse_store::conformance::fixtures::{append, record, seqs};
use pulse_store::{Append, Appended, Error, ExecutionFilter, OpenOptions, OutputFilter, Store};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use std::sync::Arc;
use uuid::Uuid;

/// Makes tests of them for a database.
#[macro_export]
macro_rules! migrating_tests {
    ($backend:expr) => {
        $crate::migrating_tests! { @each $backend; the_first_schema_comes_up_to_date every_schema_comes_up_to_date
            a_newer_schema_is_refused many_may_migrate_at_once an_interrupted_migration_is_finished }
    };
    (@each $backend:expr; $($test:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            $crate::migrating::$test($backend).await;
        })*
    };
}

/// An empty database for a test.
struct Fresh {
    url: String,
    backend: DbBackend,
    _keep: Box<dyn std::any::Any + Send + Sync>,
}

async fn fresh(backend: DbBackend) -> Fresh {
    let on = |database: FreshDatabase| Fresh { url: database.url(), backend, _keep: Box::new(database) };
    match backend {
        DbBackend::MySql => on(FreshDatabase::create(Server::MariaDb).await),
        DbBackend::Postgres => on(FreshDatabase::create(Server::Postgres).await),
        _ => {
            let dir = tempfile::TempDir::new().unwrap();
            Fresh { url: format!("sqlite://{}/pulse.db", dir.path().display()), backend, _keep: Box::new(dir) }
        }
    }
}

async fn open_newest(database: &Fresh) -> pulse_store::Result<Arc<dyn Store>> {
    let options = OpenOptions { read_connections: 2, ..OpenOptions::default() };
    pulse_store::open(&database.url, options).await
}

async fn connect(database: &Fresh) -> DatabaseConnection {
    let mode = if database.backend == DbBackend::Sqlite { "?mode=rwc" } else { "" };
    let mut options = ConnectOptions::new(format!("{}{mode}", database.url));
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

async fn migrate(connection: &DatabaseConnection, steps: u32) {
    let transaction = connection.begin().await.unwrap();
    migrations::migrate_some(&transaction, Some(steps)).await.unwrap();
    transaction.commit().await.unwrap();
}

async fn applied(connection: &DatabaseConnection) -> Vec<String> {
    let query = "SELECT version FROM seaql_migrations ORDER BY version";
    let statement = Statement::from_string(connection.get_database_backend(), query);
    let rows = connection.query_all_raw(statement).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

const EXECUTION: Uuid = Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0001);
const COMMAND: Uuid = Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0002);
const WORKFLOW: Uuid = Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0003);

/// Rows as the first version wrote them.
async fn fill(connection: &DatabaseConnection, backend: DbBackend) {
    let id = |id: Uuid| match backend {
        DbBackend::Postgres => format!("'{id}'"),
        _ => format!("x'{}'", id.simple()),
    };
    let bytes = |text: &str| match backend {
        DbBackend::Postgres => format!("convert_to('{text}', 'UTF8')"),
        _ => format!("CAST('{text}' AS BINARY)")
            .replace("BINARY", if backend == DbBackend::Sqlite { "BLOB" } else { "BINARY" }),
    };
    let quote = |name: &str| match backend {
        DbBackend::MySql => format!("`{name}`"),
        _ => format!("\"{name}\""),
    };
    let (execution, command, workflow) = (id(EXECUTION), id(COMMAND), id(WORKFLOW));
    for sql in [
        format!(
            "INSERT INTO executions (id, title, status, started_by, {}, created_at, waiting_for_input, active_commands, \
             last_seq, fence, text_key) VALUES ({execution}, 'Größe 🦀', 'waiting', 'ada', 'command', 1756944000123, \
             true, 0, 2, 0, 7)",
            quote("trigger")
        ),
        format!("INSERT INTO execution_texts ({}, text) VALUES (7, 'größe 🦀')", quote("key")),
        format!(
            "INSERT INTO execution_events VALUES ({execution}, 1, 1756944000123, 'workflow_error', \
             '{{\"action\":\"workflow_error\",\"message\":\"🦀\"}}'), ({execution}, 2, 1756944000124, 'workflow_error', \
             '{{\"action\":\"workflow_error\",\"message\":\"two\"}}')"
        ),
        format!(
            "INSERT INTO command_output VALUES ({execution}, 1, {command}, 'stdout', 1, 'build', 'web-1', 1, 'line 🦀')"
        ),
        format!("INSERT INTO workflows VALUES ({workflow}, {}, 1, 'größe', 'ada', 5)", bytes("größe")),
        format!("INSERT INTO workflow_versions VALUES ({workflow}, 1, 'Größe', '', '[]', 'steps: []', NULL, 'ada', 5)"),
    ] {
        connection.execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }
}

/// Rows of the first schema are there afterwards, and go on.
pub async fn the_first_schema_comes_up_to_date(backend: DbBackend) {
    let database = fresh(backend).await;
    let connection = connect(&database).await;
    migrate(&connection, 1).await;
    assert_eq!(applied(&connection).await.len(), 1);
    fill(&connection, backend).await;

    let store = open_newest(&database).await.unwrap();
    let id = ExecutionId(EXECUTION);
    let summary = store.execution(id).await.unwrap().unwrap();
    assert_eq!((summary.title.as_str(), summary.status), ("Größe 🦀", ExecutionStatus::Waiting));
    assert_eq!(summary.created_at.as_millis(), 1_756_944_000_123);
    let entries = store.read(id, Seq(0), 10).await.unwrap();
    assert_eq!(entries.iter().map(|entry| entry.timestamp.as_millis() - 1_756_944_000_123).collect::<Vec<_>>(), [0, 1]);
    let by_text = ExecutionFilter { text: Some("GRÖßE".to_owned()), ..ExecutionFilter::default() };
    assert_eq!(store.executions(&by_text, None, 10).await.unwrap(), [summary]);
    assert_eq!(store.output(id, 0, &OutputFilter::default(), 10).await.unwrap()[0].data, "line 🦀");
    assert_eq!(store.workflow_by_name("GRÖßE").await.unwrap().unwrap().id, WorkflowId(WORKFLOW));

    // And on: what came later works with what was there.
    let claim = store.claim(id, "a", std::time::Duration::from_secs(60)).await.unwrap().unwrap();
    assert_eq!(store.append(Append { fence: claim.fence, ..append(record(id), 3, 3) }).await, Ok(Appended::New));
    assert_eq!(seqs(&*store, id).await, [1, 2, 3]);
    store.close().await;
}

/// Whichever came first.
pub async fn every_schema_comes_up_to_date(backend: DbBackend) {
    let newest = fresh(backend).await;
    open_newest(&newest).await.unwrap().close().await;
    let all = applied(&connect(&newest).await).await;
    assert!(all.len() >= 5, "{all:?}");
    for steps in 1..all.len() {
        let database = fresh(backend).await;
        let connection = connect(&database).await;
        migrate(&connection, u32::try_from(steps).unwrap()).await;
        assert_eq!(applied(&connection).await, all[..steps]);
        open_newest(&database).await.unwrap().close().await;
        assert_eq!(applied(&connection).await, all);
    }
}

/// It is refused, and not touched.
pub async fn a_newer_schema_is_refused(backend: DbBackend) {
    let database = fresh(backend).await;
    open_newest(&database).await.unwrap().close().await;
    let connection = connect(&database).await;
    let later = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20991231_000001_later', 0)";
    connection.execute_unprepared(later).await.unwrap();
    let error = open_newest(&database).await.err().unwrap();
    assert_eq!(error, Error::TooNew { found: "m20991231_000001_later".to_owned() });
    assert!(!error.to_string().contains('\n'));
}

/// Several programs that start at once agree on one schema.
pub async fn many_may_migrate_at_once(backend: DbBackend) {
    let database = fresh(backend).await;
    // Not in tasks of their own, but with the connections of their own that count here.
    for store in join_all((0..4).map(|_| open_newest(&database))).await {
        store.unwrap().close().await;
    }
    let all = applied(&connect(&database).await).await;
    assert!(all.len() >= 5 && all.is_sorted_by(|a, b| a < b), "each once: {all:?}");
}

/// What MariaDB has committed of a migration before it was interrupted is there: its record is not. The others have then
/// nothing of it.
pub async fn an_interrupted_migration_is_finished(backend: DbBackend) {
    let database = fresh(backend).await;
    let newest = fresh(backend).await;
    open_newest(&newest).await.unwrap().close().await;
    let all = applied(&connect(&newest).await).await;
    let connection = connect(&database).await;
    if backend == DbBackend::MySql {
        // As if each migration had been cut short before its last change: everything is there but the records and these.
        migrate(&connection, 100).await;
        connection.execute_unprepared("DELETE FROM seaql_migrations").await.unwrap();
        connection.execute_unprepared("DROP TABLE sessions").await.unwrap();
        connection.execute_unprepared("DROP TABLE writers").await.unwrap();
        connection.execute_unprepared("DROP INDEX command_output_piece ON command_output").await.unwrap();
        connection.execute_unprepared("DROP INDEX webhook_deliveries_due ON webhook_deliveries").await.unwrap();
    } else {
        let transaction = connection.begin().await.unwrap();
        migrations::migrate_some(&transaction, Some(2)).await.unwrap();
        transaction.rollback().await.unwrap();
    }
    let store = open_newest(&database).await.unwrap();
    assert_eq!(applied(&connection).await, all);
    let id = ExecutionId(EXECUTION);
    assert_eq!(store.append(append(record(id), 1, 1)).await, Ok(Appended::New));
    store.close().await;
}
