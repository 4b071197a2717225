//! `pulse worker label`.

use super::{ls, unknown};
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use pulse_core::api::{WorkerChange, WorkerView};
use pulse_core::text::one_line;

/// Arguments of `pulse worker label`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name or id of the worker
    worker: String,
    /// `label=value` sets a label, `label-` removes it
    #[arg(required = true, value_name = "LABEL=VALUE|LABEL-", allow_hyphen_values = true, value_parser = change)]
    changes: Vec<(String, Option<String>)>,
}

fn change(text: &str) -> Result<(String, Option<String>), String> {
    let (label, value) = match (text.split_once('='), text.strip_suffix('-')) {
        (Some((label, value)), _) => (label.trim(), Some(value.trim().to_owned())),
        (None, Some(label)) => (label.trim(), None),
        (None, None) => ("", None),
    };
    match label.is_empty() {
        true => Err("give `label=value` to set a label, `label-` to remove it".to_owned()),
        false => Ok((label.to_owned(), value)),
    }
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let client = context.client()?;
    let path = ["api", "workers", &args.worker];
    let WorkerView { mut labels, .. } = client.get(&path, &[]).await.map_err(unknown)?;
    for (label, value) in args.changes {
        match value {
            Some(value) => drop(labels.insert(label, value)),
            None => drop(labels.remove(&label)),
        }
    }
    let body = WorkerChange { labels: Some(labels), ..WorkerChange::default() };
    let worker: WorkerView = client.patch(&path, &body).await.map_err(unknown)?;
    let labels = ls::labels(&worker.labels);
    let shown = if labels.is_empty() { "no labels" } else { labels.as_str() };
    context.out.line(&format!("{}: {}", one_line(&worker.name), one_line(shown)))?;
    Ok(Exit::SUCCESS)
}
