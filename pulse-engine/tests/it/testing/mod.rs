//! Offline tests: what a test file says, how it is run, what its report tells; tests made of journals, and replays.

mod blame;
mod coverage;
mod example;
mod harness;
mod mistakes;
mod replay;
mod spelling;
mod stopping;

use pulse_engine::testing::{NotRun, Report, test};

/// Runs a test file whose workflow is given as text.
pub fn run(workflow: &str, tests: &str) -> Result<Report, NotRun> {
    let files = |path: &str| match path {
        "w.yaml" => Ok(workflow.to_owned()),
        _ => Err("there is no such file".to_owned()),
    };
    test("w.test.yaml", &format!("workflow: w.yaml\n{tests}"), &files)
}

/// The same, and every failure as a line per failure and row.
pub fn failures(workflow: &str, tests: &str) -> Vec<String> {
    let report = run(workflow, tests).unwrap_or_else(|error| panic!("{error:#?}"));
    let texts = report.tests.iter().flat_map(|test| &test.failures).map(ToString::to_string);
    texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect()
}
