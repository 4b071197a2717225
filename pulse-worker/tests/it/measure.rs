//! Not tests: figures, by hand. `cargo test --release -p pulse-worker -- --ignored --nocapture measure`

use crate::stand_in::{Rig, script};
use pulse_core::protocol::worker::FromWorker;
use std::time::Instant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measure_commands_per_second() {
    let (rig, mut session) = Rig::connected().await;
    for text in ["true", "true"] {
        let began = Instant::now();
        let mut latency = Vec::new();
        for _ in 0..500 {
            let one = Instant::now();
            session.run(script(text)).await;
            latency.push(one.elapsed());
        }
        latency.sort_unstable();
        println!(
            "one at a time: {:.0}/s, p50 {:?}, p99 {:?}",
            500.0 / began.elapsed().as_secs_f64(),
            latency[250],
            latency[495]
        );
    }
    let total = 5_000;
    let (began, mut dispatched, mut done) = (Instant::now(), 0, 0);
    while dispatched < 4 {
        session.dispatch(script("true")).await;
        dispatched += 1;
    }
    while done < total {
        if let FromWorker::Result { command_id, .. } = session.next().await {
            done += 1;
            session.ack(command_id, None).await;
            if dispatched < total {
                session.dispatch(script("true")).await;
                dispatched += 1;
            }
        }
    }
    println!("4 at a time: {:.0}/s", f64::from(total) / began.elapsed().as_secs_f64());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measure_output() {
    let (rig, mut session) = Rig::connected().await;
    for text in
        ["yes 'a line of output that is about fifty bytes in size' | head -c 1G", "head -c 1G /dev/zero | tr '\\0' x"]
    {
        let (began, mut bytes, mut pieces) = (Instant::now(), 0, 0);
        let command_id = session.start(script(text)).await;
        loop {
            match session.next().await {
                FromWorker::Output { seq, data, .. } => {
                    (bytes, pieces) = (bytes + data.len(), pieces + 1);
                    session.ack(command_id, Some(seq)).await;
                }
                FromWorker::Result { .. } => break,
                _ => {}
            }
        }
        session.ack(command_id, None).await;
        println!("{:.0} MiB/s, {} bytes per piece", 1024.0 / began.elapsed().as_secs_f64(), bytes / pieces);
    }
    rig.stop().await;
}
