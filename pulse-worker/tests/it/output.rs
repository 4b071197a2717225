//! Output as it comes, made safe, and bounded.

use crate::stand_in::{Rig, files, script, soon, until};
use pulse_core::command::{CommandSpec, Outcome, Stream};
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
async fn a_flood_waits_for_nobody_and_its_head_and_tail_are_kept() {
    let (rig, mut session) = Rig::connected().await;
    let (total, limit) = (200_u64 << 20, 4 << 20);
    session.output_limit = limit;
    let command_id = session.start(script(&format!("yes 0123456789abcde | head -c {total}; echo END >&2"))).await;
    // Nothing is acknowledged: no more than a window comes, and the command ends all the same.
    let mut unacknowledged = 0;
    while let Ok((_, _, data)) = tokio::time::timeout(Duration::from_secs(2), session.piece()).await {
        unacknowledged += data.len() as u64;
        assert!(unacknowledged <= 2 << 20, "{unacknowledged} bytes without an acknowledgement");
    }
    assert!(unacknowledged > 500_000, "{unacknowledged}");
    let state = rig.dir.path().join("state");
    until("the end to be on the disk", || {
        std::fs::read_to_string(state.join("commands.log")).unwrap().contains("finished")
    })
    .await;
    let kept: u64 = std::fs::read_dir(state.join("output").join(command_id.to_string()))
        .unwrap()
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum();
    assert!(kept <= limit + 1024, "{kept}");
    drop(session);

    // Everything again, from the first piece on, and this time acknowledged.
    let mut session = rig.server.session().await;
    let ran = session.end(command_id, 0).await;
    let [(held_back, 0), (gap, missing)] = ran.gaps[..] else { panic!("{:?}", ran.gaps) };
    assert_eq!(gap, held_back + 1);
    let bytes: u64 = ran.pieces.iter().map(|(.., data)| data.len() as u64).sum();
    assert_eq!(bytes + missing, total + 4, "what is missing is said to the byte");
    let head: u64 = ran.pieces.iter().filter(|(seq, ..)| *seq < held_back).map(|(.., data)| data.len() as u64).sum();
    assert!((limit / 2 - 65_536..=limit / 2).contains(&head) && bytes - head > limit / 3, "{head} of {bytes}");
    assert!(ran.text(Stream::Stdout).starts_with("0123456789abcde\n0123456789abcde\n"));
    assert_eq!(ran.text(Stream::Stderr), "END\n");
    assert_eq!((ran.end.stdout_bytes, ran.end.exit_code), (total, Some(0)));
    assert!(ran.end.stdout.ends_with("0123456789abcde\n"));
    // Nothing of it is left once it is acknowledged.
    until("the output to be removed", || std::fs::read_dir(state.join("output")).unwrap().next().is_none()).await;
    rig.stop(session).await;
}

#[tokio::test]
async fn a_flood_can_be_cancelled() {
    let (rig, mut session) = Rig::connected().await;
    session.output_limit = 1 << 20;
    let command_id = session.start(script("yes")).await;
    let (seq, ..) = session.piece().await;
    session.ack(command_id, Some(seq)).await;
    session.send(&ToWorker::Cancel { command_id, reason: "enough".into() }).await;
    let end = soon("the end", session.end(command_id, seq)).await.end;
    assert_eq!(end.outcome, Outcome::Cancelled);
    rig.stop(session).await;
}

#[tokio::test]
async fn secrets_are_masked_however_they_are_written() {
    let (rig, mut session) = Rig::connected().await;
    let secret = "first line of it\nsecond line of it";
    let with_secret = |text: &str| CommandSpec {
        env: vec![("SECRET".to_owned(), secret.to_owned())],
        stdin: Some(secret.to_owned()),
        ..script(text)
    };
    // Whole, by lines, in halves with a pause between, on both streams, in Base64, and at the very end.
    let text = "printf '%s|\n' \"$SECRET\"; cat; echo; printf 'a first line'; sleep 0.3; printf ' of it b\n'
        printf 'second li' >&2; sleep 0.3; printf 'ne of it' >&2; printf '%s' \"$SECRET\" | base64; printf 'first li'";
    session.mask = vec![secret.to_owned()];
    let ran = session.run(with_secret(text)).await;
    let expected = "••••|\n••••\na •••• b\n••••\nfirst li";
    assert_eq!((ran.text(Stream::Stdout).as_str(), ran.end.stdout.as_str()), (expected, expected));
    assert_eq!((ran.text(Stream::Stderr).as_str(), ran.end.stderr.as_str()), ("••••", "••••"));
    assert_eq!(ran.end.stdout_bytes, expected.len() as u64, "its length tells nothing");

    // What cannot become a secret is not held back, and what can is not for ever.
    let go = rig.path("go");
    session.mask = vec![secret.to_owned()];
    let command_id = session
        .start(with_secret(&format!("printf 'Name? fir'; while [ ! -e {go} ]; do sleep 0.01; done; printf m")))
        .await;
    assert_eq!(session.piece().await.2, "Name? ");
    std::fs::write(&go, "").unwrap();
    assert_eq!(session.end(command_id, 1).await.text(Stream::Stdout), "firm");

    // An end without a process may quote what it was given.
    session.mask = vec!["hidden-directory".to_owned()];
    let spec = CommandSpec { cwd: Some("/nowhere/hidden-directory".to_owned()), ..script("true") };
    let error = session.run(spec).await.end.error.unwrap();
    assert!(error.contains("/nowhere/••••"), "{error}");

    // Nothing of it is on the worker's disk.
    let kept = files(&rig.dir.path().join("state"));
    assert!(kept.iter().any(|path| path.ends_with("commands.log")));
    for path in kept {
        assert!(!String::from_utf8_lossy(&std::fs::read(&path).unwrap()).contains("line of it"), "{path:?}");
    }
    rig.stop(session).await;
}
