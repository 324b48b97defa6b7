//! Certificates and revocation lists of every kind, good and bad, for the tests of both sides.
//!
//! Also the unit tests of `pki` use this file. It knows nothing of the adapter.

use rsa::RsaPrivateKey;
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::rand_core::OsRng;
use rsa::sha2::Sha256;
use rsa::signature::{Keypair, SignatureEncoding, Signer};
use sha1::Sha1;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, SystemTime};
use x509_cert::builder::{Builder, CertificateBuilder, Profile};
use x509_cert::crl::{CertificateList, RevokedCert, TbsCertList};
use x509_cert::der::asn1::{BitString, Ia5String, OctetString};
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::rfc5280::{ID_KP_CLIENT_AUTH, ID_KP_SERVER_AUTH};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{DynSignatureAlgorithmIdentifier, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};
use x509_cert::{Certificate, Version};

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// Someone with a key and a certificate.
#[derive(Clone)]
pub(crate) struct Party {
    pub(crate) der: Vec<u8>,
    pub(crate) key: RsaPrivateKey,
}

/// What is to be in a certificate.
#[derive(Clone)]
pub(crate) struct Recipe {
    pub(crate) name: &'static str,
    pub(crate) uri: Option<&'static str>,
    pub(crate) hosts: &'static [&'static str],
    pub(crate) valid: (SystemTime, SystemTime),
    /// Basic constraints: none, no authority, or an authority with so many others below it.
    pub(crate) authority: Option<Option<u8>>,
    /// Key usages for signing and encrypting; otherwise for signing certificates only.
    pub(crate) signs_and_encrypts: bool,
    /// Extended use: for servers; otherwise for clients only.
    pub(crate) for_servers: bool,
    pub(crate) sha1: bool,
    pub(crate) serial: u32,
}

impl Recipe {
    /// A good certificate of a server, valid for a year around `now`.
    pub(crate) fn server(now: SystemTime) -> Recipe {
        Recipe {
            name: "Filler",
            uri: Some("urn:filler"),
            hosts: &["filler.plant", "10.0.0.1"],
            valid: (now - 100 * DAY, now + 265 * DAY),
            authority: None,
            signs_and_encrypts: true,
            for_servers: true,
            sha1: false,
            serial: 7,
        }
    }

    /// A good authority.
    pub(crate) fn authority(now: SystemTime, name: &'static str) -> Recipe {
        Recipe {
            name,
            uri: None,
            hosts: &[],
            authority: Some(None),
            signs_and_encrypts: false,
            serial: 1,
            ..Recipe::server(now)
        }
    }

    /// Makes it for `key`, signed by `issuer` or by itself.
    pub(crate) fn make(&self, key: &RsaPrivateKey, issuer: Option<&Party>) -> Party {
        let signer = issuer.map_or(key, |issuer| &issuer.key).clone();
        let der = if self.sha1 {
            self.sign(key, issuer, &SigningKey::<Sha1>::new(signer))
        } else {
            self.sign(key, issuer, &SigningKey::<Sha256>::new(signer))
        };
        Party { der, key: key.clone() }
    }

    fn sign<S>(&self, key: &RsaPrivateKey, issuer: Option<&Party>, signer: &S) -> Vec<u8>
    where
        S: Keypair + DynSignatureAlgorithmIdentifier + Signer<rsa::pkcs1v15::Signature>,
        S::VerifyingKey: x509_cert::spki::EncodePublicKey,
    {
        let subject = Name::from_str(&format!("CN={},O=Test", self.name)).expect("a valid recipe");
        let public = SubjectPublicKeyInfoOwned::from_key(key.to_public_key()).expect("a valid recipe");
        let validity = Validity {
            not_before: self.valid.0.try_into().expect("a valid recipe"),
            not_after: self.valid.1.try_into().expect("a valid recipe"),
        };
        let profile = Profile::Manual { issuer: issuer.map(|issuer| issuer.parsed().tbs_certificate.subject) };
        let serial = SerialNumber::from(self.serial);
        let mut builder =
            CertificateBuilder::new(profile, serial, validity, subject, public, signer).expect("a valid recipe");
        let basic = BasicConstraints { ca: self.authority.is_some(), path_len_constraint: self.authority.flatten() };
        builder.add_extension(&basic).expect("a valid recipe");
        let usage = if self.signs_and_encrypts {
            KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment | KeyUsages::DataEncipherment
        } else {
            KeyUsages::KeyCertSign | KeyUsages::CRLSign
        };
        builder.add_extension(&KeyUsage(usage)).expect("a valid recipe");
        let purpose = if self.for_servers { ID_KP_SERVER_AUTH } else { ID_KP_CLIENT_AUTH };
        builder.add_extension(&ExtendedKeyUsage(vec![purpose])).expect("a valid recipe");
        let mut names: Vec<GeneralName> = self
            .uri
            .iter()
            .map(|uri| GeneralName::UniformResourceIdentifier(Ia5String::new(uri).expect("a valid recipe")))
            .collect();
        names.extend(self.hosts.iter().map(|host| general_name(host)));
        if !names.is_empty() {
            builder.add_extension(&SubjectAltName(names)).expect("a valid recipe");
        }
        builder.build::<rsa::pkcs1v15::Signature>().expect("a valid recipe").to_der().expect("a valid recipe")
    }
}

impl Party {
    pub(crate) fn parsed(&self) -> Certificate {
        Certificate::from_der(&self.der).expect("a valid recipe")
    }

    /// Makes this the identity of an async-opcua application whose certificate folder is `pki`.
    pub(crate) fn install(&self, pki: &Path) {
        for folder in ["own", "private"] {
            std::fs::create_dir_all(pki.join(folder)).expect("a valid recipe");
        }
        std::fs::write(pki.join("own/cert.der"), &self.der).expect("a valid recipe");
        std::fs::write(pki.join("private/private.pem"), self.key_pem()).expect("a valid recipe");
    }

    pub(crate) fn key_pem(&self) -> String {
        self.key.to_pkcs8_pem(LineEnding::LF).expect("a valid recipe").to_string()
    }

    /// A revocation list of this authority, DER.
    pub(crate) fn revokes(&self, revoked: &[&Party], issued: SystemTime, next: Option<SystemTime>) -> Vec<u8> {
        let sha256_with_rsa = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
        let signature = x509_cert::spki::AlgorithmIdentifierOwned {
            oid: sha256_with_rsa,
            parameters: Some(x509_cert::der::asn1::Null.into()),
        };
        let entry = |party: &&Party| RevokedCert {
            serial_number: party.parsed().tbs_certificate.serial_number,
            revocation_date: Time::try_from(issued).expect("a valid recipe"),
            crl_entry_extensions: None,
        };
        let list = TbsCertList {
            version: Version::V2,
            signature: signature.clone(),
            issuer: self.parsed().tbs_certificate.subject,
            this_update: issued.try_into().expect("a valid recipe"),
            next_update: next.map(|next| next.try_into().expect("a valid recipe")),
            revoked_certificates: if revoked.is_empty() { None } else { Some(revoked.iter().map(entry).collect()) },
            crl_extensions: None,
        };
        let signed = SigningKey::<Sha256>::new(self.key.clone()).sign(&list.to_der().expect("a valid recipe"));
        let signature_bits = BitString::from_bytes(&signed.to_vec()).expect("a valid recipe");
        CertificateList { tbs_cert_list: list, signature_algorithm: signature, signature: signature_bits }
            .to_der()
            .expect("a valid recipe")
    }
}

/// A new RSA key.
pub(crate) fn key(bits: usize) -> RsaPrivateKey {
    RsaPrivateKey::new(&mut OsRng, bits).expect("a valid recipe")
}

fn general_name(host: &str) -> GeneralName {
    match host.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(four)) => {
            GeneralName::IpAddress(OctetString::new(four.octets()).expect("a valid recipe"))
        }
        Ok(std::net::IpAddr::V6(six)) => {
            GeneralName::IpAddress(OctetString::new(six.octets()).expect("a valid recipe"))
        }
        Err(_) => GeneralName::DnsName(Ia5String::new(host).expect("a valid recipe")),
    }
}
