//! `pulse workflow ls`.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::age::{age, now};
use crate::render::screen::note;
use crate::render::table::Table;
use pulse_core::api::{Page, WorkflowSummary};
use pulse_core::text::shorten;

const DESCRIPTION: usize = 60;

/// Arguments of `pulse workflow ls`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only those whose name, description or tags contain this
    #[arg(value_name = "TEXT")]
    query: Option<String>,
    /// Print JSON, as the API gives it
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let query: Vec<(&str, String)> = args.query.into_iter().map(|text| ("q", text)).collect();
    let page: Page<WorkflowSummary> = context.client()?.list(&["api", "workflows"], &query, None).await?;
    if args.json {
        context.out.json(&page)?;
        return Ok(Exit::SUCCESS);
    }
    if page.items.is_empty() {
        note("no workflows: `pulse workflow put FILE` stores one");
        return Ok(Exit::SUCCESS);
    }
    let now = now();
    let mut table = Table::new(&["NAME", "VERSION", "CHANGED", "PARAMETERS", "DESCRIPTION"]);
    for workflow in &page.items {
        let params: Vec<&str> = workflow.params.iter().map(|param| param.name.as_str()).collect();
        table.row([
            workflow.name.clone(),
            workflow.version.to_string(),
            format!("{} ago", age(workflow.updated_at, now)),
            params.join(", "),
            shorten(workflow.description.lines().next().unwrap_or_default(), DESCRIPTION),
        ]);
    }
    table.lines(context.out.style).iter().try_for_each(|line| context.out.line(line))?;
    Ok(Exit::SUCCESS)
}
