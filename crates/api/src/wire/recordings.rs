//! Records of the library of shifts: list, marks, check, export, import.

use super::{Problem, records};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

records! {
    /// All recordings of this PC.
    struct ShiftList {
        /// Newest first.
        pub shifts: Vec<ShiftInfo>,
        /// Files in the folder that look like recordings and cannot be read.
        pub unreadable: Vec<Problem>,
        pub folder: String,
        /// Bytes of all of them.
        pub bytes: f64,
        pub retention: RetentionView,
    }

    /// Which recordings are kept. Null: no limit.
    struct RetentionView {
        pub keep_days: Option<f64>,
        pub keep_bytes: Option<f64>,
        /// The last ones that were removed, newest first.
        pub removed: Vec<RemovedView>,
    }

    struct RemovedView { pub file: String, pub at_ms: f64, pub bytes: f64 }

    /// One recording.
    struct ShiftInfo {
        /// Names it in requests.
        pub id: String,
        pub file: String,
        pub path: String,
        pub line: String,
        /// IANA name of the plant's time zone.
        pub time_zone: String,
        /// Local date on which the shift began, as in `2026-11-21`.
        pub date: String,
        /// Name of the shift; empty for a stretch outside the calendar.
        pub shift: String,
        pub scheduled: bool,
        pub crew: Option<String>,
        pub shift_start_ms: f64,
        pub shift_end_ms: f64,
        /// What is recorded.
        pub from_ms: f64,
        pub to_ms: f64,
        pub bytes: f64,
        pub state: ShiftState,
        /// What is wrong with it, where something is.
        pub problem: String,
        /// Lowest version of the format that a program must know.
        pub format: u32,
        /// Stretches without values, with a reason. Null: the file has no index of events.
        pub gaps: Option<u32>,
        /// Stops of the line (of the constraint unit).
        pub stops: Option<u32>,
        pub marks: u32,
        /// Kept whatever its age.
        pub pinned: bool,
        /// Only some of the shift: what of it, in words.
        pub clip: Option<String>,
        /// It lies outside of the library's folder (opened by a double click).
        pub outside: bool,
    }

    /// Recording: being written. Interrupted: the program ended without closing it; all that was committed is there.
    enum ShiftState { Recording, Complete, Interrupted, Damaged }

    struct ShiftRequest { pub shift: String }

    struct PinRequest { pub shift: String, pub pinned: bool }

    /// What a check of a whole file found.
    struct VerifyView {
        /// Nothing is missing and nothing differs.
        pub intact: bool,
        pub batches: f64,
        pub inputs: f64,
        pub blocks: u32,
        pub keyframes: u32,
        /// States of the live session that replay reached too, of those recorded.
        pub digests_equal: u32,
        pub digests: u32,
        /// The first state that replay does not reach; null: none.
        pub differs_at_ms: Option<f64>,
        pub damaged: Vec<DamageView>,
        /// What SQLite says beyond that, and rows beside the inputs that cannot be read (events, marks, attachments).
        pub structure: Vec<String>,
        pub took_ms: f64,
    }

    struct DamageView { pub from_ms: Option<f64>, pub to_ms: Option<f64>, pub inputs: f64, pub reason: String }

    struct ExportRequest {
        pub shift: String,
        pub from_ms: f64,
        pub to_ms: f64,
        /// Empty: all.
        pub tags: Vec<u32>,
        pub format: ExportFormat,
    }

    enum ExportFormat { Shift, Parquet, Csv, Xlsx }

    struct Exported {
        pub file: String,
        /// Where it lies on the PC that runs Lineside.
        pub path: String,
        /// Where a browser gets it; null in the desktop window.
        pub url: Option<String>,
        pub bytes: f64,
        /// Values written.
        pub rows: f64,
    }

    /// A file that a person brings; its bytes follow in pieces.
    struct ImportStart { pub name: String, pub bytes: f64 }

    struct ImportTicket { pub import: u32 }

    /// All pieces are there.
    struct ImportEnd { pub import: u32 }

    struct Imported {
        pub shift: ShiftInfo,
        /// It was in the library before.
        pub known: bool,
    }

    /// Marks a moment or a stretch: in the running shift (epoch of the plant) or in an opened recording.
    struct MarkRequest {
        pub epoch: u32,
        pub at_ms: f64,
        pub until_ms: Option<f64>,
        pub text: String,
        pub author: Option<String>,
    }

    struct UnmarkRequest { pub epoch: u32, pub mark: f64 }

    struct MarkView {
        pub id: f64,
        pub at_ms: f64,
        pub until_ms: Option<f64>,
        pub text: String,
        pub author: Option<String>,
        pub made_ms: f64,
    }
}
