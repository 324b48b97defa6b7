//! Node ids as `plant.toml` writes them, resolved against the server's namespaces.
//!
//! `nsu=<uri>;s=…` is resolved anew at every connection, because indexes may change when a server restarts
//! (OPC 10000-6 5.3.1.10 for the notation).

use opcua::types::{NodeId, StatusCode};

/// Resolves `node`. BadNodeIdUnknown: the server has no such namespace. BadNodeIdInvalid: not a node id.
pub(crate) fn resolve(node: &str, namespaces: &[String]) -> Result<NodeId, StatusCode> {
    let Some(rest) = node.strip_prefix("nsu=") else {
        return node.parse();
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
    let mut id: NodeId = identifier.parse()?;
    id.namespace = index;
    Ok(id)
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
}
