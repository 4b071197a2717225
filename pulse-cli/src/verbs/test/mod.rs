//! `pulse test`: offline tests of workflows, and tests made of executions that have happened.

mod files;
mod record;
mod show;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use pulse_engine::testing::junit;
use std::path::PathBuf;

const MORE: &str = "\
A test file says which workflow it tests, what workers and people do, and what has to come out of it. Tests need no
server, no worker and no time: an hour passes at once.

Exit codes: 0 passed, 1 failed, 2 could not run.

Examples:
  pulse test disk-check.test.yaml
  pulse test --coverage tests/
  pulse test --junit report.xml *.test.yaml
  pulse test --from-run 0198c2f4-7a1b > full-disk.test.yaml";

/// Could not run.
const NOT_RUN: Exit = Exit(2);

/// Arguments of `pulse test`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// Test files, or directories with *.test.yaml files
    #[arg(required_unless_present = "from_run", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print which steps, routes, options and error paths no test went through
    #[arg(long)]
    coverage: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Write a JUnit report to this file
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Print a test that goes the way this execution went, and passes
    #[arg(long, value_name = "ID", conflicts_with_all = ["files", "coverage", "json", "junit"])]
    from_run: Option<String>,
    /// With --from-run: the workflow's file, to be named by the test instead of holding the definition itself
    #[arg(long, value_name = "FILE", requires = "from_run")]
    workflow: Option<PathBuf>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    if let Some(id) = &args.from_run {
        return record::run(id, args.workflow.as_deref(), context).await;
    }
    let mut results = Vec::new();
    for file in files::expand(&args.files)? {
        results.push(files::test(&file));
    }
    if results.is_empty() {
        return Err(Error::usage("there is no *.test.yaml file there", "name a test file"));
    }
    let coverage = files::coverage(&results);
    match args.json {
        true => show::json(&results, &coverage, context)?,
        false => show::text(&results, context)?,
    }
    if args.coverage && !args.json {
        show::coverage(&coverage, context)?;
    }
    if let Some(path) = args.junit {
        let failed = |error| Error::usage(format!("{}: {error}", path.display()), "--junit takes a file to write to");
        std::fs::write(&path, junit(&results)).map_err(failed)?;
    }
    Ok(match &results {
        results if results.iter().any(Result::is_err) => NOT_RUN,
        results if results.iter().flatten().all(|report| report.passed()) => Exit::SUCCESS,
        _ => Exit::FAILED,
    })
}
