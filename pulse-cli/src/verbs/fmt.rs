//! `pulse fmt`: definitions in one layout.

use crate::context::Context;
use crate::definition;
use crate::error::Error;
use crate::exit::Exit;
use crate::format::{Refused, format};
use crate::render::screen::note;
use pulse_core::text::one_line;
use std::path::{Path, PathBuf};

const MORE: &str = "\
What it does: blocks are indented by two spaces, lists also below their key; blanks at the ends
of lines go, as do blanks inside {…} and […]; several blank lines become one; 'text' becomes
\"text\" where that needs no escaping; lines end with LF.

What it does not do: it keeps every comment, every value, the order of keys, the text after | and
>, and which lists and mappings stand on one line. It breaks no long lines. The result is read
again: where anything but the layout would change, the file stays as it is and the reason is
told. That is so for text after |2 that would move, and for |+ with blank lines behind it.

Examples:
  pulse fmt *.yaml
  pulse fmt --check *.yaml
  pulse fmt - < disk-check.yaml";

/// Arguments of `pulse fmt`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// Definitions, changed in place; - formats standard input to standard output
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Change nothing; exit with 1 when a file is not formatted
    #[arg(long)]
    check: bool,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let mut exit = Exit::SUCCESS;
    for path in &args.files {
        if !one(path, args.check, context)? {
            exit = Exit::FAILED;
        }
    }
    Ok(exit)
}

/// Formats one file. Whether all is well with it.
fn one(path: &Path, check: bool, context: &mut Context) -> Result<bool, Error> {
    let source = definition::read(path)?;
    let file = path.display();
    let text = match format(&source) {
        Ok(text) => text,
        Err(refused) => {
            note(&format!("{file}: {refused}"));
            if let Refused::Unreadable(findings) = refused {
                findings.iter().for_each(|finding| note(&format!("  {file}:{}", one_line(&finding.to_string()))));
            }
            return Ok(false);
        }
    };
    let same = text == source;
    if check {
        if !same {
            context.out.line(&format!("not formatted: {file}"))?;
        }
        return Ok(same);
    }
    if path == Path::new("-") {
        context.out.write(&text)?;
    } else if !same {
        crate::files::replace(path, &text)
            .map_err(|error| Error::File { path: path.to_owned(), reason: error.to_string() })?;
        context.out.line(&format!("formatted: {file}"))?;
    }
    Ok(true)
}
