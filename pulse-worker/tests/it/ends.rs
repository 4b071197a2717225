//! Time limits, cancelling, and that nothing of a command is left alive.

use crate::stand_in::{Rig, Session, gone, is_alive, numbers, script};
use pulse_core::command::{CommandSpec, Outcome};
use pulse_core::ids::CommandId;
use pulse_core::protocol::worker::{FromWorker, ToWorker};
use uuid::Uuid;

fn limited(timeout_ms: u64, text: &str) -> CommandSpec {
    CommandSpec { timeout_ms, ..script(text) }
}

async fn cancel(session: &mut Session, command_id: CommandId) {
    session.send(&ToWorker::Cancel { command_id, reason: "not wanted".into() }).await;
}

#[tokio::test]
async fn a_time_limit_ends_those_who_do_not_listen() {
    let (rig, mut session) = Rig::connected().await;
    let deaf = "trap '' TERM; sleep 1000 & echo $$ $!; while :; do sleep 1000; done";
    // Long enough for the trap to be set on a busy machine.
    let ran = session.run(limited(2_000, deaf)).await;
    assert_eq!((ran.end.outcome, ran.end.exit_code, ran.end.signal), (Outcome::TimedOut, None, Some(9)));
    assert!(ran.end.error.as_ref().is_some_and(|error| error.contains("limit of 2s")), "{:?}", ran.end.error);
    gone(&numbers(&ran.end.stdout)).await;
    rig.stop(session).await;
}

#[tokio::test]
async fn a_time_limit_lets_those_finish_who_listen() {
    let (rig, mut session) = Rig::connected().await;
    session.kill_grace_ms = 60_000;
    let ran = session.run(limited(2_000, "trap 'echo bye; exit 7' TERM; echo hi; sleep 1000 & wait")).await;
    assert_eq!((ran.end.outcome, ran.end.exit_code), (Outcome::TimedOut, Some(7)));
    assert_eq!(ran.end.stdout, "hi\nbye\n");
    // The leader goes at once, a member of its group has until the grace is over.
    let member = "sh -c 'trap \"sleep 0.05; echo late; exit\" TERM; while :; do sleep 0.01; done' & wait";
    assert_eq!(session.run(limited(2_000, member)).await.end.stdout, "late\n");
    // What is stopped hears it as well.
    let stopped = session.run(limited(2_000, "trap 'echo bye; exit 7' TERM; echo hi; kill -STOP $$; sleep 1000")).await;
    assert_eq!((stopped.end.exit_code, stopped.end.stdout.as_str()), (Some(7), "hi\nbye\n"));
    rig.stop(session).await;
}

#[tokio::test]
async fn what_a_leader_leaves_behind_is_killed() {
    let (rig, mut session) = Rig::connected().await;
    // It holds the pipe, or not; it is in the group, or has left it.
    for left in ["sleep 1000 &", "sleep 1000 >/dev/null 2>&1 &", "setsid sleep 1000 &"] {
        let ran = session.run(script(&format!("{left} echo $!; exit 3"))).await;
        assert_eq!((ran.end.outcome, ran.end.exit_code), (Outcome::Exited, Some(3)), "{left}");
        gone(&numbers(&ran.end.stdout)).await;
    }
    rig.stop(session).await;
}

#[tokio::test]
async fn helpers_may_say_what_they_have_to_say() {
    let (rig, mut session) = Rig::connected().await;
    let ran = session.run(script("(sleep 0.1; echo late) & echo early")).await;
    assert_eq!(ran.end.stdout, "early\nlate\n");
    rig.stop(session).await;
}

#[tokio::test]
async fn cancelling_ends_everything_even_what_left_the_group() {
    let (rig, mut session) = Rig::connected().await;
    let command_id = session.start(script("setsid sleep 1000 >/dev/null 2>&1 & echo $! $$; sleep 1000")).await;
    let pids = numbers(&session.line().await);
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    cancel(&mut session, command_id).await;
    let end = session.end(command_id, 1).await.end;
    assert_eq!((end.outcome, end.error.as_deref(), end.signal), (Outcome::Cancelled, Some("not wanted"), Some(15)));
    gone(&pids).await;
    rig.stop(session).await;
}

#[tokio::test]
async fn cancelling_before_the_start_prevents_it_and_afterwards_gives_the_result_again() {
    let (rig, mut session) = Rig::connected().await;
    let file = rig.path("started");
    // Both are in the socket before the acceptance can be durable.
    let command_id = session.dispatch(script(&format!("echo x >> {file}; sleep 1000"))).await;
    cancel(&mut session, command_id).await;
    assert_eq!(session.next().await, FromWorker::Accepted { command_id });
    session.acks = false;
    let end = session.end(command_id, 0).await.end;
    assert_eq!(end.outcome, Outcome::Cancelled);

    cancel(&mut session, command_id).await;
    assert_eq!(session.end(command_id, 0).await.end, end);
    // Nobody knows this one.
    cancel(&mut session, CommandId(Uuid::now_v7())).await;
    session.acks = true;
    assert_eq!(session.run(script("echo alive")).await.end.stdout, "alive\n");
    rig.stop(session).await;
}
