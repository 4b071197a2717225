//! `pulse workflow put`: stores a definition under its name.

use crate::context::Context;
use crate::definition;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::screen::note;
use pulse_core::api::{WorkflowPut, WorkflowView};
use pulse_core::text::one_line;
use serde_json::Value;
use std::path::{Path, PathBuf};

const MORE: &str = "\
The workflow's name is the definition's `name`. If there is one of that name, it gets a new version.

Examples:
  pulse workflow put disk-check.yaml
  pulse workflow get disk-check | sed s/80/90/ | pulse workflow put -";

/// Arguments of `pulse workflow put`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// The definition, YAML or JSON; - for standard input
    file: PathBuf,
    /// Its name, when the definition has none or another is meant
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Print the stored workflow as JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let definition = definition::read(&args.file)?;
    let client = context.client()?;
    // Only for the name: findings come from the server, which knows more than the parser here.
    let named = || pulse_core::workflow::parse(&definition).workflow.and_then(|workflow| workflow.name);
    let name = args.name.clone().or_else(named);
    let stored: Option<WorkflowView> = match &name {
        None => None,
        Some(name) => match client.get(&["api", "workflows", name], &[]).await {
            Ok(view) => Some(view),
            Err(error) if error.status() == Some(404) => None,
            Err(error) => return Err(error),
        },
    };
    let body = WorkflowPut {
        name: args.name,
        description: None,
        definition: Value::String(definition),
        webhook: stored.as_ref().and_then(beside),
    };
    let saved: Result<WorkflowView, Error> = match &stored {
        None => client.post(&["api", "workflows"], &body).await,
        Some(stored) => {
            let id = stored.summary.id.to_string();
            client.put(&["api", "workflows", &id], stored.summary.version, &body).await
        }
    };
    let view = saved.map_err(|error| about(error, &args.file))?;
    let file = args.file.display();
    view.diagnostics.iter().for_each(|diagnostic| note(&format!("{file}:{diagnostic}")));
    if args.json {
        context.out.json(&view)?;
    } else {
        let summary = &view.summary;
        let what = match &stored {
            None => "stored",
            Some(stored) if stored.summary.version == summary.version => "unchanged",
            Some(_) => "updated",
        };
        context.out.line(&format!("{what}: {} (version {})", one_line(&summary.name), summary.version))?;
    }
    Ok(Exit::SUCCESS)
}

/// The webhook that was given beside the stored definition: not being in the new one either, it stays. One that stood in
/// the definition is the new one's business.
fn beside(stored: &WorkflowView) -> Option<String> {
    let within = pulse_core::workflow::parse(&stored.definition).workflow.and_then(|workflow| workflow.webhook);
    stored.webhook.clone().filter(|webhook| within.as_ref() != Some(webhook))
}

/// Names the file in the findings, and says what a conflict means.
fn about(error: Error, path: &Path) -> Error {
    match error {
        Error::Refused { problem, mut hint, .. } => {
            if matches!(problem.status, 409 | 412) {
                hint = Some(
                    "somebody changed it meanwhile: look at it with `pulse workflow get`, then try again".to_owned(),
                );
            }
            Error::Refused { problem, hint, file: Some(path.display().to_string()) }
        }
        error => error,
    }
}
