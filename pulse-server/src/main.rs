//! The server as a binary of its own: parse, build, run.

use clap::Parser;
use tokio_util::sync::CancellationToken;

/// Runs a PULSE server.
#[derive(Parser)]
#[command(name = "pulse-server", version)]
struct Cli {
    #[command(flatten)]
    args: pulse_server::Args,
}

fn main() -> anyhow::Result<()> {
    pulse_server::load_dotenv()?;
    let cli = Cli::parse();
    pulse_server::check_environment()?;
    pulse_server::init_logging("info")?;
    let config = pulse_server::Config::try_from(cli.args)?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let stop = CancellationToken::new();
        let running = pulse_server::start(config, stop.clone()).await?;
        println!("{}", running.sign_in_link());
        tokio::spawn(async move {
            pulse_server::stop_signal().await;
            stop.cancel();
        });
        Ok(running.finished().await?)
    })
}
