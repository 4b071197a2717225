//! Sign-in by a proxy in front of the server, which tells in headers who sent a request: `Remote-User` and
//! `Remote-Groups`, as Authelia names them. They are believed from the addresses of trusted proxies only; from anybody
//! else they are as good as absent.
//!
//! A proxy takes these headers away from what clients send, but it may not know every spelling, and some pass on what
//! only looks like them. So whatever is not exactly as a proxy sends it is refused, and never guessed at.

use super::{Caller, TrustedProxies};
use crate::clock;
use pulse_core::status::Role;
use pulse_core::text::shorten;
use pulse_store::Store;
use ring::hmac;
use std::collections::BTreeSet;
use std::net::IpAddr;
use warp::http::{HeaderMap, HeaderName};

const USER: &str = "remote-user";
const GROUPS: &str = "remote-groups";
/// The headers of a sign-in, as they are shown. Name and address are not read.
const HEADERS: [(&str, &str); 4] = [
    (USER, "Remote-User"),
    (GROUPS, "Remote-Groups"),
    ("remote-name", "Remote-Name"),
    ("remote-email", "Remote-Email"),
];
/// The setting that CSRF tokens are derived with.
const CSRF_KEY: &str = "csrf-key";
/// Characters of a name or a group at most.
const MAX_NAME: usize = 256;

/// Why what a proxy says cannot be believed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHeaders {
    /// One that some program could take for another.
    #[error("the header `{0}` could be taken for `{1}`: the proxy must not pass it on")]
    Lookalike(String, &'static str),
    /// More than one.
    #[error("`{0}` came more than once: the proxy must replace what clients send")]
    Twice(&'static str),
    /// Groups of nobody.
    #[error("`Remote-Groups` came without `Remote-User`: the proxy must send both, or neither")]
    Alone,
    /// No name at all.
    #[error("`Remote-User` is empty: the proxy must leave it out when nobody is signed in")]
    Empty,
    /// No name, or no group.
    #[error("`{0}` holds characters that no name has")]
    Characters(&'static str),
    /// Too long.
    #[error("`{0}` holds a name of more than {MAX_NAME} characters")]
    TooLong(&'static str),
}

/// Who is believed, and what groups mean.
#[derive(Clone, Debug)]
pub struct ProxySettings {
    /// Who is believed.
    pub trusted: TrustedProxies,
    /// The group of administrators.
    pub admin_group: String,
    /// The group of operators; without it no group makes one.
    pub operator_group: Option<String>,
}

/// Reads a proxy's sign-ins.
pub struct ProxySignIn {
    settings: ProxySettings,
    csrf_key: hmac::Key,
}

impl ProxySignIn {
    /// With the key of this installation, which is made when there is somebody to believe for the first time.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(store: &dyn Store, settings: ProxySettings) -> pulse_store::Result<Self> {
        let known = match settings.trusted.is_empty() {
            true => None,
            false => store.setting(CSRF_KEY).await?.filter(|key| key.len() == 32),
        };
        let key = match known {
            Some(key) => key,
            None => {
                let mut key = vec![0; 32];
                clock::fill(&mut key);
                if !settings.trusted.is_empty() {
                    store.put_setting(CSRF_KEY, key.clone()).await?;
                }
                key
            }
        };
        Ok(Self { settings, csrf_key: hmac::Key::new(hmac::HMAC_SHA256, &key) })
    }

    /// Whose guesses are counted; see [`TrustedProxies::client`].
    pub fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        self.settings.trusted.client(headers, peer)
    }

    /// Who a request's headers say that its sender is; `None` when they do not come from a trusted proxy or say nothing.
    ///
    /// # Errors
    /// When a trusted proxy sent what it must not.
    pub fn caller(&self, headers: &HeaderMap, peer: IpAddr) -> Result<Option<Caller>, BadHeaders> {
        if !self.settings.trusted.contains(peer) {
            return Ok(None);
        }
        headers.keys().try_for_each(refuse_lookalike)?;
        for (name, shown) in HEADERS {
            if headers.get_all(name).iter().nth(1).is_some() {
                return Err(BadHeaders::Twice(shown));
            }
        }
        let Some(user) = headers.get(USER) else {
            return if headers.contains_key(GROUPS) { Err(BadHeaders::Alone) } else { Ok(None) };
        };
        let name = text("Remote-User", user.as_bytes())?;
        if name.is_empty() {
            return Err(BadHeaders::Empty);
        }
        check("Remote-User", name)?;
        let groups = text("Remote-Groups", headers.get(GROUPS).map_or(&[], |groups| groups.as_bytes()))?;
        let groups: BTreeSet<&str> =
            groups.split(',').map(|group| group.trim_matches(' ')).filter(|group| !group.is_empty()).collect();
        groups.iter().try_for_each(|group| check("Remote-Groups", group))?;
        let role = match groups {
            _ if groups.contains(self.settings.admin_group.as_str()) => Role::Admin,
            _ if self.settings.operator_group.as_deref().is_some_and(|group| groups.contains(group)) => Role::Operator,
            _ => Role::Viewer,
        };
        let groups = groups.into_iter().map(str::to_owned).collect();
        Ok(Some(Caller { name: name.to_owned(), role, groups, csrf: Some(self.csrf(name)), by_proxy: true }))
    }

    /// What a person's browser has to send with every change. It cannot be guessed, outlasts a restart, and is kept
    /// nowhere: a proxy's sign-in has no session of ours.
    fn csrf(&self, name: &str) -> String {
        let tag = hmac::sign(&self.csrf_key, name.as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Whether a setting names a group that a proxy could send.
///
/// # Errors
/// What is wrong with it.
pub fn check_group(group: &str) -> Result<(), String> {
    if group.is_empty() || group.trim() != group || group.contains(',') || check("", group).is_err() {
        return Err(format!("`{}` is no name of a group", shorten(group, 40)));
    }
    Ok(())
}

/// `remote_user` is another header than `remote-user`, but not to programs that hand headers on as variables.
fn refuse_lookalike(name: &HeaderName) -> Result<(), BadHeaders> {
    let plain = name.as_str().replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    match HEADERS.iter().find(|(known, _)| *known == plain && name.as_str() != *known) {
        Some((_, shown)) => Err(BadHeaders::Lookalike(name.to_string(), shown)),
        None => Ok(()),
    }
}

fn text<'a>(header: &'static str, bytes: &'a [u8]) -> Result<&'a str, BadHeaders> {
    std::str::from_utf8(bytes).map_err(|_| BadHeaders::Characters(header))
}

fn check(header: &'static str, name: &str) -> Result<(), BadHeaders> {
    if name.chars().any(is_odd) {
        return Err(BadHeaders::Characters(header));
    }
    if name.chars().count() > MAX_NAME {
        return Err(BadHeaders::TooLong(header));
    }
    Ok(())
}

/// Characters that cannot be seen, or change how others are: with them one name could look like another. And braces: they are
/// left of a proxy's template that nothing was put into.
fn is_odd(c: char) -> bool {
    let unseen = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{ffff}' | '\u{e0000}'..='\u{e0fff}');
    c.is_control() || (c.is_whitespace() && c != ' ') || matches!(c, '{' | '}') || unseen
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_store::MemoryStore;
    use warp::http::HeaderValue;

    fn proxied(headers: &[(&str, &[u8])]) -> Result<Option<Caller>, BadHeaders> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_bytes(value).unwrap());
        }
        sign_in().caller(&map, [10, 0, 0, 1].into())
    }

    fn sign_in() -> ProxySignIn {
        let settings = ProxySettings {
            trusted: TrustedProxies::parse("10.0.0.1").unwrap(),
            admin_group: "admin".to_owned(),
            operator_group: Some("ops".to_owned()),
        };
        ProxySignIn { settings, csrf_key: hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]) }
    }

    #[test]
    fn groups_give_a_role() {
        let of = |groups: &str| {
            let caller = proxied(&[("Remote-User", b"ada"), ("Remote-Groups", groups.as_bytes())]).unwrap().unwrap();
            (caller.role, caller.groups.join("|"))
        };
        assert_eq!(of(""), (Role::Viewer, String::new()));
        assert_eq!(of("dba, Admin ,,dba"), (Role::Viewer, "Admin|dba".to_owned()));
        assert_eq!(of("ops"), (Role::Operator, "ops".to_owned()));
        assert_eq!(of("ops,admin"), (Role::Admin, "admin|ops".to_owned()));
        assert_eq!(of("Domänen-Admins, on call"), (Role::Viewer, "Domänen-Admins|on call".to_owned()));
        let mut unset = sign_in();
        unset.settings.operator_group = None;
        let mut headers = HeaderMap::new();
        headers.insert(USER, HeaderValue::from_static("ada"));
        headers.insert(GROUPS, HeaderValue::from_static("ops,operator"));
        assert_eq!(unset.caller(&headers, [10, 0, 0, 1].into()).unwrap().unwrap().role, Role::Viewer);
        assert_eq!(unset.caller(&headers, [10, 0, 0, 2].into()), Ok(None));
    }

    #[test]
    fn each_person_has_another_csrf_token() {
        let csrf = |name: &str| proxied(&[("Remote-User", name.as_bytes())]).unwrap().unwrap().csrf.unwrap();
        assert_eq!(csrf("ada"), csrf("ada"));
        assert_ne!(csrf("ada"), csrf("bob"));
    }

    #[tokio::test]
    async fn an_installation_keeps_its_key_and_has_no_other_s() {
        let (one, other) = (MemoryStore::new(), MemoryStore::new());
        let csrf = async |store: &MemoryStore| ProxySignIn::load(store, sign_in().settings).await.unwrap().csrf("ada");
        assert_eq!(csrf(&one).await, csrf(&one).await);
        assert_ne!(csrf(&one).await, csrf(&other).await);
    }

    #[test]
    fn what_no_proxy_should_send_is_refused() {
        assert_eq!(proxied(&[("accept", b"*/*")]), Ok(None));
        assert!(matches!(proxied(&[("Remote-User", "jürgen".as_bytes())]), Ok(Some(_))));
        for name in ["Remote_User", "REMOTE_GROUPS", "remote.user", "remote_email"] {
            let refused = proxied(&[(name, b"x"), ("Remote-User", b"ada")]);
            assert!(matches!(refused, Err(BadHeaders::Lookalike(..))), "{name} {refused:?}");
        }
        for (name, shown) in HEADERS {
            let refused = proxied(&[("Remote-User", b"ada"), (name, b"ada"), (name, b"ada")]);
            assert!(refused == Err(BadHeaders::Twice(shown)) || name == USER, "{name} {refused:?}");
        }
        assert_eq!(proxied(&[("Remote-User", b"ada"), ("remote-user", b"ada")]), Err(BadHeaders::Twice("Remote-User")));
        assert_eq!(proxied(&[("Remote-Groups", b"admin")]), Err(BadHeaders::Alone));
        assert_eq!(proxied(&[("Remote-User", b"")]), Err(BadHeaders::Empty));
        for odd in [
            &b"a\tb"[..],
            b"\xff",
            b"a\xc3",
            "a\u{a0}b".as_bytes(),
            "a\u{200b}".as_bytes(),
            "\u{202e}a".as_bytes(),
            "\u{85}".as_bytes(),
            b"{http.reverse_proxy.header.Remote-User}",
        ] {
            assert_eq!(proxied(&[("Remote-User", odd)]), Err(BadHeaders::Characters("Remote-User")), "{odd:?}");
            let groups = [b"admin,", odd].concat();
            let refused = proxied(&[("Remote-User", b"ada"), ("Remote-Groups", &groups)]);
            assert_eq!(refused, Err(BadHeaders::Characters("Remote-Groups")), "{odd:?}");
        }
        let (longest, too_long) = ("ä".repeat(MAX_NAME), "ä".repeat(MAX_NAME + 1));
        assert!(proxied(&[("Remote-User", longest.as_bytes()), ("Remote-Groups", longest.as_bytes())]).is_ok());
        assert_eq!(proxied(&[("Remote-User", too_long.as_bytes())]), Err(BadHeaders::TooLong("Remote-User")));
        let groups = format!("admin,{too_long}");
        let refused = proxied(&[("Remote-User", b"ada"), ("Remote-Groups", groups.as_bytes())]);
        assert_eq!(refused, Err(BadHeaders::TooLong("Remote-Groups")));
    }
}
