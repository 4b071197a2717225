//! `pulse ps`: executions, the latest first.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::ids;
use crate::render::age::{age, now, took};
use crate::render::screen::note;
use crate::render::table::Table;
use clap::builder::PossibleValuesParser;
use pulse_core::api::{ExecutionSummary, Page};
use pulse_core::status::ExecutionStatus;
use pulse_core::text::shorten;

/// A screenful.
const LIMIT: usize = 20;
/// A title is a workflow's name, or the beginning of a command.
const TITLE: usize = 40;

const MORE: &str = "\
Examples:
  pulse ps --status waiting
  pulse ps -a --workflow disk-check --json | jq '.items[].error'";

/// Arguments of `pulse ps`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// Only those with this status
    #[arg(long, value_name = "STATUS", value_parser = PossibleValuesParser::new(ExecutionStatus::ALL.iter().map(|s| s.as_str())))]
    status: Option<String>,
    /// Only those of this workflow
    #[arg(long, value_name = "NAME")]
    workflow: Option<String>,
    /// How many at most [default: 20]
    #[arg(short = 'n', long, value_name = "N", conflicts_with = "all", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// All of them, however many
    #[arg(short, long)]
    all: bool,
    /// Print JSON, as the API gives it
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let client = context.client()?;
    let query: Vec<(&str, String)> =
        [("status", args.status), ("workflow", args.workflow)].into_iter().filter_map(|(k, v)| Some((k, v?))).collect();
    let limit = (!args.all).then(|| args.limit.map_or(LIMIT, |limit| limit as usize));
    let page: Page<ExecutionSummary> = client.list(&["api", "executions"], &query, limit).await?;
    if args.json {
        context.out.json(&page)?;
        return Ok(Exit::SUCCESS);
    }
    if page.items.is_empty() {
        note(if query.is_empty() {
            "no executions yet: `pulse run WORKFLOW` starts one"
        } else {
            "no such executions"
        });
        return Ok(Exit::SUCCESS);
    }
    table(&page.items).lines(context.out.style).iter().try_for_each(|line| context.out.line(line))?;
    if page.next.is_some() && context.out.terminal {
        context.out.flush()?;
        note("there are more: -a lists all");
    }
    Ok(Exit::SUCCESS)
}

fn table(executions: &[ExecutionSummary]) -> Table {
    let now = now();
    let short = ids::short(&executions.iter().map(|e| e.id).collect::<Vec<_>>());
    let mut table = Table::new(&["ID", "WORKFLOW", "STATUS", "STARTED BY", "AGE", "DURATION"]);
    for (execution, id) in executions.iter().zip(short) {
        table.row([
            id,
            shorten(execution.workflow.as_deref().unwrap_or(&execution.title), TITLE),
            status(execution),
            execution.started_by.clone(),
            age(execution.created_at, now),
            took(execution.started_at, execution.finished_at, now),
        ]);
    }
    table
}

/// The status, and whether a person is what it waits for, or a worker is.
pub(super) fn status(execution: &ExecutionSummary) -> String {
    match (execution.waiting_for_input, execution.delivery) {
        (true, _) => format!("{} (input)", execution.status),
        (false, Some(delivery)) => format!("{} ({})", execution.status, delivery.as_str().replace('_', " ")),
        (false, None) => execution.status.to_string(),
    }
}
