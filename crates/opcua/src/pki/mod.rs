//! Certificates: our own, those of servers that a person trusts, and whether one is good enough.
//!
//! The folder `Settings::pki` has the standard's layout (OPC 10000-12 F.1): `own/{certs,private}`,
//! `trusted/{certs,crl}`, `issuer/{certs,crl}` (known authorities, not trusted by themselves) and
//! `rejected/certs` (offers that nobody has decided on). Promise: nothing is trusted unless a person said so,
//! here or by moving a file. All functions read and write files: call them where blocking is allowed.
//!
//! Code map: `pem` and `parse` (bytes) → `chain` (who signed it) → `check` (findings); `files` (folders), `own`.

mod chain;
mod check;
mod files;
#[cfg(test)]
#[path = "../../tests/it/forge.rs"]
mod forge;
mod own;
mod parse;
mod pem;
#[cfg(test)]
mod tests;

pub(crate) use check::Expected;
pub use check::{Finding, Side};
pub use own::OwnCertificate;
pub use parse::{CertificateInfo, RevocationListInfo};

pub(crate) use files::{Folders, for_our_eyes_only, remove, write_private};
pub(crate) use own::{now, read_certificate, read_key};
pub(crate) use parse::{Cert, Unreadable};
pub(crate) use pem::{Parsed, read_all};

use crate::Settings;
use crate::words::Trouble;
use files::{Contents, Found};
use opcua::crypto::{CertificateStore, SecurityPolicy, X509};
use opcua::types::{EndpointDescription, StatusCode};
use std::path::{Path, PathBuf};

/// Why a certificate could not be read, moved or made.
#[derive(Debug, thiserror::Error)]
pub enum PkiError {
    #[error("cannot {action} {}", path.display())]
    File { action: &'static str, path: PathBuf, source: std::io::Error },
    #[error("{what} cannot be used: {why}")]
    Unreadable { what: String, why: String },
    #[error("no certificate with the thumbprint {thumbprint} lies {place}")]
    Unknown { thumbprint: String, place: &'static str },
    #[error(
        "\"{name}\" is no authority, so nothing that it signed can be trusted through it; trust it as a server instead"
    )]
    NoAuthority { name: String },
    #[error(
        "Lineside has no usable certificate of its own: {reason}. Repair own/ in the certificate folder, or delete \
         own/ so that a new one is made"
    )]
    Own { reason: String },
}

impl PkiError {
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> PkiError {
        let path = path.to_path_buf();
        move |source| PkiError::File { action, path, source }
    }

    /// With its source, on one line.
    pub(crate) fn in_words(&self) -> String {
        match std::error::Error::source(self) {
            Some(source) => format!("{self}: {source}"),
            None => self.to_string(),
        }
    }
}

/// A list that a certificate can lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Trusted as it is; an authority vouches for all that it signed.
    Trusted,
    /// An authority that helps to check others, and is not trusted by itself.
    Issuers,
    /// Not trusted; waits for a person.
    Rejected,
}

/// All that lies in the certificate folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    pub own: OwnCertificate,
    pub trusted: Vec<CertificateInfo>,
    pub issuers: Vec<CertificateInfo>,
    pub rejected: Vec<CertificateInfo>,
    pub revocation_lists: Vec<RevocationListInfo>,
    /// Files that are neither certificate nor revocation list, and why.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// What was imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Imported {
    Certificate(CertificateInfo),
    RevocationList(RevocationListInfo),
}

/// Our own certificate, made at the first call (RSA 2048: up to a few seconds).
///
/// # Errors
/// The folder cannot be written, or what lies in `own/` is not a certificate with its key.
pub fn own(settings: &Settings) -> Result<OwnCertificate, PkiError> {
    own::own(settings)
}

/// Makes a new certificate for our key and application URI; the old one stays in `own/certs` with the date.
/// Servers must trust the new one, unless they go by the key.
///
/// # Errors
/// As [`own`]; also when the certificate was signed by an authority, who alone can renew it.
pub fn renew(settings: &Settings) -> Result<OwnCertificate, PkiError> {
    own::renew(settings)
}

/// Everything in the certificate folder.
///
/// # Errors
/// As [`own`]; also when a folder cannot be read. Single files that cannot be read are listed instead.
pub fn list(settings: &Settings) -> Result<Store, PkiError> {
    let own = own::own(settings)?;
    let folders = Folders::prepare(&settings.pki)?;
    let mut unreadable = Vec::new();
    let mut lists = Vec::new();
    let mut read = |folder: PathBuf| -> Result<Vec<CertificateInfo>, PkiError> {
        let contents = files::read(&folder)?;
        unreadable.extend(contents.unreadable);
        lists.extend(contents.lists.iter().map(|found| found.item.info(Some(&found.file))));
        Ok(contents.certs.iter().map(|found| found.item.info(Some(&found.file))).collect())
    };
    let trusted = read(folders.trusted())?;
    let issuers = read(folders.issuers())?;
    let rejected = read(folders.rejected())?;
    read(folders.trusted_lists())?;
    read(folders.issuer_lists())?;
    Ok(Store { own, trusted, issuers, rejected, revocation_lists: lists, unreadable })
}

/// Trusts the certificate that was rejected (or is known as an issuer) from now on: exactly this one, and, if it
/// is an authority, those that it signed. `thumbprint` is SHA-1 or SHA-256 in hex, as a person writes it.
///
/// # Errors
/// No such certificate lies there, or the folder cannot be written.
pub fn trust(settings: &Settings, thumbprint: &str) -> Result<CertificateInfo, PkiError> {
    let folders = Folders::prepare(&settings.pki)?;
    let rejected = find(&folders.rejected(), thumbprint)?;
    let found = match rejected.first() {
        Some(found) => found,
        None => {
            let already = [find(&folders.trusted(), thumbprint)?, find(&folders.issuers(), thumbprint)?];
            return match already.into_iter().flatten().next() {
                Some(found) => keep(&folders.trusted(), &found.item),
                None => Err(unknown(thumbprint, "among the rejected ones")),
            };
        }
    };
    let info = keep(&folders.trusted(), &found.item)?;
    rejected.iter().try_for_each(take_out)?;
    Ok(info)
}

/// Withdraws trust: the certificate moves from the trusted to the rejected ones. A session that stands is not ended
/// by this; the next one is refused.
///
/// # Errors
/// No such certificate is trusted, or the folder cannot be written.
pub fn reject(settings: &Settings, thumbprint: &str) -> Result<CertificateInfo, PkiError> {
    let folders = Folders::prepare(&settings.pki)?;
    let trusted = find(&folders.trusted(), thumbprint)?;
    let first = trusted.first().ok_or_else(|| unknown(thumbprint, "among the trusted ones"))?;
    let info = keep(&folders.rejected(), &first.item)?;
    trusted.iter().try_for_each(take_out)?;
    folders.forget_checked()?;
    Ok(info)
}

/// Deletes a certificate or a revocation list from a place. There is no way back but to import it again.
///
/// # Errors
/// Nothing with this thumbprint lies there, or the file cannot be deleted.
pub fn remove_from(settings: &Settings, place: Place, thumbprint: &str) -> Result<(), PkiError> {
    let folders = Folders::prepare(&settings.pki)?;
    let (certs, lists) = places(&folders, place);
    let wanted = plain(thumbprint);
    let certs = find(&certs, thumbprint)?;
    let lists = lists.map_or_else(|| Ok(Vec::new()), |folder| files::read(&folder).map(|contents| contents.lists))?;
    let lists: Vec<_> = lists.into_iter().filter(|list| list.item.thumbprint() == wanted).collect();
    if certs.is_empty() && lists.is_empty() {
        return Err(unknown(thumbprint, "there"));
    }
    certs.iter().try_for_each(take_out)?;
    lists.iter().try_for_each(|list| files::remove(&list.file))?;
    folders.forget_checked()
}

/// Puts certificates and revocation lists (one in DER, or any number in PEM) into a place.
///
/// # Errors
/// The bytes are neither, a certificate for [`Place::Issuers`] is no authority, a revocation list is meant for
/// the rejected ones, or the folder cannot be written. Then nothing was imported, unless writing failed.
pub fn import(settings: &Settings, bytes: &[u8], place: Place) -> Result<Vec<Imported>, PkiError> {
    let folders = Folders::prepare(&settings.pki)?;
    let items = pem::read_all(bytes)
        .map_err(|error| PkiError::Unreadable { what: "what was imported".to_string(), why: error.to_string() })?;
    let (certs, lists) = places(&folders, place);
    for item in &items {
        match item {
            Parsed::Certificate(cert) if place == Place::Issuers && !cert.is_authority() => {
                return Err(PkiError::NoAuthority { name: cert.name() });
            }
            Parsed::RevocationList(_) if lists.is_none() => {
                let why = "a revocation list belongs to the trusted ones or to the issuers".to_string();
                return Err(PkiError::Unreadable { what: "what was imported".to_string(), why });
            }
            _ => {}
        }
    }
    let put = |item: &Parsed| match item {
        Parsed::Certificate(cert) => keep(&certs, cert).map(Imported::Certificate),
        Parsed::RevocationList(list) => {
            let file = lists.clone().unwrap_or_default().join(format!("{}.crl", list.thumbprint()));
            files::write(&file, &list.der)?;
            Ok(Imported::RevocationList(list.info(Some(&file))))
        }
    };
    let imported = items.iter().map(put).collect();
    if items.iter().any(|item| matches!(item, Parsed::RevocationList(_))) {
        folders.forget_checked()?;
    }
    imported
}

/// May we talk to the server of `chosen`? What is only noted is returned. An unknown certificate is kept for a
/// person; a good one is laid out for the protocol library, which compares with it once more.
pub(crate) fn ensure_trusted(
    settings: &Settings,
    chosen: &EndpointDescription,
    authority: &str,
) -> Result<Vec<Finding>, Trouble> {
    let bytes = chosen.server_certificate.value.as_deref().unwrap_or_default();
    let expected = Expected {
        authority,
        uri: Some(chosen.server.application_uri.as_ref()),
        policy: Some(SecurityPolicy::from_uri(chosen.security_policy_uri.as_ref())),
    };
    let (chain, findings) = examine(settings, bytes, &expected).map_err(|error| own_trouble(&error))?;
    match findings.iter().find(|finding| finding.blocks) {
        Some(finding) => Err(Trouble { status: finding.status, detail: advice(settings, &chain, finding) }),
        None => {
            lay_out(settings, &chain).map_err(|error| own_trouble(&error))?;
            Ok(findings)
        }
    }
}

/// Checks what a server presents, and keeps it for a person where it is not trusted.
pub(crate) fn examine(
    settings: &Settings,
    bytes: &[u8],
    expected: &Expected<'_>,
) -> Result<(Vec<Cert>, Vec<Finding>), PkiError> {
    let folders = Folders::prepare(&settings.pki)?;
    let chain = match Cert::parse_chain(bytes) {
        Ok(chain) => chain,
        Err(Unreadable(why)) => return Ok((Vec::new(), vec![check::unreadable(expected.authority, &why)])),
    };
    let findings = check::check(&chain, &folders.trust_lists()?, expected, own::now());
    let untrusted = findings.iter().any(|finding| finding.status.0 == StatusCode::BadCertificateUntrusted.bits());
    // What lies among the rejected ones is an offer, not a verdict: it is taken back when the certificate is trusted,
    // also when an attempt under way wrote it again while it was being moved.
    let offered = folders.rejected().join(files::file_name(&chain[0]));
    let kept = if untrusted { folders.offer(&chain[0]).map(|_| ()) } else { files::remove(&offered) };
    if let Err(error) = kept {
        tracing::warn!(error = error.in_words(), "the rejected certificates could not be written");
    }
    Ok((chain, findings))
}

/// The status and words of a certificate folder that cannot be used.
pub(crate) fn own_trouble(error: &PkiError) -> Trouble {
    Trouble::new(StatusCode::BadConfigurationError, format!("{}.", error.in_words()))
}

/// The finding where the folder itself is in the way of checking a server.
pub(crate) fn folder_unusable(error: &PkiError) -> Finding {
    Finding {
        status: lineside_model::StatusCode(StatusCode::BadConfigurationError.bits()),
        name: StatusCode::BadConfigurationError.to_string(),
        side: Side::Ours,
        what: format!("The certificate cannot be checked: {}.", error.in_words()),
        todo: "Repair the certificate folder of this Lineside.".to_string(),
        blocks: true,
    }
}

fn advice(settings: &Settings, chain: &[Cert], finding: &Finding) -> String {
    let mut text = format!("{} {}", finding.what, finding.todo);
    if finding.status.0 == StatusCode::BadCertificateUntrusted.bits()
        && let Some(leaf) = chain.first()
    {
        let name = files::file_name(leaf);
        let pki = settings.pki.display();
        text += &format!(
            " Without a screen: move {pki}/rejected/certs/{name} to {pki}/trusted/certs. Lineside then connects by itself."
        );
    }
    text
}

fn lay_out(settings: &Settings, chain: &[Cert]) -> Result<(), PkiError> {
    let folders = Folders::prepare(&settings.pki)?;
    let unreadable = |why: String| PkiError::Unreadable { what: "the server's certificate".to_string(), why };
    let leaf = chain.first().ok_or_else(|| unreadable("it is empty".to_string()))?;
    let x509 = X509::from_der(&leaf.der).map_err(|error| unreadable(error.to_string()))?;
    let name = CertificateStore::cert_file_name(&x509);
    let file = folders.checked().join("trusted").join(&name);
    if std::fs::read(&file).ok().as_deref() != Some(&leaf.der) {
        files::write(&file, &leaf.der)?;
    }
    files::remove(&folders.checked().join("rejected").join(name))
}

fn places(folders: &Folders, place: Place) -> (PathBuf, Option<PathBuf>) {
    match place {
        Place::Trusted => (folders.trusted(), Some(folders.trusted_lists())),
        Place::Issuers => (folders.issuers(), Some(folders.issuer_lists())),
        Place::Rejected => (folders.rejected(), None),
    }
}

fn keep(folder: &Path, cert: &Cert) -> Result<CertificateInfo, PkiError> {
    let file = folder.join(files::file_name(cert));
    files::write(&file, &cert.der)?;
    Ok(cert.info(Some(&file)))
}

/// Deletes the file of a certificate. Others in the same file (PEM) get files of their own first.
fn take_out(found: &Found<Cert>) -> Result<(), PkiError> {
    let folder = found.file.parent().unwrap_or(Path::new(""));
    let mut replaced = false;
    for item in files::read_file(&found.file).unwrap_or_default() {
        if let Parsed::Certificate(other) = item
            && other.der != found.item.der
        {
            replaced |= keep(folder, &other)?.file.as_deref() == Some(&found.file);
        }
    }
    if replaced { Ok(()) } else { files::remove(&found.file) }
}

fn find(folder: &Path, thumbprint: &str) -> Result<Vec<Found<Cert>>, PkiError> {
    let wanted = plain(thumbprint);
    let Contents { certs, .. } = files::read(folder)?;
    let same = |found: &Found<Cert>| {
        let info = found.item.info(None);
        info.thumbprint == wanted || info.sha256 == wanted
    };
    Ok(certs.into_iter().filter(same).collect())
}

/// Without the colons and blanks with which thumbprints are shown.
fn plain(thumbprint: &str) -> String {
    thumbprint.chars().filter(char::is_ascii_hexdigit).map(|digit| digit.to_ascii_lowercase()).collect()
}

fn unknown(thumbprint: &str, place: &'static str) -> PkiError {
    PkiError::Unknown { thumbprint: thumbprint.to_string(), place }
}
