//! Errors of a configuration file as people read them: place, problem, remedy.

use std::fmt;
use std::path::{Path, PathBuf};

/// All errors of a file, in the order of their places.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Errors(pub Vec<ConfigError>);

/// One error of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    pub file: PathBuf,
    /// From 1; 0 where the error is about the file as a whole.
    pub line: usize,
    /// From 1, in characters; 0 where the error is about the file as a whole.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if self.line > 0 {
            write!(f, "{}:{}:", self.line, self.column)?;
        }
        write!(f, " {}; {}", self.problem, self.remedy)
    }
}

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
impl std::error::Error for Errors {}

/// The file is not there, or the system does not let us read it.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> Errors {
    let remedy = match error.kind() {
        std::io::ErrorKind::NotFound => "check the path",
        std::io::ErrorKind::PermissionDenied => "give this user the right to read it",
        std::io::ErrorKind::IsADirectory => "name the plant.toml in it",
        _ => "check the disk and the path",
    };
    Errors(vec![ConfigError {
        file: path.to_owned(),
        line: 0,
        column: 0,
        problem: format!("the file cannot be read: {error}"),
        remedy: remedy.to_owned(),
    }])
}

/// The file is in another encoding.
pub(crate) fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> Errors {
    let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    let before = String::from_utf8_lossy(valid);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    Errors(vec![ConfigError {
        file: path.to_owned(),
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        problem: "here the file is not UTF-8".to_owned(),
        remedy: "save the file with the encoding UTF-8".to_owned(),
    }])
}
