//! The worker's flags and environment, and the configuration they make. Shared by the thin binary and `pulse worker`.

use crate::supervisor::client::Program;
use crate::{Config, Error, machine};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use tokio_tungstenite::tungstenite::http::Uri;

/// Where the server's worker endpoint lies below its URL.
const ENDPOINT: &str = "/ws/worker";
/// Longest name and label, in characters: they stand in every list.
const LONGEST_NAME: usize = 128;
/// What people find in examples and forget to change, without punctuation.
const EXAMPLE_KEYS: [&str; 12] = [
    "changeme",
    "changethis",
    "replaceme",
    "example",
    "examplekey",
    "yourkey",
    "yourkeyhere",
    "yourapikey",
    "yourapikeyhere",
    "yourworkerapikey",
    "workerapikey",
    "secret",
];

/// Flags of a worker. Each can come from the environment or from `.env` instead.
///
/// Everything is text here, so that a value that makes no sense is refused by [`Args::into_config`] in words that name it.
#[derive(Clone, clap::Args)]
#[group(skip)]
pub struct Args {
    /// Name of this worker [default: the host name]
    #[arg(long, env = "WORKER_NAME", value_name = "NAME")]
    pub name: Option<String>,
    /// WebSocket URL of the server [default: made from the server's URL]
    #[arg(long, env = "PULSE_WS", value_name = "URL")]
    pub ws: Option<String>,
    /// Key of this worker; better given by the environment, where other users cannot see it
    #[arg(long, env = "WORKER_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub key: Option<String>,
    /// Seconds between heartbeats, until the server says otherwise
    #[arg(long, env = "HEARTBEAT_INTERVAL", value_name = "SECONDS", default_value = "30")]
    pub heartbeat_interval: String,
    /// How many commands run at once [default: 5, or one per core where there are more]
    #[arg(long, env = "MAX_CONCURRENT_TASKS", value_name = "N")]
    pub max_concurrent_tasks: Option<String>,
    /// Labels for target selectors, as role=db,site=berlin
    #[arg(long, env = "PULSE_WORKER_LABELS", value_name = "K=V,…")]
    pub labels: Option<String>,
    /// Directory for the worker's id and unfinished business
    #[arg(long, env = "PULSE_WORKER_STATE", value_name = "DIR", default_value = "./pulse-worker-state")]
    pub state: PathBuf,
}

impl Args {
    /// Checks everything and makes the configuration. `server` is the server's `http://` or `https://` URL, of which
    /// nothing is used when `ws` is given.
    ///
    /// # Errors
    /// [`Error::Setting`] for the first setting that is missing or makes no sense.
    pub fn into_config(self, server: &str) -> Result<Config, Error> {
        let given = |value: Option<String>| value.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty());
        let server = match given(self.ws) {
            Some(ws) => endpoint("PULSE_WS", &ws, &[("ws", "ws"), ("wss", "wss")])?,
            None => endpoint("PULSE_SERVER", server.trim(), &[("http", "ws"), ("https", "wss")])?,
        };
        let name = given(self.name).unwrap_or_else(machine::hostname);
        check_name("WORKER_NAME", &name)?;
        let heartbeat = number("HEARTBEAT_INTERVAL", &self.heartbeat_interval, 1..=3600)?;
        let capacity = match given(self.max_concurrent_tasks) {
            Some(text) => number("MAX_CONCURRENT_TASKS", &text, 1..=10_000)?,
            None => default_capacity(),
        };
        if self.state.as_os_str().is_empty() {
            return Err(Error::setting("PULSE_WORKER_STATE", "is empty"));
        }
        Ok(Config {
            server,
            key: key(given(self.key))?,
            name,
            labels: labels(given(self.labels).as_deref().unwrap_or_default())?,
            capacity,
            state_dir: self.state,
            heartbeat: Duration::from_secs(heartbeat.into()),
            supervisor: Program::this(),
        })
    }
}

/// How many commands run at once when nobody says: 5, or one per core where there are more.
pub fn default_capacity() -> u32 {
    machine::cores().max(5)
}

/// The worker endpoint below a URL; `schemes` maps each scheme that may stand there to the one that is used.
fn endpoint(setting: &'static str, url: &str, schemes: &[(&str, &str)]) -> Result<String, Error> {
    let hint = || format!("like {}://pulse.example.org:8080", schemes[0].0);
    let bad = |reason: &str| Error::setting_with_hint(setting, format!("`{url}` {reason}"), hint());
    let uri: Uri = url.parse().map_err(|_| bad("is not a URL"))?;
    let Some((_, scheme)) = uri.scheme_str().and_then(|given| schemes.iter().find(|(name, _)| *name == given)) else {
        return Err(bad(&format!("does not start with {}:// or {}://", schemes[0].0, schemes[1].0)));
    };
    let authority = uri.authority().map(|a| a.as_str()).filter(|a| !a.is_empty()).ok_or_else(|| bad("has no host"))?;
    if authority.contains('@') {
        return Err(Error::setting(setting, "must not hold a user or password: the key goes into WORKER_API_KEY"));
    }
    if uri.query().is_some() {
        return Err(bad("must not have a query"));
    }
    let path = uri.path().trim_end_matches('/');
    let path = path.strip_suffix(ENDPOINT).unwrap_or(path);
    Ok(format!("{scheme}://{authority}{path}{ENDPOINT}"))
}

fn key(key: Option<String>) -> Result<String, Error> {
    const HINT: &str = "the server's admin makes one, or shares the enrolment key";
    let key = key.ok_or_else(|| Error::setting_with_hint("WORKER_API_KEY", "is not set", HINT))?;
    let plain: String = key.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    if EXAMPLE_KEYS.contains(&plain.as_str()) || key.starts_with('<') {
        return Err(Error::setting_with_hint("WORKER_API_KEY", "still has an example value", HINT));
    }
    if !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::setting_with_hint("WORKER_API_KEY", "has characters that no key has", HINT));
    }
    Ok(key)
}

fn number(setting: &'static str, text: &str, range: std::ops::RangeInclusive<u32>) -> Result<u32, Error> {
    text.trim().parse().ok().filter(|n| range.contains(n)).ok_or_else(|| {
        let (from, to) = (range.start(), range.end());
        Error::setting(setting, format!("`{text}` is not a whole number from {from} to {to}"))
    })
}

fn check_name(setting: &'static str, name: &str) -> Result<(), Error> {
    if name.chars().count() > LONGEST_NAME {
        return Err(Error::setting(setting, format!("is longer than {LONGEST_NAME} characters")));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::setting(setting, "has control characters"));
    }
    Ok(())
}

fn labels(text: &str) -> Result<BTreeMap<String, String>, Error> {
    const SETTING: &str = "PULSE_WORKER_LABELS";
    let mut labels = BTreeMap::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let bad =
            |reason: &str| Error::setting_with_hint(SETTING, format!("`{part}` {reason}"), "like role=db,site=berlin");
        let (label, value) = part.split_once('=').ok_or_else(|| bad("has no `=`"))?;
        let (label, value) = (label.trim(), value.trim());
        if label.is_empty() || label.ends_with('!') || value.contains('=') {
            return Err(bad("is not label=value"));
        }
        check_name(SETTING, part)?;
        if labels.insert(label.to_owned(), value.to_owned()).is_some() {
            return Err(bad("gives a label twice"));
        }
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args() -> Args {
        Args {
            name: Some("w1".into()),
            ws: None,
            key: Some("k-4711".into()),
            heartbeat_interval: "30".into(),
            max_concurrent_tasks: None,
            labels: None,
            state: "state".into(),
        }
    }

    #[test]
    fn urls_become_the_worker_endpoint() {
        let server = |server: &str, ws: Option<&str>| {
            Args { ws: ws.map(Into::into), ..args() }.into_config(server).map(|c| c.server)
        };
        assert_eq!(server("http://localhost:8080", None).unwrap(), "ws://localhost:8080/ws/worker");
        assert_eq!(server("https://pulse.example.org/base/", None).unwrap(), "wss://pulse.example.org/base/ws/worker");
        assert_eq!(server("ignored", Some("ws://[::1]:9")).unwrap(), "ws://[::1]:9/ws/worker");
        assert_eq!(server("ignored", Some("wss://h/ws/worker")).unwrap(), "wss://h/ws/worker");
        for bad in ["localhost:8080", "ftp://x", "http://", "http://u:p@h", "http://h/?q=1", "ws://h"] {
            let error = server(bad, None).unwrap_err().to_string();
            assert!(error.starts_with("PULSE_SERVER: "), "{bad}: {error}");
        }
    }

    #[test]
    fn a_bad_value_is_named() {
        let error = |args: Args| args.into_config("http://localhost:8080").unwrap_err().to_string();
        assert!(error(Args { key: None, ..args() }).starts_with("WORKER_API_KEY: is not set"));
        assert!(error(Args { key: Some("Change-Me".into()), ..args() }).contains("example value"));
        assert!(error(Args { key: Some("a\u{e9}b".into()), ..args() }).starts_with("WORKER_API_KEY"));
        assert!(error(Args { heartbeat_interval: "soon".into(), ..args() }).contains("HEARTBEAT_INTERVAL: `soon`"));
        assert!(error(Args { max_concurrent_tasks: Some("0".into()), ..args() }).starts_with("MAX_CONCURRENT_TASKS"));
        assert!(error(Args { labels: Some("role".into()), ..args() }).starts_with("PULSE_WORKER_LABELS: `role`"));
        assert!(error(Args { labels: Some("a=1,a=2".into()), ..args() }).contains("twice"));
    }

    #[test]
    fn the_key_is_not_shown() {
        let config = args().into_config("http://localhost:8080").unwrap();
        assert!(!format!("{config:?}").contains("4711"));
        assert_eq!(config.capacity, machine::cores().max(5));
    }
}
