//! `pulse logs`: what an execution's commands wrote.

use super::show;
use crate::client::Client;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::follow::views::{LogsFilter, LogsView};
use crate::follow::{Ended, Follower, View as _};
use pulse_core::api::{ExecutionView, OutputChunk, Page};
use pulse_core::command::Stream;
use pulse_core::ids::{ExecutionId, StepId};

const PAGE: usize = 200;

const MORE: &str = "\
Examples:
  pulse logs 0198c2f4-7a1b -f
  pulse logs 0198c2f4-7a1b --step measure --worker web-1 > measure.txt";

/// Arguments of `pulse logs`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// Id of the execution, or its first characters as `pulse ps` shows them
    id: String,
    /// Go on until the execution ends
    #[arg(short, long)]
    follow: bool,
    /// Only of this step: its id, name or number
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
    /// Only of this worker
    #[arg(long, value_name = "NAME")]
    worker: Option<String>,
    /// Only this stream
    #[arg(long, value_name = "STREAM", value_parser = ["stdout", "stderr"])]
    stream: Option<String>,
    /// Print JSON: one object per piece of output and line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let client = context.client()?;
    let view = show::fetch(&client, &args.id).await?;
    let id = view.summary.id;
    let stream = match args.stream.as_deref() {
        Some("stdout") => Some(Stream::Stdout),
        Some(_) => Some(Stream::Stderr),
        None => None,
    };
    let step = args.step.map(|step| step_id(&view, &step)).transpose()?;
    let filter = LogsFilter { step, worker: args.worker, stream };
    let mut logs = LogsView::new(&mut context.out, filter.clone(), args.json);
    view.logs.iter().for_each(|entry| logs.observe(entry));
    if !args.follow || view.summary.status.is_final() {
        print(&client, id, &filter, &mut logs).await?;
        return Ok(Exit::SUCCESS);
    }
    match Follower::new(&client, id, &mut logs, None).run().await? {
        Ended::Finished(_) => logs.finish().map(|()| Exit::SUCCESS),
        Ended::Interrupted => Ok(Exit::INTERRUPTED),
    }
}

async fn print(client: &Client, id: ExecutionId, filter: &LogsFilter, logs: &mut LogsView<'_>) -> Result<(), Error> {
    let id = id.to_string();
    let wanted = [
        ("format", Some("json".to_owned())),
        ("step", filter.step.as_ref().map(ToString::to_string)),
        ("worker", filter.worker.clone()),
        ("stream", filter.stream.map(|stream| stream.as_str().to_owned())),
    ];
    let query: Vec<(&str, String)> = wanted.into_iter().filter_map(|(k, v)| Some((k, v?))).collect();
    let mut cursor: Option<String> = None;
    loop {
        let page: Page<OutputChunk> =
            client.page(&["api", "executions", &id, "output"], &query, PAGE, cursor.as_deref()).await?;
        page.items.iter().try_for_each(|chunk| logs.output(chunk))?;
        cursor = page.next;
        if cursor.is_none() {
            return logs.finish();
        }
    }
}

/// The step that is meant: by id, by name, or by number.
fn step_id(view: &ExecutionView, wanted: &str) -> Result<StepId, Error> {
    let number = wanted.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let by_id = view.steps.iter().find(|step| step.id.as_str() == wanted);
    let by_name = || view.steps.iter().find(|step| step.name == wanted);
    let by_number = || number.and_then(|index| view.steps.get(index));
    by_id.or_else(by_name).or_else(by_number).map(|step| step.id.clone()).ok_or_else(|| {
        let all: Vec<&str> = view.steps.iter().map(|step| step.id.as_str()).collect();
        Error::input(format!("the execution has no step `{wanted}`"))
            .with_hint(format!("its steps: {}", all.join(", ")))
    })
}
