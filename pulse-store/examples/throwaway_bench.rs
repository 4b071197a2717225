//! Throw-away bench.
use pulse_core::event::{Entry, Event};
use pulse_core::ids::*;
use pulse_core::status::*;
use pulse_core::time::Timestamp;
use pulse_store::*;
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

fn rec(id: ExecutionId, at: Timestamp) -> ExecutionRecord {
    ExecutionRecord {
        id,
        workflow_id: None,
        workflow: None,
        version: None,
        title: "uptime".into(),
        status: ExecutionStatus::Running,
        started_by: "ada".into(),
        trigger: Trigger::Command,
        created_at: at,
        started_at: None,
        finished_at: None,
        error: None,
        waiting_for_input: false,
        wake_at: None,
        active_commands: 0,
        last_seq: Seq(0),
        owner: None,
        lease_until: None,
        fence: 0,
    }
}
fn now() -> Timestamp {
    Timestamp::from_millis(
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64
    )
}
fn ent(seq: u64, n: usize) -> Entry {
    Entry { seq: Seq(seq), timestamp: now(), event: Event::WorkflowError { message: "x".repeat(n) } }
}
fn pct(l: &mut Vec<u64>) -> String {
    l.sort_unstable();
    let n = l.len();
    if n == 0 {
        return String::new();
    }
    format!("p50 {:>6}us p99 {:>7}us max {:>7}us", l[n / 2], l[n * 99 / 100], l[n - 1])
}

async fn appends(store: &Arc<dyn Store>, label: &str, producers: usize, per: u64, fresh_every: u64, secs: u64) {
    let end = Instant::now() + Duration::from_secs(secs);
    let t0 = Instant::now();
    let hs: Vec<_> = (0..producers)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut lat = vec![];
                let mut id = ExecutionId(Uuid::now_v7());
                let mut seq = 0;
                let mut n = 0;
                while Instant::now() < end {
                    if n % fresh_every == 0 {
                        id = ExecutionId(Uuid::now_v7());
                        seq = 0;
                    }
                    n += 1;
                    let mut r = rec(id, now());
                    r.last_seq = Seq(seq + per);
                    if n % fresh_every == 0 {
                        r.status = ExecutionStatus::Completed;
                    }
                    let a = Append {
                        execution_id: id,
                        fence: 0,
                        entries: (1..=per).map(|k| ent(seq + k, 200)).collect(),
                        record: r,
                        idempotency: None,
                    };
                    seq += per;
                    let t = Instant::now();
                    store.append(a).await.unwrap();
                    lat.push(t.elapsed().as_micros() as u64);
                }
                lat
            })
        })
        .collect();
    let mut lat = vec![];
    for h in hs {
        lat.extend(h.await.unwrap());
    }
    let el = t0.elapsed().as_secs_f64();
    let n = lat.len() as f64;
    println!("{label:60} {:>8.0} appends/s {:>8.0} events/s  {}", n / el, n * per as f64 / el, pct(&mut lat));
}

async fn output(store: &Arc<dyn Store>, size: usize, producers: usize, secs: u64) {
    let end = Instant::now() + Duration::from_secs(secs);
    let t0 = Instant::now();
    let hs: Vec<_> = (0..producers)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let id = ExecutionId(Uuid::now_v7());
                let mut r = rec(id, now());
                r.last_seq = Seq(1);
                store
                    .append(Append {
                        execution_id: id,
                        fence: 0,
                        entries: vec![ent(1, 10)],
                        record: r,
                        idempotency: None,
                    })
                    .await
                    .unwrap();
                let mut lat = vec![];
                let c = CommandId(Uuid::now_v7());
                let mut seq = 0;
                let data = "y".repeat(size);
                while Instant::now() < end {
                    seq += 1;
                    let t = Instant::now();
                    store
                        .append_output(OutputRecord {
                            execution_id: id,
                            chunk: pulse_core::api::OutputChunk {
                                cursor: 0,
                                command_id: c,
                                step_id: "s".into(),
                                worker: "w".into(),
                                attempt: Attempt::FIRST,
                                stream: pulse_core::command::Stream::Stdout,
                                seq,
                                data: data.clone(),
                            },
                        })
                        .await
                        .unwrap();
                    lat.push(t.elapsed().as_micros() as u64);
                }
                lat
            })
        })
        .collect();
    let mut lat = vec![];
    for h in hs {
        lat.extend(h.await.unwrap());
    }
    let el = t0.elapsed().as_secs_f64();
    let n = lat.len() as f64;
    println!(
        "output {size} B x {producers} {:>8.0}/s {:>8.1} MiB/s  {}",
        n / el,
        n * size as f64 / el / 1048576.0,
        pct(&mut lat)
    );
}
fn rss() -> String {
    std::fs::read_to_string("/proc/self/status").unwrap().lines().find(|l| l.starts_with("VmRSS")).unwrap().to_owned()
}

async fn listings(store: &Arc<dyn Store>, total: u64) {
    let base = now().as_millis() - 90 * 86_400_000;
    let step = 90.0 * 86_400_000.0 / total as f64;
    let existing = store.executions(&ExecutionFilter::default(), None, 1).await.unwrap().len();
    if existing == 0 {
        let t0 = Instant::now();
        let mut fs = vec![];
        for n in 0..total {
            let ms = base + (n as f64 * step) as i64;
            let id = ExecutionId(Uuid::from_u128(
                (ms as u128) << 80
                    | 0x7000_8000_0000_0000_0000
                    | (Uuid::new_v4().as_u128() & 0x0fff_3fff_ffff_ffff_ffff),
            ));
            let mut r = rec(id, Timestamp::from_millis(ms));
            r.last_seq = Seq(1);
            let h = n.wrapping_mul(0x9E3779B97F4A7C15) >> 33;
            r.status = match h % 1000 {
                0..=49 => ExecutionStatus::Failed,
                50..=59 => ExecutionStatus::Aborted,
                60..=60 => ExecutionStatus::Waiting,
                61 => ExecutionStatus::Running,
                _ => ExecutionStatus::Completed,
            };
            if !r.status.is_final() {
                r.wake_at = Some(Timestamp::from_millis(ms + (h % 90 * 86_400_000) as i64));
            }
            if r.status == ExecutionStatus::Failed {
                r.error = Some(format!("step `build`: exit code {} on web-{}", h % 7, h % 1000));
            }
            if h % 10 < 7 {
                r.workflow_id = Some(WorkflowId(Uuid::now_v7()));
                r.workflow = Some(format!("workflow {}", (h >> 4) % 200));
                r.title = r.workflow.clone().unwrap();
                r.version = Some(1);
            } else {
                r.title = format!("systemctl restart service-{}", h % 100_000);
            }
            r.started_by = if n % 500_000 == 7 { "rare".into() } else { format!("user {}", (h >> 3) % 50) };
            fs.push(store.append(Append {
                execution_id: id,
                fence: 0,
                entries: vec![ent(1, 300)],
                record: r,
                idempotency: None,
            }));
            if fs.len() == 1000 {
                for a in futures_util::future::join_all(fs.drain(..)).await {
                    a.unwrap();
                }
            }
        }
        for a in futures_util::future::join_all(fs).await {
            a.unwrap();
        }
        println!("filled {total} in {:?}; {}", t0.elapsed(), rss());
    }
    use ExecutionStatus::*;
    let f = ExecutionFilter::default;
    let t = |m: i64| Some(Timestamp::from_millis(base + m));
    let day = 86_400_000;
    let cases: Vec<(&str, ExecutionFilter)> = vec![
        ("none", f()),
        ("status failed", ExecutionFilter { status: vec![Failed], ..f() }),
        ("status failed+aborted", ExecutionFilter { status: vec![Failed, Aborted], ..f() }),
        ("status queued+running+waiting", ExecutionFilter { status: vec![Queued, Running, Waiting], ..f() }),
        ("status completed", ExecutionFilter { status: vec![Completed], ..f() }),
        ("workflow", ExecutionFilter { workflow: Some("WORKFLOW 17".into()), ..f() }),
        ("workflow that is not there", ExecutionFilter { workflow: Some("nope".into()), ..f() }),
        ("workflow + failed", ExecutionFilter { workflow: Some("workflow 17".into()), status: vec![Failed], ..f() }),
        ("workflow + aborted", ExecutionFilter { workflow: Some("workflow 17".into()), status: vec![Aborted], ..f() }),
        ("started_by", ExecutionFilter { started_by: Some("user 3".into()), ..f() }),
        ("started_by rare", ExecutionFilter { started_by: Some("rare".into()), ..f() }),
        ("started_by + failed", ExecutionFilter { started_by: Some("user 3".into()), status: vec![Failed], ..f() }),
        ("started_by + waiting", ExecutionFilter { started_by: Some("user 3".into()), status: vec![Waiting], ..f() }),
        (
            "started_by + workflow",
            ExecutionFilter { started_by: Some("user 3".into()), workflow: Some("workflow 17".into()), ..f() },
        ),
        ("since yesterday", ExecutionFilter { since: t(89 * day), ..f() }),
        ("until 80 days ago", ExecutionFilter { until: t(10 * day), ..f() }),
        ("one day + failed", ExecutionFilter { since: t(30 * day), until: t(31 * day), status: vec![Failed], ..f() }),
        (
            "one day + started_by",
            ExecutionFilter { since: t(30 * day), until: t(31 * day), started_by: Some("user 3".into()), ..f() },
        ),
        ("text common", ExecutionFilter { text: Some("workflow".into()), ..f() }),
        ("text in 1 of 1,000", ExecutionFilter { text: Some("service-77".into()), ..f() }),
        ("text in 20", ExecutionFilter { text: Some("service-77777".into()), ..f() }),
        ("text nowhere", ExecutionFilter { text: Some("zzzz".into()), ..f() }),
        ("text nowhere + failed", ExecutionFilter { text: Some("zzzz".into()), status: vec![Failed], ..f() }),
        (
            "text nowhere + workflow",
            ExecutionFilter { text: Some("zzzz".into()), workflow: Some("workflow 17".into()), ..f() },
        ),
    ];
    for (label, filter) in cases {
        let mut lat = vec![];
        let mut n = 0;
        for _ in 0..20 {
            let t = Instant::now();
            n = store.executions(&filter, None, 50).await.unwrap().len();
            lat.push(t.elapsed().as_micros() as u64);
        }
        let page = store.executions(&filter, None, 50).await.unwrap();
        let mut lat2 = vec![];
        if let Some(l) = page.last() {
            for _ in 0..5 {
                let t = Instant::now();
                store.executions(&filter, Some(l.id), 50).await.unwrap();
                lat2.push(t.elapsed().as_micros() as u64);
            }
        }
        println!("{label:36} {n:>3} rows {}   second page {}", pct(&mut lat), pct(&mut lat2));
    }
    let t = Instant::now();
    let n = store.unfinished(None, 1000).await.unwrap().len();
    println!("unfinished {n}: {:?}", t.elapsed());
    let t = Instant::now();
    let n = store.due(now(), 100).await.unwrap().len();
    println!("due {n}: {:?}", t.elapsed());
    let t = Instant::now();
    let n = store.executions_by_prefix("019", 10).await.unwrap().len();
    println!("prefix {n}: {:?}", t.elapsed());
    println!("{}", rss());
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let dir = std::env::args().nth(1).unwrap();
    let what = std::env::args().nth(2).unwrap();
    println!("start {}", rss());
    let url = format!("sqlite://{dir}/{what}.db");
    let t = Instant::now();
    let store = open(&url, OpenOptions::default()).await.unwrap();
    println!("open {:?} {}", t.elapsed(), rss());
    match what.as_str() {
        "list" => listings(&store, std::env::args().nth(3).map_or(1_000_000, |s| s.parse().unwrap())).await,
        _ => {
            appends(&store, "FULL, 1 producer, 1 event", 1, 1, 10, 3).await;
            appends(&store, "FULL, 16 producers, 2 events, execution of 3 appends", 16, 2, 3, 3).await;
            appends(&store, "FULL, 64 producers, 1 event, long executions", 64, 1, 1_000_000, 4).await;
            appends(&store, "FULL, 64 producers, 1 event, execution of 10 appends", 64, 1, 10, 4).await;
            appends(&store, "FULL, 64 producers, 1 event, every append an execution", 64, 1, 1, 4).await;
            appends(&store, "FULL, 64 producers, 10 events", 64, 10, 10, 4).await;
            output(&store, 16 * 1024, 1, 2).await;
            output(&store, 16 * 1024, 16, 3).await;
            output(&store, 65536, 16, 3).await;
            output(&store, 200, 64, 3).await;
            println!("{}", rss());
        }
    }
    store.close().await;
}
