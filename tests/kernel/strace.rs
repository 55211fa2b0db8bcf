//! The same program under strace, which counts every system call.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::section::{Counts, Table};
use crate::launch::{Launch, scratch};

/// The default families, with those calls whole or not at all that belong to them in part.
pub(super) const OUR_CHOICE: &str = "memory,fd,fcntl,-ioctl,-seccomp,-bpf";

/// The same in strace's words, by name where it has no class; `?` is for calls that it may not know.
const ITS_CHOICE: &str = "%memory,open,openat,?openat2,creat,open_by_handle_at,close,?close_range,dup,dup2,dup3,\
    fcntl,pipe,pipe2,socket,socketpair,accept,accept4,recvmsg,recvmmsg,epoll_create,epoll_create1,eventfd,eventfd2,\
    signalfd,signalfd4,timerfd_create,inotify_init,inotify_init1,fanotify_init,memfd_create,?memfd_secret,\
    ?pidfd_open,?pidfd_getfd,userfaultfd,perf_event_open,?io_uring_setup,?fsopen,?fsmount,?fspick,?open_tree,mq_open";

/// A program's run under strace: what it counts of the chosen system calls.
pub(super) fn count<S: AsRef<OsStr>>(strace: &Path, launch: &Launch, library: &Path, command: &[S]) -> Table {
    let directory = scratch();
    let summary = directory.path().join("summary");
    let preload = format!("LD_PRELOAD={}", library.display());
    let trace = format!("trace={ITS_CHOICE}");
    let options = ["-f", "-c", "-U", "calls,errors,name", "-e", &trace, "-E", &preload, "-o"];
    let mut words: Vec<&OsStr> = options.iter().map(AsRef::as_ref).collect();
    words.push(summary.as_os_str());
    words.extend(command.iter().map(AsRef::as_ref));
    launch.clone().run(strace, &words).expect_status(0);
    parse(&fs::read_to_string(&summary).expect("strace writes it"))
}

/// The rows of a summary: calls, errors if there are any, and the name.
fn parse(summary: &str) -> Table {
    let rows = summary.lines().filter(|line| !line.starts_with('-') && !line.ends_with(" total"));
    rows.filter_map(|line| {
        let words: Vec<_> = line.split_whitespace().collect();
        let calls = words.first()?.parse().ok()?;
        let errors = if words.len() == 3 { words[1].parse().ok()? } else { 0 };
        Some((words.last()?.to_string(), Counts { calls, errors }))
    })
    .collect()
}

/// The interposer's library in a cache directory that one build of calltap has used.
///
/// The loader makes the same system calls for it in a program that is not tapped.
pub(super) fn library(cache: &Path) -> PathBuf {
    let directory = fs::read_dir(cache.join("calltap")).expect("calltap has been run");
    let mut files = directory.map(|entry| entry.expect("it can be read").path());
    let found = files.find(|path| path.extension().is_some_and(|extension| extension == "so"));
    found.expect("calltap puts its library there")
}
