//! The machine that was measured on.

use std::fs;

use crate::compare::result::Machine;

/// What `/proc` says of this machine.
#[must_use]
pub fn describe() -> Machine {
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Machine {
        cpus: cpus as u32,
        cpu_model: field(&text("/proc/cpuinfo"), "model name"),
        kernel: Some(text("/proc/sys/kernel/osrelease").trim().to_owned())
            .filter(|release| !release.is_empty()),
        memory_bytes: memory_bytes(&text("/proc/meminfo")),
        load_average: text("/proc/loadavg").split(' ').next().and_then(|load| load.parse().ok()),
    }
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> Option<String> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim().to_owned())
}

fn memory_bytes(meminfo: &str) -> Option<u64> {
    field(meminfo, "MemTotal")?.strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_is_described_by_what_proc_says() {
        let info = "processor\t: 0\nmodel name\t: Some CPU @ 3 GHz: new\nmodel name\t: other\n";
        assert_eq!(field(info, "model name").as_deref(), Some("Some CPU @ 3 GHz: new"));
        assert_eq!(memory_bytes("MemTotal:       24576 kB\nMemFree: 1 kB\n"), Some(24576 * 1024));
        let machine = describe();
        assert!(machine.cpus > 0 && machine.memory_bytes.is_some_and(|bytes| bytes > 1 << 20));
        assert!(machine.kernel.is_some());
    }
}
