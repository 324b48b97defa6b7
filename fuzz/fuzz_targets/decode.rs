//! Everything that is decoded from a server beyond the OPC UA library.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| lineside_opcua::decode::decode(bytes));
