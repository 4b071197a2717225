//! Which addresses a webhook may lead to: those of the public internet, and what the configuration allows besides. Else
//! whoever may store a workflow could have the server call what only the server can reach.

use crate::Error;
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};

/// The variable that allows more.
const NAME: &str = "PULSE_WEBHOOK_ALLOW";

/// Everything that is not public, with a word for it: the special-purpose registries of IANA (RFC 6890 and its
/// successors). IPv6 addresses outside of 2000::/3 are no public ones either. Those with an IPv4 address in them are all
/// refused, whatever it is: they are another way to write it, or lead through a translator that is not known here.
static SPECIAL: LazyLock<Vec<(IpNet, &'static str)>> = LazyLock::new(|| {
    [
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "a private address"),
        ("127.0.0.0/8", "a loopback address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "an address for documentation"),
        ("192.88.99.0/24", "a reserved address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "an address for benchmarks"),
        ("198.51.100.0/24", "an address for documentation"),
        ("203.0.113.0/24", "an address for documentation"),
        ("224.0.0.0/4", "a multicast address"),
        ("255.255.255.255/32", "a broadcast address"),
        ("240.0.0.0/4", "a reserved address"),
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("::ffff:0:0/96", "an IPv4 address in an IPv6 one"),
        ("::/96", "an IPv4 address in an IPv6 one"),
        ("64:ff9b::/96", "an IPv4 address in an IPv6 one"),
        ("64:ff9b:1::/48", "an IPv4 address in an IPv6 one"),
        ("2001::/32", "an IPv4 address in an IPv6 one"),
        ("2002::/16", "an IPv4 address in an IPv6 one"),
        ("2001::/23", "a reserved address"),
        ("2001:db8::/32", "an address for documentation"),
        ("3fff::/20", "an address for documentation"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private address"),
        ("ff00::/8", "a multicast address"),
        // The rest of what is not 2000::/3.
        ("::/3", "a reserved address"),
        ("4000::/2", "a reserved address"),
        ("8000::/1", "a reserved address"),
    ]
    .map(|(net, what)| (net.parse().expect("the table holds networks"), what))
    .into()
});

/// What the configuration allows besides public addresses.
#[derive(Clone, Debug, Default)]
pub struct Allowed(Arc<[IpNet]>);

impl Allowed {
    /// Reads networks like `10.20.0.0/16`, and single addresses, with commas between them.
    ///
    /// # Errors
    /// Names the first that is neither.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let network = |part: &str| {
            let single = part.parse::<IpAddr>().ok().map(IpNet::from);
            let shown = pulse_core::text::shorten(part, 60);
            let network = single.or_else(|| part.parse().ok()).ok_or_else(|| {
                Error::config(NAME, format!("`{shown}` is no network: write them like 10.20.0.0/16,fd00::/8"))
            })?;
            // `127.0.0.1/0` is a slip, and would be everything.
            match network.addr() == network.network() {
                true => Ok(network),
                false => {
                    let (all, one) = (network.trunc(), network.addr());
                    Err(Error::config(
                        NAME,
                        format!("`{shown}` is no network: write {all} for all of it, or {one} alone"),
                    ))
                }
            }
        };
        Ok(Self(parts.map(network).collect::<Result<Vec<_>, _>>()?.into()))
    }

    /// Whether a webhook may lead there.
    ///
    /// # Errors
    /// What kind of address it is.
    pub fn check(&self, address: IpAddr) -> Result<(), &'static str> {
        if self.0.iter().any(|net| net.contains(&address)) {
            return Ok(());
        }
        match SPECIAL.iter().find(|(net, _)| net.contains(&address)) {
            Some((_, what)) => Err(what),
            None => Ok(()),
        }
    }
}

/// What is said of an address that a webhook may not lead to.
pub(super) fn refusal(host: &str, address: IpAddr, what: &str) -> String {
    let place = match host.trim_matches(['[', ']']) == address.to_string() {
        true => format!("{address} is"),
        false => format!("{} is at {address},", pulse_core::text::shorten(host, 100)),
    };
    format!("{place} {what}, and {NAME} does not allow it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_allowed_by_themselves() {
        let none = Allowed::default();
        for (addresses, what) in [
            ("0.0.0.0 0.1.2.3 ::", "an unspecified address"),
            ("127.0.0.1 127.255.255.254 ::1", "a loopback address"),
            (
                "10.0.0.1 100.64.0.1 100.127.255.255 172.16.0.1 172.31.255.255 192.168.1.1 fc00::1 fd12:3456::1",
                "a private address",
            ),
            ("169.254.169.254 fe80::1 febf::1", "a link-local address"),
            ("224.0.0.1 239.255.255.255 ff02::1", "a multicast address"),
            ("255.255.255.255", "a broadcast address"),
            ("192.0.2.1 198.51.100.7 203.0.113.9 2001:db8::1 3fff::1", "an address for documentation"),
            ("198.18.0.1 198.19.255.255", "an address for benchmarks"),
            (
                "192.0.0.8 192.88.99.1 240.0.0.1 254.1.2.3 100::1 2001:10::1 4000::1 8000::1 fe00::1 5f00::1",
                "a reserved address",
            ),
            (
                "::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 ::8.8.8.8 64:ff9b::10.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::1 \
                 2002:7f00:1:: 2002:808:808::1 2001:0:4136:e378::1",
                "an IPv4 address in an IPv6 one",
            ),
        ] {
            for address in addresses.split(' ') {
                assert_eq!(none.check(address.parse().unwrap()), Err(what), "{address}");
            }
        }
        for fine in [
            "8.8.8.8",
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.0.1",
            "172.32.0.1",
            "192.1.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:4860::8888",
            "2620:fe::fe",
        ] {
            assert_eq!(none.check(fine.parse().unwrap()), Ok(()), "{fine}");
        }
    }

    #[test]
    fn what_is_configured_is_allowed_and_no_more() {
        let allowed = Allowed::parse(" 10.20.0.0/16, 127.0.0.1 ,fd00::/8,").unwrap();
        for fine in ["10.20.3.4", "127.0.0.1", "fd12::1", "8.8.8.8"] {
            assert_eq!(allowed.check(fine.parse().unwrap()), Ok(()), "{fine}");
        }
        for wrong in ["10.21.0.1", "127.0.0.2", "::ffff:127.0.0.1", "::ffff:10.20.0.1", "fe80::1", "::1"] {
            assert!(allowed.check(wrong.parse().unwrap()).is_err(), "{wrong}");
        }
        assert!(Allowed::parse("::/0,0.0.0.0/0").unwrap().check("::1".parse().unwrap()).is_ok());
        for wrong in ["localhost", "10.0.0.0/33", "10.0.0/8", "*", "10.0.0.0/8;::1", "127.0.0.1/0", "fd00::1/8"] {
            let line = Allowed::parse(wrong).unwrap_err().to_string();
            assert!(line.starts_with("PULSE_WEBHOOK_ALLOW: `") && line.contains(wrong), "{line}");
        }
    }
}
