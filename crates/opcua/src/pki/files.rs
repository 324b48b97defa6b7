//! The certificate folder: the standard's layout (OPC 10000-12 F.1), and the one of Lineside 0.1 moved over.
//!
//! Promise: a file is replaced whole or not at all, what a person put there is never deleted by itself, and
//! moving over can be interrupted at any moment and goes on at the next start.

use super::PkiError;
use super::chain::TrustLists;
use super::parse::{Cert, Crl};
use super::pem::{Parsed, read_all};
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The oldest offers make room: anyone on the network can present certificates.
const REJECTED_MAX: usize = 100;
/// Larger files are no certificates.
const FILE_MAX: u64 = 8 * 1024 * 1024;
/// More files in one folder are not read.
const FILES_MAX: usize = 1_000;

/// The folders under `Settings::pki`.
#[derive(Clone, Debug)]
pub(crate) struct Folders {
    root: PathBuf,
}

/// One file of the folder, read.
pub(crate) struct Found<T> {
    pub(crate) file: PathBuf,
    pub(crate) item: T,
}

/// What a folder holds.
#[derive(Default)]
pub(crate) struct Contents {
    pub(crate) certs: Vec<Found<Cert>>,
    pub(crate) lists: Vec<Found<Crl>>,
    /// Files that are neither, and why.
    pub(crate) unreadable: Vec<(PathBuf, String)>,
}

impl Folders {
    /// The folders as they should be; makes none.
    pub(crate) fn of(pki: &Path) -> Result<Folders, PkiError> {
        Ok(Folders { root: std::path::absolute(pki).map_err(PkiError::file("find", pki))? })
    }

    /// Makes what is missing and moves an old layout over.
    pub(crate) fn prepare(pki: &Path) -> Result<Folders, PkiError> {
        let folders = Folders::of(pki)?;
        for folder in [
            folders.own_certs(),
            folders.own_private(),
            folders.trusted(),
            folders.trusted_lists(),
            folders.issuers(),
            folders.issuer_lists(),
            folders.rejected(),
            folders.user(),
            folders.checked().join("trusted"),
            folders.checked().join("rejected"),
        ] {
            fs::create_dir_all(&folder).map_err(PkiError::file("make", &folder))?;
        }
        for private in [folders.own_private(), folders.user()] {
            for_our_eyes_only(&private, 0o700).map_err(PkiError::file("protect", &private))?;
        }
        folders.move_over()?;
        Ok(folders)
    }

    pub(crate) fn own_certs(&self) -> PathBuf {
        self.root.join("own/certs")
    }

    pub(crate) fn own_private(&self) -> PathBuf {
        self.root.join("own/private")
    }

    /// The certificate in use; former ones lie beside it.
    pub(crate) fn own_certificate(&self) -> PathBuf {
        self.own_certs().join("lineside.der")
    }

    pub(crate) fn own_key(&self) -> PathBuf {
        self.own_private().join("lineside.pem")
    }

    pub(crate) fn trusted(&self) -> PathBuf {
        self.root.join("trusted/certs")
    }

    pub(crate) fn trusted_lists(&self) -> PathBuf {
        self.root.join("trusted/crl")
    }

    pub(crate) fn issuers(&self) -> PathBuf {
        self.root.join("issuer/certs")
    }

    pub(crate) fn issuer_lists(&self) -> PathBuf {
        self.root.join("issuer/crl")
    }

    pub(crate) fn rejected(&self) -> PathBuf {
        self.root.join("rejected/certs")
    }

    /// Certificates and keys of users.
    pub(crate) fn user(&self) -> PathBuf {
        self.root.join("user")
    }

    /// What was checked and found good, in the flat layout of the protocol library, which compares once more.
    pub(crate) fn checked(&self) -> PathBuf {
        self.root.join("checked")
    }

    /// What was found good may not be any more: every certificate has to pass the checks again before a session.
    pub(crate) fn forget_checked(&self) -> Result<(), PkiError> {
        files_in(&self.checked().join("trusted"))?.iter().try_for_each(|file| remove(file))
    }

    /// Everything that decides on trust. What cannot be read is left out, and said in the log.
    pub(crate) fn trust_lists(&self) -> Result<TrustLists, PkiError> {
        let mut lists = TrustLists::default();
        for (folder, certs) in [(self.trusted(), &mut lists.trusted), (self.issuers(), &mut lists.issuers)] {
            let contents = read(&folder)?;
            for (file, why) in &contents.unreadable {
                tracing::warn!(file = %file.display(), why, "this file is no certificate");
            }
            certs.extend(contents.certs.into_iter().map(|found| found.item));
        }
        for folder in [self.trusted_lists(), self.issuer_lists()] {
            lists.revocations.extend(read(&folder)?.lists.into_iter().map(|found| found.item));
        }
        Ok(lists)
    }

    /// Keeps an unknown certificate for a person to decide on.
    pub(crate) fn offer(&self, cert: &Cert) -> Result<PathBuf, PkiError> {
        let file = self.rejected().join(file_name(cert));
        if !file.exists() {
            write(&file, &cert.der)?;
            forget_oldest(&self.rejected());
        }
        Ok(file)
    }

    /// The layout of Lineside 0.1: `own/cert.der`, `private/private.pem`, `trusted/*`, `rejected/*`.
    fn move_over(&self) -> Result<(), PkiError> {
        let old_key = self.root.join("private/private.pem");
        move_file(&old_key, &self.own_key())?;
        move_file(&self.root.join("own/cert.der"), &self.own_certificate())?;
        for (old, new) in [("trusted", self.trusted()), ("rejected", self.rejected())] {
            let old = self.root.join(old);
            for file in files_in(&old)? {
                if let Some(name) = file.file_name() {
                    move_file(&file, &new.join(name))?;
                }
            }
        }
        // Only when it is empty: whatever else lies there is the person's.
        match fs::remove_dir(self.root.join("private")) {
            Ok(()) => tracing::info!("the certificate folder was moved over to the standard layout"),
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) => {}
            Err(error) => tracing::warn!(%error, "an old folder stays"),
        }
        Ok(())
    }
}

/// Reads the certificates and revocation lists of a folder, sorted by file name.
pub(crate) fn read(folder: &Path) -> Result<Contents, PkiError> {
    let mut contents = Contents::default();
    for file in files_in(folder)? {
        match read_file(&file) {
            Ok(items) => {
                for item in items {
                    match item {
                        Parsed::Certificate(item) => contents.certs.push(Found { file: file.clone(), item: *item }),
                        Parsed::RevocationList(item) => contents.lists.push(Found { file: file.clone(), item: *item }),
                    }
                }
            }
            Err(why) => contents.unreadable.push((file, why)),
        }
    }
    Ok(contents)
}

/// Reads one file, for [`read`] and for certificates that are named by their file.
pub(crate) fn read_file(file: &Path) -> Result<Vec<Parsed>, String> {
    let size = fs::metadata(file).map_err(|error| error.to_string())?.len();
    if size > FILE_MAX {
        return Err("it is too large for a certificate".to_string());
    }
    let bytes = fs::read(file).map_err(|error| error.to_string())?;
    read_all(&bytes).map_err(|error| error.to_string())
}

/// Writes a file whole: under another name first, then renamed.
pub(crate) fn write(file: &Path, bytes: &[u8]) -> Result<(), PkiError> {
    write_with(file, bytes, 0o644)
}

/// As [`write`], for the owner alone.
pub(crate) fn write_private(file: &Path, bytes: &[u8]) -> Result<(), PkiError> {
    write_with(file, bytes, 0o600)
}

fn write_with(file: &Path, bytes: &[u8], mode: u32) -> Result<(), PkiError> {
    let parent = file.parent().unwrap_or(Path::new("."));
    let put = || -> std::io::Result<()> {
        let mut name = std::ffi::OsString::from(".");
        name.push(file.file_name().unwrap_or_default());
        name.push(".new");
        let fresh = parent.join(name);
        match fs::remove_file(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut writer = create(&fresh, mode)?;
        writer.write_all(bytes)?;
        writer.sync_all()?;
        fs::rename(&fresh, file)
    };
    put().map_err(PkiError::file("write", file))
}

#[cfg(unix)]
fn create(file: &Path, mode: u32) -> std::io::Result<fs::File> {
    use std::os::unix::fs::OpenOptionsExt;
    fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(file)
}

/// Elsewhere the folder's own access rights decide.
#[cfg(not(unix))]
fn create(file: &Path, _mode: u32) -> std::io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).open(file)
}

#[cfg(unix)]
pub(crate) fn for_our_eyes_only(path: &Path, mode: u32) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

/// Elsewhere the folder's own access rights decide.
#[cfg(not(unix))]
pub(crate) fn for_our_eyes_only(_path: &Path, _mode: u32) -> std::io::Result<()> {
    Ok(())
}

/// `Filler [0a1b…].der`, as other OPC UA products name them; safe for every file system.
pub(crate) fn file_name(cert: &Cert) -> String {
    let safe = |letter: char| letter.is_alphanumeric() || " -_.@()".contains(letter);
    let name: String = cert.name().chars().filter(|letter| safe(*letter)).take(60).collect();
    format!("{} [{}].der", name.trim().trim_start_matches('.'), cert.thumbprint()).trim_start().to_string()
}

/// Deletes a file; one that is gone already is fine.
pub(crate) fn remove(file: &Path) -> Result<(), PkiError> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(PkiError::file("delete", file)(error)),
        _ => Ok(()),
    }
}

/// Files, without folders and without names that start with a dot, sorted.
fn files_in(folder: &Path) -> Result<Vec<PathBuf>, PkiError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(PkiError::file("read", folder)(error)),
    };
    let visible = |path: &PathBuf| path.file_name().is_some_and(|name| !name.as_encoded_bytes().starts_with(b"."));
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file() && visible(path)).collect();
    files.sort();
    files.truncate(FILES_MAX);
    Ok(files)
}

/// Moves a file that is there. Where another file has the name already, both are kept.
fn move_file(from: &Path, to: &Path) -> Result<(), PkiError> {
    if !from.is_file() {
        return Ok(());
    }
    let mut target = to.to_path_buf();
    let mut count = 1;
    while target.exists() {
        if fs::read(from).ok().is_some_and(|bytes| fs::read(&target).ok() == Some(bytes)) {
            return remove(from);
        }
        count += 1;
        let stem = to.file_stem().unwrap_or_default().to_string_lossy();
        let ending = to.extension().unwrap_or_default().to_string_lossy();
        target = to.with_file_name(format!("{stem} ({count}).{ending}"));
    }
    fs::rename(from, &target).map_err(PkiError::file("move", from))
}

fn forget_oldest(folder: &Path) {
    let Ok(files) = files_in(folder) else {
        return;
    };
    let mut dated: Vec<_> = files
        .into_iter()
        .filter_map(|file| Some((fs::metadata(&file).and_then(|data| data.modified()).ok()?, file)))
        .collect();
    dated.sort();
    let surplus = dated.len().saturating_sub(REJECTED_MAX);
    for (_, file) in dated.into_iter().take(surplus) {
        if let Err(error) = fs::remove_file(&file) {
            tracing::warn!(file = %file.display(), %error, "an old rejected certificate stays");
        }
    }
}
