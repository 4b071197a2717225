//! `pulse exec`: one command on workers.

use super::targets;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::follow::views::{ExecView, JsonView};
use crate::follow::{Ended, Follower};
use crate::render::screen::note;
use crate::shell;
use pulse_core::api::{CommandRequest, Created};
use pulse_core::duration;
use serde_json::Value;

const MORE: &str = "\
Examples:
  pulse exec --on all -- uptime
  pulse exec --on 'web-*' --parallel 2 -- systemctl restart nginx
  pulse exec --on role=db -- 'df -h | grep -v tmpfs'

One word is a line for the shell; several are quoted so that each stays one word.
Exit codes: 0 all targets succeeded, 1 some did not, 3 aborted, 130 left by Ctrl-C.";

/// Arguments of `pulse exec`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// On which workers: names, patterns like web-*, labels like role=db, any, all
    #[arg(long = "on", value_name = "TARGETS", required = true, value_parser = targets::read)]
    on: Vec<Vec<String>>,
    /// How many workers at once [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    parallel: Option<u32>,
    /// Time limit on each worker, like 30s or 5m [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = time)]
    timeout: Option<String>,
    /// Only start it and print its id
    #[arg(long)]
    no_follow: bool,
    /// Print JSON: one object per journal entry and line, or {"id": …} with --no-follow
    #[arg(long)]
    json: bool,
    /// The command
    #[arg(required = true, trailing_var_arg = true, value_name = "CMD")]
    command: Vec<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let client = context.client()?;
    let request = CommandRequest {
        command: shell::line(&args.command),
        targets: args.on.concat(),
        timeout: args.timeout.map(Value::String),
        parallel: args.parallel,
    };
    let Created { id } = client.start(&["api", "commands"], &request).await.map_err(|error| match error.status() {
        Some(400 | 404 | 422) => error.with_hint("`pulse worker ls` lists the workers"),
        _ => error,
    })?;
    if args.no_follow {
        return match args.json {
            true => context.out.json_line(&Created { id }),
            false => context.out.line(&id.to_string()),
        }
        .map(|()| Exit::SUCCESS);
    }
    if args.json {
        note(&format!("execution {id}"));
        let ended = Follower::new(&client, id, &mut JsonView::new(&mut context.out), None).run().await?;
        return Ok(match ended {
            Ended::Finished(status) => Exit::of(status),
            Ended::Interrupted => Exit::INTERRUPTED,
        });
    }
    let mut view = ExecView::new(&mut context.out);
    match Follower::new(&client, id, &mut view, None).run().await? {
        Ended::Finished(status) => view.summary(id, status),
        Ended::Interrupted => Ok(Exit::INTERRUPTED),
    }
}

fn time(text: &str) -> Result<String, String> {
    duration::parse(text).map(|_| text.trim().to_owned()).map_err(|error| error.to_string())
}
