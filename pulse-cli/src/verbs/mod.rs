//! The verbs: one file each, with its arguments and what it does. To add one: a file, a line in [`Verb`], a line in
//! [`dispatch`], and its name in the right group of `help.rs`.

mod abort;
mod bench;
mod check;
mod completions;
mod exec;
mod fmt;
mod graph;
mod import;
mod login;
mod logs;
mod ps;
mod questions;
mod recorded;
mod replay;
mod respond;
mod run;
mod schema;
mod server;
mod show;
mod targets;
mod test;
mod token;
mod up;
mod waiting;
mod webhook;
mod worker;
mod workflow;

use crate::context::Context;
use crate::error::Error;
use crate::exit::Exit;
use clap::Subcommand;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Start server, one worker and dashboard in this process
    Up(Box<up::Args>),
    /// Run a workflow, follow it, answer its questions
    Run(run::Args),
    /// Run one command on workers
    Exec(exec::Args),
    /// List executions, the latest first
    Ps(ps::Args),
    /// Show one execution: steps, values, an open question
    Show(show::Args),
    /// Print the output of an execution's commands
    Logs(logs::Args),
    /// Answer the question an execution waits for
    Respond(respond::Args),
    /// Stop an execution and what it runs on workers
    Abort(abort::Args),
    /// Push a recorded execution through its definition, or an edited one
    Replay(replay::Args),
    /// Look for mistakes in definitions, without a server
    Check(check::Args),
    /// Run offline tests of workflows, without a server
    Test(test::Args),
    /// Draw a definition's steps and ways
    Graph(graph::Args),
    /// Bring definitions into one layout
    Fmt(fmt::Args),
    /// Print the language as JSON Schema, for editors
    Schema(schema::Args),
    /// Take over definitions of the first PULSE
    Import(import::Args),
    /// Start the server alone
    Server(Box<server::Args>),
    /// List, print, store and remove workflows
    Workflow(workflow::Args),
    /// Run a worker; or list, show and remove workers
    Worker(worker::Args),
    /// Make, list and remove API tokens
    Token(token::Args),
    /// Print the key that webhooks are signed with; call one again
    Webhook(webhook::Args),
    /// Remember a server and a token for it
    Login(login::Args),
    /// Try this program under faults
    Bench(bench::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// Runs a verb.
///
/// # Errors
/// Whatever keeps it from doing its work.
pub async fn dispatch(verb: Verb, context: &mut Context) -> Result<Exit, Error> {
    match verb {
        Verb::Up(args) => up::run(*args, context).await,
        Verb::Test(args) => test::run(args, context).await,
        Verb::Replay(args) => replay::run(args, context).await,
        Verb::Check(args) => check::run(&args, context),
        Verb::Graph(args) => graph::run(&args, context),
        Verb::Fmt(args) => fmt::run(&args, context),
        Verb::Schema(args) => schema::run(&args, context),
        Verb::Import(args) => import::run(args, context).await,
        Verb::Server(args) => server::run(*args, context).await,
        Verb::Run(args) => run::run(args, context).await,
        Verb::Exec(args) => exec::run(args, context).await,
        Verb::Ps(args) => ps::run(args, context).await,
        Verb::Show(args) => show::run(args, context).await,
        Verb::Logs(args) => logs::run(args, context).await,
        Verb::Respond(args) => respond::run(args, context).await,
        Verb::Abort(args) => abort::run(args, context).await,
        Verb::Workflow(args) => workflow::run(args.verb, context).await,
        Verb::Worker(args) => worker::run(args, context).await,
        Verb::Token(args) => token::run(args.verb, context).await,
        Verb::Webhook(args) => webhook::run(args.verb, context).await,
        Verb::Login(args) => login::run(args, context).await,
        Verb::Bench(args) => bench::run(args, context).await,
        Verb::Completions(args) => completions::run(&args, context),
    }
}

/// A worker's error as the command line shows it.
fn worker_error(error: &pulse_worker::Error) -> Error {
    let shown = Error::input(pulse_core::text::one_line(&error.to_string()));
    match error.hint() {
        Some(hint) => shown.with_hint(hint),
        None => shown,
    }
}
