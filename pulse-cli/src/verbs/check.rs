//! `pulse check`: what is wrong with definitions, without a server.

use crate::context::Context;
use crate::definition;
use crate::error::Error;
use crate::exit::Exit;
use crate::local::Library;
use pulse_core::api::CheckResult;
use pulse_core::diagnostic::{Diagnostic, Diagnostics, Severity};
use pulse_core::explain;
use pulse_core::text::{one_line, shorten};
use pulse_engine::Loaded;
use std::path::{Path, PathBuf};

const MORE: &str = "\
Exits with 1 when a definition has errors, with 2 when a file cannot be read; warnings alone leave it at 0.

Examples:
  pulse check disk-check.yaml
  pulse check --json *.yaml
  pulse check --explain W003
  pulse check --explain list";

/// Arguments of `pulse check`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// Definitions (YAML or JSON); - for standard input
    #[arg(required_unless_present = "explain", value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Tell what a code means, why it matters and how to mend it; `list` shows all codes
    #[arg(long, value_name = "CODE", conflicts_with_all = ["files", "json"])]
    explain: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    if let Some(code) = &args.explain {
        return explain(code, context);
    }
    let (mut valid, mut unread) = (true, false);
    let mut results = serde_json::Map::new();
    for path in &args.files {
        let source = match definition::read(path) {
            Ok(source) => source,
            Err(error) => {
                // The others are looked at all the same.
                crate::report(&error, context);
                unread = true;
                continue;
            }
        };
        let loaded = with_children(pulse_engine::load(&source), path);
        let good = !loaded.diagnostics.iter().any(|found| found.severity == Severity::Error);
        valid &= good;
        let file = path.display().to_string();
        if args.json {
            let graph = loaded.workflow.as_ref().map(pulse_engine::graph);
            let result = CheckResult { valid: good, diagnostics: loaded.diagnostics, graph };
            results.insert(file, serde_json::to_value(result).map_err(|error| Error::Output(error.into()))?);
            continue;
        }
        let lines: Vec<&str> = source.lines().collect();
        for diagnostic in &loaded.diagnostics {
            show(&file, &lines, diagnostic, context)?;
        }
        if loaded.diagnostics.is_empty() {
            context.out.line(&format!("{file}: no findings"))?;
        }
    }
    if args.json {
        context.out.json(&results)?;
    }
    Ok(match (unread, valid) {
        (true, _) => Exit::USAGE,
        (false, true) => Exit::SUCCESS,
        (false, false) => Exit::FAILED,
    })
}

/// Adds what is wrong with what its steps give to children that are defined beside it.
fn with_children(mut loaded: Loaded, path: &Path) -> Loaded {
    let Some(workflow) = loaded.workflow.as_ref().filter(|_| path != Path::new("-")) else { return loaded };
    let mut library = Library::beside(path);
    let mut diagnostics = Diagnostics::from_found(std::mem::take(&mut loaded.diagnostics));
    for (_, child) in workflow.children().into_iter().filter(|(_, child)| !child.params.is_empty()) {
        // One that is not here, or has mistakes itself, is looked at by the server.
        if let Some((name, plan)) = library.get(&child.workflow.text) {
            child.check_secrets(name, &plan.workflow.params, &mut diagnostics);
        }
    }
    loaded.diagnostics = diagnostics.into_sorted();
    loaded
}

/// How much of a line is shown, in characters.
const WIDTH: usize = 160;

/// A finding with the line it is about and a caret below its place.
fn show(file: &str, lines: &[&str], diagnostic: &Diagnostic, context: &mut Context) -> Result<(), Error> {
    let style = context.out.style;
    let Diagnostic { code, severity, message, line, column, help, .. } = diagnostic;
    let kind = match severity {
        Severity::Error => style.red(&format!("error[{code}]")),
        Severity::Warning => style.yellow(&format!("warning[{code}]")),
    };
    context.out.line(&format!("{file}:{line}:{column}: {kind}: {}", one_line(message)))?;
    if let Some(text) = lines.get((*line as usize).saturating_sub(1)) {
        let before = (*column as usize).saturating_sub(1);
        // Of a long line, as a document in JSON often is, what stands around the place.
        let left_out = if before < WIDTH - 40 { 0 } else { before - 60 };
        let part: String =
            text.chars().skip(left_out).take(WIDTH + 1).map(|c| if c == '\t' { ' ' } else { c }).collect();
        let dots = if left_out > 0 { "…" } else { "" };
        context.out.line(&format!("  {line:>4} | {dots}{}", shorten(&one_line(&part), WIDTH)))?;
        context.out.line(&format!("       | {}^", " ".repeat(before - left_out + dots.chars().count())))?;
    }
    context.out.line(&format!("       = {}", one_line(help)))
}

/// Prints the entry of a code, or one line for each.
fn explain(code: &str, context: &mut Context) -> Result<Exit, Error> {
    let style = context.out.style;
    if code == "list" {
        for entry in explain::entries() {
            context.out.line(&format!("{}  {}", style.bold(entry.code.as_str()), entry.code.summary()))?;
        }
        return Ok(Exit::SUCCESS);
    }
    let unknown = |nearest: &str| {
        let hint = format!("did you mean {nearest}? `pulse check --explain list` shows all codes");
        Error::usage(format!("there is no code `{}`", shorten(code, 40)), hint)
    };
    let code = explain::find(code).map_err(unknown)?;
    let entry =
        explain::entry(code).ok_or_else(|| Error::input(format!("nothing is written about {}", code.as_str())))?;
    context.out.write(&entry.text(|heading| style.bold(heading)))?;
    Ok(Exit::SUCCESS)
}
