//! One try of one call.

use super::SigningKey;
use super::address::{Allowed, refusal};
use super::names::{Guard, Names, NoAddress};
use pulse_core::text::{one_line, shorten};
use pulse_store::NewDelivery;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use std::net::IpAddr;
use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;

/// How long a connection may take to be made, encryption and the look-up of the name included.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a try may take in all.
pub(super) const LONGEST: Duration = Duration::from_secs(10);
/// Why nothing is sent by a server without a key.
const NO_KEY: &str = "this server has no key to seal the webhooks' key with, so it signs none: set PULSE_DATA_KEY, like with \
                      `openssl rand -hex 32`";
/// How much of an answer is read.
const READ_BYTES: usize = 4 * 1024;
/// How many characters of it are kept.
const KEPT_CHARS: usize = 500;

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried {
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// The beginning of the answer.
    pub answer: Option<String>,
    /// Why it failed; none when it was taken.
    pub error: Option<String>,
    /// Whether trying again is of no use.
    pub is_final: bool,
}

impl Tried {
    fn failed(error: impl Into<String>) -> Self {
        Self { status: None, answer: None, error: Some(error.into()), is_final: false }
    }

    fn for_good(error: impl Into<String>) -> Self {
        Self { is_final: true, ..Self::failed(error) }
    }
}

/// Makes calls.
pub(super) struct Caller {
    key: Option<SigningKey>,
    /// Said once.
    keyless: Once,
    allowed: Allowed,
    guard: Arc<Guard>,
    plain: OnceLock<Client>,
    /// Made when it is needed first: reading the system's certificates takes a while, and there may be none.
    encrypted: OnceLock<Client>,
}

impl Caller {
    pub(super) fn new(key: Option<SigningKey>, allowed: Allowed, names: Arc<dyn Names>) -> Self {
        let guard = Arc::new(Guard { names, allowed: allowed.clone() });
        Self { key, keyless: Once::new(), allowed, guard, plain: OnceLock::new(), encrypted: OnceLock::new() }
    }

    /// Tries once. Takes no longer than [`LONGEST`].
    pub(super) async fn call(&self, what: &NewDelivery) -> Tried {
        let url = match destination(&what.url, &self.allowed) {
            Ok(url) => url,
            Err(error) => return Tried::for_good(error),
        };
        let Some(key) = &self.key else {
            self.keyless.call_once(|| tracing::warn!("webhooks wait: {NO_KEY}"));
            return Tried::failed(NO_KEY);
        };
        let client = match self.client(url.scheme() == "https") {
            Ok(client) => client,
            Err(error) => return Tried::failed(reason(error)),
        };
        let (timestamp, signature) = key.sign(&what.body);
        let request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("X-Pulse-Delivery", what.id.to_string())
            .header("X-Pulse-Timestamp", timestamp)
            .header("X-Pulse-Signature", signature)
            .body(what.body.clone());
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return Tried::failed(reason(error)),
        };
        let status = response.status();
        let error = match status {
            status if status.is_success() => None,
            status if status.is_redirection() => {
                Some(format!("answered {}; a redirect is not followed", status.as_u16()))
            }
            status => Some(format!("answered {}", status.as_u16())),
        };
        Tried { status: Some(status.as_u16()), answer: beginning(response).await, error, is_final: false }
    }

    fn client(&self, is_encrypted: bool) -> Result<Client, reqwest::Error> {
        let kept = if is_encrypted { &self.encrypted } else { &self.plain };
        if let Some(client) = kept.get() {
            return Ok(client.clone());
        }
        // For a program that has not chosen its cryptography itself.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .dns_resolver(self.guard.clone())
            // Neither a proxy of the environment nor a redirect leads elsewhere than what was checked.
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            // Each try looks the name up and is checked anew.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .timeout(LONGEST)
            .user_agent(concat!("pulse/", env!("CARGO_PKG_VERSION")));
        if !is_encrypted {
            builder = builder.tls_certs_only([]);
        }
        let client = builder.build()?;
        Ok(kept.get_or_init(|| client).clone())
    }
}

/// Where a call goes, if it may: an address that stands in the URL itself is looked up nowhere, so it is checked here. The
/// URL has it in one spelling, however it was written.
fn destination(text: &str, allowed: &Allowed) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("the address of the webhook cannot be read: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("the address of the webhook is none of http or https".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        allowed.check(address).map_err(|what| refusal(host, address, what))?;
    }
    Ok(url)
}

/// Host and port of a webhook's address; nothing for one that cannot be read.
pub(super) fn host_of(url: &str) -> String {
    let host = |url: Url| Some(format!("{}:{}", url.host_str()?, url.port_or_known_default()?));
    Url::parse(url).ok().and_then(host).unwrap_or_default()
}

/// A webhook's address as it may be shown: without user, password and query, which often hold a secret.
pub fn shown_url(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else { return "an address that cannot be read".to_owned() };
    // Both fail for addresses without a host only, which have neither.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// The beginning of an answer, as far as it comes.
async fn beginning(mut response: reqwest::Response) -> Option<String> {
    let mut bytes = Vec::new();
    while bytes.len() < READ_BYTES
        && let Ok(Some(piece)) = response.chunk().await
    {
        bytes.extend_from_slice(&piece[..piece.len().min(READ_BYTES - bytes.len())]);
    }
    let text: String = String::from_utf8_lossy(&bytes).chars().take(KEPT_CHARS).collect();
    Some(text).filter(|text| !text.is_empty())
}

/// Why there was no answer, in one line, and never with the address: it may hold a secret.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &(dyn std::error::Error + 'static) = &error;
    while let Some(next) = cause.source() {
        cause = next;
        if cause.is::<NoAddress>() {
            break;
        }
    }
    let text = match cause.downcast_ref::<NoAddress>() {
        Some(error) => error.to_string(),
        None if error.is_timeout() && error.is_connect() => format!("no connection within {} s", CONNECT.as_secs()),
        None if error.is_timeout() => format!("no answer within {} s", LONGEST.as_secs()),
        None if error.is_connect() => format!("no connection: {cause}"),
        None => format!("no answer: {cause}"),
    };
    shorten(&one_line(&text), KEPT_CHARS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_a_url_are_refused_in_every_spelling() {
        let none = Allowed::default();
        for wrong in [
            "http://127.0.0.1/",
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0177.0.0.1/",
            "http://0x7f.1/",
            "http://127.0.0.1./",
            "http://0/",
            "http://017700000001/",
            "http://1%32%37.0.0.1/",
            "http://①②⑦.0.0.1/",
            "http://127。0。0。1/",
            "http://[::1]:8080/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[0:0:0:0:0:0:0:1]/",
            "http://user@10.0.0.1/",
            "http:\\\\10.0.0.1\\x",
            "https://169.254.169.254/latest/meta-data",
            "https://[fe80::1]/",
            "https://[64:ff9b::a00:1]/",
            "https://[2002:a00:1::]/",
            "https://3232235777/",
            "https://255.255.255.255/",
        ] {
            let refused = destination(wrong, &none).unwrap_err();
            assert!(refused.contains("PULSE_WEBHOOK_ALLOW does not allow it"), "{wrong}: {refused}");
        }
        for wrong in
            ["", "ftp://example.com/", "http://", "http://1.2.3.4.5.6/", "https://a b/", "http://[fe80::1%25eth0]/"]
        {
            let refused = destination(wrong, &none).unwrap_err();
            assert!(refused.starts_with("the address of the webhook"), "{wrong}: {refused}");
        }
        for fine in ["https://hooks.example/x", "http://8.8.8.8/", "https://[2606:4700::1111]:8443/x?y#z"] {
            assert!(destination(fine, &none).is_ok(), "{fine}");
        }
        assert!(destination("http://2130706433:8080/", &Allowed::parse("127.0.0.0/8").unwrap()).is_ok());
    }

    #[test]
    fn what_is_shown_of_an_address_holds_no_secret() {
        let shown = shown_url("https://ann:hunter2@hooks.example:8443/a/b?token=hunter2#hunter2");
        assert_eq!(shown, "https://hooks.example:8443/a/b");
        assert!(!shown_url("hunter2").contains("hunter2"));
        assert_eq!(host_of("https://ann:x@Hooks.Example/a"), "hooks.example:443");
        assert_eq!(host_of("http://0x7f.1:81/"), "127.0.0.1:81");
        assert_eq!(host_of("nothing"), "");
    }
}
