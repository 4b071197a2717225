//! `kill -9` of a process that writes to a SQLite file, against the model: at each side of its commits, and anywhere.
//!
//! The process is this test program, started again for [`child`] alone, with the operations it is to do. It says when one
//! is done; then it dies. Afterwards the file holds everything that was done, and of the operation that was under way all
//! or nothing for each execution, with no gap and nothing torn; and it goes on from there.
//!
//! Where exactly a kill hits is chance, and the time in which SQLite writes is short. So crashes between any two writes are
//! made from the files as well: until a checkpoint SQLite only ever appends to its log, so that the database as it was at
//! the start with any prefix of the log, cut between two writes or within one, is what a crash at that point leaves. The
//! length of the log when an operation was acknowledged says which of them a prefix must hold.
//!
//! All this is about what was handed to the kernel. That it is on the disk when the power fails is what `synchronous=FULL`
//! is for, and cannot be tried here.

use crate::model::{Answer, Execution, Model, Op, compare, observe, op, perform, run};
use proptest::prelude::*;
use pulse_store::{OpenOptions, Store, open};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// What the child is to do, as JSON.
const SCRIPT: &str = "PULSE_STORE_CRASH";

#[derive(Debug, Serialize, Deserialize)]
struct Script {
    url: String,
    ops: Vec<Op>,
    /// Where it kills itself: at the how-manieth time that it comes to this point.
    point: Option<(String, u32)>,
}

/// When the child dies.
#[derive(Clone, Debug)]
enum Death {
    /// At a point around a commit.
    At { point: &'static str, time: u32 },
    /// When it has done so many operations, and a little later.
    After { done: usize, micros: u64 },
}

fn death() -> impl Strategy<Value = Death> {
    prop_oneof![
        (prop::sample::select(vec!["commit.before", "commit.after"]), 1..25_u32)
            .prop_map(|(point, time)| Death::At { point, time }),
        (0..25_usize, 0..4000_u64).prop_map(|(done, micros)| Death::After { done, micros }),
    ]
}

async fn open_at(url: &str) -> Arc<dyn Store> {
    open(url, OpenOptions::default()).await.unwrap()
}

#[test]
#[ignore = "is started by the test below, to be killed"]
fn child() {
    let script: Script = serde_json::from_str(&std::env::var(SCRIPT).unwrap()).unwrap();
    if let Some((point, time)) = script.point {
        let times = AtomicU32::new(0);
        pulse_core::fault::install(move |name| {
            if name == point && times.fetch_add(1, Ordering::SeqCst) + 1 == time {
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL).unwrap();
            }
        });
    }
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let mut store = open_at(&script.url).await;
        let mut model = Model::new();
        for op in &script.ops {
            let answer = perform(&*store, &model, op).await;
            // Acknowledged: nothing may take it back.
            let mut line = serde_json::to_string(&answer).unwrap();
            line.push('\n');
            std::io::stderr().write_all(line.as_bytes()).unwrap();
            model.apply(op);
            if let Op::Reopen { close } = op {
                if *close {
                    store.close().await;
                }
                drop(store);
                store = open_at(&script.url).await;
            }
        }
    });
}

/// Lets a child do the operations until it dies. Answers what it acknowledged.
fn until_it_dies(url: &str, ops: &[Op], death: &Death) -> Vec<Answer> {
    let point = match death {
        Death::At { point, time } => Some(((*point).to_owned(), *time)),
        Death::After { .. } => None,
    };
    let script = Script { url: url.to_owned(), ops: ops.to_vec(), point };
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "crash::child", "--test-threads", "1"])
        .env(SCRIPT, serde_json::to_string(&script).unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut answers: Vec<Answer> = Vec::new();
    loop {
        if let Death::After { done, micros } = death
            && answers.len() == *done
        {
            let start = Instant::now();
            while start.elapsed() < Duration::from_micros(*micros) {
                std::hint::spin_loop();
            }
            child.kill().unwrap();
        }
        // What it had said before it died is still to be read.
        let Some(line) = lines.next() else { break };
        let line = line.unwrap();
        answers.push(serde_json::from_str(&line).unwrap_or_else(|_| panic!("the child says: {line}")));
    }
    let status = child.wait().unwrap();
    let all = answers.len() == ops.len() && status.success();
    assert!(all || status.signal() == Some(9), "{status:?} after {} of {}", answers.len(), ops.len());
    answers
}

impl Model {
    /// The model where some executions are as in a later one: for a group of which a part was written.
    fn with(&self, later: &Self, ids: &[u64]) -> Self {
        let mut merged = self.clone();
        merged.count = later.count;
        for id in ids {
            match later.executions.get(id) {
                Some(known) => drop(merged.executions.insert(*id, known.clone())),
                None => drop(merged.executions.remove(id)),
            }
        }
        if !ids.is_empty() {
            (merged.keys, merged.slots, merged.next) = (later.keys.clone(), later.slots, later.next);
            merged.leased = later.leased.clone();
        }
        merged
    }
}

/// What is there of an execution once deletions that were cut short have been finished.
async fn settled(store: &dyn Store, id: u64) -> Execution {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        let found = observe(store, id).await;
        let is_being_deleted = found.summary.is_none() && found != Execution::default();
        if !is_being_deleted || Instant::now() > deadline {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn check(url: &str, ops: &[Op], answers: &[Answer]) {
    let mut before = Model::new();
    for (op, answer) in ops.iter().zip(answers) {
        assert_eq!(before.apply(op), *answer, "{op:?}");
    }
    let pending = ops.get(answers.len());
    let mut after = before.clone();
    if let Some(op) = pending {
        after.apply(op);
    }
    let store = open_at(url).await;
    let mut moved = Vec::new();
    for id in 0..after.next {
        let found = settled(&*store, id).await;
        let of = |model: &Model| model.executions.get(&id).cloned().unwrap_or_default();
        if found != of(&before) {
            assert_eq!(found, of(&after), "execution {id} after {} operations, at {pending:?}", answers.len());
            moved.push(id);
        }
    }
    let model = before.with(&after, &moved);
    compare(&*store, &model).await;
    store.close().await;
    drop(store);
    // Whether a lease was renewed is not to be seen; everything else is known, and it goes on.
    if !matches!(pending, Some(Op::Renew { .. })) {
        run(&ops[ops.len().min(answers.len() + 1)..], model, async || open_at(url).await).await;
    }
}

/// Does operations to a fresh file. Answers what was acknowledged, and how long the log was then.
async fn with_log(path: &Path, ops: &[Op]) -> Vec<(Answer, u64)> {
    let url = format!("sqlite://{}", path.display());
    open_at(&url).await.close().await;
    let before = fs::read(path).unwrap();
    let store = open_at(&url).await;
    let (mut model, mut acknowledged) = (Model::new(), Vec::new());
    for op in ops {
        let answer = perform(&*store, &model, op).await;
        model.apply(op);
        let length = fs::metadata(log_of(path)).map_or(0, |file| file.len());
        acknowledged.push((answer, length));
    }
    assert!(acknowledged.is_sorted_by_key(|(_, length)| *length), "the log was begun anew");
    // Not closed: that would put the log into the database, as a checkpoint would.
    fs::copy(log_of(path), path.with_extension("log")).unwrap();
    assert!(fs::read(path).unwrap() == before, "there was a checkpoint");
    store.close().await;
    fs::write(path, before).unwrap();
    acknowledged
}

fn log_of(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn every_prefix_of_the_log_is_whole(
        ops in prop::collection::vec(op().prop_filter("goes on", |op| !matches!(op, Op::Reopen { .. })), 5..40),
        cuts in prop::collection::vec(0.0..=1.0_f64, 8),
    ) {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("pulse.db");
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let acknowledged = with_log(&path, &ops).await;
            let (database, log) = (fs::read(&path).unwrap(), fs::read(path.with_extension("log")).unwrap());
            for (n, cut) in cuts.into_iter().enumerate() {
                let length = (log.len() as f64 * cut) as usize;
                let image = dir.path().join(format!("image{n}.db"));
                fs::write(&image, &database).unwrap();
                fs::write(log_of(&image), &log[..length]).unwrap();
                let answers: Vec<Answer> =
                    acknowledged.iter().take_while(|(_, end)| *end <= length as u64).map(|(answer, _)| answer.clone()).collect();
                check(&format!("sqlite://{}", image.display()), &ops, &answers).await;
            }
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40, max_shrink_iters: 200, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn what_was_acknowledged_survives(ops in prop::collection::vec(op(), 5..40), death in death()) {
        let dir = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite://{}/pulse.db", dir.path().display());
        let answers = until_it_dies(&url, &ops, &death);
        tokio::runtime::Runtime::new().unwrap().block_on(check(&url, &ops, &answers));
    }
}
