//! Files of `/proc`: their fields hold names that programs choose.

use super::bytes::texts;
use crate::exit_snapshot::{descriptors, limits, maps, memory};
use crate::memory_limit;
use crate::statm::Statm;
use crate::symbols;
use crate::tracer::{reach::Reach, sleep};

/// Two files, each read as everything that is read.
pub fn files(data: &[u8]) {
    let [one, other] = texts(data);
    let mapped = maps::parse(data);
    for mapped in &mapped {
        let _ = (mapped.file(), mapped.end.checked_sub(mapped.start).expect("a mapping has a length"));
    }
    let _ = memory::Memory::parse(&one, &other);
    let _ = limits::Limits::parse(&one);
    let _ = limits::SystemFiles::parse(&one, &other);
    let _ = descriptors::flags(&one);
    let _ = Statm::parse(&one);
    let _ = memory_limit::ram(&one);
    one.lines().for_each(|line| drop(memory_limit::limit_files(line)));
    let _ = sleep::parse_status(&one);
    let _ = sleep::parse_call(&one);
    if let Ok(reach) = Reach::of(std::path::Path::new("/proc/self/exe")) {
        let _ = reach.includes(&one);
    }
    symbols::fuzz::process_files(&one, data);
}
