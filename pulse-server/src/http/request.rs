//! What requests go through before a handler: who is asking, where from, and a body of bounded size.

use super::app::App;
use super::problem::ApiError;
use crate::access::{Caller, Credential};
use futures_util::{Stream, StreamExt};
use pulse_core::status::Role;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use warp::http::uri::Authority;
use warp::http::{HeaderMap, Method, Uri, header};
use warp::{Buf, Filter, Rejection};

/// Largest body, in bytes.
pub(super) const MAX_BODY: usize = 1 << 20;
/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);
/// The session cookie's name.
pub(super) const COOKIE: &str = "pulse_session";
/// Items on a page when the client does not say.
const DEFAULT_LIMIT: usize = 50;
/// Items on a page at most.
const MAX_LIMIT: usize = 200;

/// The peer's address, put into every request by the accept loop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub SocketAddr);

/// A clone of what the routes share.
pub(super) fn with(app: Arc<App>) -> impl Filter<Extract = (Arc<App>,), Error = Infallible> + Clone {
    warp::any().map(move || app.clone())
}

/// The caller, who must have at least a role, and must have come from our own pages if a browser sent the request.
pub(super) fn caller(
    app: Arc<App>,
    needed: Role,
) -> impl Filter<Extract = (Result<Caller, ApiError>,), Error = Rejection> + Clone {
    warp::ext::get::<Peer>().and(warp::method()).and(warp::header::headers_cloned()).and(with(app)).then(
        move |peer: Peer, method: Method, headers: HeaderMap, app: Arc<App>| async move {
            let caller = authenticate(&app, &headers, peer.0.ip()).await?;
            if method != Method::GET && method != Method::HEAD {
                check_origin(&app, &headers, &caller)?;
            }
            if !caller.role.covers(needed) {
                return Err(ApiError::Forbidden { needed, is: caller.role });
            }
            Ok(caller)
        },
    )
}

/// Who sent these headers: the holder of a token that they carry, else whom a trusted proxy has signed in, else who has the
/// session of a cookie.
pub(super) async fn authenticate(app: &App, headers: &HeaderMap, peer: IpAddr) -> Result<Caller, ApiError> {
    // Whatever else they carry: a proxy that sends what it must not is not to be worked with.
    let proxied = app.access.proxied(headers, peer)?;
    let credential = match (bearer(headers), proxied, cookie(headers)) {
        (Some(token), ..) => Credential::Token(token.to_owned()),
        (None, Some(caller), _) => {
            return match own_host(app.public_url.as_deref(), headers) {
                Ok(()) => Ok(caller),
                Err(host) => Err(ApiError::BadRequest(format!(
                    "`{host}` is no name of this server, so nobody is signed in by a proxy there: PULSE_PUBLIC_URL says \
                     where browsers reach it"
                ))),
            };
        }
        (None, None, Some(cookie)) => Credential::Session(cookie.to_owned()),
        (None, None, None) => return Err(ApiError::Unauthorized),
    };
    Ok(app.access.caller(&credential, app.access.client(headers, peer)).await??)
}

/// The token of `Authorization: Bearer`.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The session cookie.
pub(super) fn cookie(headers: &HeaderMap) -> Option<&str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// Whether a request was sent to a name of this server: that of its public address, `localhost`, or any number. A page
/// whose own name was made to lead here (DNS rebinding) is of one origin with us, and may send what headers it likes.
///
/// # Errors
/// The name that is none.
fn own_host<'h>(public_url: Option<&str>, headers: &'h HeaderMap) -> Result<(), Cow<'h, str>> {
    let Some(host) = headers.get(header::HOST) else { return Ok(()) };
    let name_of = |authority: &str| authority.parse::<Authority>().ok().map(|it| it.host().to_ascii_lowercase());
    let name = host.to_str().ok().and_then(name_of);
    let public = public_url.and_then(|url| url.parse::<Uri>().ok()).and_then(|url| name_of(url.authority()?.as_str()));
    let is_own = |name: &String| {
        let number = name.trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || number.parse::<IpAddr>().is_ok() || public.as_ref() == Some(name)
    };
    match name.as_ref().is_some_and(is_own) {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&host.as_bytes()[..host.len().min(100)])),
    }
}

/// Whether a request with these headers comes from a page of this server. `None` when it does not say.
pub(super) fn same_origin(app: &App, headers: &HeaderMap) -> Option<bool> {
    let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    if headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Some(false);
    }
    if let Some(origin) = text(header::ORIGIN) {
        let host = text(header::HOST).unwrap_or_default();
        let own =
            |scheme: &str| origin.strip_prefix(scheme).is_some_and(|authority| authority.eq_ignore_ascii_case(host));
        let public = app.public_url.as_deref().is_some_and(|url| url.trim_end_matches('/') == origin);
        return Some(own("http://") || own("https://") || public);
    }
    headers.get("sec-fetch-site").map(|site| site == "same-origin" || site == "none")
}

fn check_origin(app: &App, headers: &HeaderMap, caller: &Caller) -> Result<(), ApiError> {
    match (same_origin(app, headers), &caller.csrf) {
        (Some(false), _) => Err(ApiError::CrossSite("the request comes from another site")),
        (_, None) => Ok(()),
        (None, Some(_)) => Err(ApiError::CrossSite("a browser's change must say its Origin")),
        (Some(true), Some(csrf)) => match headers.get("x-pulse-csrf") {
            Some(sent) if crate::access::hash(sent.to_str().unwrap_or_default()) == crate::access::hash(csrf) => Ok(()),
            _ => Err(ApiError::CrossSite("the X-Pulse-CSRF header is missing or wrong: reload the page")),
        },
    }
}

/// A JSON body of at most [`MAX_BODY`] bytes.
pub(super) fn json<T: DeserializeOwned + Send + 'static>()
-> impl Filter<Extract = (Result<T, ApiError>,), Error = Rejection> + Clone {
    warp::header::optional::<String>("content-type").and(warp::body::stream()).then(
        |content_type: Option<String>, body| async move {
            let media_type = content_type.as_deref().and_then(|value| value.split(';').next()).unwrap_or_default();
            if !media_type.trim().eq_ignore_ascii_case("application/json") {
                return Err(ApiError::MediaType);
            }
            let bytes = read(body, MAX_BODY).await?;
            let text = std::str::from_utf8(&bytes);
            let text = text.map_err(|_| ApiError::BadRequest("the body is no JSON: it is not UTF-8".to_owned()))?;
            serde_json::from_str(&pulse_core::json::exact(text)).map_err(|error| match error.classify() {
                serde_json::error::Category::Data => {
                    ApiError::Invalid { code: "invalid-body", detail: error.to_string() }
                }
                _ => ApiError::BadRequest(format!("the body is no JSON: {error}")),
            })
        },
    )
}

async fn read(body: impl Stream<Item = Result<impl Buf, warp::Error>>, limit: usize) -> Result<Vec<u8>, ApiError> {
    let reading = async {
        let mut body = std::pin::pin!(body);
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await {
            let mut piece = piece.map_err(|error| ApiError::BadRequest(format!("the body broke off: {error}")))?;
            if bytes.len() + piece.remaining() > limit {
                return Err(ApiError::TooLarge { limit });
            }
            while piece.has_remaining() {
                let chunk = piece.chunk();
                bytes.extend_from_slice(chunk);
                let length = chunk.len();
                piece.advance(length);
            }
        }
        Ok(bytes)
    };
    tokio::time::timeout(BODY_TIMEOUT, reading).await.unwrap_or(Err(ApiError::Slow))
}

/// A query parameter, percent-decoded, by its name. Unknown parameters are refused by [`Query::finish`].
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// A query parameter's value; an empty one counts as absent.
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        let index = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(index).1).filter(|value| !value.is_empty())
    }

    /// A value of a type that reads itself from text.
    pub(super) fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>, ApiError> {
        let bad = |error: T::Err| ApiError::Invalid { code: "invalid-query", detail: format!("{name}: {error}") };
        self.take(name).map(|text| text.parse().map_err(bad)).transpose()
    }

    /// How many items are wanted.
    pub(super) fn limit(&mut self) -> Result<usize, ApiError> {
        let limit = self.parse::<usize>("limit")?.unwrap_or(DEFAULT_LIMIT);
        match limit {
            1..=MAX_LIMIT => Ok(limit),
            _ => Err(ApiError::Invalid { code: "invalid-query", detail: format!("limit must be 1 to {MAX_LIMIT}") }),
        }
    }

    /// Refuses what nobody asked for.
    pub(super) fn finish(self) -> Result<(), ApiError> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => {
                let detail = format!("there is no query parameter `{}`", pulse_core::text::shorten(name, 40));
                Err(ApiError::Invalid { code: "invalid-query", detail })
            }
        }
    }
}

/// The query of a request.
pub(super) fn query() -> impl Filter<Extract = (Query,), Error = Infallible> + Clone {
    warp::query::raw().or(warp::any().map(String::new)).unify().map(|raw: String| {
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(name), percent_decode(value))
        };
        Query(raw.split('&').filter(|pair| !pair.is_empty()).map(pair).collect())
    })
}

/// Decodes `%XX` and `+`; what is no UTF-8 is replaced.
pub(super) fn percent_decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits: Vec<u8> = rest.clone().take(2).collect();
                match std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(byte) if digits.len() == 2 => {
                        bytes.push(byte);
                        rest.nth(1);
                    }
                    _ => bytes.push(b'%'),
                }
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A path segment, percent-decoded. `+` stays what it is: it stands for a space only in queries.
pub(super) fn segment() -> impl Filter<Extract = (String,), Error = Rejection> + Copy {
    warp::path::param::<String>().map(|text: String| percent_decode(&text.replace('+', "%2B")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_clients_send() {
        assert_eq!(percent_decode("a%20b+c%2Fd%zz%"), "a b c/d%zz%");
        assert_eq!(percent_decode("%ff%C3%A4"), "\u{fffd}ä");
    }

    #[test]
    fn a_name_that_leads_here_is_not_ours_for_that() {
        let own = |public: Option<&str>, host: &'static str| {
            let headers = HeaderMap::from_iter([(header::HOST, warp::http::HeaderValue::from_static(host))]);
            own_host(public, &headers).is_ok()
        };
        for public in [None, Some("https://pulse.example.org"), Some("https://Pulse.example.org:8443/")] {
            for host in ["127.0.0.1:8080", "10.1.0.4", "[::1]:8080", "[fd00::1]", "localhost:8080", "LOCALHOST"] {
                assert!(own(public, host), "{public:?} {host}");
            }
            for host in
                ["evil.example:8080", "localhost.evil.example", "1.2.3.4.evil.example", "", "a b", "pulse.example"]
            {
                assert!(!own(public, host), "{public:?} {host}");
            }
            assert_eq!(own(public, "pulse.EXAMPLE.org"), public.is_some());
        }
        assert_eq!(own_host(None, &HeaderMap::new()), Ok(()));
    }
}
