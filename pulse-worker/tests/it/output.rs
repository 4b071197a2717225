//! Output as it comes, made safe, and bounded.

use crate::stand_in::{Rig, script, soon};
use pulse_core::command::{Outcome, Stream};
use pulse_core::protocol::worker::ToWorker;
use std::time::Duration;

#[tokio::test]
async fn output_arrives_while_the_command_runs() {
    let (rig, mut session) = Rig::connected().await;
    let go = rig.path("go");
    let text = format!("echo one; while [ ! -e {go} ]; do sleep 0.01; done; echo two >&2");
    let command_id = session.start(script(&text)).await;
    assert_eq!(session.piece().await, (1, Stream::Stdout, "one\n".into()));
    std::fs::write(&go, "").unwrap();
    let ran = session.end(command_id, 1).await;
    assert_eq!(ran.pieces, [(2, Stream::Stderr, "two\n".into())]);
    rig.stop(session).await;
}

#[tokio::test]
async fn bytes_become_text_without_cutting_characters() {
    let (rig, mut session) = Rig::connected().await;
    // The halves of a character come far apart.
    let ran = session.run(script(r"printf 'a\303'; sleep 0.2; printf '\274\000b\377\342\202'")).await;
    assert_eq!(ran.end.stdout, "a\u{fc}\u{fffd}b\u{fffd}\u{fffd}");
    assert_eq!((ran.text(Stream::Stdout), ran.end.stdout_bytes), (ran.end.stdout.clone(), 8));
    // Three bytes of text for each byte.
    let ran = session.run(script("head -c 200000 /dev/zero")).await;
    assert_eq!(ran.text(Stream::Stdout), "\u{fffd}".repeat(200_000));
    assert_eq!(ran.end.stdout, "\u{fffd}".repeat(64 * 1024 / 3));
    rig.stop(session).await;
}

#[tokio::test]
async fn long_output_is_whole_and_its_end_is_in_the_result() {
    let (rig, mut session) = Rig::connected().await;
    let ran = session.run(script("seq 1 300000; seq 1 1000 >&2")).await;
    let expected: String = (1..=300_000).map(|n| format!("{n}\n")).collect();
    assert!(ran.text(Stream::Stdout) == expected);
    assert_eq!(ran.end.stdout, expected[expected.len() - 64 * 1024..]);
    assert_eq!(ran.end.stdout_bytes, expected.len() as u64);
    assert!(ran.text(Stream::Stderr).ends_with("999\n1000\n"));
    assert!(ran.pieces.len() < 2_000, "{} pieces", ran.pieces.len());
    rig.stop(session).await;
}

#[tokio::test]
async fn a_flood_waits_for_acknowledgements_and_can_still_be_cancelled() {
    let (rig, mut session) = Rig::connected().await;
    let command_id = session.start(script("yes 0123456789")).await;
    let (mut bytes, mut last) = (0, 0);
    // Nothing is acknowledged: it must come to a halt.
    while let Ok((seq, _, data)) = tokio::time::timeout(Duration::from_secs(2), session.piece()).await {
        (bytes, last) = (bytes + data.len(), seq);
        assert!(bytes <= 1024 * 1024, "{bytes} bytes without an acknowledgement");
    }
    assert!(bytes > 500_000, "{bytes}");
    session.ack(command_id, Some(last)).await;
    let (next, ..) = session.piece().await;
    assert_eq!(next, last + 1);
    session.send(&ToWorker::Cancel { command_id, reason: "enough".into() }).await;
    let end = soon("the end", session.end(command_id, next)).await.end;
    assert_eq!(end.outcome, Outcome::Cancelled);
    assert!(end.stdout_bytes > 1024 * 1024, "{}", end.stdout_bytes);
    rig.stop(session).await;
}
