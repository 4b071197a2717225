//! `pulse bench faults`: see [`crate::bench::faults`].

use crate::bench::faults::{self, Counts, Kind, Options, Report};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `pulse bench faults`.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Starts a server and six workers of this program in a directory of their own, starts executions without end, causes
the faults, and then looks for everything that was acknowledged. Exits with 0 when nothing was lost, 1 when something
was or when the run proves nothing: fewer than 80 % of the executions completed, fewer than 70 % of 40 or more named
points were reached, or too few requests were given up in the middle.

Full disks need root, to mount a tmpfs. Restarts need `--database mariadb` or `postgres`, whose programs must be
installed: a private server is started and ended.")]
pub struct Args {
    /// The seed of the schedule of faults [default: from the clock; it is printed]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How often the server is killed, at random and at named points around commit, send and acknowledgement
    #[arg(long, default_value_t = 20, value_name = "N")]
    server_kills: u32,
    /// How often a worker's agent, its supervisor or both are killed
    #[arg(long, default_value_t = 10, value_name = "N")]
    worker_kills: u32,
    /// How often a worker's connection is cut, one way or both, beside the other faults
    #[arg(long, default_value_t = 10, value_name = "N")]
    cuts: u32,
    /// The longest cut, in seconds
    #[arg(long, default_value_t = 10, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    longest_cut: u64,
    /// How often the disk of the server or of a worker is full
    #[arg(long, default_value_t = 0, value_name = "N")]
    full_disks: u32,
    /// How often the database is stopped or killed, and started again
    #[arg(long, default_value_t = 0, value_name = "N")]
    database_restarts: u32,
    /// How many HTTP requests are given up half-way
    #[arg(long, default_value_t = 0, value_name = "N")]
    cancelled_requests: u32,
    /// Where the server keeps its data
    #[arg(long, value_enum, default_value_t)]
    database: Kind,
    /// Keep everything in this directory, which must be new [default: one that is removed, unless something is wrong]
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
    let directory = args
        .keep
        .clone()
        .unwrap_or_else(|| std::env::temp_dir().join(format!("pulse-bench-{seed}-{}", std::process::id())));
    if directory.exists() {
        let message = format!("{} is there already", directory.display());
        return Err(Error::usage(message, "the run needs a new directory: choose another, or remove it"));
    }
    let program = std::env::current_exe()
        .map_err(|error| Error::input(format!("this program's own file cannot be found: {error}")))?;
    let options = Options {
        seed,
        counts: Counts {
            server_kills: args.server_kills,
            worker_kills: args.worker_kills,
            cuts: args.cuts,
            full_disks: args.full_disks,
            database_restarts: args.database_restarts,
            cancelled_requests: args.cancelled_requests,
        },
        longest_cut: Duration::from_secs(args.longest_cut),
        database: args.database,
        directory: directory.clone(),
        program,
    };
    eprintln!("seed {seed}; logs and data in {}", directory.display());
    let report = faults::run(options, &mut |line| eprintln!("{line}"))
        .await
        .map_err(|error| Error::input(format!("the run could not be made: {error}")))?;
    match args.json {
        true => context.out.json(&report)?,
        false => print(&report, context)?,
    }
    if !report.passed() {
        return Ok(Exit::FAILED);
    }
    if args.keep.is_none()
        && let Err(error) = std::fs::remove_dir_all(&directory)
    {
        eprintln!("{} stays: {error}", directory.display());
    }
    Ok(Exit::SUCCESS)
}

fn print(report: &Report, context: &mut Context) -> Result<(), Error> {
    let out = &mut context.out;
    out.line(&format!("seed {}", report.seed))?;
    for (fault, count) in &report.faults {
        out.line(&format!("{count:>8}  {fault}"))?;
    }
    for (point, count) in &report.points {
        out.line(&format!("{:>8}  of {} died at {point}", count.reached, count.planned))?;
    }
    if report.given_up != Default::default() {
        let given_up = report.given_up;
        out.line(&format!(
            "of the requests that were given up {} were answered before, {} had no effect, {} took effect unanswered",
            given_up.answered, given_up.not_started, given_up.started
        ))?;
    }
    let found = &report.findings;
    out.line(&format!(
        "{} starts tried, {} acknowledged, {} asked for again; {} calls failed on the way",
        report.tried, report.acknowledged, report.settled, report.failed_calls
    ))?;
    let ended: Vec<String> = found.ended.iter().map(|(status, count)| format!("{count} {status}")).collect();
    out.line(&format!(
        "{} executions ({}), {} of them aborted as asked and {} of them children; {} commands, {} of them lost and {} tried \
         again, {} outputs compared, {} of them with a marked gap",
        found.executions,
        ended.join(", "),
        found.aborted_as_asked,
        found.children,
        found.commands,
        found.lost_commands,
        found.retries,
        found.outputs,
        found.marked_gaps
    ))?;
    for (what, found) in found.violations() {
        out.line(&format!("{:>8}  {what}", found.len()))?;
    }
    out.write(&found.describe())?;
    for why in &report.void {
        out.line(&format!("this run proves nothing: {why}"))?;
    }
    let verdict = match (report.void.is_empty(), report.passed()) {
        (false, _) => "void",
        (_, true) => "passed",
        _ => "failed",
    };
    out.line(&format!("{} % of the executions completed: {verdict}", report.success_percent))
}
