//! Recordings as files: checked, exported, fetched by a browser, brought in, kept and removed.

use crate::ground::*;
use futures::{SinkExt, StreamExt};
use lineside_api::wire::*;
use lineside_model::{Span, Timestamp};
use serde_json::json;
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;

#[test]
fn a_check_reads_everything_and_finds_what_is_damaged() {
    let ground = Ground::with_a_recording();
    let shift = ground.shift();
    let found: VerifyView = ground.gets("verify", json!({ "shift": shift.id }));
    assert!(found.intact && found.damaged.is_empty() && found.structure.is_empty(), "{found:?}");
    assert_eq!((found.digests_equal, found.differs_at_ms), (found.digests, None));
    assert!(found.digests >= 60 && found.inputs > 1_800.0, "{found:?}");

    // One flipped bit after the other: nothing that matters goes unnoticed, and nothing panics.
    let whole = std::fs::read(&shift.path).expect("the file");
    let used: Vec<usize> = (0..whole.len()).filter(|place| whole[*place] != 0).collect();
    let mut noticed = 0;
    for place in (1..40).map(|part| used[used.len() * part / 40]) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x10;
        std::fs::write(&shift.path, damaged).expect("written");
        match ground.asks("verify", json!({ "shift": shift.id })) {
            // Unused parts of pages, where deleted journal rows stood: half of what is not zero in so small a file.
            Ok(answer) if answer["intact"] == true => {}
            Ok(_) | Err(_) => noticed += 1,
        }
    }
    assert!(noticed > 6, "only {noticed} of 39");
    ground.ends();
}

#[test]
fn a_clip_and_tables_are_written_and_fetched() {
    let ground = Ground::with_a_recording();
    let shift = ground.shift();
    let export = |format: &str, from: i64, to: i64, tags: &[u32]| -> Exported {
        let request = json!({ "shift": shift.id, "fromMs": ms(from), "toMs": ms(to), "tags": tags, "format": format });
        ground.gets("export", request)
    };
    let csv = export("csv", 100, 199, &[TEMPERATURE.0]);
    let text = std::fs::read_to_string(&csv.path).expect("the file");
    assert_eq!((csv.rows, csv.bytes, &csv.url), (100.0, text.len() as f64, &None), "no browser serves the desktop");
    assert_eq!(text.lines().filter(|line| line.starts_with("value,B.Temperature,")).count(), 100);
    let gap = export("csv", GAP, GAP + 20, &[SPEED.0]);
    let text = std::fs::read_to_string(&gap.path).expect("the file");
    assert!(text.contains("notifications were lost on the way"), "a gap is a row: {text}");
    assert_ne!(csv.path, gap.path, "no export takes the place of another");
    for format in ["parquet", "xlsx"] {
        assert!(export(format, 100, 199, &[]).bytes > 1_000.0, "{format}");
    }

    let clip = export("shift", 250, 350, &[TEMPERATURE.0]);
    let imported = ground.imports("clip.shift", &std::fs::read(&clip.path).expect("the clip")).expect("a recording");
    assert!(!imported.known && imported.shift.clip.is_some(), "{imported:?}");
    let epoch = ground.opens(&imported.shift.id);
    ground.plays(epoch, "seek", Some(ms(300)));
    let frame = ground.frame(epoch, 0.0, &[TEMPERATURE, STATE]).expect("open");
    assert_eq!(frame.values, [temperature(300), 2.0], "what states are computed from comes along");

    let whole = export("shift", -10, SECONDS + 10, &[]);
    let again = ground.imports("copy.shift", &std::fs::read(&whole.path).expect("the copy")).expect("a recording");
    assert!(again.shift.clip.is_none());
    let found: VerifyView = ground.gets("verify", json!({ "shift": again.shift.id }));
    assert!(found.intact && found.digests_equal > 0, "{found:?}");
    ground.ends();
}

#[test]
fn a_browser_gets_exports_and_nothing_else() {
    let ground = Ground::new(|data, args| {
        record(&data.join("shifts"), START);
        args.downloads = true;
    });
    let shift = ground.shift();
    let request = json!({ "shift": shift.id, "fromMs": ms(0), "toMs": ms(9), "tags": [], "format": "csv" });
    let csv: Exported = ground.gets("export", request);
    let url = csv.url.expect("a browser can fetch it");
    std::fs::write(ground.home.path().join("exports/secret.csv"), "not written by an export").expect("a file");
    let listening = ground.runtime.block_on(lineside_server::listen(0)).expect("a port");
    let address = listening.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let serving = ground.runtime.spawn(listening.serve(ground.host.api(), "no-ui".into(), std::future::pending()));
    let get = |path: &str, host: &str| {
        ground.runtime.block_on(async {
            let mut stream = tokio::net::TcpStream::connect(&address).await.expect("it listens");
            let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await.expect("sent");
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.expect("answered");
            String::from_utf8_lossy(&answer).into_owned()
        })
    };
    let fetched = get(&url, &address);
    assert!(fetched.starts_with("HTTP/1.1 200"), "{fetched}");
    assert!(fetched.to_lowercase().contains("content-disposition: attachment;"), "{fetched}");
    assert!(fetched.ends_with(&std::fs::read_to_string(&csv.path).expect("the file")));
    for path in
        ["/exports/secret.csv", "/exports/..%2Fplant.toml", "/exports/%2Fetc%2Fpasswd", "/exports/", "/exports/a/b"]
    {
        assert!(get(path, &address).starts_with("HTTP/1.1 404"), "{path}");
    }
    assert!(get(&url, "evil.example").starts_with("HTTP/1.1 403"), "another site's page");
    serving.abort();
    ground.ends();
}

#[test]
fn an_import_comes_in_pieces_over_the_socket() {
    let ground = Ground::with_a_recording();
    let bytes = std::fs::read(ground.shift().path).expect("the file");
    let listening = ground.runtime.block_on(lineside_server::listen(0)).expect("a port");
    let url = listening.url().replace("http", "ws") + "ws";
    let serving = ground.runtime.spawn(listening.serve(ground.host.api(), "no-ui".into(), std::future::pending()));
    let answers = ground.runtime.block_on(async {
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.expect("a socket");
        let mut answers = Vec::new();
        let ticket: ImportTicket = ground.gets("import", json!({ "name": "a.shift", "bytes": bytes.len() }));
        for (number, piece) in (0u32..).zip(bytes.chunks(1 << 20)) {
            let mut message = (7 + number).to_le_bytes().to_vec();
            message.extend_from_slice(&ticket.import.to_le_bytes());
            message.extend_from_slice(&(u64::from(number) << 20).to_le_bytes());
            message.extend_from_slice(piece);
            socket.send(Message::binary(message)).await.expect("sent");
            let answer = socket.next().await.expect("an answer").expect("a message");
            answers.push(serde_json::from_str::<serde_json::Value>(answer.to_text().expect("text")).expect("JSON"));
        }
        socket.send(Message::binary(vec![1, 2, 3])).await.expect("sent");
        let answer = socket.next().await.expect("an answer").expect("a message");
        answers.push(serde_json::from_str(answer.to_text().expect("text")).expect("JSON"));
        let end: Imported = ground.gets("import_end", json!({ "import": ticket.import }));
        assert_eq!((end.known, end.shift.stops), (false, Some(1)));
        answers
    });
    assert_eq!(answers[0], json!({ "id": 7, "ok": null }));
    assert_eq!(answers[answers.len() - 1]["error"]["code"], "badRequest", "three bytes are no piece");
    serving.abort();
    ground.ends();
}

#[test]
fn hostile_imports_leave_nothing_behind() {
    let ground = Ground::with_a_recording();
    let good = std::fs::read(ground.shift().path).expect("the file");
    let foreign: Vec<u8> = b"SQLite format 3\0".iter().copied().chain((0..5_000u32).map(|i| i as u8)).collect();
    let cut = &good[..good.len() / 2];
    for (name, bytes) in [
        ("text.shift", &b"not a recording"[..]),
        ("foreign.shift", &foreign),
        ("../../cut.shift", cut),
        ("", &[0; 100]),
    ] {
        let error = ground.imports(name, bytes).expect_err("no recording");
        assert_eq!(error.code, ErrorCode::Refused, "{name}: {error:?}");
    }
    let begin = |bytes: f64| ground.asks("import", json!({ "name": "a.shift", "bytes": bytes }));
    assert!(begin(0.0).is_err() && begin(1e18).is_err() && begin(-5.0).is_err());
    let ticket: ImportTicket = serde_json::from_value(begin(10.0).expect("a ticket")).expect("an ImportTicket");
    assert!(ground.api.put(ticket.import, 5, b"12345").is_err(), "another place");
    assert!(ground.api.put(ticket.import, 0, b"12345").is_err(), "that ended it");
    let ticket: ImportTicket = serde_json::from_value(begin(3.0).expect("a ticket")).expect("an ImportTicket");
    assert!(ground.api.put(ticket.import, 0, b"12345").is_err(), "longer than announced");
    assert!(ground.api.put(77, 0, b"1").is_err(), "nobody's");
    assert!(ground.api.put(1, 0, &vec![0; (1 << 20) + 1]).is_err(), "a piece that is too large");

    let name = "../../../up\\and\\away.shift";
    let imported = ground.imports(name, &good).expect("a recording under a bad name");
    assert!(!imported.shift.file.contains(['/', '\\']) && !imported.known);
    assert!(ground.imports("again.shift", &good).expect("the same").known);
    assert_eq!(files(ground.home.path(), "imported"), [imported.shift.file]);
    assert_eq!(ground.shifts().shifts.len(), 2, "the imported one and the one that was there");
    ground.ends();
}

#[test]
fn old_recordings_go_and_pinned_and_imported_ones_stay() {
    let day = |days: i64| START + Span::from_secs(days * 86_400);
    let ground = Ground::new(|data, _| {
        let all: Vec<_> = (0..3).map(|days| copy(data, day(days))).collect();
        lineside_recording::marks::add(&all[1], &pin()).expect("a closed file");
        std::fs::create_dir_all(data.join("imported")).expect("a folder");
        std::fs::copy(&all[2], data.join("imported/old.shift")).expect("a copy");
        write_plant(data, "[recording]\nkeep_days = 30\n");
    });
    let epoch = ground.hello(None).epoch;
    let deadline = std::time::Instant::now() + PATIENCE;
    let mut cursor = 0.0;
    let list = loop {
        let list = ground.shifts();
        if list.retention.removed.len() == 2 {
            break list;
        }
        assert!(std::time::Instant::now() < deadline, "{:?}", list.retention);
        cursor = ground.frame(epoch, cursor, &[]).expect("live").cursor;
    };
    assert_eq!((list.retention.keep_days, list.retention.keep_bytes), (Some(30.0), None));
    let left: Vec<(bool, &ShiftState)> = list.shifts.iter().map(|shift| (shift.pinned, &shift.state)).collect();
    assert_eq!(left.len(), 3, "running, pinned and imported: {left:?}");
    assert!(left.contains(&(true, &ShiftState::Complete)) && left.contains(&(false, &ShiftState::Recording)));
    ground.ends();
}

#[test]
fn a_recording_is_pinned_and_let_go() {
    let ground = Ground::with_a_recording();
    let id = ground.shift().id;
    for pinned in [true, true, false, false] {
        let list: ShiftList = ground.gets("pin", json!({ "shift": id, "pinned": pinned }));
        assert_eq!((list.shifts[0].pinned, list.shifts[0].marks), (pinned, 0), "a pin is no bookmark");
    }
    let found: VerifyView = ground.gets("verify", json!({ "shift": id }));
    assert!(found.intact, "{found:?}");
    ground.ends();
}

/// A recording of this day, made in a folder of its own: a session in the same one would go on from it.
fn copy(data: &Path, start: Timestamp) -> std::path::PathBuf {
    let made = record(&data.join("made").join(start.0.to_string()), start);
    let path = data.join("shifts").join(made.file_name().expect("a name"));
    std::fs::create_dir_all(data.join("shifts")).expect("a folder");
    std::fs::copy(made, &path).expect("a copy");
    path
}

fn pin() -> lineside_recording::Mark {
    lineside_recording::Mark { kind: lineside_recording::marks::PIN, at: START, ..Default::default() }
}

fn files(data: &Path, folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(data.join(folder)).expect("a folder");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}
