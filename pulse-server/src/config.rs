//! Settings: flags, then environment, then `.env`, then defaults. What cannot be understood stops the start.

use crate::Error;
use crate::access::{ProxySettings, TrustedProxies, check_group};
use crate::fleet::{LOST_GRACE, Limits};
use crate::secrets::DataKey;
use crate::webhooks::Allowed;
use std::net::SocketAddr;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Every `PULSE_*` variable that any part of PULSE reads. Another one is a misspelling, and stops the start.
const KNOWN: &[&str] = &[
    "PULSE_ADMIN_GROUP",
    "PULSE_ADMIN_TOKEN",
    "PULSE_DATABASE_SYNCHRONOUS",
    "PULSE_DATABASE_URL",
    "PULSE_DATA",
    "PULSE_DATA_KEY",
    "PULSE_FAULT",
    "PULSE_LEGACY_AGENTS",
    "PULSE_LISTEN",
    "PULSE_LOG",
    "PULSE_LOG_FORMAT",
    "PULSE_LOST_GRACE_SECONDS",
    "PULSE_OPERATOR_GROUP",
    "PULSE_OUTPUT_LIMIT_MIB",
    "PULSE_PUBLIC_URL",
    "PULSE_RETENTION_DAYS",
    "PULSE_SERVER",
    "PULSE_SKIP_WEB",
    "PULSE_TOKEN",
    "PULSE_TRUSTED_PROXIES",
    "PULSE_WEBHOOK_ALLOW",
    "PULSE_WORKER_LABELS",
    "PULSE_WORKER_STATE",
    "PULSE_WS",
];

/// The database of a server that is told nothing.
const DEFAULT_DATABASE: &str = "sqlite://pulse-data/pulse.db";
const DAY: Duration = Duration::from_secs(86_400);
/// Shortest key or token that is taken.
const MIN_SECRET: usize = 24;
/// Words that only stand in examples.
const EXAMPLES: &[&str] = &["changeme", "change-me", "change_me", "example", "secret", "your-", "xxxx", "replace"];

/// How log lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// How hard commits are pressed to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Synchronous {
    /// Each commit survives a power loss.
    #[default]
    Full,
    /// A power loss may take the last moment's commits.
    Normal,
}

/// The server's settings as flags and environment variables.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Where to listen; port 0 takes a free one
    #[arg(long, env = "PULSE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// The database: sqlite://PATH, mysql://… or postgres://… [default: sqlite://pulse-data/pulse.db]
    #[arg(long, env = "PULSE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Whether a commit is pressed to the disk (full) or may be lost with the power (normal)
    #[arg(long, env = "PULSE_DATABASE_SYNCHRONOUS", value_enum, default_value_t, value_name = "full|normal")]
    pub database_synchronous: Synchronous,
    /// Where browsers reach the server, when it is not where it listens
    #[arg(long, env = "PULSE_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// A bootstrap admin token, 24 characters or more
    #[arg(long, env = "PULSE_ADMIN_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub admin_token: Option<String>,
    /// Proxies whose Remote-User and Remote-Groups are believed: their addresses or networks, separated by commas [default: none]
    #[arg(long, env = "PULSE_TRUSTED_PROXIES", value_name = "CIDR,…")]
    pub trusted_proxies: Option<String>,
    /// The group whose members are administrators
    #[arg(long, env = "PULSE_ADMIN_GROUP", value_name = "GROUP", default_value = "admin")]
    pub admin_group: String,
    /// The group whose members are operators; everybody else whom a proxy signs in is a viewer [default: none]
    #[arg(long, env = "PULSE_OPERATOR_GROUP", value_name = "GROUP")]
    pub operator_group: Option<String>,
    /// The key with which workers enrol, 24 characters or more
    #[arg(long, env = "WORKER_API_KEY", hide_env_values = true, value_name = "KEY")]
    pub worker_key: Option<String>,
    /// The key that secret parameters and the webhooks' key are sealed with; without it there are neither: 32 bytes as 64 hex digits or Base64
    #[arg(long, env = "PULSE_DATA_KEY", hide_env_values = true, value_name = "KEY")]
    pub data_key: Option<String>,
    /// How much of a command's output is kept, in MiB: half of it from its head, half from its tail
    #[arg(long, env = "PULSE_OUTPUT_LIMIT_MIB", value_name = "MIB", default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=4096))]
    pub output_limit_mib: u64,
    /// How long after its own time limit a command on a worker that cannot be reached is given up as lost
    #[arg(long, env = "PULSE_LOST_GRACE_SECONDS", value_name = "SECONDS", default_value_t = LOST_GRACE.as_secs(), value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub lost_grace_seconds: u64,
    /// Serve agents of the first PULSE, too: their heartbeat, and their socket at `/`
    #[arg(long, env = "PULSE_LEGACY_AGENTS", value_parser = clap::builder::BoolishValueParser::new())]
    pub legacy_agents: bool,
    /// Delete executions so many days after they ended; looked for every ten minutes [default: never]
    #[arg(long, env = "PULSE_RETENTION_DAYS", value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub retention_days: Option<u32>,
    /// Networks that webhooks may lead to though they are not public, like 10.20.0.0/16,127.0.0.1 [default: none]
    #[arg(long, env = "PULSE_WEBHOOK_ALLOW", value_name = "NETWORKS")]
    pub webhook_allow: Option<String>,
}

/// Checked settings.
#[derive(Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The database.
    pub database_url: String,
    /// How it is opened.
    pub database: pulse_store::OpenOptions,
    /// Where browsers reach the server.
    pub public_url: Option<String>,
    /// A bootstrap admin token.
    pub admin_token: Option<String>,
    /// The proxies that sign people in, and what groups mean.
    pub proxy: ProxySettings,
    /// The key with which workers enrol.
    pub worker_key: Option<String>,
    /// The key that secrets are sealed with.
    pub data_key: Option<DataKey>,
    /// How much of a command's output is kept, and when one counts as lost.
    pub limits: Limits,
    /// Whether agents of the first PULSE are served.
    pub legacy_agents: bool,
    /// How long executions are kept after they ended; for ever when not given.
    pub retention: Option<Duration>,
    /// Where webhooks may lead besides public addresses.
    pub webhook_allow: Allowed,
}

impl TryFrom<Args> for Config {
    type Error = Error;

    fn try_from(args: Args) -> Result<Self, Error> {
        for (name, secret) in [("PULSE_ADMIN_TOKEN", &args.admin_token), ("WORKER_API_KEY", &args.worker_key)] {
            if let Some(secret) = secret {
                check_secret(name, secret)?;
            }
        }
        if let Some(url) = &args.public_url
            && !(url.starts_with("http://") || url.starts_with("https://"))
        {
            return Err(Error::config("PULSE_PUBLIC_URL", format!("`{url}` is no http:// or https:// URL")));
        }
        for (name, group) in
            [("PULSE_ADMIN_GROUP", Some(&args.admin_group)), ("PULSE_OPERATOR_GROUP", args.operator_group.as_ref())]
        {
            group.map_or(Ok(()), |group| check_group(group)).map_err(|reason| Error::config(name, reason))?;
        }
        let trusted = TrustedProxies::parse(args.trusted_proxies.as_deref().unwrap_or_default())
            .map_err(|reason| Error::config("PULSE_TRUSTED_PROXIES", reason))?;
        let synchronous = match args.database_synchronous {
            Synchronous::Full => pulse_store::Synchronous::Full,
            Synchronous::Normal => pulse_store::Synchronous::Normal,
        };
        Ok(Self {
            listen: args.listen,
            database_url: args.database_url.unwrap_or_else(|| DEFAULT_DATABASE.to_owned()),
            database: pulse_store::OpenOptions { synchronous, ..Default::default() },
            public_url: args.public_url,
            admin_token: args.admin_token,
            proxy: ProxySettings { trusted, admin_group: args.admin_group, operator_group: args.operator_group },
            worker_key: args.worker_key,
            data_key: args.data_key.as_deref().map(DataKey::parse).transpose()?,
            limits: Limits {
                output_bytes: args.output_limit_mib * 1024 * 1024,
                lost_grace: Duration::from_secs(args.lost_grace_seconds),
            },
            legacy_agents: args.legacy_agents,
            retention: args.retention_days.map(|days| DAY * days),
            webhook_allow: Allowed::parse(args.webhook_allow.as_deref().unwrap_or_default())?,
        })
    }
}

fn check_secret(name: &str, secret: &str) -> Result<(), Error> {
    let lower = secret.to_lowercase();
    if EXAMPLES.iter().any(|word| lower.starts_with(word)) {
        return Err(Error::config(
            name,
            "is left at an example value: make your own, like with `openssl rand -hex 32`",
        ));
    }
    if secret.chars().count() < MIN_SECRET {
        return Err(Error::config(name, format!("has fewer than {MIN_SECRET} characters")));
    }
    Ok(())
}

/// Whether some part of PULSE reads a `PULSE_*` variable.
pub fn is_setting(name: &str) -> bool {
    KNOWN.contains(&name)
}

/// Refuses `PULSE_*` variables that nothing reads.
///
/// # Errors
/// The first one, with the nearest that exists.
pub fn check_environment() -> Result<(), Error> {
    let mut names: Vec<String> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    names.sort();
    match names.iter().find(|name| name.starts_with("PULSE_") && !is_setting(name)) {
        None => Ok(()),
        Some(name) => {
            let nearest = pulse_core::diagnostic::did_you_mean(name, KNOWN.iter().copied());
            let known = || format!("known are {}", KNOWN.join(", "));
            Err(Error::config(name, format!("is no setting: {}", nearest.unwrap_or_else(known))))
        }
    }
}

/// Reads `.env` in the working directory, if there is one. What the environment has already stays.
///
/// # Errors
/// When it is there and cannot be read.
pub fn load_dotenv() -> Result<(), Error> {
    match dotenvy::from_path(".env") {
        Ok(()) => Ok(()),
        Err(dotenvy::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        // The line itself may hold a secret.
        Err(dotenvy::Error::LineParse(_, position)) => {
            Err(Error::config(".env", format!("a line cannot be read (at its character {position})")))
        }
        Err(error) => Err(Error::config(".env", error.to_string())),
    }
}

/// Starts logging to standard error. `PULSE_LOG` filters it.
///
/// # Errors
/// When the filter cannot be read.
pub fn init_logging(default: &str) -> Result<(), Error> {
    let text = std::env::var("PULSE_LOG").unwrap_or_else(|_| default.to_owned());
    let filter = EnvFilter::try_new(&text).map_err(|error| Error::config("PULSE_LOG", error.to_string()))?;
    let format = match std::env::var("PULSE_LOG_FORMAT").as_deref() {
        Err(_) | Ok("text") => LogFormat::Text,
        Ok("json") => LogFormat::Json,
        Ok(other) => return Err(Error::config("PULSE_LOG_FORMAT", format!("`{other}` is neither text nor json"))),
    };
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr()) && std::env::var_os("NO_COLOR").is_none();
    // A log that cannot be written (a full disk, a pipe whose reader is gone) is no reason to stop: the subscriber's own
    // complaint about it would be a panic of whoever has something to say.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(ansi)
        .log_internal_errors(false);
    // A second start within one process (tests) keeps the first one's logging.
    let _ = match format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    Ok(())
}
