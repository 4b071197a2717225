//! At most once, and nothing lost between worker and server.

use crate::stand_in::{Rig, script, until};
use pulse_core::command::Stream;
use pulse_core::ids::CommandId;
use pulse_core::protocol::worker::{FromWorker, KnownState, ToWorker};
use uuid::Uuid;

#[tokio::test]
async fn a_dispatch_seen_before_is_not_run_again() {
    let (rig, mut session) = Rig::connected().await;
    let (file, go) = (rig.path("ran"), rig.path("go"));
    let text = format!("echo $PULSE_COMMAND_ID >> {file}; while [ ! -e {go} ]; do sleep 0.01; done");
    let command_id = CommandId(Uuid::now_v7());
    // Twice at once, again while it runs, after its end, and after the end was acknowledged.
    session.dispatch_as(command_id, script(&text)).await;
    session.dispatch_as(command_id, script(&text)).await;
    assert_eq!(session.next().await, FromWorker::Accepted { command_id });
    until("the start", || std::fs::exists(&file).unwrap()).await;
    session.dispatch_as(command_id, script(&text)).await;
    assert_eq!(session.next().await, FromWorker::Accepted { command_id });
    std::fs::write(&go, "").unwrap();
    session.acks = false;
    let end = session.end(command_id, 0).await.end;
    session.dispatch_as(command_id, script(&text)).await;
    assert_eq!(session.next().await, FromWorker::Accepted { command_id });
    session.acks = true;
    assert_eq!(session.end(command_id, 0).await.end, end);
    session.dispatch_as(command_id, script(&text)).await;
    assert_eq!(session.next().await, FromWorker::Accepted { command_id });
    assert_eq!(session.run(script("true")).await.end.exit_code, Some(0));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{command_id}\n"));
    rig.stop(session).await;
}

#[tokio::test]
async fn after_a_reconnect_everything_unacknowledged_comes_again_in_order() {
    let (rig, mut session) = Rig::connected().await;
    let go = rig.path("go");
    let text =
        format!("echo 1; sleep 0.2; echo 2 >&2; sleep 0.2; echo 3; while [ ! -e {go} ]; do sleep 0.01; done; echo 4");
    let command_id = session.start(script(&text)).await;
    let pieces = [session.piece().await, session.piece().await, session.piece().await];
    session.ack(command_id, Some(1)).await;
    // The answer shows that the acknowledgement has been read.
    session.dispatch_as(command_id, script(&text)).await;
    assert_eq!(session.next().await, FromWorker::Accepted { command_id });
    drop(session);
    std::fs::write(&go, "").unwrap();

    let mut session = rig.server.session().await;
    assert!(session.hello().commands.iter().any(|known| known.command_id == command_id));
    session.acks = false;
    let ran = session.end(command_id, 1).await;
    assert_eq!(ran.pieces[..2], pieces[1..]);
    assert_eq!(ran.pieces[2..], [(4, Stream::Stdout, "4\n".into())]);
    drop(session);

    let mut session = rig.server.session().await;
    let known = &session.hello().commands;
    assert_eq!((known.len(), known[0].command_id, known[0].state), (1, command_id, KnownState::Finished));
    let again = session.end(command_id, 1).await;
    assert_eq!((again.pieces, again.end), (ran.pieces, ran.end));
    // Acknowledged now.
    assert_eq!(session.run(script("true")).await.end.exit_code, Some(0));
    drop(session);
    let session = rig.server.session().await;
    assert!(session.hello().commands.is_empty());
    rig.stop(session).await;
}

#[tokio::test]
async fn a_command_goes_on_while_nobody_is_connected() {
    let (rig, mut session) = Rig::connected().await;
    let done = rig.path("done");
    let command_id = session.start(script(&format!("sleep 0.2; echo x; touch {done}"))).await;
    drop(session);
    until("the command", || std::fs::exists(&done).unwrap()).await;
    let mut session = rig.server.session().await;
    assert_eq!(session.end(command_id, 0).await.end.stdout, "x\n");
    // A cancel for it comes too late and changes nothing.
    session.send(&ToWorker::Cancel { command_id, reason: "late".into() }).await;
    assert_eq!(session.run(script("true")).await.end.exit_code, Some(0));
    rig.stop(session).await;
}

#[tokio::test]
async fn many_commands_end_each_once() {
    let (rig, mut session) = Rig::connected().await;
    let (mut results, mut free) = (std::collections::HashMap::new(), 4);
    let mut dispatched = 0;
    while results.len() < 200 {
        while free > 0 && dispatched < 200 {
            session.dispatch(script("echo $PULSE_COMMAND_ID")).await;
            (dispatched, free) = (dispatched + 1, free - 1);
        }
        match session.next().await {
            FromWorker::Accepted { .. } => {}
            FromWorker::Output { command_id, seq, .. } => session.ack(command_id, Some(seq)).await,
            FromWorker::Result { command_id, end } => {
                assert_eq!(end.stdout, format!("{command_id}\n"));
                assert!(results.insert(command_id, end).is_none());
                session.ack(command_id, None).await;
                free += 1;
            }
            other => panic!("unexpected {other:?}"),
        }
    }
    rig.stop(session).await;
}
