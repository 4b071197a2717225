//! `pulse test --from-run`: a test made of an execution that has happened. It is run before it is printed: what cannot be
//! told by a journal (loads of workers, times at which they came and went) may make it go another way, and then it says so.

use super::super::recorded::Recorded;
use super::files::workflow_path;
use crate::context::Context;
use crate::definition;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::screen::note;
use pulse_core::yaml;
use pulse_engine::testing::{record, test};
use std::path::Path;

pub(super) async fn run(id: &str, workflow: Option<&Path>, context: &mut Context) -> Result<Exit, Error> {
    let recorded = Recorded::fetch(&context.client()?, id).await?;
    let named = workflow.map(|path| path.display().to_string());
    let value = record(recorded.id, &recorded.journal, named.as_deref(), &recorded.definition, &recorded.workers)
        .map_err(|error| Error::input(format!("no test can be made of it: {error}")))?;
    let written = yaml::write(&value).map_err(|error| Error::input(format!("it cannot be written: {error}")))?;
    let text = format!("# Made of execution {} by `pulse test --from-run`.\n{written}", recorded.id);
    let files =
        |named: &str| definition::read(&workflow_path(Path::new("-"), named)).map_err(|error| error.to_string());
    let problem = match test("the test", &text, &files) {
        Ok(report) if report.passed() => None,
        Ok(report) => {
            let failures = report.tests.iter().flat_map(|test| &test.failures).map(ToString::to_string);
            Some(format!("it does not pass: {}", failures.collect::<Vec<_>>().join("; ")))
        }
        Err(error) => Some(format!("it cannot be run: {error}")),
    };
    context.out.write(&text)?;
    match problem {
        None => Ok(Exit::SUCCESS),
        Some(problem) => {
            context.out.flush()?;
            note(&problem);
            Ok(Exit::FAILED)
        }
    }
}
