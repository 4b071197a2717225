//! Not tests: figures, by hand. `cargo test --release -p pulse-worker -- --ignored --nocapture measure`

use crate::stand_in::{Rig, script};
use pulse_core::protocol::worker::FromWorker;
use std::time::Instant;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measure_commands_per_second() {
    let rig = Rig::with_capacity(8).await;
    let mut session = rig.server.session().await;
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
    let before = processor();
    let (began, mut dispatched, mut done) = (Instant::now(), 0, 0);
    while dispatched < 8 {
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
    println!("8 at a time: {:.0}/s", f64::from(total) / began.elapsed().as_secs_f64());
    let used: Vec<u64> =
        processor().iter().zip(before).map(|(after, before)| (after - before) * 10_000 / 5_000).collect();
    println!(
        "processor time per command, worker and stand-in server, then shells: {used:?} \u{b5}s user, system, user, system"
    );
    rig.stop(session).await;
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
    rig.stop(session).await;
}

/// What the machine can do at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
async fn measure_limits() {
    let shell = || async {
        let mut command = tokio::process::Command::new("/bin/sh");
        command.args(["-c", "true"]).process_group(0).stdin(std::process::Stdio::null());
        command.status().await.unwrap();
    };
    let began = Instant::now();
    for _ in 0..500 {
        shell().await;
    }
    println!("a shell: {:?}", began.elapsed() / 500);
    for side_by_side in [4, 8] {
        let began = Instant::now();
        let tasks: Vec<_> = (0..side_by_side)
            .map(|_| {
                tokio::spawn(async move {
                    for _ in 0..500 {
                        shell().await;
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let rate = f64::from(500 * side_by_side) / began.elapsed().as_secs_f64();
        println!("{side_by_side} shells at a time: {rate:.0}/s");
    }
    let dir = tempfile::tempdir().unwrap();
    let mut file = std::fs::File::create(dir.path().join("x")).unwrap();
    let began = Instant::now();
    for _ in 0..500 {
        std::io::Write::write_all(&mut file, &[b'x'; 200]).unwrap();
        file.sync_data().unwrap();
    }
    println!("an fdatasync of an append: {:?}", began.elapsed() / 500);
}

/// Processor time of this process and of its ended children, in hundredths of a second.
fn processor() -> Vec<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    after_name.split_whitespace().skip(11).take(4).map(|n| n.parse().unwrap()).collect()
}
