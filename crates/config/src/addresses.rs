//! How a server and what is in it are named in the file: endpoint, security, user, node.
//!
//! Texts that could hold a password by mistake (endpoint, variable) are never repeated in errors.

use crate::forms::text;
use crate::report::{Report, quote};
use crate::section::Form;
use crate::suggest::did_you_mean;
use lineside_model::config::{Redundancy, Security};
use serde_json::{Value as Json, json};
use toml_span::Value;

/// The address of an OPC UA server.
pub(crate) struct Endpoint(pub(crate) String);

/// Several of them.
pub(crate) struct Endpoints(pub(crate) Vec<String>);

/// A file in a folder of ours: its name without a path.
pub(crate) struct FileName {
    pub(crate) text: String,
    pub(crate) at: usize,
}

/// An OPC UA node with its namespace.
pub(crate) struct NodeId(pub(crate) String);

/// The name of an environment variable.
pub(crate) struct Variable(pub(crate) String);

impl Form for Endpoint {
    const EXPECTED: &'static str = "the address of an OPC UA server, with its port and without user or password";
    const EXAMPLE: &'static str = "\"opc.tcp://192.168.0.10:4840/\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        if is_endpoint(text) {
            return Some(Endpoint(text.to_owned()));
        }
        report.unfit::<Self>(key, value);
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": r"^opc\.tcp://([^\s/:@\[\]]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}(/[^\s@]*)?$" })
    }
}

impl Form for Endpoints {
    const EXPECTED: &'static str = "a list of addresses of OPC UA servers";
    const EXAMPLE: &'static str = "[\"opc.tcp://192.168.0.11:4840/\"]";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Some(items) = value.as_array() else {
            report.wrong_type::<Self>(key, value);
            return None;
        };
        let mut endpoints: Vec<String> = Vec::with_capacity(items.len());
        for item in items {
            let Some(Endpoint(endpoint)) = Endpoint::read(key, item, report) else { continue };
            if endpoints.contains(&endpoint) {
                report.add(report.at(item), format!("`{key}` names the same server twice"), "remove one of the two");
            }
            endpoints.push(endpoint);
        }
        Some(Endpoints(endpoints))
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": Endpoint::schema() })
    }
}

impl Form for FileName {
    const EXPECTED: &'static str = "the name of a file in pki/user, without a path";
    const EXAMPLE: &'static str = "\"operator.der\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        let at = report.at(value);
        let plain = !text.contains(['/', '\\', ':']) && !text.contains(char::is_control);
        if text.trim().is_empty() || text.starts_with('.') || !plain {
            report.malformed::<Self>(key, value, text);
        }
        Some(FileName { text: text.to_owned(), at })
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": r"^[^./\\:][^/\\:]*$" })
    }
}

/// `opc.tcp://host:port[/path]` (OPC 10000-6, 7.2), the host a name, an IPv4 or an `[IPv6]` address.
fn is_endpoint(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("opc.tcp://") else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    let Some((host, port)) = authority.rsplit_once(':') else {
        return false;
    };
    let host_fits = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(ip) => ip.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains([':', '[', ']']),
    };
    let port_fits = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    host_fits && port_fits && !text.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control())
}

impl Form for NodeId {
    const EXPECTED: &'static str =
        "a node id: nsu=<namespace uri>; or ns=<index>;, then s=<text>, i=<number>, g=<guid> or b=<base64>";
    const EXAMPLE: &'static str = "\"nsu=urn:maker:plc;s=Filler.Speed\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        if is_node_id(text) {
            return Some(NodeId(text.to_owned()));
        }
        if is_node_id(&format!("ns=0;{text}")) {
            let problem = format!("`{key}`: {} names no namespace", quote(text));
            report.add(report.at(value), problem, format!("write `{key} = \"ns=0;{text}\"`"));
        } else {
            report.malformed::<Self>(key, value, text);
        }
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(nsu=[^;]+|ns=[0-9]{1,5});[isgb]=.+" })
    }
}

/// The text form of an ExpandedNodeId (OPC 10000-6, 5.1.12) with the namespace written out.
fn is_node_id(text: &str) -> bool {
    let Some((namespace, id)) = text.split_once(';') else {
        return false;
    };
    let namespace_fits = match (namespace.strip_prefix("nsu="), namespace.strip_prefix("ns=")) {
        (Some(uri), _) => !uri.is_empty() && !uri.contains(char::is_whitespace),
        (_, Some(index)) => digits(index) && index.parse::<u16>().is_ok(),
        _ => false,
    };
    let Some((kind, id)) = id.split_once('=') else {
        return false;
    };
    let id_fits = match kind {
        "s" => !id.is_empty() && id.chars().count() <= 4096,
        "i" => digits(id) && id.parse::<u32>().is_ok(),
        "g" => is_guid(id),
        "b" => is_base64(id),
        _ => false,
    };
    namespace_fits && id_fits
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12] && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    !body.is_empty() && padding <= 2 && text.len().is_multiple_of(4) && body.bytes().all(known)
}

/// Policies of OPC 10000-7, 6.6 with a channel of their own. The first two are deprecated there, but
/// machines that know nothing newer exist; they are used only where the file asks for them by name.
const POLICIES: [&str; 5] =
    ["Basic128Rsa15", "Basic256", "Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"];
const MODES: [&str; 2] = ["Sign", "SignAndEncrypt"];

impl Form for Security {
    const EXPECTED: &'static str = "\"best\", \"none\" or a policy and a mode";
    const EXAMPLE: &'static str = "\"Basic256Sha256/SignAndEncrypt\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        match (text, text.split_once('/')) {
            ("best", _) => return Some(Security::Best),
            ("none", _) => return Some(Security::None),
            (_, Some((policy, mode))) if POLICIES.contains(&policy) && MODES.contains(&mode) => {
                return Some(Security::Exact { policy: policy.to_owned(), encrypt: mode == "SignAndEncrypt" });
            }
            _ => {}
        }
        let words = security_words();
        let all = || format!("choose one of {}", words.join(", "));
        let remedy = did_you_mean(text, words.iter().map(String::as_str), all);
        let problem = format!("`{key}`: {} is not {}", quote(text), Self::EXPECTED);
        report.add(report.at(value), problem, remedy);
        None
    }

    fn schema() -> Json {
        json!({ "enum": security_words() })
    }
}

fn security_words() -> Vec<String> {
    let exact = POLICIES.iter().flat_map(|policy| MODES.map(|mode| format!("{policy}/{mode}")));
    ["best", "none"].map(str::to_owned).into_iter().chain(exact).collect()
}

const REDUNDANCIES: [(&str, Redundancy); 4] =
    [("auto", Redundancy::Auto), ("cold", Redundancy::Cold), ("warm", Redundancy::Warm), ("hot", Redundancy::Hot)];

impl Form for Redundancy {
    const EXPECTED: &'static str = "\"auto\", \"cold\", \"warm\" or \"hot\"";
    const EXAMPLE: &'static str = "\"warm\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        if let Some((_, redundancy)) = REDUNDANCIES.iter().find(|(word, _)| *word == text) {
            return Some(*redundancy);
        }
        let words = || REDUNDANCIES.iter().map(|(word, _)| *word);
        let all = || format!("choose one of {}", words().collect::<Vec<_>>().join(", "));
        let problem = format!("`{key}`: {} is not {}", quote(text), Self::EXPECTED);
        report.add(report.at(value), problem, did_you_mean(text, words(), all));
        None
    }

    fn schema() -> Json {
        json!({ "enum": REDUNDANCIES.map(|(word, _)| word) })
    }
}

impl Form for Variable {
    const EXPECTED: &'static str =
        "the name of an environment variable (letters, digits and _), never the password itself";
    const EXAMPLE: &'static str = "\"LINESIDE_PASSWORD\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.is_empty() || text.starts_with(|c: char| c.is_ascii_digit()) || !text.chars().all(fits) {
            report.unfit::<Self>(key, value);
        }
        Some(Variable(text.to_owned()))
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
    }
}
