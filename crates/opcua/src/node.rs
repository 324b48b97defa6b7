//! Node ids as `plant.toml` writes them, resolved against the server's namespaces.
//!
//! `nsu=<uri>;s=…` is resolved anew at every connection, because indexes may change when a server restarts
//! (OPC 10000-6 5.3.1.10 for the notation).

use opcua::types::{ByteString, Guid, Identifier, NodeId, StatusCode};

/// Resolves `node`. BadNodeIdUnknown: the server has no such namespace. BadNodeIdInvalid: not a node id.
pub(crate) fn resolve(node: &str, namespaces: &[String]) -> Result<NodeId, StatusCode> {
    let Some(rest) = node.strip_prefix("nsu=") else {
        return indexed(node);
    };
    // The identifier starts at the first semicolon that is followed by its type; in the URI itself they
    // are escaped as %3B.
    let split = rest
        .match_indices(';')
        .find(|(at, _)| matches!(rest.as_bytes().get(at + 1..at + 3), Some([b'i' | b's' | b'g' | b'b', b'='])));
    let (uri, identifier) = split.map(|(at, _)| (&rest[..at], &rest[at + 1..])).ok_or(StatusCode::BadNodeIdInvalid)?;
    let plain = uri.replace("%3B", ";").replace("%25", "%");
    let index = namespaces.iter().position(|known| *known == plain).ok_or(StatusCode::BadNodeIdUnknown)?;
    let index = u16::try_from(index).map_err(|_out_of_range| StatusCode::BadNodeIdUnknown)?;
    Ok(NodeId { namespace: index, identifier: identifier_of(identifier)? })
}

/// The text by which `node` can be found again at the next connection: `nsu=<uri>;…`, in namespace 0
/// plainly `i=…`. A namespace that the server does not list keeps its index.
pub(crate) fn portable(node: &NodeId, namespaces: &[String]) -> String {
    match (node.namespace, namespaces.get(usize::from(node.namespace))) {
        (0, _) => node.identifier.to_string(),
        (_, Some(uri)) if !uri.is_empty() => {
            format!("nsu={};{}", uri.replace('%', "%25").replace(';', "%3B"), node.identifier)
        }
        (index, _) => format!("ns={index};{}", node.identifier),
    }
}

/// `ns=3;s=…`, or `i=…` in namespace 0.
fn indexed(node: &str) -> Result<NodeId, StatusCode> {
    let Some(rest) = node.strip_prefix("ns=") else {
        return Ok(NodeId { namespace: 0, identifier: identifier_of(node)? });
    };
    let (index, identifier) = rest.split_once(';').ok_or(StatusCode::BadNodeIdInvalid)?;
    let namespace = index.parse().map_err(|_no_number| StatusCode::BadNodeIdInvalid)?;
    Ok(NodeId { namespace, identifier: identifier_of(identifier)? })
}

/// `i=`, `s=`, `g=` or `b=` with what follows. The library's own reading refuses line breaks in texts.
fn identifier_of(text: &str) -> Result<Identifier, StatusCode> {
    let (kind, value) = text.split_once('=').ok_or(StatusCode::BadNodeIdInvalid)?;
    let identifier = match kind {
        "i" => value.parse().ok().map(Identifier::Numeric),
        "s" => Some(Identifier::String(value.into())),
        "g" => value.parse::<Guid>().ok().map(Identifier::Guid),
        "b" => ByteString::from_base64(value).map(Identifier::ByteString),
        _ => None,
    };
    identifier.ok_or(StatusCode::BadNodeIdInvalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(node: &str, expected: Result<NodeId, StatusCode>) {
        let namespaces = ["http://opcfoundation.org/UA/", "urn:other", "urn:a;s=b"].map(String::from);
        assert_eq!(resolve(node, &namespaces), expected, "{node}");
    }

    #[test]
    fn nodes_resolve_by_uri() {
        check("nsu=urn:other;s=Filler.Speed", Ok(NodeId::new(1, "Filler.Speed")));
        check("nsu=urn:other;s=a;s=b", Ok(NodeId::new(1, "a;s=b")));
        check("nsu=urn:other;i=7", Ok(NodeId::new(1, 7_u32)));
        check("nsu=http://opcfoundation.org/UA/;i=2258", Ok(NodeId::new(0, 2258_u32)));
        check("ns=3;s=x", Ok(NodeId::new(3, "x")));
        check("i=2258", Ok(NodeId::new(0, 2258_u32)));
        check("nsu=urn:a%3Bs=b;s=x", Ok(NodeId::new(2, "x")));
        check("nsu=urn:unknown;s=x", Err(StatusCode::BadNodeIdUnknown));
        check("nsu=urn:other", Err(StatusCode::BadNodeIdInvalid));
        check("nsu=urn:other;x=1", Err(StatusCode::BadNodeIdInvalid));
        check("Filler.Speed", Err(StatusCode::BadNodeIdInvalid));
    }

    #[test]
    fn a_node_is_written_by_uri_and_found_again() {
        let namespaces = ["http://opcfoundation.org/UA/", "urn:other", "urn:a;s=b%3B"].map(String::from);
        let check = |node: NodeId, text: &str| {
            assert_eq!(portable(&node, &namespaces), text);
            assert_eq!(resolve(text, &namespaces), Ok(node), "{text}");
        };
        check(NodeId::new(0, 2258_u32), "i=2258");
        check(NodeId::new(0, "x"), "s=x");
        check(NodeId::new(1, "a;b\n%3B"), "nsu=urn:other;s=a;b\n%3B");
        check(NodeId::new(1, ""), "nsu=urn:other;s=");
        check(NodeId::new(2, 7_u32), "nsu=urn:a%3Bs=b%253B;i=7");
        check(NodeId::new(1, ByteString::from(vec![0_u8, 255])), "nsu=urn:other;b=AP8=");
        check(NodeId::new(9, 7_u32), "ns=9;i=7");
    }

    proptest::proptest! {
        #[test]
        fn every_node_round_trips(index in 0_u16..4, text in "\\PC{0,12}|[a-z;=%\\n]{0,12}", number: u32, uri in "\\PC{1,12}|[;s=%3B25]{1,12}") {
            let namespaces = ["http://opcfoundation.org/UA/".to_string(), uri, "urn:last".to_string()];
            for node in [NodeId::new(index, text.as_str()), NodeId::new(index, number)] {
                let written = portable(&node, &namespaces);
                proptest::prop_assert_eq!(resolve(&written, &namespaces), Ok(node), "{}", written);
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,30}|(nsu?=)?[a-z0-9]{0,3};?[isgb]?=?\\PC{0,5}") {
            let known = resolve(&text, &["http://opcfoundation.org/UA/".to_string()]);
            proptest::prop_assert!(known.is_ok() || known.is_err_and(|status| status.is_bad()));
        }
    }
}
