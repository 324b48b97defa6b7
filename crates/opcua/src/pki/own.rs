//! Our own certificate: made once, the same application URI for ever, renewed with the same key.
//!
//! A certificate of the person's own making may stand in its place (`own/certs/lineside.der` with
//! `own/private/lineside.pem`); it needs an application URI, and is never replaced by itself.

use super::PkiError;
use super::check::{Finding, Side};
use super::files::{self, Folders};
use super::parse::{Cert, CertificateInfo};
use super::pem::{Parsed, to_pem};
use crate::{Settings, words};
use lineside_model::{StatusCode, Timestamp};
use opcua::crypto::X509Data;
use opcua::types::StatusCode as UaStatus;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, LineEnding};
use rsa::rand_core::{OsRng, RngCore};
use rsa::sha2::Sha256;
use rsa::signature::Keypair;
use rsa::{RsaPrivateKey, RsaPublicKey};
use std::path::Path;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};
use x509_cert::builder::{Builder, CertificateBuilder, Profile};
use x509_cert::der::Encode;
use x509_cert::der::asn1::{Ia5String, OctetString};
use x509_cert::der::oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use x509_cert::der::referenced::OwnedToRef;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::Validity;

const KEY_BITS: usize = 2048;
/// The certificate outlives the panel PC: one that expires silently would stop the plant's picture.
const VALID: Duration = Duration::from_secs(20 * 365 * 24 * 3600);
/// A server whose clock is behind must not find the certificate "not yet valid".
const BACKDATED: Duration = Duration::from_secs(24 * 3600);
/// From then on the end is announced.
const NOTICE_DAYS: i64 = 60;
const DAY_NS: i64 = 24 * 3600 * 1_000_000_000;

/// Two connections that start together must not both make a key.
static MAKING: Mutex<()> = Mutex::new(());

/// The certificate by which servers know this Lineside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnCertificate {
    pub info: CertificateInfo,
    /// The application URI in it, which servers compare with what we say of ourselves.
    pub uri: String,
    /// Whole days until it expires; negative afterwards.
    pub days_left: i64,
    /// What servers will object to; empty when all is well.
    pub findings: Vec<Finding>,
    /// Certificates that were renewed, newest file name last.
    pub former: Vec<CertificateInfo>,
    /// For servers that import DER files.
    pub der: Vec<u8>,
    /// For servers that import PEM text.
    pub pem: String,
}

/// Our certificate; makes folders, key and certificate where there is none. Blocking, slow the first time.
pub(crate) fn own(settings: &Settings) -> Result<OwnCertificate, PkiError> {
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let folders = Folders::prepare(&settings.pki)?;
    if !folders.own_certificate().exists() && !folders.own_key().exists() {
        make(settings, &folders)?;
    }
    present(&folders)
}

/// A new certificate for the same key, subject and application URI; the old one is kept beside it.
pub(crate) fn renew(settings: &Settings) -> Result<OwnCertificate, PkiError> {
    let old = own(settings)?;
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if !old.info.self_signed {
        let reason = format!("it was signed by \"{}\", who alone can renew it", old.info.issuer);
        return Err(PkiError::Own { reason });
    }
    let folders = Folders::prepare(&settings.pki)?;
    let key = read_key(&folders.own_key())?;
    let mut hosts = old.info.host_names.clone();
    if !hosts.contains(&host_name()) {
        hosts.push(host_name());
    }
    let fresh = self_signed(&key, &old.info.subject, &old.uri, &hosts).map_err(own_error)?;
    let today = words::day(now());
    let kept = format!("lineside until {} [{}].der", today.get(..10).unwrap_or_default(), &old.info.thumbprint[..8]);
    files::write(&folders.own_certs().join(kept), &old.der)?;
    files::write(&folders.own_certificate(), &fresh)?;
    present(&folders)
}

/// The time now; certificates are valid by the calendar.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Reads an RSA key, PKCS#8 or PKCS#1 in PEM.
pub(crate) fn read_key(file: &Path) -> Result<RsaPrivateKey, PkiError> {
    let text = std::fs::read_to_string(file).map_err(PkiError::file("read", file))?;
    let text = text.replace('\r', "\n");
    RsaPrivateKey::from_pkcs8_pem(&text).or_else(|_| RsaPrivateKey::from_pkcs1_pem(&text)).map_err(|error| {
        let why = format!("it is no RSA key in PEM without a password: {error}");
        PkiError::Unreadable { what: file.display().to_string(), why }
    })
}

/// Reads the first certificate of a file, DER or PEM.
pub(crate) fn read_certificate(file: &Path) -> Result<Cert, PkiError> {
    let unreadable = |why: String| PkiError::Unreadable { what: file.display().to_string(), why };
    match files::read_file(file).map_err(unreadable)?.into_iter().next() {
        Some(Parsed::Certificate(cert)) => Ok(*cert),
        _ => Err(unreadable("it holds no certificate".to_string())),
    }
}

fn present(folders: &Folders) -> Result<OwnCertificate, PkiError> {
    let file = folders.own_certificate();
    let cert = read_certificate(&file).map_err(own_error)?;
    let key = read_key(&folders.own_key()).map_err(own_error)?;
    if cert.key() != Some(RsaPublicKey::from(&key)) {
        return Err(PkiError::Own { reason: "the key in own/private/ is not that of the certificate".to_string() });
    }
    let uri = cert
        .application_uri()
        .ok_or_else(|| PkiError::Own { reason: "the certificate carries no application URI".to_string() })?;
    let days_left = (cert.validity().1.0.saturating_sub(now().0)).div_euclid(DAY_NS);
    let former = files::read(&folders.own_certs())?.certs.into_iter().filter(|found| found.file != file);
    Ok(OwnCertificate {
        info: cert.info(Some(&file)),
        uri,
        days_left,
        findings: findings(&cert, days_left),
        former: former.map(|found| found.item.info(Some(&found.file))).collect(),
        pem: to_pem(&cert),
        der: cert.der,
    })
}

fn findings(cert: &Cert, days_left: i64) -> Vec<Finding> {
    let (from, until) = cert.validity();
    let what = if now() < from {
        format!("The certificate of this Lineside is not valid yet: it becomes valid on {}.", words::day(from))
    } else if days_left < 0 {
        format!("The certificate of this Lineside expired on {}.", words::day(until))
    } else if days_left < NOTICE_DAYS {
        format!("The certificate of this Lineside expires in {days_left} days, on {}.", words::day(until))
    } else {
        return Vec::new();
    };
    vec![Finding {
        status: StatusCode(UaStatus::BadCertificateTimeInvalid.bits()),
        name: UaStatus::BadCertificateTimeInvalid.to_string(),
        side: Side::Ours,
        what,
        todo: "Compare the clock of this machine; if it is right, renew the certificate and have it trusted on the servers."
            .to_string(),
        blocks: false,
    }]
}

fn make(settings: &Settings, folders: &Folders) -> Result<(), PkiError> {
    let host = host_name();
    let uri = settings.application_uri.clone().unwrap_or_else(|| format!("urn:{host}:lineside:client"));
    let plain = |text: &str| text.replace([',', '+', '"', '\\', '<', '>', ';', '=', '#'], " ");
    let subject = format!("CN={}@{host},O=Lineside", plain(&settings.application_name));
    let key = RsaPrivateKey::new(&mut OsRng, KEY_BITS).map_err(own_error)?;
    let certificate = self_signed(&key, &subject, &uri, &[host]).map_err(own_error)?;
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(own_error)?;
    files::write_private(&folders.own_key(), pem.as_bytes())?;
    files::write(&folders.own_certificate(), &certificate)
}

/// OPC 10000-6 6.2.2. `keyCertSign` is there because OpenSSL accepts no self-signed certificate without it.
fn self_signed(
    key: &RsaPrivateKey,
    subject: &str,
    uri: &str,
    hosts: &[String],
) -> Result<Vec<u8>, x509_cert::builder::Error> {
    let signer = SigningKey::<Sha256>::new(key.clone());
    let public = SubjectPublicKeyInfoOwned::from_key(signer.verifying_key())?;
    let subject = Name::from_str(subject)?;
    let mut serial = [0_u8; 16];
    OsRng.fill_bytes(&mut serial);
    // Positive, and without leading zeros.
    serial[0] = serial[0] & 0x7F | 0x40;
    let start = SystemTime::now() - BACKDATED;
    let validity = Validity { not_before: start.try_into()?, not_after: (start + VALID).try_into()? };
    let itself = Profile::Manual { issuer: None };
    let identifier = SubjectKeyIdentifier::try_from(public.owned_to_ref())?;
    let mut builder = CertificateBuilder::new(itself, SerialNumber::new(&serial)?, validity, subject, public, &signer)?;
    builder.add_extension(&AuthorityKeyIdentifier {
        key_identifier: Some(OctetString::new(identifier.0.as_bytes())?),
        ..Default::default()
    })?;
    builder.add_extension(&identifier)?;
    builder.add_extension(&BasicConstraints { ca: false, path_len_constraint: None })?;
    builder.add_extension(&KeyUsage(
        KeyUsages::DigitalSignature
            | KeyUsages::NonRepudiation
            | KeyUsages::KeyEncipherment
            | KeyUsages::DataEncipherment
            | KeyUsages::KeyCertSign,
    ))?;
    builder.add_extension(&ExtendedKeyUsage(vec![ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH]))?;
    // The URI first: some servers look at the first name only.
    let mut names = vec![GeneralName::UniformResourceIdentifier(Ia5String::new(uri)?)];
    for host in hosts {
        names.push(GeneralName::DnsName(Ia5String::new(host)?));
    }
    builder.add_extension(&SubjectAltName(names))?;
    Ok(builder.build()?.to_der()?)
}

/// Letters, digits, dots and hyphens: what a certificate and a URI can carry.
fn host_name() -> String {
    let name = X509Data::computer_hostnames().into_iter().next().unwrap_or_default();
    let name: String = name.chars().filter(|letter| letter.is_ascii_alphanumeric() || ".-".contains(*letter)).collect();
    if name.is_empty() { "localhost".to_string() } else { name }
}

fn own_error(error: impl std::fmt::Display) -> PkiError {
    PkiError::Own { reason: error.to_string() }
}
