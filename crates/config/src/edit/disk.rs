//! The file on disk: read again before it is written, replaced in one step, the former one kept.

use super::{Additions, Edited, add, fresh, whole};
use crate::error::{self, Errors};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

/// Former versions kept beside the file, as `plant.toml.bak-<n>` with rising numbers.
const BACKUPS_MAX: u64 = 20;

/// Adds to the file at `path`, or makes it. `known`: the text that the caller's picture of the plant is from; `None`
/// where there was none that could be read. With `dry_run` nothing is written.
///
/// # Errors
/// As [`add`]; the file is another one than `known`; or it cannot be read or written.
pub fn apply(path: &Path, known: Option<&str>, additions: &Additions, dry_run: bool) -> Result<Edited, Errors> {
    // A link stays a link: what it leads to is replaced.
    let path = &fs::canonicalize(path).unwrap_or_else(|_not_there| path.to_owned());
    let before = read(path)?;
    if known.is_some() && before.as_deref() != known {
        return Err(changed(path));
    }
    let base = before.clone().unwrap_or_else(|| fresh(&additions.plant));
    let mut edited = add(&base, path, additions)?;
    if before.is_none() {
        edited.added = edited.text.lines().map(str::to_owned).filter(|line| !line.trim().is_empty()).collect();
    }
    if !dry_run {
        replace(path, before.as_deref(), &edited.text)?;
    }
    Ok(edited)
}

/// The IANA time zone that this computer is set to; UTC where it does not say.
pub fn system_zone() -> String {
    let zone = jiff::tz::TimeZone::system().iana_name().map(str::to_owned);
    let known = |name: &String| jiff::tz::TimeZoneDatabase::bundled().get(name).is_ok();
    zone.filter(known).unwrap_or_else(|| "Etc/UTC".to_owned())
}

fn read(path: &Path) -> Result<Option<String>, Errors> {
    match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map(Some).map_err(|error| error::not_utf8(path, &error)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error::unreadable(path, &error)),
    }
}

fn replace(path: &Path, before: Option<&str>, text: &str) -> Result<(), Errors> {
    let unwritable = |error: io::Error| {
        let remedy = "give this user the right to write the file and its folder, or make room on the disk";
        whole(path, format!("this file cannot be written: {error}"), remedy)
    };
    let new = beside(path, "new");
    write_out(&new, path, text).map_err(unwritable)?;
    // The last look before the swap: whoever saved in between keeps what was saved.
    let outcome = match read(path) {
        Ok(now) if now.as_deref() == before => backed_up(path, before).and_then(|()| fs::rename(&new, path)),
        Ok(_) => {
            fs::remove_file(&new).map_err(unwritable)?;
            return Err(changed(path));
        }
        Err(errors) => return Err(errors),
    };
    outcome.map_err(unwritable)?;
    settle(path).map_err(unwritable)
}

/// The whole text on disk under a name of its own, with the rights of the file that it will replace.
fn write_out(new: &Path, path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut file = File::create(new)?;
    file.write_all(text.as_bytes())?;
    if let Ok(old) = fs::metadata(path) {
        file.set_permissions(old.permissions())?;
    }
    file.sync_all()
}

fn backed_up(path: &Path, before: Option<&str>) -> io::Result<()> {
    let Some(before) = before else { return Ok(()) };
    let next = backups(path)?.into_iter().max().unwrap_or(0) + 1;
    write_out(&beside(path, &format!("bak-{next}")), path, before)?;
    let old = backups(path)?.into_iter().filter(|number| number + BACKUPS_MAX <= next);
    old.into_iter().try_for_each(|number| fs::remove_file(beside(path, &format!("bak-{number}"))))
}

/// The numbers of the backups that are there.
fn backups(path: &Path) -> io::Result<Vec<u64>> {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else { return Ok(Vec::new()) };
    let prefix = format!("{}.bak-", name.to_string_lossy());
    let mut numbers = Vec::new();
    for entry in fs::read_dir(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        numbers.extend(name.strip_prefix(&prefix).and_then(|number| number.parse::<u64>().ok()));
    }
    Ok(numbers)
}

/// The swap itself survives a power cut (a folder can be synced on Unix only).
fn settle(path: &Path) -> io::Result<()> {
    match path.parent().filter(|folder| cfg!(unix) && !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.{ending}"))
}

fn changed(path: &Path) -> Errors {
    let remedy = "start Lineside again, so that it reads the file as it is now; then add";
    whole(path, "this file was changed since Lineside read it", remedy)
}
