//! `pulse run`: starts a workflow, and follows it to its end.

mod local;

use super::targets;
use crate::client::Client;
use crate::context::Context;
use crate::environment::Environment;
use crate::error::Error;
use crate::exit::Exit;
use crate::follow::views::{JsonView, StepsView};
use crate::follow::{Ended, Follower, Input};
use crate::render::screen::note;
use crate::render::values::one;
use pulse_core::api::{Created, ExecuteRequest, WorkflowSummary, WorkflowView};
use pulse_core::diagnostic::did_you_mean;
use pulse_core::text::one_line;
use pulse_core::workflow::{Param, ParamType};
use serde_json::{Map, Value};

const MORE: &str = "\
Examples:
  pulse run disk-check
  pulse run disk-check -p mount=/var -p limit=80 --targets role=db
  id=$(pulse run disk-check --no-follow)
  pulse run ./disk-check.yaml --local

Secrets that are not given are taken from PULSE_PARAM_<NAME>, or at a terminal asked for without being shown.
Ctrl-C leaves the execution running; `pulse abort ID` stops it.

With --local there is no server: this machine is the one worker, called by its host name or WORKER_NAME, and nothing is
kept. Child workflows are found by name among the files beside FILE. Ctrl-C aborts (on_failure and finally still run), a
second one kills. A question that nobody can answer, as standard input has ended, fails the run.

Exit codes: 0 completed, 1 failed, 2 cannot be run, 3 aborted, 130 left by Ctrl-C, or killed.";

/// Arguments of `pulse run`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// Name or id of the workflow; with --local its file
    workflow: String,
    /// Run a definition file here, without a server
    #[arg(long, conflicts_with = "no_follow")]
    local: bool,
    /// A parameter; may be given several times. The value is read by the parameter's type
    #[arg(short = 'p', long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    params: Vec<(String, String)>,
    /// Workers that replace the workflow's own targets: names, patterns like web-*, labels like role=db, any, all
    #[arg(long, value_name = "TARGETS", value_parser = targets::read)]
    targets: Vec<Vec<String>>,
    /// Follow to the end, also when the output is no terminal
    #[arg(long, overrides_with = "no_follow")]
    follow: bool,
    /// Only start it and print its id
    #[arg(long, overrides_with = "follow")]
    no_follow: bool,
    /// Print JSON: {"id": …}, or when following one object per journal entry and line
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    if args.local {
        return local::run(args, context).await;
    }
    let client = context.client()?;
    let mut request = ExecuteRequest {
        params: params(args.params)?,
        targets: (!args.targets.is_empty()).then(|| args.targets.concat()),
        version: None,
    };
    let path = ["api", "workflows", &args.workflow, "execute"];
    let mut input = Input::stdin();
    let mut started = client.start(&path, &request).await;
    // Only now, for most workflows have no secrets.
    if started.as_ref().is_err_and(|error| error.status() == Some(422))
        // An error is the same that starting gave.
        && let Ok(view) = client.get::<WorkflowView>(&["api", "workflows", &args.workflow], &[]).await
    {
        match ask_secrets(&view.summary.params, &mut request.params, &context.environment, &mut input).await {
            Asked::Nothing => {}
            Asked::Some => started = client.start(&path, &request).await,
            Asked::Interrupted => return Ok(Exit::INTERRUPTED),
        }
    }
    let Created { id } = match started {
        Ok(created) => created,
        Err(error) => return Err(explain(error, &client, &args.workflow).await),
    };
    let follow = args.follow || (context.out.terminal && !args.no_follow);
    if !follow {
        return match args.json {
            true => context.out.json_line(&Created { id }),
            false => context.out.line(&id.to_string()),
        }
        .map(|()| Exit::SUCCESS);
    }
    let input = Some(input);
    let ended = if args.json {
        note(&format!("execution {id}"));
        Follower::new(&client, id, &mut JsonView::new(&mut context.out), input).run().await?
    } else {
        context.out.line(&format!("execution {id}"))?;
        Follower::new(&client, id, &mut StepsView::new(&mut context.out), input).run().await?
    };
    Ok(match ended {
        Ended::Finished(status) => Exit::of(status),
        Ended::Interrupted => Exit::INTERRUPTED,
    })
}

/// What asking for secrets came to.
enum Asked {
    /// None is missing, or nobody knows.
    Nothing,
    Some,
    Interrupted,
}

/// Finds the secrets that are needed and were not given, so that they need not stand in a command line, which others on
/// the machine can see and the shell remembers: in the environment, or by asking at a terminal.
async fn ask_secrets(
    declared: &[Param],
    params: &mut Map<String, Value>,
    environment: &Environment,
    input: &mut Input,
) -> Asked {
    let mut asked = Asked::Nothing;
    for param in declared.iter().filter(|param| param.kind == ParamType::Secret) {
        if params.contains_key(&param.name) {
            continue;
        }
        let variable = |name: &str| environment.get(&format!("PULSE_PARAM_{name}")).map(str::to_owned);
        let value = match variable(&param.name).or_else(|| variable(&param.name.to_uppercase())) {
            Some(value) => Some(value),
            None if param.required && input.is_terminal() => {
                input.hidden_line(&format!("{}: ", one_line(&param.name))).await
            }
            None => continue,
        };
        match value {
            Some(value) => {
                params.insert(param.name.clone(), Value::String(value));
                asked = Asked::Some;
            }
            None => return Asked::Interrupted,
        }
    }
    asked
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

fn params(given: Vec<(String, String)>) -> Result<Map<String, Value>, Error> {
    let mut params = Map::new();
    for (name, value) in given {
        if params.insert(name.clone(), Value::String(value)).is_some() {
            return Err(Error::usage(format!("parameter `{name}` is given twice"), "give each parameter once"));
        }
    }
    Ok(params)
}

/// Adds what helps: the name that was probably meant, or the parameters there are.
async fn explain(error: Error, client: &Client, workflow: &str) -> Error {
    match error.status() {
        Some(404) if std::path::Path::new(workflow).is_file() => {
            error.with_hint("that is a file: `--local` runs it here, `pulse workflow put` stores it")
        }
        Some(404) => {
            let known = client.list::<WorkflowSummary>(&["api", "workflows"], &[], Some(1_000)).await;
            let names: Vec<String> =
                known.map(|page| page.items.into_iter().map(|w| w.name).collect()).unwrap_or_default();
            let guess = did_you_mean(workflow, names.iter().map(String::as_str));
            error.with_hint(guess.unwrap_or_else(|| "`pulse workflow ls` lists the workflows".to_owned()))
        }
        Some(400 | 422) => match client.get::<WorkflowView>(&["api", "workflows", workflow], &[]).await {
            Ok(view) if !view.summary.params.is_empty() => {
                let all: Vec<String> = view.summary.params.iter().map(describe).collect();
                error.with_hint(format!("its parameters: {}", all.join("; ")))
            }
            _ => error,
        },
        _ => error,
    }
}

/// A parameter in a few words.
pub(super) fn describe(param: &Param) -> String {
    let kind =
        serde_json::to_value(param.kind).ok().and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
    let options = if param.options.is_empty() { String::new() } else { format!(" {}", param.options.join("|")) };
    let needed = match &param.default {
        Some(default) => format!(", default {}", one(default)),
        None if param.required => ", required".to_owned(),
        None => String::new(),
    };
    format!("{} ({kind}{options}{needed})", param.name)
}
