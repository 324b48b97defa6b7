//! Changing a closed file: alone with it, in one transaction, and one file again afterwards.
//!
//! A crash in the middle leaves what a crash of the recorder leaves: a complete file with its log beside it.

use crate::store::one_file;
use crate::{RecordError, ShiftFile, database};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long to wait for readers, who are done in a moment. A recorder is not.
const PATIENCE: Duration = Duration::from_secs(2);
/// Pause between attempts.
const RETRY: Duration = Duration::from_millis(20);

/// Makes `change` in a transaction. It may be called again when the file was locked, never after it was committed.
///
/// # Errors
///
/// [`RecordError::InUse`] while a recorder has the file, [`RecordError::NotWritable`] on read-only media.
pub(crate) fn edit<T>(path: &Path, change: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, RecordError> {
    let until = Instant::now() + PATIENCE;
    loop {
        match try_edit(path, &change) {
            Err(RecordError::Locked(_)) if Instant::now() < until => std::thread::sleep(RETRY),
            Err(RecordError::Locked(path)) => return Err(RecordError::InUse(path)),
            done => return done,
        }
    }
}

fn try_edit<T>(path: &Path, change: &impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, RecordError> {
    // The reader's checks first: they change nothing.
    ShiftFile::open(path)?;
    let mut connection = database::connect_alone(path)?;
    let mut all = || -> rusqlite::Result<T> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let result = change(&transaction)?;
        transaction.commit()?;
        one_file(&connection)?;
        Ok(result)
    };
    all().map_err(|source| RecordError::sqlite(path, source))
}
