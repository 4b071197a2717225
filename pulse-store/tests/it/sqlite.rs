//! What only a file can do: outlive its process, be somebody else's, be too new, be in use.

use pulse_core::ids::Seq;
use pulse_core::status::ExecutionStatus;
use pulse_store::conformance::fixtures::{append, new_id, record};
use pulse_store::{Append, Appended, Error, ExecutionFilter, ExecutionRecord, OpenOptions, Store, open};
use sea_orm::sqlx::{self, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

async fn open_at(path: &Path) -> pulse_store::Result<Arc<dyn Store>> {
    open(&format!("sqlite://{}", path.display()), OpenOptions::default()).await
}

/// Why a path cannot be opened: one line, that names it.
async fn refusal(path: &Path) -> String {
    let error = open_at(path).await.err().expect("it was opened");
    let line = error.to_string();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
    assert!(!line.contains('\n') && line.contains(&path.display().to_string()), "{line}");
    line
}

/// A connection of our own, past the store.
async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path).create_if_missing(true)).await.unwrap()
}

async fn execute(path: &Path, sql: &'static str) {
    let mut connection = connect(path).await;
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

fn first_entry(status: ExecutionStatus) -> Append {
    append(ExecutionRecord { status, ..record(new_id()) }, 1, 1)
}

fn database() -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("pulse.db");
    (dir, path)
}

/// What was answered is there when the runtime ends without a word, and after a proper close.
#[test]
fn what_was_answered_outlives_the_process() {
    let (_dir, path) = database();
    let mut ids = Vec::new();
    for round in 0..3 {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let store = open_at(&path).await.unwrap();
            for id in &ids {
                assert_eq!(store.read(*id, Seq(0), 10).await.unwrap().len(), 1);
            }
            for _ in 0..20 {
                let append = first_entry(ExecutionStatus::Running);
                ids.push(append.execution_id);
                assert_eq!(store.append(append).await, Ok(Appended::New));
            }
            // Begun, never awaited: there or not, but whole.
            let (writes, append) = (store.clone(), first_entry(ExecutionStatus::Running));
            tokio::spawn(async move { writes.append(append).await });
            if round == 1 {
                // One that closes, between two that do not.
                store.close().await;
            }
        });
        runtime.shutdown_background();
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = open_at(&path).await.unwrap();
        let all = store.executions(&ExecutionFilter::default(), None, 1000).await.unwrap();
        assert!((60..=63).contains(&all.len()), "{}", all.len());
        for record in &all {
            assert_eq!(store.read(record.id, Seq(0), 10).await.unwrap().len() as u64, record.last_seq.0);
        }
        store.close().await;
    });
}

/// Nobody else may read it, nor the files beside it, nor the directories that were made for it.
#[tokio::test]
async fn files_are_private() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a/b/pulse.db");
    let store = open_at(&path).await.unwrap();
    store.append(first_entry(ExecutionStatus::Running)).await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.path().join("a")), 0o700);
    assert_eq!(mode(&dir.path().join("a/b")), 0o700);
    for name in ["pulse.db", "pulse.db-wal", "pulse.db-shm"] {
        assert_eq!(mode(&path.with_file_name(name)), 0o600, "{name}");
    }
    store.close().await;
    assert!(!path.with_file_name("pulse.db-wal").exists(), "closing leaves one file");
}

/// A path with characters that mean something in URLs is just a path.
#[tokio::test]
async fn paths_are_taken_as_they_are() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("größe 100%25?mode=ro#x.db");
    open_at(&path).await.unwrap().close().await;
    assert!(path.exists());
}

/// Not a file, no way to it, not a database, somebody else's, torn.
#[tokio::test]
async fn says_why_a_path_cannot_be_opened() {
    let (dir, path) = database();
    assert!(refusal(dir.path()).await.contains("it is a directory"));

    std::fs::write(&path, "certainly no database, but long enough").unwrap();
    assert!(refusal(&path).await.contains("no SQLite database"));
    assert!(refusal(&path.join("below.db")).await.contains("its directory cannot be made"));

    let foreign = dir.path().join("foreign.db");
    execute(&foreign, "CREATE TABLE recipes (id INTEGER)").await;
    assert!(refusal(&foreign).await.contains("recipes"));

    let torn = dir.path().join("torn.db");
    open_at(&torn).await.unwrap().close().await;
    let mut bytes = std::fs::read(&torn).unwrap();
    bytes[100..2000].fill(0xaa);
    std::fs::write(&torn, bytes).unwrap();
    assert!(refusal(&torn).await.contains("restore a backup"));
}

/// A directory where nobody may make a file, not even root, who runs these tests in containers.
#[tokio::test]
async fn says_that_it_cannot_write() {
    let line = refusal(Path::new("/proc/self/pulse.db")).await;
    assert!(line.contains("the server must be able to write there"), "{line}");
}

/// An URL of a database that is not known is refused without showing what is in it.
#[tokio::test]
async fn shows_no_password() {
    for url in ["postgres://ada:secret@db/pulse", "mysql://ada:secret@db/pulse", "secret", "sqlite:secret", ""] {
        let error = open(url, OpenOptions::default()).await.err().unwrap();
        assert!(matches!(error, Error::Unavailable { .. }));
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

/// A schema with a migration that this program does not know.
#[tokio::test]
async fn refuses_a_newer_schema() {
    let (_dir, path) = database();
    open_at(&path).await.unwrap().close().await;
    execute(&path, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20991231_000001_later', 0)").await;
    let before = std::fs::read(&path).unwrap();
    let error = open_at(&path).await.err().unwrap();
    assert_eq!(error, Error::TooNew { found: "m20991231_000001_later".to_owned() });
    assert_eq!(std::fs::read(&path).unwrap(), before, "it is not touched");
}

/// Several programs that start at once on a new path agree on one schema.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_may_create_it_at_once() {
    let (_dir, path) = database();
    let opened = futures_util::future::join_all((0..6).map(|_| {
        let path = path.clone();
        tokio::spawn(async move { open_at(&path).await })
    }));
    for store in opened.await {
        store.unwrap().unwrap();
    }
}

/// Two servers on one file: the second writer of an execution loses, and output stays in order.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_stores_on_one_file_agree() {
    use pulse_core::{api::OutputChunk, command::Stream, ids::Attempt, ids::CommandId};
    let (_dir, path) = database();
    let (one, two) = (open_at(&path).await.unwrap(), open_at(&path).await.unwrap());
    let append = first_entry(ExecutionStatus::Running);
    let id = append.execution_id;
    one.append(append.clone()).await.unwrap();
    assert_eq!(two.append(append).await, Err(Error::Conflict { execution_id: id, expected: Seq(1), actual: Seq(2) }));
    for n in 0..10 {
        let store = if n % 2 == 0 { &one } else { &two };
        let chunk = OutputChunk {
            cursor: 0,
            command_id: CommandId(id.0),
            step_id: "a".into(),
            worker: "w".to_owned(),
            attempt: Attempt::FIRST,
            stream: Stream::Stdout,
            seq: n + 1,
            data: String::new(),
            gap_bytes: None,
        };
        let record = pulse_store::OutputRecord { execution_id: id, chunk };
        assert_eq!(store.append_output(record).await, Ok(n + 1));
    }
}

/// A row that does not decode is said to be that one; the others can still be read.
#[tokio::test]
async fn names_a_damaged_row() {
    let (_dir, path) = database();
    let store = open_at(&path).await.unwrap();
    let append = first_entry(ExecutionStatus::Running);
    store.append(append.clone()).await.unwrap();
    execute(&path, "UPDATE execution_events SET payload = '{\"action\":\"unheard_of\"}'").await;
    let error = store.read(append.execution_id, Seq(0), 10).await.unwrap_err();
    let Error::Corrupt { what, detail } = &error else { panic!("{error:?}") };
    assert_eq!(*what, format!("journal entry 1 of execution {}", append.execution_id));
    assert!(detail.contains("unheard_of"), "{detail}");
    assert!(store.execution(append.execution_id).await.unwrap().is_some());

    execute(&path, "UPDATE executions SET status = 'asleep'").await;
    let error = store.execution(append.execution_id).await.unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }) && error.to_string().contains("asleep"), "{error}");
}

/// A deletion that a stop cut short is finished after the next start.
#[tokio::test]
async fn finishes_a_deletion_after_a_stop() {
    let (_dir, path) = database();
    let store = open_at(&path).await.unwrap();
    let append = first_entry(ExecutionStatus::Completed);
    store.append(append.clone()).await.unwrap();
    store.close().await;
    execute(&path, "INSERT INTO execution_deletions SELECT id FROM executions").await;
    execute(&path, "DELETE FROM executions").await;

    let store = open_at(&path).await.unwrap();
    for _ in 0..1000 {
        if store.read(append.execution_id, Seq(0), 1).await.unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    store.close().await;
    let mut connection = connect(&path).await;
    let left: i64 = sqlx::query_scalar(
        "SELECT (SELECT count(*) FROM execution_events) + (SELECT count(*) FROM execution_deletions)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(left, 0);
}

/// A summary that is missing is listed by its journal, and can be written again; so can one that cannot be read.
#[tokio::test]
async fn writes_a_missing_summary() {
    let (_dir, path) = database();
    let store = open_at(&path).await.unwrap();
    let append = first_entry(ExecutionStatus::Waiting);
    let (id, record) = (append.execution_id, append.record.clone());
    store.append(append).await.unwrap();
    for damage in ["DELETE FROM executions", "UPDATE executions SET status = 'asleep'"] {
        execute(&path, damage).await;
        assert_eq!(store.journals(None, 10).await.unwrap(), [id]);
        assert_eq!(store.replace_summary(record.clone()).await, Ok(()), "{damage}");
        assert_eq!(store.execution(id).await.unwrap(), Some(record.clone()));
        let filter = ExecutionFilter { text: Some("UPTIME".to_owned()), ..ExecutionFilter::default() };
        assert_eq!(store.executions(&filter, None, 10).await.unwrap(), std::slice::from_ref(&record));
    }
    store.close().await;
}
