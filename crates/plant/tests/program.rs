//! The program as another program starts it: what it prints, what it takes, how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

fn start(folder: &TempDir, arguments: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_lineside-plant"))
        .args(["--port", "0", "--pki"])
        .arg(folder.path().join("pki"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program")
}

#[test]
fn it_says_when_it_is_up_takes_commands_and_ends_with_its_parent() {
    let folder = TempDir::new().expect("a folder");
    let mut plant = start(&folder, &["--scenario", "steady", "--exit-with-stdin"]);
    let mut out = BufReader::new(plant.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("UP opc.tcp://").and_then(|rest| rest.strip_suffix('/'));
    let address = address.unwrap_or_else(|| panic!("not the promised line: {line:?}"));
    std::net::TcpStream::connect(address).expect("clients can connect now");

    let mut input = plant.stdin.take().expect("piped");
    input.write_all(b"jam Capper 5 s\n\njam Caper\n").expect("commands");
    drop(input);
    assert!(plant.wait().expect("an end").success());
    let mut log = String::new();
    plant.stderr.take().expect("piped").read_to_string(&mut log).expect("a log");
    assert!(log.contains("done: jam Capper 5 s"), "{log}");
    assert!(log.contains("the machine `Caper` is not understood. Write Filler"), "{log}");
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the rest");
    assert_eq!(rest, "", "nothing but the one line on standard output");
    assert!(std::net::TcpStream::connect(address).is_err(), "the port is free");
}

#[test]
fn what_is_wrong_is_said_with_a_remedy() {
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("bad.txt");
    std::fs::write(&file, "start running\nat 00:00:10 jamm Capper\nspeed fast\n").expect("a file");
    let file = file.to_str().expect("plain text");
    for (arguments, expected) in [
        (vec!["--scenario", file], "bad.txt:2: the event `jamm` is not understood. Write jam, micro-stop"),
        (vec!["--scenario", file], "bad.txt:3: the speed `fast` is not understood"),
        (vec!["--scenario", "nothing"], "there is no scenario named `nothing`. Use one of demo, calm-shift"),
        (vec!["--user", "operator"], "write it as NAME:VARIABLE"),
        (
            vec!["--user", "operator:LINESIDE_NO_SUCH_VARIABLE"],
            "cannot read the password from the environment variable",
        ),
    ] {
        let output = start(&folder, &arguments).wait_with_output().expect("an end");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && log.contains(expected), "{arguments:?}: {log}");
    }
}
