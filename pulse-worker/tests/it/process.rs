//! The thin binary: what its commands get of it, and what stops its start.

use crate::stand_in::{KEY, Session, StandIn, gone, numbers, script, soon, supervisor, until};
use pulse_core::command::{CommandSpec, Stream};
use pulse_core::protocol::worker::FromWorker;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use tempfile::TempDir;
use tokio::process::{Child, Command};

pub fn command(dir: &Path, server: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pulse-worker"));
    command
        .current_dir(dir)
        .env("PULSE_WS", server)
        .env("WORKER_API_KEY", KEY)
        .env("WORKER_NAME", "w1")
        .env("MAX_CONCURRENT_TASKS", "4")
        .env("PULSE_ADMIN_TOKEN", "a-secret-of-a-server")
        .env_remove("PULSE_WORKER_STATE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command
}

pub fn state(dir: &TempDir) -> PathBuf {
    dir.path().join("pulse-worker-state")
}

pub async fn start(dir: &TempDir, server: &StandIn) -> (Child, Session) {
    let child = command(dir.path(), &server.url).spawn().unwrap();
    (child, server.session().await)
}

async fn output(command: &mut Command) -> Output {
    soon("the process", command.stderr(Stdio::piped()).output()).await.unwrap()
}

#[tokio::test]
async fn a_result_that_was_not_acknowledged_survives_a_kill() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (mut worker, mut session) = start(&dir, &server).await;
    session.acks = false;
    let command_id = session.start(script("echo x; exit 5")).await;
    let end = session.end(command_id, 0).await.end;
    worker.kill().await.unwrap();
    // The crash tore a line.
    let log = state(&dir).join("commands.log");
    let mut bytes = std::fs::read(&log).unwrap();
    bytes.extend_from_slice(b"0badc0de 99. {\"rec");
    std::fs::write(&log, bytes).unwrap();

    let (mut worker, mut session) = start(&dir, &server).await;
    assert_eq!(session.end(command_id, 0).await.end, end);
    assert_eq!(session.run(script("echo y")).await.end.stdout, "y\n");
    let forgotten = || std::fs::read_to_string(&log).unwrap().matches("forgotten").count();
    until("two acknowledgements to be written", || forgotten() == 2).await;
    worker.kill().await.unwrap();
    let (_worker, session) = start(&dir, &server).await;
    assert!(session.hello().commands.is_empty());
}

#[tokio::test]
async fn commands_do_not_get_the_worker_s_secrets() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    std::fs::write(dir.path().join(".env"), "FROM_FILE=a-secret-of-the-file\nWORKER_NAME=loses-to-the-environment\n")
        .unwrap();
    let mut command = command(dir.path(), &server.url);
    let _worker = command.env("PLAIN", "goes-through").spawn().unwrap();
    let mut session = server.session().await;
    assert_eq!(session.hello().name, "w1");
    let end = session.run(CommandSpec { env: vec![("PULSE_STEP".into(), "given".into())], ..script("env") }).await.end;
    for absent in [KEY, "WORKER_API_KEY", "PULSE_WS", "PULSE_ADMIN_TOKEN", "a-secret"] {
        assert!(!end.stdout.contains(absent), "{absent} in {}", end.stdout);
    }
    for present in ["PLAIN=goes-through\n", "PULSE_COMMAND_ID=", "PULSE_STEP=given\n", "PATH="] {
        assert!(end.stdout.contains(present), "{present} not in {}", end.stdout);
    }
}

#[tokio::test]
async fn what_stops_a_start_is_said_in_one_line() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (_first, _session) = start(&dir, &server).await;
    let mut second = command(dir.path(), &server.url);
    let mut bad_number = command(dir.path(), &server.url);
    bad_number.env("MAX_CONCURRENT_TASKS", "many");
    let mut no_key = command(dir.path(), &server.url);
    no_key.env_remove("WORKER_API_KEY");
    let mut example = command(dir.path(), &server.url);
    example.env("WORKER_API_KEY", "changeme");
    let other = tempfile::tempdir().unwrap();
    std::fs::create_dir(state(&other)).unwrap();
    std::fs::write(state(&other).join("worker.json"), "{}").unwrap();
    let cases = [
        (&mut second, "another worker process uses the state directory"),
        (&mut bad_number, "MAX_CONCURRENT_TASKS: `many` is not a whole number"),
        (&mut no_key, "WORKER_API_KEY: is not set"),
        (&mut example, "WORKER_API_KEY: still has an example value"),
        (&mut command(other.path(), &server.url), "worker.json: cannot be read"),
    ];
    for (command, expected) in cases {
        let output = output(command).await;
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{text}");
        let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
        assert!(errors.len() == 1 && errors[0].contains(expected), "{text}");
        assert!(!text.contains("panicked"));
    }
}

#[tokio::test]
async fn an_agent_ends_when_its_directory_was_removed_and_leaves_another_s_supervisor_alone() {
    let (server, other, dir) = (StandIn::new().await, StandIn::new().await, tempfile::tempdir().unwrap());
    let first = command(dir.path(), &server.url).stderr(Stdio::piped()).spawn().unwrap();
    let mut session = server.session().await;
    session.start(script("echo $$; sleep 1000")).await;
    let pids = numbers(&session.line().await);
    std::fs::remove_dir_all(state(&dir)).unwrap();
    // At once, before the first has noticed anything.
    let (mut second, mut theirs) = start(&dir, &other).await;
    let output = soon("the first agent to end", first.wait_with_output()).await.unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(errors.len() == 1 && errors[0].contains("was removed or replaced"), "{text}");
    gone(&pids).await;
    assert_eq!(theirs.run(script("echo x")).await.end.stdout, "x\n");
    second.kill().await.unwrap();
}

#[tokio::test]
async fn an_agent_ends_when_only_its_lock_was_removed() {
    let (server, other, dir) = (StandIn::new().await, StandIn::new().await, tempfile::tempdir().unwrap());
    let (mut first, session) = start(&dir, &server).await;
    std::fs::remove_file(state(&dir).join("lock")).unwrap();
    // It gets the first one's supervisor, and keeps it.
    let (mut second, mut theirs) = start(&dir, &other).await;
    assert_eq!(soon("the first agent to end", first.wait()).await.unwrap().code(), Some(1));
    drop(session);
    assert_eq!(theirs.run(script("echo x")).await.end.stdout, "x\n");
    second.kill().await.unwrap();
}

#[tokio::test]
async fn a_log_that_cannot_be_written_stops_nothing() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (mut worker, session) = start(&dir, &server).await;
    let first = supervisor(&state(&dir));
    worker.kill().await.unwrap();
    drop(session);
    // Nobody needs it: it ends, and the next one's log is on a disk that is full.
    gone(&[first]).await;
    let log = state(&dir).join("supervisor.log");
    std::fs::remove_file(&log).unwrap();
    std::os::unix::fs::symlink("/dev/full", &log).unwrap();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let _worker = command(dir.path(), &server.url).env("PULSE_LOG", "trace").stderr(full).spawn().unwrap();
    let mut session = server.session().await;
    let ran = session.run(script("seq 1 30000")).await;
    assert_eq!((ran.end.exit_code, ran.text(Stream::Stdout).lines().count()), (Some(0), 30_000));
}

#[tokio::test]
async fn a_flood_does_not_grow_the_worker() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (worker, mut session) = start(&dir, &server).await;
    let processes = [worker.id().unwrap(), supervisor(&state(&dir))];
    let before = processes.map(|pid| kib(pid, "VmRSS"));
    let bytes: u64 = 150 << 20;
    let texts = ["tr '\\0' '\\033' < /dev/zero", "yes", "tr '\\0' 'x' < /dev/zero"];
    for text in texts {
        session.dispatch(script(&format!("{text} | head -c {bytes}"))).await;
    }
    let mut ended = 0;
    while ended < texts.len() {
        match session.next().await {
            FromWorker::Output { command_id, seq, .. } => session.ack(command_id, Some(seq)).await,
            FromWorker::Result { command_id, end } => {
                assert_eq!((end.stdout_bytes, end.exit_code), (bytes, Some(0)));
                session.ack(command_id, None).await;
                ended += 1;
            }
            FromWorker::Accepted { .. } => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    let grown: u64 = processes.iter().zip(before).map(|(pid, before)| kib(*pid, "VmHWM") - before).sum();
    assert!(grown < 64 * 1024, "{grown} KiB");
}

/// A figure of `/proc/PID/status`.
fn kib(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
