//! What can be done, and the command that tries it.

use calltap_analyzers::arenas::report::{Advice, Culprit, Remedy};

use super::super::Sites;
use super::{blame, model};

/// Those whose memory advice says to release.
pub(super) fn culprits(advice: &[Advice]) -> impl Iterator<Item = &Culprit> {
    advice.iter().filter_map(|advice| match &advice.remedy {
        Remedy::Release(culprit) => Some(culprit),
        _ => None,
    })
}

pub(super) fn advice(advice: &Advice, command: &[String], sites: &mut Sites<'_, '_>) -> model::Advice {
    let (mut value, mut allocator, mut released) = (None, None, None);
    let (remedy, trial) = match advice.remedy {
        Remedy::Trim => ("malloc_trim", Some("gdb -p PID -batch -ex 'call (int)malloc_trim(0)'".to_owned())),
        Remedy::ArenaMax(most) => {
            value = Some(most);
            ("arena_max", Some(rerun(&format!("MALLOC_ARENA_MAX={most}"), command)))
        }
        Remedy::TrimThreshold(bytes) => tunable("trim_threshold", bytes, &mut value, command),
        Remedy::MmapThreshold(bytes) => tunable("mmap_threshold", bytes, &mut value, command),
        Remedy::TopPad(bytes) => tunable("top_pad", bytes, &mut value, command),
        Remedy::TcacheCount(count) => tunable("tcache_count", count, &mut value, command),
        Remedy::Allocator(name) => {
            allocator = Some(name.to_owned());
            ("allocator", preloaded(name).map(|setting| rerun(setting, command)))
        }
        Remedy::Release(culprit) => {
            released = Some(blame::culprit(&culprit, sites));
            ("release", None)
        }
    };
    model::Advice {
        remedy,
        value,
        allocator,
        command: trial,
        saves_bytes: advice.saves,
        simulated: advice.simulated,
        because: advice.because.clone(),
        culprit: released,
    }
}

fn tunable(
    name: &'static str,
    setting: u64,
    value: &mut Option<u64>,
    command: &[String],
) -> (&'static str, Option<String>) {
    *value = Some(setting);
    (name, Some(rerun(&format!("GLIBC_TUNABLES=glibc.malloc.{name}={setting}"), command)))
}

/// What preloads it: the library's name as the loader finds it, wherever it is installed.
fn preloaded(allocator: &str) -> Option<&'static str> {
    match allocator {
        // Left to itself it gives back after ten seconds what was released, and only when it is asked again.
        "jemalloc" => {
            Some("MALLOC_CONF=background_thread:true,dirty_decay_ms:100 LD_PRELOAD=libjemalloc.so.2")
        }
        "tcmalloc" => Some("LD_PRELOAD=libtcmalloc_minimal.so.4"),
        "mimalloc" => Some("LD_PRELOAD=libmimalloc.so.2"),
        _ => None,
    }
}

/// The same session again, with something in its environment.
fn rerun(setting: &str, command: &[String]) -> String {
    let words: Vec<_> = command.iter().map(|word| quoted(word)).collect();
    format!("{setting} calltap run -- {}", words.join(" "))
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-+=:,./@%^".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_can_be_pasted_into_a_shell() {
        let command = ["./server", "--name", "it's me", "", "$HOME"].map(str::to_owned);
        assert_eq!(
            rerun("MALLOC_ARENA_MAX=2", &command),
            r"MALLOC_ARENA_MAX=2 calltap run -- ./server --name 'it'\''s me' '' '$HOME'"
        );
    }
}
