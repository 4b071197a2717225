//! Both ledgers, the server's conversation and followers (`fleet/conversation.rs`) and the agent's dialogue
//! (`pulse_worker::ledger::Dialogue`), which are what sessions run, over a simulated network with simulated time: connections that are cut at any message and noticed at different moments, old connections that still
//! deliver while a newer one is open, messages of all kinds that come twice, at once or late, slow disks, restarts of either
//! side with nothing but what was durable, cancels, drains, commands that go elsewhere, time limits, capacity.
//!
//! A seed gives the same run every time: `PULSE_SIM_SEED=17 cargo test -p pulse-server simulation`.

mod faults;
mod messages;
mod network;
mod random;
mod server;
mod tally;
mod worker;
mod world;

use tally::Tally;
use world::World;

/// Runs of one test.
const SEEDS: u64 = 1_000;

fn seeds() -> impl Iterator<Item = u64> {
    match std::env::var("PULSE_SIM_SEED") {
        Ok(seed) => {
            let seed = seed.parse().expect("PULSE_SIM_SEED is a number");
            seed..seed + 1
        }
        Err(_) => 0..SEEDS,
    }
}

#[test]
fn every_command_runs_at_most_once_and_every_result_arrives() {
    let mut total = Tally::default();
    for seed in seeds() {
        let run = std::panic::catch_unwind(|| World::new(seed).run());
        match run {
            Ok(tally) => total.add(&tally),
            Err(panic) => {
                eprintln!("the run with PULSE_SIM_SEED={seed} failed");
                std::panic::resume_unwind(panic);
            }
        }
    }
    // A simulation in which hardly anything happens proves nothing.
    if std::env::var_os("PULSE_SIM_SEED").is_none() {
        println!("{total:?}");
        assert!(total.started > 10 * SEEDS, "{total:?}");
        for (what, count) in total.faults() {
            assert!(count > SEEDS / 50, "{what} hardly ever happens: {total:?}");
        }
    }
}
