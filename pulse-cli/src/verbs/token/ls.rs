//! `pulse token ls`.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::ids;
use crate::render::age::{age, now};
use crate::render::screen::note;
use crate::render::table::Table;
use pulse_core::api::{Page, TokenView};

/// Arguments of `pulse token ls`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print JSON, as the API gives it
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let page: Page<TokenView> = context.client()?.list(&["api", "tokens"], &[], None).await?;
    if args.json {
        context.out.json(&page)?;
        return Ok(Exit::SUCCESS);
    }
    if page.items.is_empty() {
        note("no tokens: `pulse token new NAME` makes one");
        return Ok(Exit::SUCCESS);
    }
    let now = now();
    let short = ids::short(&page.items.iter().map(|token| token.id).collect::<Vec<_>>());
    let mut table = Table::new(&["ID", "NAME", "ROLE", "CREATED BY", "AGE", "EXPIRES"]);
    for (token, id) in page.items.iter().zip(short) {
        let expires = match token.expires_at <= now {
            true => "expired".to_owned(),
            // Seen from there, now is so long ago.
            false => format!("in {}", age(now, token.expires_at)),
        };
        let (role, by) = (token.role.to_string(), token.created_by.clone());
        table.row([id, token.name.clone(), role, by, age(token.created_at, now), expires]);
    }
    table.lines(context.out.style).iter().try_for_each(|line| context.out.line(line))?;
    Ok(Exit::SUCCESS)
}
