//! What a definition's steps give to child workflows, held against those the server has.

use crate::http::app::App;
use crate::http::problem::ApiError;
use pulse_core::diagnostic::Diagnostics;
use pulse_core::event::WorkflowRef;
use pulse_engine::Loaded;

/// Adds a finding for every value that a step gives to a secret parameter of a child: its start would be refused.
pub(super) async fn lint(app: &App, loaded: &mut Loaded) -> Result<(), ApiError> {
    let Some(workflow) = &loaded.workflow else { return Ok(()) };
    let mut diagnostics = Diagnostics::from_found(std::mem::take(&mut loaded.diagnostics));
    for (_, child) in workflow.children().into_iter().filter(|(_, child)| !child.params.is_empty()) {
        let found = app.driver.store().workflow_by_name(&child.workflow.text).await?;
        // One that is still to come is looked at when it is started.
        let Some(found) = found else { continue };
        let reference = WorkflowRef { id: found.id, name: found.name, version: found.version };
        if let Ok(plan) = app.driver.stored_plan(&reference).await {
            child.check_secrets(&reference.name, &plan.workflow.params, &mut diagnostics);
        }
    }
    loaded.diagnostics = diagnostics.into_sorted();
    Ok(())
}
