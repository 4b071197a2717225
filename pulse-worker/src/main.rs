//! The thin binary: `pulse-worker` is `pulse worker` on its own.

use clap::Parser;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

/// Runs commands for a PULSE server.
#[derive(Parser)]
#[command(name = "pulse-worker", version)]
struct Cli {
    /// URL of the server
    #[arg(long, env = "PULSE_SERVER", value_name = "URL", default_value = "http://localhost:8080")]
    server: String,
    #[command(flatten)]
    worker: pulse_worker::Args,
}

fn main() -> ExitCode {
    if let Some(exit) = pulse_worker::supervise_if_asked(std::env::args_os()) {
        return exit;
    }
    match pulse_worker::fault::install().map_err(anyhow::Error::msg).and_then(|()| start()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // There may be no room to say it.
            let mut err = std::io::stderr();
            let _ = writeln!(err, "error: {}", pulse_core::text::one_line(&format!("{error:#}")));
            if let Some(hint) = error.downcast_ref::<pulse_worker::Error>().and_then(pulse_worker::Error::hint) {
                let _ = writeln!(err, "hint: {hint}");
            }
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<()> {
    // Before flags are parsed, for it gives values to them, and before there are threads.
    pulse_worker::dotenv::load()?;
    let cli = Cli::parse();
    let config = cli.worker.into_config(&cli.server)?;
    start_log()?;
    // A worker waits for the most part: a few threads serve any machine.
    let threads = std::thread::available_parallelism().map_or(2, |n| n.get().clamp(2, 4));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let (mut term, mut int) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let asked = stop.clone();
        tokio::spawn(async move {
            tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
            tracing::info!("stopping");
            asked.cancel();
        });
        Ok(pulse_worker::run(config, stop).await?)
    })
}

fn start_log() -> anyhow::Result<()> {
    let filter = match std::env::var("PULSE_LOG") {
        Ok(text) if !text.is_empty() => {
            EnvFilter::try_new(text).map_err(|error| anyhow::anyhow!("PULSE_LOG: {error}"))?
        }
        _ => EnvFilter::new("info"),
    };
    let coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    // A log that cannot be written is no reason to stop; the subscriber's own complaint about it would be a panic.
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(coloured)
        .log_internal_errors(false);
    match std::env::var("PULSE_LOG_FORMAT").as_deref() {
        Ok("json") => log.json().init(),
        Ok("text" | "") | Err(_) => log.init(),
        Ok(other) => anyhow::bail!("PULSE_LOG_FORMAT: `{other}` is neither text nor json"),
    }
    Ok(())
}
