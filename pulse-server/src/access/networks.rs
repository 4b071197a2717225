//! The addresses of proxies that are believed: who a client is (`Remote-User`), and where it comes from
//! (`X-Forwarded-For`). Everybody at such an address can be anybody, so a list that holds half the world is refused.

use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use warp::http::HeaderMap;

/// Bits of the widest networks that are taken, of IPv4 and of IPv6: the private 10.0.0.0/8 and fc00::/7.
const WIDEST: (u8, u8) = (8, 7);

/// Networks of trusted proxies; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads networks like `10.0.0.0/8`, and single addresses, separated by commas.
    ///
    /// # Errors
    /// What is wrong with the first one that cannot be taken.
    pub fn parse(text: &str) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(network).collect::<Result<_, _>>().map(Self)
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an address is a trusted proxy's. One of IPv4 that reached a socket of IPv6 counts as what it is.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whose guesses are counted: the peer, or the client in front of a trusted one. Proxies append the address that they
    /// see to `X-Forwarded-For`, so the last one that is no trusted proxy's is the last that can be believed; where there
    /// is none, or what stands there is no address, it is the peer.
    pub fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        if !self.contains(peer) {
            return peer;
        }
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        let hops = lines.flat_map(|line| line.to_str().unwrap_or("?").rsplit(','));
        for hop in hops {
            match address(hop.trim()) {
                Some(hop) if self.contains(hop) => {}
                Some(client) => return client,
                None => break,
            }
        }
        peer
    }
}

fn address(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().or_else(|_| text.parse::<SocketAddr>().map(|socket| socket.ip()));
    address.ok().map(|address| address.to_canonical())
}

fn network(text: &str) -> Result<IpNet, String> {
    let bad = || format!("`{text}` is no network: write it like 10.0.0.0/8, 192.0.2.7 or fd00::/8");
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| bad())?,
    };
    if network.addr() != network.network() {
        let address = network.addr();
        return Err(format!("`{text}` is no network: write {} for all of it, or {address} alone", network.trunc()));
    }
    let network = unmapped(network);
    let too_wide = match network {
        IpNet::V4(network) => network.prefix_len() < WIDEST.0,
        IpNet::V6(network) => network.prefix_len() < WIDEST.1,
    };
    if too_wide {
        return Err(format!("`{text}` would trust nearly everybody to say who they are: name your proxies' addresses"));
    }
    Ok(network)
}

/// A network of IPv4 that is written as one of IPv6 (`::ffff:10.0.0.0/104`), as what it is.
fn unmapped(network: IpNet) -> IpNet {
    let IpNet::V6(six) = network else { return network };
    let four = six.addr().to_ipv4_mapped().zip(six.prefix_len().checked_sub(96));
    four.and_then(|(address, length)| IpNet::new(address.into(), length).ok()).unwrap_or(network)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(list: &str, address: &str) -> bool {
        TrustedProxies::parse(list).unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn an_address_is_trusted_when_a_network_holds_it() {
        assert!(TrustedProxies::parse(" , ").unwrap().is_empty());
        assert!(!TrustedProxies::default().contains([127, 0, 0, 1].into()));
        assert!(trusts("10.1.0.0/16, 192.0.2.7", "10.1.255.255"));
        assert!(trusts("10.1.0.0/16,192.0.2.7", "192.0.2.7"));
        assert!(!trusts("10.1.0.0/16,192.0.2.7", "10.2.0.0"));
        assert!(!trusts("192.0.2.7", "192.0.2.8"));
        assert!(trusts("fd00::/8", "fd12::1") && !trusts("fd00::/8", "fe80::1"));
        for list in ["127.0.0.1/32", "::ffff:127.0.0.1/128"] {
            assert!(trusts(list, "::ffff:127.0.0.1") && trusts(list, "127.0.0.1"), "{list}");
            assert!(!trusts(list, "::ffff:127.0.0.2") && !trusts(list, "::1"), "{list}");
        }
        assert!(!trusts("::/96", "10.0.0.1"), "IPv4 is not in the low addresses of IPv6");
    }

    #[test]
    fn what_is_no_network_or_everybody_is_refused_by_name() {
        for bad in ["10.0.0.0/33", "10.0.0/8", "proxy.example", "10.0.0.0/8;10.0.0.1", "fd00::/129", "/8", "10.0.0.1/"]
        {
            let line = TrustedProxies::parse(&format!("192.0.2.1, {bad}")).unwrap_err();
            assert!(line.starts_with(&format!("`{bad}` is no network: ")), "{line}");
        }
        let line = TrustedProxies::parse("10.0.0.5/8").unwrap_err();
        assert_eq!(line, "`10.0.0.5/8` is no network: write 10.0.0.0/8 for all of it, or 10.0.0.5 alone");
        for wide in ["0.0.0.0/0", "::/0", "128.0.0.0/1", "2000::/3", "::ffff:0.0.0.0/96"] {
            let line = TrustedProxies::parse(wide).unwrap_err();
            assert!(line.starts_with(&format!("`{wide}` would trust nearly everybody")), "{line}");
        }
    }

    #[test]
    fn a_client_is_who_a_trusted_proxy_saw() {
        let trusted = TrustedProxies::parse("10.0.0.0/8").unwrap();
        let client = |peer: &str, lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            trusted.client(&headers, peer.parse().unwrap()).to_string()
        };
        assert_eq!(client("198.51.100.1", &["192.0.2.1"]), "198.51.100.1", "said by somebody else");
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(
            client("10.0.0.1", &["203.0.113.9, 192.0.2.1, 10.0.0.2"]),
            "192.0.2.1",
            "what stands before is made up"
        );
        assert_eq!(client("10.0.0.1", &["203.0.113.9", "192.0.2.1:4711,10.0.0.2"]), "192.0.2.1");
        assert_eq!(client("10.0.0.1", &["[2001:db8::1]:80"]), "2001:db8::1");
        for odd in ["", "unknown", "192.0.2.1, x", "ü", "10.0.0.3"] {
            assert_eq!(client("10.0.0.1", &[odd]), "10.0.0.1", "{odd}");
        }
    }
}
