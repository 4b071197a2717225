//! `pulse graph`: a definition's steps and ways as a picture, or as text for programs that draw.

use crate::context::Context;
use crate::definition;
use crate::error::Error;
use crate::exit::Exit;
use pulse_engine::draw;
use std::path::PathBuf;

const MORE: &str = "\
Examples:
  pulse graph disk-check.yaml
  pulse graph disk-check.yaml --format svg > disk-check.svg
  pulse graph disk-check.yaml --format dot | dot -Tpng -o disk-check.png";

/// Arguments of `pulse graph`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// The definition (YAML or JSON); - for standard input
    file: PathBuf,
    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Mermaid)]
    format: Format,
}

/// What to print.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// A flowchart for Mermaid, as in Markdown on many sites
    Mermaid,
    /// A graph for Graphviz
    Dot,
    /// A picture
    Svg,
}

pub(super) fn run(args: &Args, context: &mut Context) -> Result<Exit, Error> {
    let source = definition::read(&args.file)?;
    let loaded = pulse_engine::load(&source);
    let file = args.file.display();
    let workflow = match loaded.workflow {
        Some(workflow) if loaded.plan.is_some() => workflow,
        _ => {
            let message = format!("{file} has errors: only a definition without any is drawn");
            return Err(Error::input(message).with_hint(format!("`pulse check {file}` shows them")));
        }
    };
    let graph = pulse_engine::graph(&workflow);
    let stem = args.file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let title = workflow.name.unwrap_or(stem);
    let text = match args.format {
        Format::Mermaid => draw::mermaid(&graph),
        Format::Dot => draw::dot(&graph, &title),
        Format::Svg => draw::svg(&graph, &title)
            .map_err(|error| Error::input(format!("{file}: {error}")).with_hint("use --format mermaid or dot"))?,
    };
    context.out.write(&text)?;
    Ok(Exit::SUCCESS)
}
