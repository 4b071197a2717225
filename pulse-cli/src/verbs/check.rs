//! `pulse check`: what is wrong with definitions, without a server.

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use pulse_core::api::CheckResult;
use pulse_core::diagnostic::{Diagnostic, Severity};
use pulse_core::text::{one_line, shorten};
use std::path::PathBuf;

/// Arguments of `pulse check`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Definitions (YAML or JSON)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let mut valid = true;
    let mut results = serde_json::Map::new();
    for path in &args.files {
        let source = std::fs::read_to_string(path)
            .map_err(|error| Error::File { path: path.clone(), reason: error.to_string() })?;
        let loaded = pulse_engine::load(&source);
        valid &= loaded.plan.is_some();
        let file = path.display().to_string();
        if args.json {
            let graph = loaded.workflow.as_ref().map(pulse_engine::graph);
            let result = CheckResult { valid: loaded.plan.is_some(), diagnostics: loaded.diagnostics, graph };
            results.insert(file, serde_json::to_value(result).map_err(|error| Error::Output(error.into()))?);
            continue;
        }
        for diagnostic in &loaded.diagnostics {
            show(&file, &source, diagnostic, context)?;
        }
        if loaded.diagnostics.is_empty() {
            context.out.line(&format!("{file}: no findings"))?;
        }
    }
    if args.json {
        context.out.json(&results)?;
    }
    Ok(if valid { Exit::SUCCESS } else { Exit::FAILED })
}

/// A finding with the line it is about and a caret below its place.
fn show(file: &str, source: &str, diagnostic: &Diagnostic, context: &mut Context) -> Result<(), Error> {
    let style = context.out.style;
    let Diagnostic { code, severity, message, line, column, help, .. } = diagnostic;
    let kind = match severity {
        Severity::Error => style.red(&format!("error[{code}]")),
        Severity::Warning => style.yellow(&format!("warning[{code}]")),
    };
    context.out.line(&format!("{file}:{line}:{column}: {kind}: {}", one_line(message)))?;
    if let Some(text) = source.lines().nth((*line as usize).saturating_sub(1)) {
        let before: String = text.chars().take((*column as usize).saturating_sub(1)).collect();
        let indent: String = before.chars().map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        context.out.line(&format!("  {line:>4} | {}", shorten(&one_line(&text.replace('\t', " ")), 160)))?;
        if before.chars().count() < 160 {
            context.out.line(&format!("       | {}^", indent.replace('\t', " ")))?;
        }
    }
    if let Some(help) = help {
        context.out.line(&format!("       = {}", one_line(help)))?;
    }
    Ok(())
}
