//! Certificates for tests: any validity, hosts and application URI, self-signed, with their keys in files.
//!
//! Made with `x509-cert`, because the OPC UA library makes only those that are valid from now on. The form is
//! that of an application instance certificate (OPC 10000-6, 6.2.2).

use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::OsRng;
use std::error::Error;
use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use x509_cert::builder::{Builder, CertificateBuilder, Profile};
use x509_cert::der::Encode;
use x509_cert::der::asn1::{Ia5String, OctetString};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::SubjectPublicKeyInfoOwned;
use x509_cert::time::Validity;

const DAY: Duration = Duration::from_secs(86_400);
/// id-kp-serverAuth and id-kp-clientAuth.
const USES: [&str; 2] = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Valid {
    Now,
    /// Until yesterday.
    Expired,
    /// From tomorrow on.
    NotYet,
}

/// Where a certificate (DER) and its key (PKCS 8, PEM) are.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub file: PathBuf,
    pub key: PathBuf,
}

/// Makes `<name>.der` and `<name>.pem` in `folder`, for an application `uri` on `hosts` (names or addresses).
///
/// # Errors
/// The folder cannot be written, or the name or URI cannot stand in a certificate.
pub fn make(folder: &Path, name: &str, uri: &str, hosts: &[&str], valid: Valid) -> Result<Certificate, Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    let key = RsaPrivateKey::new(&mut OsRng, 2048)?;
    let public = SubjectPublicKeyInfoOwned::try_from(key.to_public_key().to_public_key_der()?.as_bytes())?;
    let signer = SigningKey::<sha2::Sha256>::new(key.clone());
    let subject: x509_cert::name::Name = format!("CN={name},O=Lineside tests").parse()?;
    let profile = Profile::Manual { issuer: Some(subject.clone()) };
    let mut builder =
        CertificateBuilder::new(profile, SerialNumber::from(1_u32), validity(valid)?, subject, public, &signer)?;
    builder.add_extension(&BasicConstraints { ca: false, path_len_constraint: None })?;
    let uses = KeyUsages::DigitalSignature
        | KeyUsages::NonRepudiation
        | KeyUsages::KeyEncipherment
        | KeyUsages::DataEncipherment
        | KeyUsages::KeyCertSign;
    builder.add_extension(&KeyUsage(uses))?;
    builder.add_extension(&ExtendedKeyUsage(USES.iter().map(|id| id.parse()).collect::<Result<_, _>>()?))?;
    builder.add_extension(&alternative_names(uri, hosts)?)?;
    let certificate = Certificate { file: folder.join(format!("{name}.der")), key: folder.join(format!("{name}.pem")) };
    fs::write(&certificate.file, builder.build()?.to_der()?)?;
    fs::write(&certificate.key, key.to_pkcs8_pem(LineEnding::LF)?.as_bytes())?;
    Ok(certificate)
}

fn validity(valid: Valid) -> Result<Validity, Box<dyn Error>> {
    let now = SystemTime::now();
    let (from, to) = match valid {
        Valid::Now => (now - DAY, now + 365 * DAY),
        Valid::Expired => (now - 365 * DAY, now - DAY),
        Valid::NotYet => (now + DAY, now + 365 * DAY),
    };
    Ok(Validity { not_before: from.try_into()?, not_after: to.try_into()? })
}

fn alternative_names(uri: &str, hosts: &[&str]) -> Result<SubjectAltName, Box<dyn Error>> {
    let mut names = vec![GeneralName::UniformResourceIdentifier(Ia5String::new(uri)?)];
    for host in hosts {
        names.push(match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => GeneralName::IpAddress(OctetString::new(address.octets())?),
            Ok(IpAddr::V6(address)) => GeneralName::IpAddress(OctetString::new(address.octets())?),
            Err(_) => GeneralName::DnsName(Ia5String::new(host)?),
        });
    }
    Ok(SubjectAltName(names))
}
