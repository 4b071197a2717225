//! Targets of definitions, held against the workers the server knows: a warning, for workers may come later.

use crate::http::app::App;
use pulse_core::diagnostic::{Code, Diagnostics};
use pulse_core::workflow::{Source, StepKind, Workflow};
use pulse_engine::Loaded;
use pulse_engine::fleet::TargetError;

/// Adds a warning for every target that is no template and matches no known worker.
pub(super) fn lint(app: &App, loaded: &mut Loaded) {
    let Some(workflow) = &loaded.workflow else { return };
    let fleet = app.driver.fleet().snapshot();
    let mut diagnostics = Diagnostics::from_found(std::mem::take(&mut loaded.diagnostics));
    for source in sources(workflow).into_iter().filter(|source| !source.text.contains("{{")) {
        if let Err(error @ TargetError::NoMatch { .. }) = fleet.resolve(std::slice::from_ref(&source.text)) {
            let help = "enrol or label such a worker before it runs, or name another; the step fails if it is so then";
            diagnostics.add(Code::UnknownTarget, &source.path, source.at, error.to_string(), help);
        }
    }
    loaded.diagnostics = diagnostics.into_sorted();
}

fn sources(workflow: &Workflow) -> Vec<&Source> {
    let steps = workflow.all_steps();
    let of_steps = steps.iter().filter_map(|(step, _)| match &step.kind {
        StepKind::Execute(execute) => execute.targets.as_ref(),
        _ => None,
    });
    workflow.targets.iter().chain(of_steps).flatten().collect()
}
