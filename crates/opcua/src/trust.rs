//! Certificates on disk: our own, made once, and those of servers, trusted only by a person.
//!
//! The folders are async-opcua's: `own/cert.der`, `private/private.pem`, `trusted/`, `rejected/`. A server's
//! certificate is trusted when exactly this certificate is in `trusted/`; an unknown one is written to
//! `rejected/` for a person to move. Because the very certificate is pinned, a host name that is not in it
//! is no danger (servers are often addressed by an IP they do not know of), and is not refused.

use crate::Settings;
use crate::words::{OwnCertificate, Trouble};
use opcua::crypto::{CertificateStore, SecurityPolicy, X509, X509Data};
use opcua::types::{ByteString, DateTime, StatusCode};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Two connections that start together must not both make a key.
static MAKING: Mutex<()> = Mutex::new(());

/// The certificate outlives the panel PC: one that expires silently would stop the plant's picture.
const VALID_DAYS: u32 = 20 * 365;

/// Our own certificate; makes the folders, a key (RSA 2048) and a self-signed certificate where there is
/// none. Blocking, and slow the first time.
pub(crate) fn own_certificate(settings: &Settings) -> Result<OwnCertificate, Trouble> {
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    let store = CertificateStore::new(&settings.pki);
    let (cert_file, key_file) = (store.own_certificate_path(), store.own_private_key_path());
    for folder in [store.trusted_certs_dir(), store.rejected_certs_dir(), parent(&cert_file), parent(&key_file)] {
        std::fs::create_dir_all(&folder).map_err(|error| {
            own_trouble(format!("The folder {} for certificates cannot be made: {error}.", folder.display()))
        })?;
    }
    if !cert_file.exists() && !key_file.exists() {
        make(settings, &cert_file, &key_file)?;
    }
    let certificate = store.read_own_cert().map_err(own_trouble)?;
    store.read_own_pkey().map_err(own_trouble)?;
    Ok(OwnCertificate {
        uri: application_uri(settings, &certificate)?,
        thumbprint: certificate.thumbprint().as_hex_string(),
        file: cert_file.display().to_string(),
    })
}

/// Is `certificate` trusted for `policy`, and good? Blocking. `host` is for the words.
pub(crate) fn ensure_trusted(
    pki: &Path,
    certificate: &ByteString,
    policy: SecurityPolicy,
    host: &str,
) -> Result<(), Trouble> {
    let certificate = X509::from_byte_string(certificate).map_err(|error| {
        let detail = format!("{host} presents a certificate that cannot be read: {error}. Renew it on the server.");
        Trouble::new(StatusCode::BadCertificateInvalid, detail)
    })?;
    let store = CertificateStore::new(pki);
    let name = CertificateStore::cert_file_name(&certificate);
    let (trusted, rejected) = (store.trusted_certs_dir().join(&name), store.rejected_certs_dir().join(&name));
    if !is_pinned(&certificate, &trusted) {
        return Err(untrusted(&store, &certificate, host, &trusted, &rejected));
    }
    // What we put into `rejected/` is an offer, not a verdict: it is taken back when the person has trusted the
    // certificate, also when an attempt under way wrote it again while it was being moved.
    if let Err(error) = std::fs::remove_file(&rejected)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(file = %rejected.display(), %error, "a trusted certificate stays among the rejected ones");
    }
    check_quality(&certificate, policy, host)
}

/// Is this very certificate among the trusted ones? Under another name it is given the expected one.
fn is_pinned(certificate: &X509, file: &Path) -> bool {
    let same = |path: &Path| {
        CertificateStore::read_cert(path).is_ok_and(|other| match (other.to_der(), certificate.to_der()) {
            (Ok(other), Ok(this)) => other == this,
            _ => false,
        })
    };
    if file.exists() {
        return same(file);
    }
    let Ok(others) = std::fs::read_dir(parent(file)) else {
        return false;
    };
    others.flatten().any(|other| same(&other.path()) && std::fs::copy(other.path(), file).is_ok())
}

fn untrusted(store: &CertificateStore, certificate: &X509, host: &str, trusted: &Path, rejected: &Path) -> Trouble {
    let thumbprint = certificate.thumbprint().as_hex_string();
    let subject = certificate.common_name().unwrap_or_else(|_| certificate.subject_name());
    let detail = match store.store_rejected_cert(certificate) {
        Ok(_) => format!(
            "The certificate of {host} (\"{subject}\", thumbprint {thumbprint}) is not trusted yet, so nothing was \
             sent. Compare the thumbprint with the one shown at the server; if it is the same, move {} to {}. \
             Lineside then connects by itself.",
            rejected.display(),
            trusted.display()
        ),
        Err(error) => format!(
            "The certificate of {host} (\"{subject}\", thumbprint {thumbprint}) is not trusted yet, and could not be \
             written to {}: {error}. Make the folder writable.",
            rejected.display()
        ),
    };
    Trouble::new(StatusCode::BadCertificateUntrusted, detail)
}

fn check_quality(certificate: &X509, policy: SecurityPolicy, host: &str) -> Result<(), Trouble> {
    if let Err(error) = certificate.is_time_valid(&DateTime::now().as_chrono()) {
        let detail = format!(
            "The certificate of {host} is not valid now: {error}. Compare the clocks of both machines; if they agree, \
             renew the certificate on the server."
        );
        return Err(Trouble::new(StatusCode::BadCertificateTimeInvalid, detail));
    }
    match certificate.key_length() {
        Ok(bits) if policy.is_valid_keylength(bits) => Ok(()),
        Ok(bits) => Err(Trouble::new(
            StatusCode::BadCertificatePolicyCheckFailed,
            format!("The key of {host} has {bits} bits, which {policy} does not allow. Renew it on the server."),
        )),
        Err(_) => Err(Trouble::new(
            StatusCode::BadCertificateInvalid,
            format!("The key in the certificate of {host} is of an unknown kind. An RSA key is needed."),
        )),
    }
}

fn make(settings: &Settings, cert_file: &Path, key_file: &Path) -> Result<(), Trouble> {
    let host = host_name();
    let uri = settings.application_uri.clone().unwrap_or_else(|| uri_of(&host));
    let name = format!("{}@{host}", settings.application_name);
    let data = X509Data {
        key_size: 2048,
        common_name: name,
        organization: "Lineside".to_string(),
        organizational_unit: String::new(),
        country: String::new(),
        state: String::new(),
        alt_host_names: X509Data::alt_host_names(&uri, None, false, true, false),
        certificate_duration_days: VALID_DAYS,
    };
    let protect = |path: &Path, mode| {
        for_our_eyes_only(path, mode)
            .map_err(|error| own_trouble(format!("{} cannot be protected: {error}.", path.display())))
    };
    // The folder first: the library writes the key with the rights that everybody's files have.
    protect(&parent(key_file), 0o700)?;
    CertificateStore::create_certificate_and_key(&data, false, cert_file, key_file).map_err(own_trouble)?;
    protect(key_file, 0o600)
}

#[cfg(unix)]
fn for_our_eyes_only(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// Elsewhere the folder's own access rights decide.
#[cfg(not(unix))]
fn for_our_eyes_only(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

/// The URI that the certificate carries: servers compare it with what we say of ourselves. It stays the same
/// when the machine is renamed, because it is found through the name in the certificate.
fn application_uri(settings: &Settings, certificate: &X509) -> Result<String, Trouble> {
    let in_certificate = certificate.common_name().ok();
    let named = in_certificate.as_deref().and_then(|name| name.rsplit_once('@')).map(|(_, host)| uri_of(host));
    let candidates = [settings.application_uri.clone(), named, Some(uri_of(&host_name()))];
    let fitting = candidates.into_iter().flatten().find(|uri| certificate.is_application_uri_valid(uri).is_ok());
    fitting.ok_or_else(|| {
        own_trouble(
            "The certificate in own/ was not made by Lineside, and its application URI is not configured.".to_string(),
        )
    })
}

fn uri_of(host: &str) -> String {
    format!("urn:{host}:lineside:client")
}

fn host_name() -> String {
    X509Data::computer_hostnames().into_iter().next().unwrap_or_else(|| "localhost".to_string())
}

fn parent(file: &Path) -> PathBuf {
    file.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

fn own_trouble(text: String) -> Trouble {
    let detail = format!(
        "Lineside has no usable certificate of its own: {text} Repair the certificate folder, or delete own/ and \
         private/ in it so that a new one is made."
    );
    Trouble::new(StatusCode::BadConfigurationError, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pki: &Path) -> Settings {
        Settings::new(pki)
    }

    #[test]
    fn our_certificate_is_made_once_and_keeps_its_uri() {
        let folder = tempfile::tempdir().unwrap();
        let first = own_certificate(&settings(folder.path())).unwrap();
        assert_eq!(first.uri, uri_of(&host_name()));
        assert_eq!(own_certificate(&settings(folder.path())), Ok(first));
        let certificate = CertificateStore::new(folder.path()).read_own_cert().unwrap();
        certificate.is_hostname_valid(&host_name()).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &str| std::fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode("private"), mode("private/private.pem")), (0o700, 0o600));
        }
    }

    #[test]
    fn a_broken_certificate_of_our_own_is_said_and_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("own")).unwrap();
        std::fs::write(folder.path().join("own/cert.der"), b"rubbish").unwrap();
        let trouble = own_certificate(&settings(folder.path())).unwrap_err();
        assert!(trouble.detail.contains("delete own/ and private/"), "{}", trouble.detail);
        assert_eq!(std::fs::read(folder.path().join("own/cert.der")).unwrap(), b"rubbish");
    }

    #[test]
    fn a_server_is_trusted_only_after_a_person_moved_its_certificate() {
        let server = tempfile::tempdir().unwrap();
        own_certificate(&settings(server.path())).unwrap();
        let certificate = CertificateStore::new(server.path()).read_own_cert().unwrap();
        let name = CertificateStore::cert_file_name(&certificate);
        let folder = tempfile::tempdir().unwrap();
        let store = CertificateStore::new(folder.path());
        store.ensure_pki_path().unwrap();
        let check =
            || ensure_trusted(folder.path(), &certificate.as_byte_string(), SecurityPolicy::Basic256Sha256, "plc:4840");

        let trouble = check().unwrap_err();
        assert!(trouble.detail.contains(&certificate.thumbprint().as_hex_string()), "{}", trouble.detail);
        let rejected = store.rejected_certs_dir().join(&name);
        assert!(rejected.exists() && !store.trusted_certs_dir().join(&name).exists());
        assert!(check().is_err(), "asking again does not help");

        std::fs::copy(&rejected, store.trusted_certs_dir().join("server.der")).unwrap();
        assert_eq!(check(), Ok(()), "an offer written again while it was moved does not stand against the trust");
        assert!(!rejected.exists(), "and is taken back");
    }
}
