//! `pulse token rm`.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use pulse_core::api::{Page, TokenView};
use pulse_core::text::one_line;

/// Arguments of `pulse token rm`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the token, its first characters, or its name
    token: String,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let client = context.client()?;
    let page: Page<TokenView> = client.list(&["api", "tokens"], &[], None).await?;
    let meant = |token: &&TokenView| token.name == args.token || token.id.to_string().starts_with(&args.token);
    let hint = "`pulse token ls` lists the tokens";
    let found: Vec<&TokenView> = page.items.iter().filter(meant).filter(|_| !args.token.is_empty()).collect();
    let token = match found.as_slice() {
        [token] => token,
        [] => return Err(Error::input(format!("there is no token `{}`", args.token)).with_hint(hint)),
        many => {
            let message = format!("`{}` means {} tokens", args.token, many.len());
            return Err(Error::input(message).with_hint(format!("give an id; {hint}")));
        }
    };
    client.delete(&["api", "tokens", &token.id.to_string()]).await?;
    context.out.line(&format!("removed: {}", one_line(&token.name)))?;
    Ok(Exit::SUCCESS)
}
