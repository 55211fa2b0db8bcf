//! Values that have names are those of the headers.

use std::collections::BTreeSet;

use super::compiler::{Questions, skipped};
use super::{each_type_of, files, read};
use crate::prototype::types::{Lens, Names};

/// Of the C library, of zlib and of OpenSSL.
const LIBRARIES: &str = "\
#define _GNU_SOURCE
#include <aio.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <fnmatch.h>
#include <fts.h>
#include <ftw.h>
#include <glob.h>
#include <langinfo.h>
#include <locale.h>
#include <malloc.h>
#include <math.h>
#include <mqueue.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <regex.h>
#include <sched.h>
#include <search.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <syslog.h>
#include <termios.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>
#include <wordexp.h>
#if __has_include(<zlib.h>)
#include <zlib.h>
#endif
#if __has_include(<openssl/ssl.h>)
#include <openssl/ssl.h>
#endif
";

/// Of the kernel.
const KERNEL: &str = "\
#include <stdio.h>
#include <asm/fcntl.h>
#include <asm/mman.h>
#include <asm/prctl.h>
#include <asm/signal.h>
#include <asm/termbits.h>
#include <asm/ioctls.h>
#include <linux/bpf.h>
#include <linux/close_range.h>
#include <linux/dqblk_xfs.h>
#include <linux/falloc.h>
#include <linux/fanotify.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/io_uring.h>
#include <linux/ioprio.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/membarrier.h>
#include <linux/memfd.h>
#include <linux/mempolicy.h>
#include <linux/module.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <linux/pidfd.h>
#include <linux/prctl.h>
#include <linux/rseq.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <linux/stat.h>
#include <linux/userfaultfd.h>
";

/// Names of the C++ library's streams, which are members of a class.
const STREAMS: &str = "#include <cstdio>\n#include <ios>\nusing std::ios_base;\n";

const ASK: &str = "#define ASK(name, value) if ((long)(name) != (long)(value)) printf(\"%s\\n\", #name)\n";

type Values = BTreeSet<(String, i64)>;

/// Names and values of all enumerations and flags of the files for which `wanted` holds. The names in a set of signals stand
/// for the bits of signals, so their values are told apart.
fn named_values(wanted: impl Fn(&str) -> bool) -> (Values, Values) {
    let (read, _) = read();
    let Lens::Flags(signals) = read["types"].typed("signal_set").unwrap().lens else { panic!() };
    let (mut values, mut bits) = (Values::new(), Values::new());
    let mut see = |names: &Names| {
        let into = if *names == *signals { &mut bits } else { &mut values };
        into.extend(names.values.iter().cloned());
    };
    for (name, text) in files().iter().filter(|(name, _)| wanted(name)) {
        each_type_of(&read[name.strip_suffix(".conf").unwrap()], text, &mut |typed| {
            if let Lens::Enum(names) | Lens::Flags(names) = &typed.lens {
                see(names);
            }
        });
    }
    (values, bits)
}

/// A name, what it stands for in C, and the value that our files give it.
struct Asked {
    name: String,
    expression: String,
    value: i64,
}

/// Of each of these, whether it has this value in the headers, or `None` if they do not have it; `None` without a
/// compiler.
fn compared(compiler: &str, headers: &str, asked: &[Asked]) -> Option<Vec<Option<bool>>> {
    let before = format!("{headers}{ASK}");
    let question = |asked: &Asked| format!("ASK({}, {}L);", asked.expression, asked.value);
    let lines = asked.iter().map(|asked| (asked.name.as_str(), question(asked))).collect();
    let answers = Questions { compiler, options: &["-O0"], before: &before, lines }.ask()?;
    let differing: BTreeSet<&str> = answers.written.lines().collect();
    let found = asked.iter().zip(answers.understood);
    Some(found.map(|(asked, known)| known.then(|| !differing.contains(asked.expression.as_str()))).collect())
}

#[test]
fn values_that_have_names_are_those_of_the_headers() {
    let (values, bits) = named_values(|name| !name.starts_with("libstdc++"));
    let mut sorted = values.iter().zip(values.iter().skip(1));
    let twice = sorted.find(|(one, next)| one.0 == next.0);
    assert_eq!(twice, None, "a name has two values");
    let plain = |(name, value): (String, i64)| Asked { expression: name.clone(), name, value };
    let bit = |(name, value)| Asked { expression: format!("1L << ({name} - 1)"), name, value };
    let asked: Vec<_> = values.into_iter().map(plain).chain(bits.into_iter().map(bit)).collect();
    let Some(libraries) = compared("cc", LIBRARIES, &asked) else { return skipped("cc") };
    let kernel = compared("cc", KERNEL, &asked).expect("there is a compiler");
    let (mut wrong, mut unknown) = (Vec::new(), Vec::new());
    for (asked, found) in asked.iter().zip(libraries.into_iter().zip(kernel)) {
        match found {
            (Some(true), _) | (_, Some(true)) => {}
            (None, None) => unknown.push(asked.name.as_str()),
            _ => wrong.push(format!("{} is not {:#x}", asked.expression, asked.value)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // Headers older than the kernel that a name is from do not have it.
    assert!(unknown.len() * 20 < asked.len(), "{} of {}: {unknown:?}", unknown.len(), asked.len());
}

#[test]
fn names_of_the_c_plus_plus_streams_are_those_of_its_headers() {
    let (read, _) = read();
    let mut asked = Vec::new();
    for name in ["openmode", "iostate"] {
        let (Lens::Flags(names) | Lens::Enum(names)) = read["libstdc++.so"].typed(name).unwrap().lens else {
            panic!("{name}")
        };
        asked.extend(names.values.iter().map(|(name, value)| Asked {
            expression: format!("ios_base::{name}"),
            name: name.clone(),
            value: *value,
        }));
    }
    let Some(found) = compared("c++", STREAMS, &asked) else { return skipped("c++") };
    let wrong: Vec<_> = asked
        .iter()
        .zip(found)
        .filter(|(_, found)| *found != Some(true))
        .map(|(asked, _)| &asked.name)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}
