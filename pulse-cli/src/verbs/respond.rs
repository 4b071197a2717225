//! `pulse respond`: answers the question an execution waits for.

use super::show;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::ids::short_one;
use crate::render::prompt::{choices, choose};
use pulse_core::api::{PromptView, RespondRequest};
use pulse_core::text::one_line;
use serde_json::{Map, Value};

const MORE: &str = "\
Examples:
  pulse respond 0198c2f4-7a1b Yes
  pulse respond 0198c2f4-7a1b 2

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
    /// Which question, when several are open: the id of its step
    #[arg(long, value_name = "STEP")]
    step: Option<String>,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let client = context.client()?;
    let view = show::fetch(&client, &args.id).await?;
    let (id, short) = (view.summary.id.to_string(), short_one(&view.summary.id));
    let wanted = |prompt: &PromptView| args.step.as_ref().is_none_or(|step| *step == prompt.step.as_str());
    let all = if view.prompts.is_empty() { view.prompt.into_iter().collect() } else { view.prompts };
    let open: Vec<PromptView> = all.into_iter().filter(wanted).collect();
    if open.len() > 1 {
        let steps = open.iter().map(|prompt| prompt.step.to_string()).collect::<Vec<_>>().join(", ");
        return Err(Error::input(format!("execution {short} asks several questions: {steps}"))
            .with_hint("say which with --step STEP"));
    }
    let Some(prompt) = open.into_iter().next() else {
        return Err(Error::input(format!("execution {short} asks nothing: it is {}", view.summary.status))
            .with_hint(format!("`pulse show {short}` shows it")));
    };
    let Some(option) = choose(&prompt.options, &args.option) else {
        return Err(Error::input(format!("`{}` is none of the answers", args.option))
            .with_hint(format!("answer with {}", choices(&prompt.options))));
    };
    let mut fields = Map::new();
    for field in &args.fields {
        let (name, value) = field
            .split_once('=')
            .ok_or_else(|| Error::usage(format!("`{field}` is no NAME=VALUE"), "like -f count=3"))?;
        fields.insert(name.to_owned(), Value::String(value.to_owned()));
    }
    let body = RespondRequest { response: option.value.clone(), prompt_id: Some(prompt.id), fields };
    client.post_quietly(&["api", "executions", &id, "respond"], &body).await?;
    context.out.line(&format!("answered: {}", one_line(&option.label)))?;
    Ok(Exit::SUCCESS)
}
