//! A server's address: checked once, then only extended.

use crate::error::Error;
use reqwest::Url;
use std::fmt;

/// The base address of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// When it is no `http` or `https` address, or holds credentials, a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let bad = |reason: &str, hint: String| {
            Err(Error::input(format!("`{text}` is no server address: {reason}")).with_hint(hint))
        };
        let example = || "write it like http://127.0.0.1:8080".to_owned();
        let mut url = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            _ if !text.contains("://") && Url::parse(&format!("http://{text}")).is_ok() => {
                return bad("it must start with http:// or https://", format!("did you mean http://{text}?"));
            }
            _ => return bad("it must start with http:// or https://", example()),
        };
        if !url.username().is_empty() || url.password().is_some() {
            // Not repeated in the message: it may hold a secret.
            return Err(Error::input("the server address holds a user name or password")
                .with_hint("give the token with PULSE_TOKEN or `pulse login`, not in the address"));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return bad("it must end with the host, the port or a path", example());
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }

    /// The address of a resource under it. Each segment is percent-encoded.
    ///
    /// # Errors
    /// When a segment is empty or only dots, which no name is.
    pub fn join(&self, segments: &[&str]) -> Result<Url, Error> {
        let mut url = self.0.clone();
        if let Some(bad) = segments.iter().find(|segment| matches!(**segment, "" | "." | "..")) {
            return Err(Error::input(format!("`{bad}` is no name and no id")));
        }
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        Ok(url)
    }

    /// The address of its WebSocket.
    pub fn socket(&self) -> String {
        let text = self.to_string();
        let socket = text.strip_prefix("http").map_or_else(|| text.clone(), |rest| format!("ws{rest}"));
        format!("{socket}/ws")
    }

    /// Whether it is this very machine.
    pub fn is_loopback(&self) -> bool {
        match self.0.host_str() {
            Some("localhost" | "[::1]") => true,
            Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback()),
            None => false,
        }
    }

    /// Whether the way to it is encrypted.
    pub fn is_tls(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extends_without_losing_its_path() {
        let address = Address::parse("https://ops.example/pulse/").unwrap();
        assert_eq!(address.to_string(), "https://ops.example/pulse");
        assert_eq!(address.join(&["api", "a b/c"]).unwrap().as_str(), "https://ops.example/pulse/api/a%20b%2Fc");
        assert_eq!(address.socket(), "wss://ops.example/pulse/ws");
        let local = Address::parse(" http://127.0.0.1:8080 ").unwrap();
        assert_eq!(local.join(&["api"]).unwrap().as_str(), "http://127.0.0.1:8080/api");
        assert_eq!(local.socket(), "ws://127.0.0.1:8080/ws");
        assert!(local.is_loopback() && !address.is_loopback());
        assert!(local.join(&["api", ".."]).is_err() && local.join(&["api", ""]).is_err());
    }

    #[test]
    fn says_what_is_wrong() {
        let hint = |text: &str| Address::parse(text).unwrap_err().hint().unwrap();
        assert_eq!(hint("localhost:8080"), "did you mean http://localhost:8080?");
        assert_eq!(hint("ftp://x"), "write it like http://127.0.0.1:8080");
        assert!(!format!("{}", Address::parse("http://u:secret@x").unwrap_err()).contains("secret"));
    }
}
