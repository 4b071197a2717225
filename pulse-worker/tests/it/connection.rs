//! Finding a server, losing it, and being refused.

use crate::stand_in::{Rig, StandIn, config, script, soon};
use futures_util::SinkExt as _;
use pulse_core::protocol::worker::{FromWorker, PROTOCOL, ToWorker};
use pulse_worker::Error;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn the_hello_says_who_it_is_and_the_id_stays() {
    let (rig, session) = Rig::connected().await;
    let hello = session.hello().clone();
    assert_eq!((hello.protocol, hello.name.as_str(), hello.capacity), (PROTOCOL, "w1", 4));
    assert_eq!(hello.labels["role"], "db");
    assert!(hello.metadata["totalMem"].as_f64().is_some());
    drop(session);
    assert_eq!(rig.server.session().await.hello().worker_id, hello.worker_id);
    let (server, dir) = (StandIn::new().await, rig.dir.path().join("state"));
    rig.stop.cancel();
    soon("the stop", rig.worker).await.unwrap().unwrap();
    let worker = pulse_worker::run(config(&server.url, &dir), CancellationToken::new());
    tokio::select! {
        session = server.session() => assert_eq!(session.hello().worker_id, hello.worker_id),
        ended = worker => panic!("the worker ended: {ended:?}"),
    }
}

#[tokio::test]
async fn heartbeats_come_at_the_interval_of_the_welcome() {
    let rig = Rig::new().await;
    let mut session = rig.server.session_with(100).await;
    for _ in 0..3 {
        let Some(FromWorker::Heartbeat { metadata }) = session.try_next().await else { panic!("no heartbeat") };
        assert_eq!((metadata["activeTasks"].as_u64(), metadata["maxConcurrentTasks"].as_u64()), (Some(0), Some(4)));
    }
    rig.stop(session).await;
}

#[tokio::test]
async fn a_silent_server_is_left_and_found_again() {
    let rig = Rig::new().await;
    // Nothing reads this one, so nothing answers its pings.
    let silent = rig.server.session_with(100).await;
    let mut session = rig.server.session().await;
    assert_eq!(session.run(script("echo x")).await.end.stdout, "x\n");
    drop(silent);
    rig.stop(session).await;
}

#[tokio::test]
async fn a_server_that_breaks_the_protocol_is_left_and_tried_again() {
    let rig = Rig::new().await;
    let mut session = rig.server.session().await;
    session.socket.send(Message::text("{\"type\":\"reboot\"}")).await.unwrap();
    assert!(session.try_next().await.is_none());
    let mut session = rig.server.session().await;
    session.socket.send(Message::text("x".repeat(5 << 20))).await.ok();
    assert!(session.try_next().await.is_none());
    let mut session = rig.server.session().await;
    assert_eq!(session.run(script("echo x")).await.end.stdout, "x\n");
    rig.stop(session).await;
}

#[tokio::test]
async fn a_server_in_trouble_is_tried_again() {
    let rig = Rig::new().await;
    rig.server.refuse(StatusCode::SERVICE_UNAVAILABLE).await;
    let session = rig.server.session().await;
    rig.stop(session).await;
}

#[tokio::test]
async fn a_refusal_ends_the_worker_with_a_hint() {
    let rig = Rig::new().await;
    rig.server.refuse(StatusCode::UNAUTHORIZED).await;
    let error = rig.outcome().await.unwrap_err();
    assert!(error.hint().is_some_and(|hint| hint.contains("WORKER_API_KEY")), "{error}");
    assert!(!error.to_string().contains(crate::stand_in::KEY));

    for (code, hint) in
        [("duplicate-worker", "PULSE_WORKER_STATE"), ("name-taken", "WORKER_NAME"), ("protocol", "version")]
    {
        let rig = Rig::new().await;
        let mut session = rig.server.connection().await;
        assert!(matches!(session.next().await, FromWorker::Hello(_)));
        session.send(&ToWorker::Error { code: code.into(), detail: "so it is".into() }).await;
        let error = rig.outcome().await.unwrap_err();
        assert!(matches!(&error, Error::Refused { code: c, detail } if c == code && detail == "so it is"));
        assert!(error.hint().is_some_and(|text| text.contains(hint)), "{code}: {:?}", error.hint());
    }
}
