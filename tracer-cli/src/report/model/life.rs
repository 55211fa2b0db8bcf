//! The part of a report that has to do with the life of processes.

use serde::Serialize;

/// Who made whom, ran what, got which signal, ended how.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Life {
    pub processes: Vec<Lived>,
    pub omitted: u64,
    pub unclear_waits: u64,
}

/// The life of a process.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Lived {
    pub pid: u32,
    pub made_by: &'static str,
    pub maker: Option<u64>,
    pub maker_tid: Option<u32>,
    pub started_ns: u64,
    pub programs: Vec<Executed>,
    pub threads: u64,
    pub threads_peak: u64,
    pub ended_ns: Option<u64>,
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
    pub signal_name: Option<String>,
    pub core_dumped: bool,
    pub reaped_by: Option<u32>,
    pub reaped_ns: Option<u64>,
    pub zombie_ns: Option<u64>,
    pub signals_got: Vec<SignalGot>,
    pub signals_sent: Vec<SignalSent>,
    pub stopped: Vec<Stopped>,
    pub objects: Vec<MappedObject>,
    pub entries_omitted: u64,
}

/// A program that it executed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Executed {
    pub path: String,
    pub command: Vec<String>,
    pub at_ns: u64,
}

/// Signals that it got, of one kind and from one sender.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct SignalGot {
    pub signal: i32,
    pub signal_name: Option<String>,
    pub code: i32,
    pub sender_pid: Option<u32>,
    pub sender_uid: Option<u32>,
    pub count: u64,
    pub first_ns: u64,
    pub last_ns: u64,
}

/// Signals that it sent, of one kind and to one target.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct SignalSent {
    pub signal: i32,
    pub signal_name: Option<String>,
    pub target: &'static str,
    pub target_id: i32,
    pub error_name: Option<String>,
    pub count: u64,
    pub first_ns: u64,
    pub last_ns: u64,
}

/// A time in which it was stopped.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct Stopped {
    pub signal: i32,
    pub signal_name: Option<String>,
    pub from_ns: u64,
    pub until_ns: Option<u64>,
}

/// An object that it had mapped.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[allow(missing_docs, reason = "see Report")]
pub struct MappedObject {
    pub path: String,
    pub address: u64,
    pub bytes: u64,
    pub first_seen_ns: Option<u64>,
}
