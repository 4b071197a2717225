//! `pulse replay`: an execution's journal pushed once more through its definition, or through an edited one.

use super::recorded::Recorded;
use crate::context::Context;
use crate::definition;
use crate::error::Error;
use crate::exit::Exit;
use crate::ids::short_one;
use crate::render::values::count;
use pulse_core::text::one_line;
use pulse_engine::testing::{Replay, Sameness, replay};
use std::path::PathBuf;

const MORE: &str = "\
Without --with, the journal must come out as it is: the same inputs give the same decisions.
With --with, what is recorded goes through the edited definition, and the first place where it would have gone another
way is shown. Nothing runs and nothing is stored.

Exit codes: 0 the same way, 1 another way.

Examples:
  pulse replay 0198c2f4-7a1b --with disk-check.yaml
  pulse replay 0198c2f4-7a1b";

/// Arguments of `pulse replay`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// Id of the execution, or its first characters as `pulse ps` shows them
    id: String,
    /// An edited definition
    #[arg(long, value_name = "FILE")]
    with: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let edited = args.with.as_deref().map(definition::read).transpose()?;
    let recorded = Recorded::fetch(&context.client()?, &args.id).await?;
    let (what, text, sameness) = match (&args.with, &edited) {
        (Some(file), Some(text)) => (file.display().to_string(), text, Sameness::Way),
        _ => ("the definition that it ran".to_owned(), &recorded.definition, Sameness::Exact),
    };
    let loaded = pulse_engine::load(text);
    let Some(plan) = loaded.plan else {
        let first = loaded.diagnostics.iter().find(|finding| finding.code.starts_with('E'));
        let first = first.map(ToString::to_string).unwrap_or_default();
        return Err(Error::input(format!("{what} has mistakes: {}", one_line(&first)))
            .with_hint("`pulse check FILE` shows all of them"));
    };
    let replay = replay(&plan, recorded.id, &recorded.journal, &recorded.workers, sameness);
    match args.json {
        true => context.out.json(&replay)?,
        false => show(&replay, &short_one(&recorded.id), context)?,
    }
    Ok(if replay.difference.is_none() { Exit::SUCCESS } else { Exit::FAILED })
}

fn show(replay: &Replay, id: &str, context: &mut Context) -> Result<(), Error> {
    let style = context.out.style;
    let out = &mut context.out;
    for note in &replay.notes {
        out.line(&format!("{} {}", style.yellow("–"), one_line(note)))?;
    }
    let entries = count(replay.agreed, "entry").replace("entrys", "entries");
    let Some(difference) = &replay.difference else {
        return out.line(&format!("{} execution {id} goes the same way: {entries}", style.green("✓")));
    };
    out.line(&format!("{} execution {id} goes another way after {entries}", style.red("✗")))?;
    for (before, seq) in difference.before.iter().zip(difference.seq.0.saturating_sub(difference.before.len() as u64)..)
    {
        out.line(&style.dim(&format!("  {seq:>5}  {}", one_line(before))))?;
    }
    let seq = difference.seq.0;
    let recorded = difference.recorded.as_deref().unwrap_or("(the journal ends here)");
    let now = difference.now.as_deref().unwrap_or("nothing happens");
    out.line(&format!("  {seq:>5}  {} {}", style.bold("recorded:"), one_line(recorded)))?;
    out.line(&format!("  {seq:>5}  {} {}", style.bold("now:     "), one_line(now)))
}
