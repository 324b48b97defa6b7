//! Certificates and revocation lists as bytes, and what they say in words a person compares.
//!
//! Promise: no input makes it panic, and signatures are checked over the bytes that came, not over a
//! re-encoding. Only what the checks and the screen need is read; nothing is decided here.

use lineside_model::Timestamp;
use rsa::RsaPublicKey;
use rsa::sha2::Sha256;
use sha1::{Digest, Sha1};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use x509_cert::Certificate;
use x509_cert::crl::CertificateList;
use x509_cert::der::oid::db::rfc5912 as oid;
use x509_cert::der::oid::{AssociatedOid, ObjectIdentifier};
use x509_cert::der::referenced::OwnedToRef;
use x509_cert::der::{Decode, Reader, SliceReader};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::time::Time;

/// Larger than any certificate or chain seen in the field; what is longer is not read.
pub(crate) const BYTES_MAX: usize = 256 * 1024;
/// Longest chain that is built or read.
pub(crate) const CHAIN_MAX: usize = 8;

/// A certificate as a person compares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateInfo {
    /// SHA-1 of the certificate as lower-case hex: what OPC UA calls the thumbprint, and what servers show.
    pub thumbprint: String,
    /// SHA-256 of the certificate as lower-case hex.
    pub sha256: String,
    /// Distinguished name, e.g. `CN=Filler,O=Plant`.
    pub subject: String,
    /// The common name of the subject, or the whole subject where it has none.
    pub name: String,
    pub issuer: String,
    /// Subject and issuer are the same: nobody else vouches for it.
    pub self_signed: bool,
    /// It may sign other certificates (basic constraints).
    pub authority: bool,
    /// Serial number as hex, as issuers list it.
    pub serial: String,
    pub not_before: Timestamp,
    pub not_after: Timestamp,
    /// DNS names in the subject alternative name.
    pub host_names: Vec<String>,
    /// IP addresses in the subject alternative name.
    pub addresses: Vec<IpAddr>,
    /// The first URI in the subject alternative name (OPC 10000-6 6.2.2).
    pub application_uri: Option<String>,
    /// Size of the RSA key; none for keys of another kind.
    pub key_bits: Option<u32>,
    /// E.g. `SHA-256 with RSA`; the object identifier where it is none that is known here.
    pub signature_algorithm: String,
    /// Where it lies, if it lies in a file.
    pub file: Option<PathBuf>,
}

/// A list of certificates that their issuer has taken back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevocationListInfo {
    /// SHA-1 of the list as lower-case hex, to name it.
    pub thumbprint: String,
    pub issuer: String,
    pub issued: Timestamp,
    /// When its issuer wants it to be replaced.
    pub next: Option<Timestamp>,
    /// Number of certificates in it.
    pub revoked: usize,
    pub file: Option<PathBuf>,
}

/// Bytes that are no certificate or no revocation list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Unreadable(pub(crate) String);

/// A parsed certificate with its bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cert {
    pub(crate) der: Vec<u8>,
    pub(crate) x509: Certificate,
    alternative: Vec<GeneralName>,
}

/// A parsed revocation list with its bytes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Crl {
    pub(crate) der: Vec<u8>,
    pub(crate) list: CertificateList,
}

impl Cert {
    /// Reads one DER certificate.
    pub(crate) fn parse(der: &[u8]) -> Result<Cert, Unreadable> {
        bounded(der)?;
        let x509 = Certificate::from_der(der).map_err(|error| Unreadable(error.to_string()))?;
        let alternative =
            x509.tbs_certificate.get::<SubjectAltName>().map_err(|error| Unreadable(error.to_string()))?;
        let alternative = alternative.map(|(_, names)| names.0).unwrap_or_default();
        Ok(Cert { der: der.to_vec(), x509, alternative })
    }

    /// Reads what a server presents: its certificate, perhaps followed by those of its issuers (OPC 10000-6 6.2.3).
    pub(crate) fn parse_chain(bytes: &[u8]) -> Result<Vec<Cert>, Unreadable> {
        bounded(bytes)?;
        let mut rest = bytes;
        let mut chain = Vec::new();
        while !rest.is_empty() && chain.len() < CHAIN_MAX {
            let one = first_value(rest).map_err(|error| Unreadable(error.to_string()))?;
            chain.push(Cert::parse(one)?);
            rest = &rest[one.len()..];
        }
        if chain.is_empty() { Err(Unreadable("there are no bytes".to_string())) } else { Ok(chain) }
    }

    /// The bytes that the issuer signed.
    pub(crate) fn signed_part(&self) -> &[u8] {
        first_inner(&self.der)
    }

    pub(crate) fn thumbprint(&self) -> String {
        hex(&Sha1::digest(&self.der))
    }

    pub(crate) fn subject(&self) -> &Name {
        &self.x509.tbs_certificate.subject
    }

    pub(crate) fn issuer(&self) -> &Name {
        &self.x509.tbs_certificate.issuer
    }

    pub(crate) fn is_self_issued(&self) -> bool {
        self.subject() == self.issuer()
    }

    pub(crate) fn key(&self) -> Option<RsaPublicKey> {
        RsaPublicKey::try_from(self.x509.tbs_certificate.subject_public_key_info.owned_to_ref()).ok()
    }

    /// `None` without the extension, or where it cannot be read: then nothing is allowed by it.
    pub(crate) fn extension<'a, T: Decode<'a> + AssociatedOid>(&'a self) -> Option<T> {
        self.x509.tbs_certificate.get::<T>().ok().flatten().map(|(_, value)| value)
    }

    pub(crate) fn is_authority(&self) -> bool {
        self.extension::<BasicConstraints>().is_some_and(|basic| basic.ca)
    }

    pub(crate) fn key_usage(&self) -> Option<KeyUsage> {
        self.extension()
    }

    pub(crate) fn extended_usage(&self) -> Option<ExtendedKeyUsage> {
        self.extension()
    }

    pub(crate) fn validity(&self) -> (Timestamp, Timestamp) {
        let validity = &self.x509.tbs_certificate.validity;
        (timestamp(validity.not_before), timestamp(validity.not_after))
    }

    pub(crate) fn application_uri(&self) -> Option<String> {
        self.alternative.iter().find_map(|name| match name {
            GeneralName::UniformResourceIdentifier(uri) => Some(uri.to_string()),
            _ => None,
        })
    }

    pub(crate) fn host_names(&self) -> Vec<String> {
        let dns = self.alternative.iter().filter_map(|name| match name {
            GeneralName::DnsName(name) => Some(name.to_string()),
            _ => None,
        });
        dns.collect()
    }

    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        let addresses = self.alternative.iter().filter_map(|name| match name {
            GeneralName::IpAddress(bytes) => address(bytes.as_bytes()),
            _ => None,
        });
        addresses.collect()
    }

    /// The common name, or the whole subject.
    pub(crate) fn name(&self) -> String {
        let parts = self.subject().0.iter().flat_map(|part| part.0.iter());
        let common = parts.filter(|part| part.oid == x509_cert::der::oid::db::rfc4519::COMMON_NAME).find_map(|part| {
            // `CN=Filler` without its first three characters.
            part.to_string().get(3..).map(str::to_string)
        });
        common.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| self.subject().to_string())
    }

    pub(crate) fn info(&self, file: Option<&Path>) -> CertificateInfo {
        let (not_before, not_after) = self.validity();
        CertificateInfo {
            thumbprint: self.thumbprint(),
            sha256: hex(&Sha256::digest(&self.der)),
            subject: self.subject().to_string(),
            name: self.name(),
            issuer: self.issuer().to_string(),
            self_signed: self.is_self_issued(),
            authority: self.is_authority(),
            serial: hex(self.x509.tbs_certificate.serial_number.as_bytes()),
            not_before,
            not_after,
            host_names: self.host_names(),
            addresses: self.addresses(),
            application_uri: self.application_uri(),
            key_bits: self.key().map(|key| bits(&key)),
            signature_algorithm: algorithm_name(self.x509.signature_algorithm.oid),
            file: file.map(Path::to_path_buf),
        }
    }
}

impl Crl {
    /// Reads one DER revocation list.
    pub(crate) fn parse(der: &[u8]) -> Result<Crl, Unreadable> {
        // Lists of large authorities are long; certificates are not.
        if der.len() > 16 * BYTES_MAX {
            return Err(Unreadable("the list is longer than any known".to_string()));
        }
        let list = CertificateList::from_der(der).map_err(|error| Unreadable(error.to_string()))?;
        Ok(Crl { der: der.to_vec(), list })
    }

    /// The bytes that the issuer signed.
    pub(crate) fn signed_part(&self) -> &[u8] {
        first_inner(&self.der)
    }

    pub(crate) fn thumbprint(&self) -> String {
        hex(&Sha1::digest(&self.der))
    }

    pub(crate) fn issuer(&self) -> &Name {
        &self.list.tbs_cert_list.issuer
    }

    pub(crate) fn issued(&self) -> Timestamp {
        timestamp(self.list.tbs_cert_list.this_update)
    }

    pub(crate) fn next(&self) -> Option<Timestamp> {
        self.list.tbs_cert_list.next_update.map(timestamp)
    }

    pub(crate) fn lists(&self, cert: &Cert) -> bool {
        let serial = &cert.x509.tbs_certificate.serial_number;
        self.list.tbs_cert_list.revoked_certificates.iter().flatten().any(|entry| entry.serial_number == *serial)
    }

    pub(crate) fn info(&self, file: Option<&Path>) -> RevocationListInfo {
        RevocationListInfo {
            thumbprint: self.thumbprint(),
            issuer: self.issuer().to_string(),
            issued: self.issued(),
            next: self.next(),
            revoked: self.list.tbs_cert_list.revoked_certificates.as_ref().map_or(0, Vec::len),
            file: file.map(Path::to_path_buf),
        }
    }
}

/// The name of a signature algorithm, or its object identifier.
pub(crate) fn algorithm_name(algorithm: ObjectIdentifier) -> String {
    let known = match algorithm {
        oid::SHA_256_WITH_RSA_ENCRYPTION => "SHA-256 with RSA",
        oid::SHA_384_WITH_RSA_ENCRYPTION => "SHA-384 with RSA",
        oid::SHA_512_WITH_RSA_ENCRYPTION => "SHA-512 with RSA",
        oid::SHA_1_WITH_RSA_ENCRYPTION => "SHA-1 with RSA",
        oid::ID_RSASSA_PSS => "RSASSA-PSS",
        oid::ECDSA_WITH_SHA_256 => "ECDSA with SHA-256",
        oid::ECDSA_WITH_SHA_384 => "ECDSA with SHA-384",
        other => return other.to_string(),
    };
    known.to_string()
}

pub(crate) fn bits(key: &RsaPublicKey) -> u32 {
    use rsa::traits::PublicKeyParts;
    u32::try_from(key.n().bits()).unwrap_or(u32::MAX)
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bounded(bytes: &[u8]) -> Result<(), Unreadable> {
    if bytes.len() > BYTES_MAX { Err(Unreadable("it is longer than any certificate".to_string())) } else { Ok(()) }
}

/// The first DER value in `bytes`, with its header.
fn first_value(bytes: &[u8]) -> x509_cert::der::Result<&[u8]> {
    SliceReader::new(bytes)?.tlv_bytes()
}

/// The first value inside the outer sequence; it has been parsed, so there is one.
fn first_inner(der: &[u8]) -> &[u8] {
    let inner = || -> x509_cert::der::Result<&[u8]> {
        let mut reader = SliceReader::new(der)?;
        x509_cert::der::Header::decode(&mut reader)?;
        reader.tlv_bytes()
    };
    inner().unwrap_or_default()
}

fn timestamp(time: Time) -> Timestamp {
    let nanoseconds = time.to_unix_duration().as_nanos();
    Timestamp(i64::try_from(nanoseconds).unwrap_or(i64::MAX))
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(four));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}
