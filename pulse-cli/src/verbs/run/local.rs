//! `pulse run FILE --local`: everything that can be wrong is said before anything runs.

use super::{Args, Asked, ask_secrets, describe, params};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::follow::views::{JsonView, StepsView};
use crate::follow::{Input, View};
use crate::local::{Ended, Here, Library, Session};
use pulse_core::text::one_line;
use pulse_core::workflow::Param;
use std::path::Path;

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let file = Path::new(&args.workflow);
    let (mut library, name, plan) = Library::open(file)?;
    let here = match context.environment.get("WORKER_NAME") {
        Some(name) => Here::new(name),
        None => Here::new(&pulse_worker::hostname()),
    };
    let targets = (!args.targets.is_empty()).then(|| args.targets.concat());
    let mut mistakes = library.mistakes(&plan, &here.fleet(), targets.is_some());
    if let Some(Err(error)) = targets.as_ref().map(|targets| here.fleet().resolve(targets)) {
        mistakes.insert(0, format!("--targets: {error}"));
    }
    if !mistakes.is_empty() {
        let hint = format!(
            "the only worker here is `{}`, without labels: --targets replaces the document's targets, and WORKER_NAME=NAME gives this machine another name; children are found by name beside the file",
            one_line(here.name())
        );
        return Err(Error::usage(mistakes.join("; "), hint));
    }
    let declared = &plan.workflow.params;
    let mut given = params(args.params)?;
    let mut input = Input::stdin();
    if let Asked::Interrupted = ask_secrets(declared, &mut given, &context.environment, &mut input).await {
        return Ok(Exit::INTERRUPTED);
    }
    let params = plan.resolve_params(&given).map_err(|bad| {
        let messages: Vec<String> = bad.into_iter().map(|bad| bad.message).collect();
        Error::usage(messages.join("; "), parameters(declared))
    })?;
    let by = ["USER", "LOGNAME"].iter().find_map(|name| context.environment.get(name)).unwrap_or("local").to_owned();
    let (mut json, mut steps);
    let view: &mut dyn View = match args.json {
        true => {
            json = JsonView::new(&mut context.out);
            &mut json
        }
        false => {
            steps = StepsView::new(&mut context.out);
            &mut steps
        }
    };
    match Session::new(library, here, by, view, input).run(name, plan, params, targets).await? {
        Ended::Finished(status) => Ok(Exit::of(status)),
        Ended::Unanswered(question) => {
            let hint = "give a line for each question on standard input, or a terminal; a prompt's own timeout and on_timeout decide when it is near";
            Err(Error::input(question).with_hint(hint))
        }
        Ended::Killed => Ok(Exit::INTERRUPTED),
    }
}

/// The parameters there are.
fn parameters(declared: &[Param]) -> String {
    match declared {
        [] => "it has no parameters".to_owned(),
        all => format!("its parameters: {}", all.iter().map(describe).collect::<Vec<_>>().join("; ")),
    }
}
