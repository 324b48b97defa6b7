//! Opening and reading a recording, whatever its bytes are. Start from tests/recordings.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join("x.shift");
    if std::fs::write(&path, bytes).is_ok()
        && let Ok(file) = lineside_recording::ShiftFile::open(&path)
    {
        drop(file.latest());
        drop(file.verify());
    }
});
