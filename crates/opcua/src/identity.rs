//! Who we are to a server: nobody, a user with a password, or the holder of a certificate.
//!
//! Passwords come from the environment, or from a file of their own that the Setup view writes; never from
//! `plant.toml`, and never into the log. User certificates and keys lie in the folder `user` beside the others.

use crate::Settings;
use crate::pki::{self, Folders, PkiError};
use crate::words::{self, Trouble};
use lineside_model::config::{Connection, User};
use opcua::client::IdentityToken;
use opcua::crypto::{PrivateKey, X509};
use opcua::types::StatusCode;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

/// Longer ones are refused: no server takes them, and RSA encrypts them in many blocks.
const PASSWORD_MAX: usize = 1_000;

/// Stores the password of the user of `connection` (its name in `plant.toml`), readable for this account alone.
///
/// # Errors
/// The password is empty or longer than 1,000 bytes, or the file cannot be written.
pub fn store_password(settings: &Settings, connection: &str, password: &str) -> Result<(), PkiError> {
    let file = secret_file(settings, connection);
    if password.is_empty() || password.len() > PASSWORD_MAX {
        let why = format!("it must have 1 to {PASSWORD_MAX} bytes");
        return Err(PkiError::Unreadable { what: "the password".to_string(), why });
    }
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(PkiError::file("make", folder))?;
        pki::for_our_eyes_only(folder, 0o700).map_err(PkiError::file("protect", folder))?;
    }
    pki::write_private(&file, password.as_bytes())
}

/// The stored password of `connection`, if there is one.
///
/// # Errors
/// The file is there and cannot be read.
pub fn read_password(settings: &Settings, connection: &str) -> Result<Option<String>, PkiError> {
    let file = secret_file(settings, connection);
    match std::fs::read_to_string(&file) {
        Ok(password) => Ok(Some(password)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(PkiError::file("read", &file)(error)),
    }
}

/// Is a password stored for `connection`? What it is stays where it is.
pub fn has_password(settings: &Settings, connection: &str) -> bool {
    secret_file(settings, connection).is_file()
}

/// Deletes the stored password of `connection`; one that is not there is fine.
///
/// # Errors
/// The file cannot be deleted.
pub fn forget_password(settings: &Settings, connection: &str) -> Result<(), PkiError> {
    pki::remove(&secret_file(settings, connection))
}

/// The identity to log in with. Blocking.
pub(crate) fn token(settings: &Settings, connection: &Connection) -> Result<IdentityToken, Trouble> {
    match &connection.user {
        User::Anonymous => Ok(IdentityToken::new_anonymous()),
        User::Name { name, password_env } => {
            let password = password(settings, &connection.name, name, password_env.as_deref())?;
            Ok(IdentityToken::new_user_name(name.clone(), password))
        }
        User::Certificate { certificate, key } => user_certificate(settings, certificate, key),
    }
}

fn password(settings: &Settings, connection: &str, user: &str, variable: Option<&str>) -> Result<String, Trouble> {
    let missing = |detail| Trouble::new(StatusCode::BadConfigurationError, detail);
    if let Some(variable) = variable {
        return std::env::var(variable).map_err(|_not_set| {
            missing(format!(
                "The password of user \"{user}\" is expected in the environment variable {variable}, which is not \
                 set. Set it and start Lineside again."
            ))
        });
    }
    match read_password(settings, connection) {
        Ok(Some(password)) => Ok(password),
        Ok(None) => Err(missing(format!(
            "There is no password for user \"{user}\". Enter it in Setup, or name an environment variable with \
             `password_env` for this connection in plant.toml."
        ))),
        Err(error) => Err(missing(format!("The password of user \"{user}\" cannot be read: {}.", error.in_words()))),
    }
}

fn user_certificate(settings: &Settings, certificate: &str, key: &str) -> Result<IdentityToken, Trouble> {
    let refused = |why: String| {
        let detail = format!("The user certificate {certificate} cannot be used: {why}.");
        Trouble::new(StatusCode::BadIdentityTokenInvalid, detail)
    };
    let read = || -> Result<(pki::Cert, rsa::RsaPrivateKey), PkiError> {
        let folder = Folders::prepare(&settings.pki)?.user();
        Ok((pki::read_certificate(&inside(&folder, certificate)?)?, pki::read_key(&inside(&folder, key)?)?))
    };
    let (cert, key) = read().map_err(|error| refused(error.in_words()))?;
    if cert.key() != Some(rsa::RsaPublicKey::from(&key)) {
        return Err(refused("its key is another one; give the key that it was made with".to_string()));
    }
    let (from, until) = cert.validity();
    let now = pki::now();
    if now < from || now > until {
        let span = format!("it is valid from {} until {}", words::day(from), words::day(until));
        return Err(refused(format!("{span}; renew it, or correct the clock of this machine")));
    }
    // The library has a type of its own for keys, which it reads from PEM only.
    let pem = key.to_pkcs8_pem(LineEnding::LF).map_err(|error| refused(error.to_string()))?;
    let key = PrivateKey::from_pem(pem.as_bytes()).map_err(|error| refused(error.to_string()))?;
    let x509 = X509::from_der(&cert.der).map_err(|error| refused(error.to_string()))?;
    Ok(IdentityToken::new_x509(x509, key))
}

/// The file `name` in `folder`; not one elsewhere.
fn inside(folder: &Path, name: &str) -> Result<PathBuf, PkiError> {
    let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if plain && !name.is_empty() {
        return Ok(folder.join(name));
    }
    let why = format!("write the name of a file in {}", folder.display());
    Err(PkiError::Unreadable { what: format!("\"{name}\""), why })
}

/// Letters, digits, `-` and `_` as they are, everything else as `%` and hex: one file per name.
fn secret_file(settings: &Settings, connection: &str) -> PathBuf {
    let name: String = connection.bytes().fold(String::new(), |name, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name + char::from(byte).encode_utf8(&mut [0; 4]),
        other => format!("{name}%{other:02X}"),
    });
    settings.pki.parent().unwrap_or(Path::new("")).join("secrets").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineside_model::Span;

    fn connection(user: User) -> Connection {
        Connection {
            name: "Line 1/Füller".into(),
            endpoint: "opc.tcp://10.0.0.1:4840/".into(),
            security: Default::default(),
            user,
            publish: Span::from_millis(250),
            redundant: Vec::new(),
            redundancy: Default::default(),
            heartbeat: None,
            backfill: true,
        }
    }

    #[test]
    fn a_stored_password_is_for_this_account_alone_and_can_be_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::new(folder.path().join("pki"));
        let of = connection(User::Name { name: "op".into(), password_env: None });
        let missing = token(&settings, &of).unwrap_err();
        assert!(missing.detail.contains("Setup") && missing.detail.contains("password_env"), "{}", missing.detail);

        store_password(&settings, &of.name, "geheim ü").unwrap();
        match token(&settings, &of).unwrap() {
            IdentityToken::UserName(name, password) => assert_eq!((&*name, &*password.0), ("op", "geheim ü")),
            other => panic!("{other:?}"),
        }
        assert_eq!(read_password(&settings, "Line 1").unwrap(), None, "names do not mix");
        assert!(has_password(&settings, &of.name) && !has_password(&settings, "Line 1"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            let file = folder.path().join("secrets/Line%201%2FF%C3%BCller");
            assert_eq!((mode(&folder.path().join("secrets")), mode(&file)), (0o700, 0o600));
        }
        forget_password(&settings, &of.name).unwrap();
        forget_password(&settings, &of.name).unwrap();
        assert!(token(&settings, &of).is_err());
        assert!(store_password(&settings, &of.name, "").is_err());
    }

    #[test]
    fn a_user_certificate_comes_from_its_folder_and_fits_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings::new(folder.path().join("pki"));
        let own = pki::own(&settings).unwrap();
        let user = folder.path().join("pki/user");
        std::fs::write(user.join("op.pem"), &own.pem).unwrap();
        std::fs::copy(folder.path().join("pki/own/private/lineside.pem"), user.join("op.key")).unwrap();
        let check = |certificate: &str, key: &str, words: Option<&str>| {
            let of = connection(User::Certificate { certificate: certificate.into(), key: key.into() });
            match (token(&settings, &of), words) {
                (Ok(IdentityToken::X509(..)), None) => {}
                (Err(trouble), Some(words)) => assert!(trouble.detail.contains(words), "{}", trouble.detail),
                (token, words) => panic!("{token:?} instead of {words:?}"),
            }
        };
        check("op.pem", "op.key", None);
        check("no.pem", "op.key", Some("no.pem"));
        check("op.pem", "op.pem", Some("no RSA key"));
        check("op.key", "op.key", Some("private key"));
        check("../own/certs/lineside.der", "op.key", Some("name of a file in"));
        check("/etc/passwd", "op.key", Some("name of a file in"));
        check("", "op.key", Some("name of a file in"));
        let other = Settings::new(folder.path().join("other"));
        pki::own(&other).unwrap();
        std::fs::copy(folder.path().join("other/own/private/lineside.pem"), user.join("other.key")).unwrap();
        check("op.pem", "other.key", Some("another one"));
    }
}
