//! What a command gets and how it starts.

use crate::stand_in::{Rig, argv, script};
use pulse_core::command::{CommandSpec, Outcome, Stream};
use pulse_core::protocol::worker::{FromWorker, ToWorker};

#[tokio::test]
async fn scripts_and_argument_lists_run() {
    let (rig, mut session) = Rig::connected().await;
    let ran = session.run(script("echo out; echo err >&2; exit 3")).await;
    assert_eq!((ran.end.outcome, ran.end.exit_code, ran.end.signal), (Outcome::Exited, Some(3), None));
    assert_eq!((ran.end.stdout.as_str(), ran.end.stderr.as_str()), ("out\n", "err\n"));
    assert_eq!((ran.end.stdout_bytes, ran.end.stderr_bytes), (4, 4));
    assert_eq!((ran.text(Stream::Stdout).as_str(), ran.text(Stream::Stderr).as_str()), ("out\n", "err\n"));

    let ran = session.run(argv(&["printf", "%s|", "a b", "$(id)", "'", ""])).await;
    assert_eq!(ran.end.stdout, "a b|$(id)|'||");
    let ran = session.run(script("kill -9 $$")).await;
    assert_eq!((ran.end.outcome, ran.end.exit_code, ran.end.signal), (Outcome::Exited, None, Some(9)));
    let with_shell = CommandSpec { shell: Some("/bin/echo".into()), ..script("x") };
    assert_eq!(session.run(with_shell).await.end.stdout, "-c x\n");
    rig.stop(session).await;
}

#[tokio::test]
async fn values_of_variables_stay_what_they_are() {
    let (rig, mut session) = Rig::connected().await;
    let hostile = [
        "'; touch /tmp/pulse-was-here; #",
        "$(id) `id` ${HOME}",
        "two\nlines\n",
        "\"both' quotes\\",
        "-rf",
        "gr\u{fc}\u{df}",
    ];
    for value in hostile {
        let spec = CommandSpec { env: vec![("V".into(), value.into())], ..script("printf '%s' \"$V\"") };
        assert_eq!(session.run(spec).await.end.stdout, value);
    }
    let spec = CommandSpec {
        env: vec![("PULSE_COMMAND_ID".into(), "forged".into())],
        ..script("test \"$PULSE_COMMAND_ID\" != forged && echo own")
    };
    assert_eq!(session.run(spec).await.end.stdout, "own\n");
    rig.stop(session).await;
}

#[tokio::test]
async fn standard_input_is_written_and_closed() {
    let (rig, mut session) = Rig::connected().await;
    let given = |stdin: String, spec| CommandSpec { stdin: Some(stdin), ..spec };
    assert_eq!(session.run(given("one\ntwo".into(), script("cat"))).await.end.stdout, "one\ntwo");
    assert_eq!(session.run(given("x".repeat(1 << 20), argv(&["wc", "-c"]))).await.end.stdout.trim(), "1048576");
    assert_eq!(session.run(given("x".repeat(1 << 20), script("exit 4"))).await.end.exit_code, Some(4));
    assert_eq!(session.run(script("cat; echo end")).await.end.stdout, "end\n");
    rig.stop(session).await;
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let (rig, mut session) = Rig::connected().await;
    let plain_file = rig.path("plain");
    std::fs::write(&plain_file, "").unwrap();
    let in_directory = |cwd: &str| CommandSpec { cwd: Some(cwd.into()), ..script("pwd") };
    let with = |name: &str, value: &str| CommandSpec { env: vec![(name.into(), value.into())], ..script("true") };
    let cases = [
        (argv(&["no-such-program-4711"]), "no-such-program-4711"),
        (argv(&[&plain_file]), "Permission denied"),
        (in_directory("/no/such/place"), "the working directory \"/no/such/place\" does not exist"),
        (with("A=B", "x"), "variable name \"A=B\""),
        (with("", "x"), "variable name \"\""),
        (with("V", "a\0b"), "V has a NUL"),
        (script("echo \0"), "nul byte"),
        (argv(&[]), "neither"),
        (CommandSpec { command: Some("x".into()), ..argv(&["x"]) }, "both"),
        (with("V", &"x".repeat(300_000)), "rgument list too long"),
    ];
    for (spec, expected) in cases {
        let end = session.run(spec).await.end;
        let error = end.error.unwrap_or_default();
        assert_eq!(end.outcome, Outcome::NotStarted, "{expected}: {error}");
        assert!(error.contains(expected), "{error} lacks {expected}");
    }
    assert_eq!(session.run(in_directory("/")).await.end.stdout, "/\n");
    rig.stop(session).await;
}

#[tokio::test]
async fn no_more_than_the_capacity_runs_and_none_while_draining() {
    let (rig, mut session) = Rig::connected().await;
    let mut running = Vec::new();
    for _ in 0..4 {
        running.push(session.start(script("cat /dev/zero | head -c 0; sleep 1000")).await);
    }
    let command_id = session.dispatch(script("true")).await;
    let FromWorker::Rejected { command_id: rejected, reason } = session.next().await else { panic!("not rejected") };
    assert_eq!((rejected, reason.as_str()), (command_id, "the worker runs 4 of 4 commands"));
    for command_id in running {
        session.send(&ToWorker::Cancel { command_id, reason: "enough".into() }).await;
        assert_eq!(session.end(command_id, 0).await.end.outcome, Outcome::Cancelled);
    }
    // The same id is welcome once there is room: a rejected one is not known.
    session.dispatch_as(command_id, script("echo yes")).await;
    assert_eq!(session.next().await, FromWorker::Accepted { command_id });
    assert_eq!(session.end(command_id, 0).await.end.stdout, "yes\n");

    session.send(&ToWorker::Drain).await;
    let Some(FromWorker::Heartbeat { metadata }) = session.try_next().await else { panic!("no heartbeat") };
    assert_eq!(metadata["draining"], true);
    session.dispatch(script("true")).await;
    assert!(matches!(session.next().await, FromWorker::Rejected { reason, .. } if reason.contains("draining")));
    rig.stop(session).await;
}
