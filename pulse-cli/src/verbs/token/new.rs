//! `pulse token new`: the secret alone on standard output, so that a script can take it.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::render::screen::note;
use clap::builder::PossibleValuesParser;
use pulse_core::api::{NewToken, TokenCreated};
use pulse_core::status::Role;

const MORE: &str = "\
Examples:
  pulse token new laptop --role admin
  pulse token new ci --role operator --expires-days 30 > token.txt";

/// Arguments of `pulse token new`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// What it is for
    name: String,
    /// What it may do: look, also start and answer, or everything
    #[arg(long, value_name = "ROLE", default_value = "operator", value_parser = PossibleValuesParser::new(Role::ALL.iter().map(|r| r.as_str())))]
    role: String,
    /// Days until it stops working [default: 90]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=3650))]
    expires_days: Option<u32>,
    /// Print JSON, as the API gives it
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let role: Role = args.role.parse().map_err(|_| Error::input(format!("`{}` is no role", args.role)))?;
    let body = NewToken { name: args.name, role, expires_days: args.expires_days };
    let created: TokenCreated = context.client()?.post(&["api", "tokens"], &body).await?;
    if args.json {
        context.out.json(&created)?;
        return Ok(Exit::SUCCESS);
    }
    context.out.line(&created.token)?;
    context.out.flush()?;
    let view = &created.view;
    note(&format!("{} ({}), works until {}; it is not shown again", view.name, view.role, view.expires_at));
    Ok(Exit::SUCCESS)
}
