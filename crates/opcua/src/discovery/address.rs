//! The address of a server as people write it: `plc7`, `10.0.0.1:4841`, `opc.tcp://plc7:4840/path`.

use crate::words::Trouble;
use opcua::types::StatusCode;
use std::fmt;
use std::net::Ipv6Addr;

/// The port that OPC UA registered (OPC 10000-6 7.4).
pub(crate) const DEFAULT_PORT: u16 = 4840;
const SCHEME: &str = "opc.tcp://";
/// Longer than any host name with any path in use.
const LENGTH_MAX: usize = 500;

/// Host, port and path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Empty, or beginning with `/`.
    pub(crate) path: String,
}

impl Address {
    /// Reads what a person wrote, or a URL that a server told.
    pub(crate) fn parse(text: &str) -> Result<Address, Trouble> {
        let refused = |why: &str| {
            let shown: String = text.chars().take(80).collect();
            let detail = format!("\"{shown}\" is no address of an OPC UA server: {why}. Write opc.tcp://host:port/.");
            Trouble::new(StatusCode::BadTcpEndpointUrlInvalid, detail)
        };
        let text = text.trim();
        if text.len() > LENGTH_MAX || text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(refused("it is too long or has blanks in it"));
        }
        let rest = match text.get(..SCHEME.len()) {
            Some(scheme) if scheme.eq_ignore_ascii_case(SCHEME) => &text[SCHEME.len()..],
            _ if text.contains("://") => return Err(refused("Lineside speaks opc.tcp only")),
            _ => text,
        };
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = split(authority).ok_or_else(|| refused("the host or the port is not right"))?;
        let path = if path.starts_with('?') { format!("/{path}") } else { path.to_string() };
        Ok(Address { host: host.to_string(), port, path })
    }

    /// `host:port`, with brackets around an IPv6 address.
    pub(crate) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    pub(crate) fn with_path(&self, path: &str) -> Address {
        Address { path: path.to_string(), ..self.clone() }
    }

    /// The same host and port, however it is written.
    pub(crate) fn same_authority(&self, other: &Address) -> bool {
        self.port == other.port && self.host.eq_ignore_ascii_case(&other.host)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}{}", self.authority(), self.path)
    }
}

fn split(authority: &str) -> Option<(&str, u16)> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        host.parse::<Ipv6Addr>().ok()?;
        (host, if after.is_empty() { None } else { Some(after.strip_prefix(':')?) })
    } else if authority.parse::<Ipv6Addr>().is_ok() {
        (authority, None)
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        }
    };
    let port = match port {
        None => DEFAULT_PORT,
        Some(port) => port.parse().ok().filter(|port| *port > 0)?,
    };
    let bad = |letter: char| !(letter.is_alphanumeric() || "-._:%".contains(letter));
    if host.is_empty() || host.contains(bad) || (host.contains(':') && host.parse::<Ipv6Addr>().is_err()) {
        return None;
    }
    Some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_as_people_write_them() {
        let check = |text: &str, expected: Option<&str>| {
            let got = Address::parse(text).ok().map(|address| address.to_string());
            assert_eq!(got.as_deref(), expected, "{text:?}");
        };
        check("plc7", Some("opc.tcp://plc7:4840"));
        check("  plc7:4841 ", Some("opc.tcp://plc7:4841"));
        check("10.0.0.1:48010/UA/Server", Some("opc.tcp://10.0.0.1:48010/UA/Server"));
        check("opc.tcp://plc7", Some("opc.tcp://plc7:4840"));
        check("OPC.TCP://plc7:1/", Some("opc.tcp://plc7:1/"));
        check("opc.tcp://[fe80::1]:4841/x", Some("opc.tcp://[fe80::1]:4841/x"));
        check("::1", Some("opc.tcp://[::1]:4840"));
        check("[::1]", Some("opc.tcp://[::1]:4840"));
        check("", None);
        check("opc.tcp://", None);
        check("opc.tcp://:4840", None);
        check("plc7:0", None);
        check("plc7:65536", None);
        check("plc7:", None);
        check("plc 7", None);
        check("http://plc7", None);
        check("user@plc7", None);
        check("[plc7]:4840", None);
        check(&"x".repeat(501), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Nothing panics, and what is read is read again as the same.
        #[test]
        fn any_text_is_read_or_refused(text in "(opc\\.tcp://)?[\\PC]{0,40}", plain in "[a-z0-9:./\\[\\]]{0,20}") {
            for text in [text, plain] {
                if let Ok(address) = Address::parse(&text) {
                    prop_assert_eq!(Address::parse(&address.to_string()), Ok(address));
                }
            }
        }
    }
}
