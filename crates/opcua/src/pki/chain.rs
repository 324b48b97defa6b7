//! Who vouches for a certificate: the path from it to an authority, with every signature checked.
//!
//! Promise: a path grows only over signatures that were verified, and ends after eight certificates. Whether
//! the path is good enough is decided in `check`.

use super::parse::{CHAIN_MAX, Cert, Crl};
use rsa::RsaPublicKey;
use rsa::pkcs1v15::{Signature, VerifyingKey};
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::Verifier;
use sha1::Sha1;
use x509_cert::der::asn1::BitString;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::der::oid::db::rfc5912 as oid;
use x509_cert::ext::pkix::BasicConstraints;

/// What lies in the certificate folder, as far as it decides on trust.
#[derive(Clone, Debug, Default)]
pub(crate) struct TrustLists {
    /// Trusted as they are; authorities among them vouch for what they signed.
    pub(crate) trusted: Vec<Cert>,
    /// Known authorities that help to build a path, and are not trusted by themselves.
    pub(crate) issuers: Vec<Cert>,
    pub(crate) revocations: Vec<Crl>,
}

/// A certificate and those who signed it, each by the next.
pub(crate) struct Path<'a> {
    pub(crate) certs: Vec<&'a Cert>,
    /// The very certificate is in the trusted list.
    pub(crate) pinned: bool,
    /// Position of the first trusted authority.
    pub(crate) anchor: Option<usize>,
    /// Why the path ends where it ends; `None` at a self-signed certificate.
    pub(crate) end: Option<Broken>,
}

/// Why nobody could be found who vouches for a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Its issuer is not known here.
    IssuerMissing,
    /// A certificate of the issuer's name is known, and did not sign this.
    SignatureWrong,
    /// It is signed in a way that cannot be checked here.
    SignatureUnknown(ObjectIdentifier),
    /// The issuer's certificate does not allow it to sign others.
    IssuerNoAuthority,
}

/// Is a signature that of this key?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Right,
    Wrong,
    /// An algorithm or a kind of key that is not known here.
    Unknown,
}

impl<'a> Path<'a> {
    /// Builds the path of `chain`'s first certificate; the others help to find issuers.
    pub(crate) fn build(chain: &'a [Cert], lists: &'a TrustLists) -> Option<Path<'a>> {
        let (leaf, sent) = chain.split_first()?;
        let pinned = lists.trusted.iter().any(|cert| cert.der == leaf.der);
        let mut path = Path { certs: vec![leaf], pinned, anchor: None, end: None };
        let mut last = leaf;
        while path.certs.len() <= CHAIN_MAX {
            if last.is_self_issued() {
                path.end = own_signature(last);
                break;
            }
            match issuer_of(last, path.certs.len(), sent, lists) {
                Ok(issuer) => {
                    path.certs.push(issuer);
                    last = issuer;
                }
                Err(broken) => {
                    path.end = Some(broken);
                    break;
                }
            }
        }
        path.anchor = (1..path.certs.len()).find(|at| lists.trusted.iter().any(|cert| cert.der == path.certs[*at].der));
        Some(path)
    }

    /// Those that must be good for the first one to be: up to the trusted authority, or all.
    pub(crate) fn needed(&self) -> &[&'a Cert] {
        match self.anchor {
            Some(at) => &self.certs[..=at],
            None => &self.certs,
        }
    }
}

/// Checks an RSA signature (PKCS#1 1.5) of `key` over `message`.
pub(crate) fn verify(
    key: Option<&RsaPublicKey>,
    algorithm: ObjectIdentifier,
    message: &[u8],
    bits: &BitString,
) -> Verdict {
    let (Some(key), Ok(signature)) = (key, Signature::try_from(bits.raw_bytes())) else {
        return Verdict::Unknown;
    };
    let key = key.clone();
    let right = match algorithm {
        oid::SHA_256_WITH_RSA_ENCRYPTION => VerifyingKey::<Sha256>::new(key).verify(message, &signature).is_ok(),
        oid::SHA_384_WITH_RSA_ENCRYPTION => VerifyingKey::<Sha384>::new(key).verify(message, &signature).is_ok(),
        oid::SHA_512_WITH_RSA_ENCRYPTION => VerifyingKey::<Sha512>::new(key).verify(message, &signature).is_ok(),
        oid::SHA_1_WITH_RSA_ENCRYPTION => VerifyingKey::<Sha1>::new(key).verify(message, &signature).is_ok(),
        _ => return Verdict::Unknown,
    };
    if right { Verdict::Right } else { Verdict::Wrong }
}

/// Did `issuer` sign `cert`?
pub(crate) fn signed_by(cert: &Cert, issuer: &Cert) -> Verdict {
    // The algorithm stands twice; where the two differ, the outer one was not signed (RFC 5280 4.1.1.2).
    if cert.x509.signature_algorithm != cert.x509.tbs_certificate.signature {
        return Verdict::Wrong;
    }
    verify(issuer.key().as_ref(), cert.x509.signature_algorithm.oid, cert.signed_part(), &cert.x509.signature)
}

/// Did `issuer` sign this revocation list, and may it?
pub(crate) fn list_signed_by(list: &Crl, issuer: &Cert) -> bool {
    let may = issuer.key_usage().is_none_or(|usage| usage.crl_sign());
    let algorithm = list.list.signature_algorithm.oid;
    may && list.issuer() == issuer.subject()
        && verify(issuer.key().as_ref(), algorithm, list.signed_part(), &list.list.signature) == Verdict::Right
}

fn own_signature(cert: &Cert) -> Option<Broken> {
    match signed_by(cert, cert) {
        Verdict::Right => None,
        Verdict::Wrong => Some(Broken::SignatureWrong),
        Verdict::Unknown => Some(Broken::SignatureUnknown(cert.x509.signature_algorithm.oid)),
    }
}

/// `depth` certificates stand below the one looked for.
fn issuer_of<'a>(cert: &Cert, depth: usize, sent: &'a [Cert], lists: &'a TrustLists) -> Result<&'a Cert, Broken> {
    let known = lists.trusted.iter().chain(&lists.issuers).chain(sent);
    let mut why = Broken::IssuerMissing;
    for candidate in known.filter(|candidate| candidate.subject() == cert.issuer()) {
        match signed_by(cert, candidate) {
            Verdict::Right if may_sign(candidate, depth) => return Ok(candidate),
            Verdict::Right => why = Broken::IssuerNoAuthority,
            Verdict::Wrong if why == Broken::IssuerMissing => why = Broken::SignatureWrong,
            Verdict::Wrong => {}
            Verdict::Unknown => why = Broken::SignatureUnknown(cert.x509.signature_algorithm.oid),
        }
    }
    Err(why)
}

/// Basic constraints, path length and key usage of an issuer (RFC 5280 6.1.4).
fn may_sign(issuer: &Cert, depth: usize) -> bool {
    let basic: Option<BasicConstraints> = issuer.extension();
    // The certificate at the bottom does not count.
    let between = depth.saturating_sub(1);
    let allowed = basic.is_some_and(|basic| {
        basic.ca && basic.path_len_constraint.is_none_or(|longest| between <= usize::from(longest))
    });
    allowed && issuer.key_usage().is_none_or(|usage| usage.key_cert_sign())
}
