//! Everything that is decoded from a server beyond the library, behind one door for fuzzing: it must not panic,
//! and what it says of itself must hold. Not a part of the public interface.

use crate::flow::sequence::{Arrival, Tracker};
use crate::pki::{Parsed, read_all};
use crate::{node, value};
use lineside_model::{TagId, Value};
use opcua::types::{BinaryDecodable, ContextOwned, DataValue, NotificationMessage};

/// Texts of raw values are cut at 200 characters; the cut itself is one more.
const TEXT_MAX: usize = 201;

/// Decodes `bytes` in the way that the first of them chooses.
///
/// # Panics
/// When something decoded is not what it must be: that is what a fuzzer looks for.
pub fn decode(bytes: &[u8]) {
    let Some((kind, rest)) = bytes.split_first() else { return };
    match kind % 5 {
        0 => data_value(rest),
        1 => notification(rest),
        2 => node_id(rest),
        3 => certificates(rest),
        _ => sequence(rest),
    }
}

fn data_value(mut bytes: &[u8]) {
    let context = ContextOwned::default();
    if let Ok(data) = DataValue::decode(&mut bytes, &context.context()) {
        checked(data, &context);
    }
}

fn notification(mut bytes: &[u8]) {
    let context = ContextOwned::default();
    let Ok(message) = NotificationMessage::decode(&mut bytes, &context.context()) else { return };
    value::timestamp(message.publish_time);
}

fn checked(data: DataValue, context: &ContextOwned) {
    let sample = value::sample(TagId(0), data, |encode| encode(&context.context()));
    if let Value::Raw(raw) = &sample.value {
        assert!(raw.text.chars().count() <= TEXT_MAX, "a text of {} characters", raw.text.chars().count());
    }
}

/// What is found can be written down, and is found again.
fn node_id(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (uri, node) = text.split_once('\n').unwrap_or(("", &text));
    let namespaces = ["http://opcfoundation.org/UA/".to_string(), uri.to_string()];
    if let Ok(found) = node::resolve(node, &namespaces) {
        let written = node::portable(&found, &namespaces);
        assert_eq!(node::resolve(&written, &namespaces).as_ref(), Ok(&found), "{written:?}");
    }
}

fn certificates(bytes: &[u8]) {
    for parsed in read_all(bytes).unwrap_or_default() {
        let thumbprint = match parsed {
            Parsed::Certificate(certificate) => certificate.info(None).thumbprint,
            Parsed::RevocationList(list) => list.thumbprint(),
        };
        assert_eq!(thumbprint.len(), 40, "SHA-1 in hex");
    }
}

/// Numbers of four bytes; the last bit of each says whether it is a keep-alive.
fn sequence(bytes: &[u8]) {
    let mut tracker = Tracker::new();
    for number in bytes.chunks_exact(4) {
        let number = u32::from_le_bytes([number[0], number[1], number[2], number[3]]);
        let arrival = if number % 2 == 0 { tracker.data(number / 2) } else { tracker.keep_alive(number / 2) };
        assert!(
            !matches!(arrival, Arrival::Missing { count: 0, .. } | Arrival::Missing { first: 0, .. }),
            "{arrival:?}"
        );
        assert_ne!(tracker.next(), 0, "no message has the number 0");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_survived(kind in 0_u8..5, bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            super::decode(&[vec![kind], bytes].concat());
        }

        /// Variants with a likely type, so that more than the first byte is looked at.
        #[test]
        fn likely_values_are_survived(kind in 0_u8..26, flags in any::<u8>(), bytes in proptest::collection::vec(0_u8..8, 0..200)) {
            super::decode(&[vec![0, 0x01 | (flags & 0x3E), kind | (flags & 0xC0)], bytes].concat());
        }

        #[test]
        fn nodes_are_found_again(uri in "\\PC{0,12}", node in "(nsu=[a-z%;3B25]{0,8};|ns=[0-9]{1,6};|)[isgb]=\\PC{0,12}") {
            super::decode([&[2], uri.as_bytes(), b"\n", node.as_bytes()].concat().as_slice());
        }
    }
}
