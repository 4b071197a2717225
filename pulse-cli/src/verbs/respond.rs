//! `pulse respond`: answers the question an execution waits for.

use super::questions::{self, Question};
use super::run::describe;
use super::{show, waiting};
use crate::client::Client;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::prompt::{choices, choose};
use pulse_core::api::{ExecutionView, RespondRequest};
use pulse_core::text::{one_line, shorten};
use pulse_core::workflow::Param;
use serde_json::{Map, Value};

const MORE: &str = "\
Examples:
  pulse respond 0198c2f4-7a1b Yes
  pulse respond 0198c2f4-7a1b 2
  pulse respond 0198c2f4-7a1b Yes --step 'ask[web-01]' -f ticket=T-1

`pulse show ID` shows the question and its numbered options.";

/// Arguments of `pulse respond`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// Id of the execution, or its first characters as `pulse ps` shows them
    id: String,
    /// The answer: an option, or its number
    option: String,
    /// The answer to something else that is asked; once for each
    #[arg(short, long = "field", value_name = "NAME=VALUE")]
    fields: Vec<String>,
    /// Which question, when several are open: its step, in a loop with the item (`ask[web-01]`)
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let client = context.client()?;
    let view = show::fetch(&client, &args.id).await?;
    let short = questions::called(&view);
    let all = questions::open(&view);
    if all.is_empty() {
        return Err(nothing(&client, &view, &args).await);
    }
    let wanted = |question: &&Question<'_>| args.step.as_ref().is_none_or(|step| question.is_called(step));
    let open: Vec<&Question<'_>> = all.iter().filter(wanted).collect();
    let names = || all.iter().map(|question| one_line(&question.name)).collect::<Vec<_>>().join(", ");
    let question = match open[..] {
        [question] => question,
        [] => {
            let step = args.step.as_deref().map(one_line).unwrap_or_default();
            let message = format!("execution {short} has no open question `{step}`");
            return Err(Error::input(message).with_hint(format!("it asks {}", names())));
        }
        [first, ..] => {
            let message = format!("execution {short} asks several questions: {}", names());
            let step = questions::quoted(&first.name);
            return Err(Error::input(message)
                .with_hint(format!("say which, as in --step {step}; `pulse show {short}` shows them")));
        }
    };
    let prompt = question.prompt;
    let Some(option) = choose(&prompt.options, &args.option) else {
        return Err(Error::input(format!("`{}` is none of the answers", args.option))
            .with_hint(format!("answer with {}", choices(&prompt.options))));
    };
    let fields = fields(&args.fields, &prompt.fields)?;
    let body = RespondRequest { response: option.value.clone(), prompt_id: Some(prompt.id), fields };
    client.post_quietly(&["api", "executions", &view.summary.id.to_string(), "respond"], &body).await?;
    context.out.line(&format!("answered: {}", one_line(&option.label)))?;
    Ok(Exit::SUCCESS)
}

/// Reads the fields that are given. One that is needed and missing is told here: the question has only been seen in part.
fn fields(given: &[String], asked: &[Param]) -> Result<Map<String, Value>, Error> {
    let mut fields = Map::new();
    for field in given {
        let (name, value) = field
            .split_once('=')
            .ok_or_else(|| Error::usage(format!("`{field}` is no NAME=VALUE"), "like -f count=3"))?;
        fields.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    let needs = |field: &&Param| field.required && field.default.is_none() && !fields.contains_key(&field.name);
    let missing: Vec<&Param> = asked.iter().filter(needs).collect();
    if missing.is_empty() {
        return Ok(fields);
    }
    let described: Vec<String> = missing.iter().map(|field| one_line(&describe(field))).collect();
    let written: Vec<String> = missing.iter().map(|field| format!("-f {}=…", one_line(&field.name))).collect();
    Err(Error::input(format!("the question also asks for {}", described.join("; ")))
        .with_hint(format!("add {}", written.join(" "))))
}

/// Nothing is asked here; a child may ask.
async fn nothing(client: &Client, view: &ExecutionView, args: &Args) -> Error {
    let short = questions::called(view);
    let children = questions::children(client, view).await;
    let asking =
        children.iter().find_map(|child| Some((child, questions::open(child).first()?.prompt.message.clone())));
    let Some((child, message)) = asking else {
        let what = waiting::waits_for(view).map(|what| format!("; {what}")).unwrap_or_default();
        return Error::input(format!("execution {short} asks nothing: it is {}{what}", view.summary.status))
            .with_hint(format!("`pulse show {short}` shows it"));
    };
    let (title, message) = (one_line(&child.summary.title), shorten(&one_line(message.trim()), 80));
    let (child, option) = (questions::called(child), questions::quoted(&args.option));
    Error::input(format!("execution {short} asks nothing itself: its child {child} ({title}) asks \"{message}\""))
        .with_hint(format!("`pulse respond {child} {option}`"))
}
