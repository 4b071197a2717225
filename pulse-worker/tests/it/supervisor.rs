//! The supervisor: commands that outlive the agent, and what becomes of everything when either is killed.

use crate::process::{command, start, state};
use crate::stand_in::{Session, StandIn, files, gone, is_alive, numbers, script, signal, soon, supervisor, until};
use pulse_core::command::{CommandSpec, Outcome, Stream};
use pulse_core::ids::CommandId;
use pulse_core::protocol::worker::{FromWorker, KnownState, ToWorker};
use rustix::process::Signal;
use serde_json::json;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use uuid::Uuid;

/// A command that writes down that it ran, tells its process, and goes on for a while once `go` exists.
fn long(dir: &Path) -> CommandSpec {
    let (ran, go) = (dir.join("ran"), dir.join("go"));
    let text = format!(
        "echo $PULSE_COMMAND_ID >> {}; echo $$; while [ ! -e {} ]; do sleep 0.01; done; \
         for i in 1 2 3; do echo out $i; echo err $i >&2; sleep 0.1; done; exit 5",
        ran.display(),
        go.display()
    );
    script(&text)
}

const OUT: &str = "out 1\nout 2\nout 3\n";
const ERR: &str = "err 1\nerr 2\nerr 3\n";

fn ran(dir: &Path) -> String {
    std::fs::read_to_string(dir.join("ran")).unwrap()
}

/// Starts the long command and waits for its first line. Gives its id and its process.
async fn start_long(session: &mut Session, dir: &Path) -> (CommandId, u32) {
    let command_id = session.start(long(dir)).await;
    let pid = numbers(&session.line().await)[0];
    session.ack(command_id, Some(1)).await;
    (command_id, pid)
}

/// What the long command printed after its first line, and its end, each once.
async fn delivers_the_rest(session: &mut Session, command_id: CommandId) {
    // Whether the acknowledgement of the first piece had got through is not known.
    let first = session.next().await;
    let FromWorker::Output { seq, data, stream, .. } = first else { panic!("{first:?}") };
    assert!(seq == 1 || seq == 2, "{seq}");
    session.ack(command_id, Some(seq)).await;
    let rest = session.end(command_id, seq).await;
    let of = |wanted: Stream| {
        let first = if stream == wanted && seq == 2 { data.clone() } else { String::new() };
        first + &rest.text(wanted)
    };
    assert_eq!((of(Stream::Stdout).as_str(), of(Stream::Stderr).as_str()), (OUT, ERR));
    assert_eq!((rest.end.outcome, rest.end.exit_code), (Outcome::Exited, Some(5)));
    assert!(rest.end.stdout.ends_with(OUT));
}

/// The command's whole end after an agent took over, once.
async fn takes_over(session: &mut Session, command_id: CommandId, dir: &Path) {
    let known = session.hello().commands.clone();
    assert_eq!((known.len(), known[0].command_id, known[0].state), (1, command_id, KnownState::Running));
    std::fs::write(dir.join("go"), "").unwrap();
    delivers_the_rest(session, command_id).await;
    assert_eq!(ran(dir), format!("{command_id}\n"), "started once");
}

#[tokio::test]
async fn a_command_outlives_a_killed_agent() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (mut agent, mut session) = start(&dir, &server).await;
    let (command_id, pid) = start_long(&mut session, dir.path()).await;
    let keeper = supervisor(&state(&dir));
    agent.kill().await.unwrap();
    drop(session);
    let (_agent, mut session) = start(&dir, &server).await;
    assert!(is_alive(pid), "the same process goes on");
    assert_eq!(supervisor(&state(&dir)), keeper);
    takes_over(&mut session, command_id, dir.path()).await;
    // Even now that it is forgotten.
    session.dispatch_as(command_id, long(dir.path())).await;
    assert_eq!(session.next().await, FromWorker::Accepted { command_id });
    assert_eq!(session.run(script("true")).await.end.exit_code, Some(0));
    assert_eq!(ran(dir.path()).lines().count(), 1);
}

#[tokio::test]
async fn a_copy_of_a_directory_never_touches_what_the_original_runs() {
    let (server, dir, other) = (StandIn::new().await, tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (_agent, mut session) = start(&dir, &server).await;
    let (command_id, pid) = start_long(&mut session, dir.path()).await;
    let keeper = supervisor(&state(&dir));
    let copied = std::process::Command::new("cp").arg("-a").args([state(&dir), state(&other)]).status().unwrap();
    assert!(copied.success());
    let refused = soon("the end", command(other.path(), &server.url).stderr(Stdio::piped()).output()).await.unwrap();
    let text = String::from_utf8(refused.stderr).unwrap();
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(errors.len() == 1 && errors[0].contains("is a copy of"), "{text}");
    assert_eq!(refused.status.code(), Some(1));
    // Even if somebody says that the original is gone.
    std::fs::remove_file(state(&other).join("origin.json")).unwrap();
    let (_copy, mut copy) = start(&other, &server).await;
    assert_eq!(copy.end(command_id, 0).await.end.outcome, Outcome::Lost);
    assert!(is_alive(pid) && is_alive(keeper) && supervisor(&state(&other)) != keeper);
    std::fs::write(dir.path().join("go"), "").unwrap();
    delivers_the_rest(&mut session, command_id).await;
}

#[tokio::test]
async fn a_stop_leaves_commands_running_and_the_next_start_delivers_them() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (mut agent, mut session) = start(&dir, &server).await;
    let (command_id, pid) = start_long(&mut session, dir.path()).await;
    signal(agent.id().unwrap(), Signal::TERM);
    assert!(session.try_next().await.is_none());
    drop(session);
    assert_eq!(soon("the end", agent.wait()).await.unwrap().code(), Some(0));
    assert!(is_alive(pid));
    let (_agent, mut session) = start(&dir, &server).await;
    takes_over(&mut session, command_id, dir.path()).await;
}

#[tokio::test]
async fn a_command_that_ends_while_no_agent_lives_is_delivered_later() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (mut agent, mut session) = start(&dir, &server).await;
    let (command_id, _) = start_long(&mut session, dir.path()).await;
    let keeper = supervisor(&state(&dir));
    agent.kill().await.unwrap();
    drop(session);
    std::fs::write(dir.path().join("go"), "").unwrap();
    // With nothing to run and nobody to serve the supervisor ends by itself.
    gone(&[keeper]).await;
    let (_agent, mut session) = start(&dir, &server).await;
    let known = session.hello().commands.clone();
    assert_eq!((known.len(), known[0].command_id, known[0].state), (1, command_id, KnownState::Finished));
    delivers_the_rest(&mut session, command_id).await;
    assert_ne!(supervisor(&state(&dir)), keeper);
}

#[tokio::test]
async fn everything_arrives_when_the_server_was_away_for_the_whole_run() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (_agent, mut session) = start(&dir, &server).await;
    let go = dir.path().join("go");
    let text = format!("while [ ! -e {} ]; do sleep 0.01; done; seq 1 400000; seq 1 5 >&2", go.display());
    let command_id = session.start(script(&text)).await;
    // Nobody accepts connections from now on until it has ended.
    drop(session);
    std::fs::write(&go, "").unwrap();
    let log = state(&dir).join("commands.log");
    until("the end", || std::fs::read_to_string(&log).unwrap().contains("finished")).await;
    let mut session = server.session().await;
    let ran = session.end(command_id, 0).await;
    let expected: String = (1..=400_000).map(|n| format!("{n}\n")).collect();
    assert!(ran.text(Stream::Stdout) == expected && ran.gaps.is_empty());
    assert_eq!(ran.text(Stream::Stderr), "1\n2\n3\n4\n5\n");
}

#[tokio::test]
async fn what_a_command_says_late_outlives_its_supervisor_too() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (mut agent, mut session) = start(&dir, &server).await;
    // Silent until the supervisor has long looked after it, and nobody takes what it says then.
    let go = dir.path().join("go");
    let text = format!("sleep 3; while [ ! -e {} ]; do sleep 0.01; done; echo late; sleep 1000", go.display());
    let command_id = session.start(script(&text)).await;
    let keeper = supervisor(&state(&dir));
    agent.kill().await.unwrap();
    drop(session);
    std::fs::write(&go, "").unwrap();
    let output = state(&dir).join("output").join(command_id.to_string());
    until("the output to be written", || output.exists() && !files(&output).is_empty()).await;
    signal(keeper, Signal::KILL);
    let (_agent, mut session) = start(&dir, &server).await;
    let ran = session.end(command_id, 0).await;
    assert_eq!((ran.end.outcome, ran.text(Stream::Stdout).as_str()), (Outcome::Lost, "late\n"));
}

#[tokio::test]
async fn a_killed_supervisor_leaves_nothing_running_and_its_commands_are_lost() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (_agent, mut session) = start(&dir, &server).await;
    session.acks = false;
    let done = session.start(script("echo done; exit 3")).await;
    assert_eq!(session.end(done, 0).await.end.exit_code, Some(3));
    // In its group, out of its group, and as a daemon that shed its environment.
    let text = "trap '' TERM PIPE HUP; echo $$; setsid sleep 1000 & echo $!; (env -i setsid sleep 1001 & echo $!); \
                while :; do sleep 0.2; done";
    let command_id = session.start(script(text)).await;
    let mut printed = String::new();
    while printed.lines().count() < 3 {
        printed.push_str(&session.line().await);
    }
    let pids = numbers(&printed);
    let keeper = supervisor(&state(&dir));
    // What it had printed is on the disk after a moment, whatever becomes of the supervisor.
    let output = state(&dir).join("output").join(command_id.to_string());
    until("the output to be written", || output.exists() && !files(&output).is_empty()).await;
    signal(keeper, Signal::KILL);
    drop(session);

    // The agent notices and starts another, and says so to the server.
    let mut session = server.session().await;
    let known: Vec<_> = session.hello().commands.iter().map(|known| (known.command_id, known.state)).collect();
    assert_eq!(known, [(done, KnownState::Finished), (command_id, KnownState::Finished)]);
    let mut ends = std::collections::HashMap::new();
    let mut text = String::new();
    while ends.len() < 2 {
        match session.next().await {
            FromWorker::Output { command_id: id, data, .. } if id == command_id => text.push_str(&data),
            FromWorker::Output { .. } => {}
            FromWorker::Result { command_id, end } => drop(ends.insert(command_id, end)),
            other => panic!("unexpected {other:?}"),
        }
    }
    assert_eq!((ends[&done].outcome, ends[&done].exit_code), (Outcome::Exited, Some(3)));
    assert_eq!(ends[&command_id].outcome, Outcome::Lost);
    assert!(ends[&command_id].error.as_ref().is_some_and(|error| error.contains("supervisor died")));
    assert_eq!(text, printed, "what was printed is kept");
    let can_make_cgroups = std::fs::read_to_string(state(&dir).join("supervisor.json")).unwrap().contains("\"/");
    let found = if can_make_cgroups { &pids[..] } else { &pids[..2] };
    gone(found).await;
    pids.iter().filter(|pid| is_alive(**pid)).for_each(|pid| signal(*pid, Signal::KILL));
    assert_ne!(supervisor(&state(&dir)), keeper);
    assert_eq!(session.run(script("echo on")).await.end.stdout, "on\n");
}

#[tokio::test]
async fn a_daemon_of_a_command_that_ended_is_killed() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (_agent, mut session) = start(&dir, &server).await;
    // Twice forked, in a session of its own, with closed pipes, with and without its environment.
    for how in ["", "env -i "] {
        let text = format!("({how}setsid sh -c 'sleep 1000 & echo $!' 2>/dev/null | cat) & wait; exit 4");
        let detached = text.replace("sleep 1000 &", "sleep 1000 </dev/null >/dev/null 2>&1 &");
        let ran = session.run(script(&detached)).await;
        assert_eq!((ran.end.outcome, ran.end.exit_code), (Outcome::Exited, Some(4)));
        gone(&numbers(&ran.end.stdout)).await;
    }
    // One that is quick to fork again.
    let restless = "setsid sh -c 'while :; do sh -c \"sleep 0.01\" & wait; done' >/dev/null 2>&1 & echo $!";
    let ran = session.run(script(restless)).await;
    gone(&numbers(&ran.end.stdout)).await;
    assert_eq!(ran.end.exit_code, Some(0));
}

#[tokio::test]
async fn a_daemon_of_one_command_is_not_taken_for_that_of_another() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (_agent, mut session) = start(&dir, &server).await;
    let go = dir.path().join("go");
    let text = format!("(setsid sh -c 'sleep 1000 & echo $!'); while [ ! -e {} ]; do sleep 0.01; done", go.display());
    let command_id = session.start(script(&text)).await;
    let pid = numbers(&session.line().await)[0];
    assert_eq!(session.run(script("true")).await.end.exit_code, Some(0));
    assert!(is_alive(pid), "its command still runs");
    std::fs::write(&go, "").unwrap();
    session.end(command_id, 1).await;
    gone(&[pid]).await;
}

/// Runs a worker that dies at a point while it is given one command, and then another, until that command has ended.
async fn dies_at(point: &str) -> (Outcome, usize) {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let ran = dir.path().join("ran");
    let text = format!("echo x >> {}; echo out; sleep 0.1; exit 6", ran.display());
    let command_id = CommandId(Uuid::now_v7());
    let mut agent = command(dir.path(), &server.url).env("PULSE_FAULT", format!("{point}:1")).spawn().unwrap();
    let (mut outcome, mut is_known, mut agent_died) = (None, false, false);
    while outcome.is_none() {
        // A stand-in for what the server does: it dispatches what the worker does not know until it has a result.
        let mut session = server.session().await;
        is_known |= session.hello().commands.iter().any(|known| known.command_id == command_id);
        if !is_known {
            session.dispatch_as(command_id, script(&text)).await;
        }
        while let Some(message) = session.try_next().await {
            match message {
                FromWorker::Accepted { .. } => is_known = true,
                FromWorker::Output { seq, .. } => session.ack(command_id, Some(seq)).await,
                FromWorker::Result { end, .. } => {
                    session.ack(command_id, None).await;
                    outcome = Some(end.outcome);
                    if point != "worker.acknowledged" {
                        break;
                    }
                }
                FromWorker::Heartbeat { .. } => {}
                other => panic!("{point}: unexpected {other:?}"),
            }
        }
        if point.starts_with("worker.") && !agent_died {
            soon("the agent's death", agent.wait()).await.unwrap();
            agent_died = true;
            agent = command(dir.path(), &server.url).spawn().unwrap();
        }
    }
    let started = std::fs::read_to_string(&ran).unwrap_or_default().lines().count();
    (outcome.unwrap(), started)
}

#[tokio::test]
async fn whoever_dies_whenever_nothing_is_started_twice() {
    for (point, outcome, started) in [
        ("worker.dispatched", Outcome::Exited, 1),
        ("worker.handed-over", Outcome::Exited, 1),
        ("worker.told", Outcome::Exited, 1),
        ("worker.acknowledged", Outcome::Exited, 1),
        ("supervisor.accept", Outcome::Exited, 1),
        ("supervisor.accepted", Outcome::Lost, 0),
        ("supervisor.exited", Outcome::Lost, 1),
        ("supervisor.finished", Outcome::Exited, 1),
        ("supervisor.forget", Outcome::Exited, 1),
    ] {
        assert_eq!(dies_at(point).await, (outcome, started), "{point}");
    }
    // Its process may or may not have come to write before it was killed.
    let (outcome, started) = dies_at("supervisor.spawned").await;
    assert!(outcome == Outcome::Lost && started <= 1, "{outcome:?} {started}");
}

#[tokio::test]
async fn a_term_to_the_supervisor_ends_everything_in_order() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (_agent, mut session) = start(&dir, &server).await;
    let command_id = session.start(script("trap 'echo bye; exit 0' TERM; echo $$; while :; do sleep 0.01; done")).await;
    let pids = numbers(&session.line().await);
    session.ack(command_id, Some(1)).await;
    signal(supervisor(&state(&dir)), Signal::TERM);
    drop(session);
    let mut session = server.session().await;
    let end = loop {
        match session.next().await {
            FromWorker::Output { .. } => {}
            FromWorker::Result { end, .. } => break end,
            other => panic!("unexpected {other:?}"),
        }
    };
    assert_eq!((end.outcome, end.exit_code), (Outcome::Lost, Some(0)));
    assert!(end.stdout.ends_with("bye\n"));
    gone(&pids).await;
}

#[tokio::test]
async fn a_supervisor_does_not_outlive_its_directory() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (mut agent, mut session) = start(&dir, &server).await;
    session.start(script("echo $$; sleep 1000")).await;
    let pids = numbers(&session.line().await);
    let keeper = supervisor(&state(&dir));
    agent.kill().await.unwrap();
    drop(dir);
    gone(&[keeper, pids[0]]).await;
}

#[tokio::test]
async fn the_supervisor_is_apart_from_the_agent() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (agent, mut session) = start(&dir, &server).await;
    let keeper = supervisor(&state(&dir));
    let session_of = |pid: u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(')').unwrap().1.split_whitespace().nth(3).unwrap().parse::<u32>().unwrap()
    };
    assert_eq!(session_of(keeper), keeper);
    assert_ne!(session_of(agent.id().unwrap()), keeper);
    // It has nothing of the agent's secrets, and nothing secret of a command is in its arguments or on its disk.
    let spec = CommandSpec { env: vec![("SECRET".into(), "a-canary-4711".into())], ..script("printf %s $SECRET") };
    session.mask = vec!["a-canary-4711".into()];
    assert_eq!(session.run(spec).await.end.stdout, "\u{2022}\u{2022}\u{2022}\u{2022}");
    let read =
        |name: &str| String::from_utf8_lossy(&std::fs::read(format!("/proc/{keeper}/{name}")).unwrap()).into_owned();
    for text in [read("environ"), read("cmdline")] {
        for secret in ["a-canary-4711", crate::stand_in::KEY, "a-secret-of-a-server"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    for path in files(&state(&dir)) {
        assert!(!String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains("a-canary"), "{path:?}");
    }
    let mode = |name: &str| {
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(state(&dir).join(name)).unwrap().permissions())
            & 0o777
    };
    assert_eq!((mode("supervisor.sock"), mode("supervisor.log"), mode(".")), (0o600, 0o600, 0o700));
}

#[tokio::test]
async fn a_deep_state_directory_has_a_socket_too() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let deep = dir.path().join("a-long-name-of-a-directory/".repeat(6)).join("state");
    let mut worker = command(dir.path(), &server.url);
    let _agent = worker.env("PULSE_WORKER_STATE", &deep).spawn().unwrap();
    let mut session = server.session().await;
    assert_eq!(session.run(script("echo x")).await.end.stdout, "x\n");
    assert!(supervisor(&deep) > 0);
}

#[tokio::test]
async fn cancelling_works_after_an_agent_took_over() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let (mut agent, mut session) = start(&dir, &server).await;
    let (command_id, pid) = start_long(&mut session, dir.path()).await;
    agent.kill().await.unwrap();
    drop(session);
    let (_agent, mut session) = start(&dir, &server).await;
    session.send(&ToWorker::Cancel { command_id, reason: "not wanted".into() }).await;
    let mut last = None;
    let end = loop {
        match session.next().await {
            FromWorker::Output { seq, .. } => last = Some(seq),
            FromWorker::Result { end, .. } => break end,
            other => panic!("unexpected {other:?}"),
        }
    };
    assert!(last.is_none_or(|seq| seq == 1), "{last:?}");
    assert_eq!((end.outcome, end.error.as_deref()), (Outcome::Cancelled, Some("not wanted")));
    gone(&[pid]).await;
}

/// A frame of the protocol between agent and supervisor, written down here so that a change of it is noticed.
fn framed(message: &serde_json::Value) -> Vec<u8> {
    let body = message.to_string();
    let mut frame = u32::try_from(body.len() + 1).unwrap().to_le_bytes().to_vec();
    frame.push(1);
    frame.extend_from_slice(body.as_bytes());
    frame
}

async fn receive(stream: &mut tokio::net::UnixStream) -> serde_json::Value {
    let length = stream.read_u32_le().await.unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), 1);
    let mut body = vec![0; length as usize - 1];
    stream.read_exact(&mut body).await.unwrap();
    serde_json::from_slice(&body).unwrap()
}

/// A supervisor of another version, in this process: its listener in the worker's state directory.
fn other_version(dir: &tempfile::TempDir) -> tokio::net::UnixListener {
    std::fs::create_dir(state(dir)).unwrap();
    // As a worker would have left it.
    std::fs::write(state(dir).join("lock"), "").unwrap();
    tokio::net::UnixListener::bind(state(dir).join("supervisor.sock")).unwrap()
}

#[tokio::test]
async fn a_supervisor_of_another_version_serves_until_nothing_runs_and_is_replaced() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let listener = other_version(&dir);
    let _agent = command(dir.path(), &server.url).spawn().unwrap();
    let (mut stream, _) = soon("the agent", listener.accept()).await.unwrap();
    let hello = receive(&mut stream).await;
    assert_eq!((&hello["type"], &hello["oldest"], &hello["newest"]), (&json!("hello"), &json!(1), &json!(1)));
    let id = CommandId(Uuid::now_v7());
    let known = json!({"type": "known", "command_id": id, "execution_id": id, "is_over": false, "of_tomorrow": 1});
    let welcome = json!({"type": "welcome", "protocol": 1, "version": "0.0.9", "pid": 1});
    for message in [welcome, known, json!({"type": "ready"}), json!({"type": "of_tomorrow"})] {
        stream.write_all(&framed(&message)).await.unwrap();
    }
    let mut session = server.session().await;
    assert_eq!(session.hello().commands[0].state, KnownState::Running);
    // Its protocol is spoken.
    let end = json!({"outcome": "exited", "exit_code": 9, "duration_ms": 1, "stdout": "", "stderr": "",
        "stdout_bytes": 0, "stderr_bytes": 0});
    stream.write_all(&framed(&json!({"type": "ended", "command_id": id, "end": end}))).await.unwrap();
    assert_eq!(session.end(id, 0).await.end.exit_code, Some(9));
    // Nothing runs: it is told to end, and one of this version takes its place.
    loop {
        match receive(&mut stream).await["type"].as_str() {
            Some("end") => break,
            Some("forget") => {}
            other => panic!("unexpected {other:?}"),
        }
    }
    drop((listener, stream, session));
    let mut session = server.session().await;
    assert_eq!(session.run(script("echo new")).await.end.stdout, "new\n");
    assert_ne!(supervisor(&state(&dir)), 1);
}

#[tokio::test]
async fn a_supervisor_that_cannot_be_spoken_to_is_left_to_finish() {
    let (server, dir) = (StandIn::new().await, tempfile::tempdir().unwrap());
    let listener = other_version(&dir);
    let log = std::fs::File::create(dir.path().join("agent.log")).unwrap();
    let _agent = command(dir.path(), &server.url).stdout(log).spawn().unwrap();
    for _ in 0..2 {
        let (mut stream, _) = soon("the agent", listener.accept()).await.unwrap();
        receive(&mut stream).await;
        let refusal = json!({"type": "welcome", "protocol": null, "version": "0.0.1", "pid": 1});
        stream.write_all(&framed(&refusal)).await.unwrap();
    }
    assert!(!state(&dir).join("supervisor.json").exists(), "none was started beside it");
    drop(listener);
    let mut session = server.session().await;
    assert_eq!(session.run(script("echo new")).await.end.stdout, "new\n");
}
