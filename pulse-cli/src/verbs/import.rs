//! `pulse import`: takes over definitions of the first PULSE.

use crate::client::Client;
use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use crate::import::{Imported, Item, import, read};
use pulse_core::api::{WorkflowPut, WorkflowView};
use pulse_core::text::one_line;
use serde::Serialize;
use serde_json::Value;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Larger than any dump of workflows; a limit, so that a wrong file does not fill the memory.
const LARGEST: u64 = 64 * 1024 * 1024;

const MORE: &str = "\
Takes JSON as the first PULSE stored it: a row of the table `workflows` with its `definition`, a
list of rows, a bare {\"params\", \"steps\"}, or an export of the table. For each workflow it tells
what was taken, what is written differently so that it still does the same, and what to look at.
One with errors is not imported at all, and the exit code is 1.

Without --out, definitions are stored on the server. Schedules and workers are not imported by
this version.

Examples:
  pulse import workflows.json --out workflows/
  pulse import workflows.json
  pulse import --replace workflow.json";

/// Arguments of `pulse import`.
#[derive(Debug, clap::Args)]
#[command(after_help = MORE)]
pub struct Args {
    /// Dumps (JSON)
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Write YAML files there instead of storing on the server
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Replace what has the same name and is different
    #[arg(long)]
    replace: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What became of a definition, in the end.
#[derive(Serialize)]
struct Told {
    #[serde(flatten)]
    imported: Imported,
    /// `stored`, `written`, `unchanged`, or nothing.
    done: Option<String>,
    /// Why it was not imported.
    reason: Option<String>,
}

/// Everything that came of a call.
#[derive(Default, Serialize)]
struct Outcome {
    workflows: Vec<Told>,
    /// What is not imported, as lines.
    left: Vec<String>,
}

/// Where definitions go.
enum Goal<'a> {
    Server(Client),
    Folder(&'a Path),
}

pub(super) async fn run(args: Args, context: &mut Context) -> Result<Exit, Error> {
    let goal = match &args.out {
        Some(folder) => Goal::Folder(folder),
        None => Goal::Server(context.client()?),
    };
    let mut outcome = Outcome::default();
    let mut names = HashSet::new();
    for file in &args.files {
        let place = file.display().to_string();
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let items = read(&text(file)?, &place, &stem)
            .map_err(|reason| Error::File { path: file.clone(), reason: one_line(&reason) })?;
        for item in items {
            match item {
                Item::Workflow(row) => {
                    let imported = import(&row);
                    let twice = !names.insert(imported.name.to_lowercase());
                    let told = one(imported, twice, &goal, args.replace).await?;
                    if !args.json {
                        tell(&told, context)?;
                    }
                    outcome.workflows.push(told);
                }
                Item::Other { table, count } => outcome
                    .left
                    .push(format!("{place}: {table} ({count}) are not imported: this version imports workflows only")),
                Item::Unknown { place, reason } => outcome.left.push(format!("{place}: not imported: {reason}")),
            }
        }
    }
    if args.json {
        context.out.json(&outcome)?;
    } else {
        outcome.left.iter().try_for_each(|line| context.out.line(&one_line(line)))?;
        let done = outcome.workflows.iter().filter(|told| told.done.is_some()).count();
        context.out.line(&format!("{done} of {} workflows imported", outcome.workflows.len()))?;
    }
    let all = outcome.left.is_empty() && outcome.workflows.iter().all(|told| told.done.is_some());
    Ok(if all { Exit::SUCCESS } else { Exit::FAILED })
}

fn text(file: &Path) -> Result<String, Error> {
    use std::io::Read as _;
    let failed = |reason: String| Error::File { path: file.to_owned(), reason };
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| failed(error.to_string()))?;
    let read = opened.take(LARGEST + 1).read_to_string(&mut text).map_err(|error| failed(error.to_string()))?;
    if read as u64 > LARGEST {
        return Err(failed("a dump has at most 64 MiB".to_owned()));
    }
    Ok(text)
}

/// Brings one definition to its goal, unless something keeps it from there.
async fn one(mut imported: Imported, twice: bool, goal: &Goal<'_>, replace: bool) -> Result<Told, Error> {
    let Some(text) = imported.text.take() else {
        let reason = "it has errors".to_owned();
        return Ok(Told { imported, done: None, reason: Some(reason) });
    };
    if twice {
        let reason = "another workflow before it has the same name".to_owned();
        return Ok(Told { imported, done: None, reason: Some(reason) });
    }
    let result = match goal {
        Goal::Server(client) => store(client, &imported.name, text, replace).await?,
        Goal::Folder(folder) => write(folder, &imported.name, &text, replace)?,
    };
    let (done, reason) = match result {
        Ok(done) => (Some(done), None),
        Err(reason) => (None, Some(reason)),
    };
    Ok(Told { imported, done, reason })
}

/// Stores a definition. What was done, or why nothing was.
async fn store(client: &Client, name: &str, text: String, replace: bool) -> Result<Result<String, String>, Error> {
    let stored: Option<WorkflowView> = match client.get(&["api", "workflows", name], &[]).await {
        Ok(view) => Some(view),
        Err(error) if error.status() == Some(404) => None,
        Err(error) => return Err(error),
    };
    let body = |definition| WorkflowPut { name: None, description: None, definition, webhook: None };
    let saved: Result<WorkflowView, Error> = match stored {
        Some(stored) if stored.definition == text => return Ok(Ok("unchanged on the server".to_owned())),
        Some(_) if !replace => {
            let reason = "the server has another workflow of this name; --replace gives it a new version";
            return Ok(Err(reason.to_owned()));
        }
        Some(stored) => {
            let id = stored.summary.id.to_string();
            client.put(&["api", "workflows", &id], stored.summary.version, &body(Value::String(text))).await
        }
        None => client.post(&["api", "workflows"], &body(Value::String(text))).await,
    };
    match saved {
        Ok(view) => Ok(Ok(format!("stored, version {}", view.summary.version))),
        // What the server finds in one definition does not keep the others from being imported.
        Err(Error::Refused { problem, .. }) if matches!(problem.status, 400 | 409 | 412 | 422) => {
            Ok(Err(format!("the server refused it: {}", one_line(&problem.detail))))
        }
        Err(error) => Err(error),
    }
}

/// Writes a definition into a folder. What was done, or why nothing was.
fn write(folder: &Path, name: &str, text: &str, replace: bool) -> Result<Result<String, String>, Error> {
    let path = folder.join(format!("{}.yaml", file_name(name)));
    let failed = |error: std::io::Error| Error::File { path: path.clone(), reason: error.to_string() };
    let shown = path.display();
    match std::fs::read_to_string(&path) {
        Ok(there) if there == text => return Ok(Ok(format!("unchanged: {shown}"))),
        Ok(_) if !replace => return Ok(Err(format!("{shown} is there already and different; --replace replaces it"))),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
        _ => {}
    }
    std::fs::create_dir_all(folder).map_err(failed)?;
    crate::files::replace(&path, text).map_err(failed)?;
    Ok(Ok(format!("written: {shown}")))
}

/// A name that is a file's name everywhere: letters, digits, `-` and `_`. Other names get a number from their text, so
/// that no two names share a file.
fn file_name(name: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c.to_ascii_lowercase() } else { '-' };
    let simple: String = name.chars().map(fit).take(80).collect();
    let simple = simple.trim_matches('-');
    if simple == name.to_lowercase() && !simple.is_empty() {
        return simple.to_owned();
    }
    // FNV-1a: the same in every version, and of the name in the case in which names are told apart.
    let hash = name
        .to_lowercase()
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("{}-{hash:08x}", if simple.is_empty() { "workflow" } else { simple })
}

fn tell(told: &Told, context: &mut Context) -> Result<(), Error> {
    let style = context.out.style;
    let Told { imported, done, reason } = told;
    context.out.line(&format!("{} ({})", style.bold(&one_line(&imported.name)), one_line(&imported.from)))?;
    if !imported.taken.is_empty() {
        context.out.line(&format!("  taken: {}", imported.taken))?;
    }
    for (word, remarks) in [("changed", &imported.changed), ("look at", &imported.look)] {
        for remark in remarks {
            let path = if remark.path.is_empty() { String::new() } else { format!("{}: ", remark.path) };
            context.out.line(&format!("  {word}: {}", one_line(&format!("{path}{}", remark.text))))?;
        }
    }
    for finding in &imported.findings {
        let code = style.red(&format!("error[{}]", finding.code));
        let path = if finding.path.is_empty() { "definition" } else { finding.path.as_str() };
        let [path, message, help] = [path, &finding.message, &finding.help].map(one_line);
        context.out.line(&format!("  {code}: {path}: {message} ({help})"))?;
    }
    match (done, reason) {
        (Some(done), _) => context.out.line(&format!("  {}", style.green(&one_line(done)))),
        (None, reason) => {
            let reason = reason.as_deref().unwrap_or_default();
            context.out.line(&format!("  {} {}", style.red("not imported:"), one_line(reason)))
        }
    }
}
