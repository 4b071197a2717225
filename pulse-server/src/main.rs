//! The server as a binary of its own: parse, build, run.

use clap::Parser;
use std::io::Write as _;
use tokio_util::sync::CancellationToken;

/// Runs a PULSE server.
#[derive(Parser)]
#[command(name = "pulse-server", version)]
struct Cli {
    #[command(flatten)]
    args: pulse_server::Args,
    /// Make the summaries of executions again from their journals, and end; the server must not run
    #[arg(long)]
    rebuild: bool,
}

fn main() -> anyhow::Result<()> {
    pulse_server::load_dotenv()?;
    let cli = Cli::parse();
    pulse_server::check_environment()?;
    pulse_server::init_logging("info,sea_orm_migration=warn")?;
    let config = pulse_server::Config::try_from(cli.args)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        if cli.rebuild {
            let rebuilt = pulse_server::rebuild(config).await?;
            let mut out = std::io::stdout();
            writeln!(out, "{}", rebuilt.line())?;
            rebuilt.damaged.iter().try_for_each(|line| writeln!(out, "{line}"))?;
            return rebuilt.damage().map_or(Ok(()), |damage| Err(anyhow::anyhow!(damage)));
        }
        let stop = CancellationToken::new();
        let running = pulse_server::start(config, stop.clone()).await?;
        // Whoever started it may not listen.
        let _ = writeln!(std::io::stdout(), "{}", running.sign_in_link());
        tokio::spawn(async move {
            pulse_server::stop_signal().await;
            stop.cancel();
        });
        Ok(running.finished().await?)
    })
}
