//! What a file or an upload holds: certificates and revocation lists, in DER or in PEM.
//!
//! Promise: no input makes it panic. A private key is named as such and never kept.

use super::parse::{Cert, Crl, Unreadable};

/// What a file or an upload holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Parsed {
    Certificate(Box<Cert>),
    RevocationList(Box<Crl>),
}

/// Reads certificates and revocation lists: one in DER, or any number in PEM.
pub(crate) fn read_all(bytes: &[u8]) -> Result<Vec<Parsed>, Unreadable> {
    const BLOCKS_MAX: usize = 100;
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.contains(BEGIN)) else {
        return Ok(vec![der(bytes)?]);
    };
    text.split(BEGIN).skip(1).take(BLOCKS_MAX).map(pem).collect()
}

const BEGIN: &str = "-----BEGIN ";

fn der(bytes: &[u8]) -> Result<Parsed, Unreadable> {
    match Cert::parse(bytes) {
        Ok(cert) => Ok(Parsed::Certificate(Box::new(cert))),
        Err(error) => match Crl::parse(bytes) {
            Ok(list) => Ok(Parsed::RevocationList(Box::new(list))),
            Err(_no_list_either) => Err(error),
        },
    }
}

/// One block, from after `-----BEGIN ` on.
fn pem(text: &str) -> Result<Parsed, Unreadable> {
    let end = text.find("-----END ").ok_or_else(|| Unreadable("the PEM text is cut off".to_string()))?;
    let stop = text[end + 5..].find("-----").map_or(text.len(), |at| end + 5 + at + 5);
    let block: String = std::iter::once(BEGIN).chain(text[..stop].split_inclusive('\n').map(str::trim_end)).fold(
        String::new(),
        |block, line| if block.is_empty() || block == BEGIN { block + line } else { block + "\n" + line },
    );
    let (label, bytes) = x509_cert::der::pem::decode_vec(block.as_bytes())
        .map_err(|error| Unreadable(format!("the PEM text is broken: {error}")))?;
    match label {
        "CERTIFICATE" => Cert::parse(&bytes).map(|cert| Parsed::Certificate(Box::new(cert))),
        "X509 CRL" => Crl::parse(&bytes).map(|list| Parsed::RevocationList(Box::new(list))),
        label if label.contains("PRIVATE KEY") => {
            Err(Unreadable("it is a private key, which stays where it was made: give the certificate".to_string()))
        }
        label => Err(Unreadable(format!("it is a \"{label}\", and no certificate or revocation list"))),
    }
}

/// `-----BEGIN CERTIFICATE-----` with LF line ends.
pub(crate) fn to_pem(cert: &Cert) -> String {
    use x509_cert::der::pem::{LineEnding, encode_string};
    encode_string("CERTIFICATE", LineEnding::LF, &cert.der).unwrap_or_default()
}
