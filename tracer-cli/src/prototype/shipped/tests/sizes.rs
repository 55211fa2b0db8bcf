//! Structs have the sizes of those in the headers.

use super::compiler::{Questions, skipped};
use super::read;

const HEADERS: &str = "\
#define _GNU_SOURCE
#include <aio.h>
#include <dirent.h>
#include <dlfcn.h>
#include <grp.h>
#include <malloc.h>
#include <mqueue.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <regex.h>
#include <sched.h>
#include <search.h>
#include <shadow.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <utime.h>
#include <wordexp.h>
#include <netinet/ether.h>
#define ASK(type, bytes, align) if (sizeof(type) != bytes || _Alignof(type) % align) printf(\"%s: %zu\\n\", #type, sizeof(type))
";

/// The type's name here, and in C.
const STRUCTS: [(&str, &str); 61] = [
    ("timespec", "struct timespec"),
    ("timeval", "struct timeval"),
    ("timezone", "struct timezone"),
    ("itimerval", "struct itimerval"),
    ("itimerspec", "struct itimerspec"),
    ("tm", "struct tm"),
    ("tms", "struct tms"),
    ("utimbuf", "struct utimbuf"),
    ("file_time", "struct timespec"),
    ("stat", "struct stat"),
    ("stat", "struct stat64"),
    ("statx", "struct statx"),
    ("statx_timestamp", "struct statx_timestamp"),
    ("statfs", "struct statfs"),
    ("statfs", "struct statfs64"),
    ("statvfs", "struct statvfs"),
    ("statvfs", "struct statvfs64"),
    ("iovec", "struct iovec"),
    ("iovec_in", "struct iovec"),
    ("dirent", "struct dirent"),
    ("dirent", "struct dirent64"),
    ("sigset_t", "sigset_t"),
    ("sigaction", "struct sigaction"),
    ("stack_t", "stack_t"),
    ("siginfo_t", "siginfo_t"),
    ("sigval", "union sigval"),
    ("sigevent", "struct sigevent"),
    ("rusage", "struct rusage"),
    ("rlimit", "struct rlimit"),
    ("rlimit", "struct rlimit64"),
    ("utsname", "struct utsname"),
    ("sysinfo", "struct sysinfo"),
    ("sched_param", "struct sched_param"),
    ("pollfd", "struct pollfd"),
    ("epoll_event", "struct epoll_event"),
    ("sockaddr", "struct sockaddr"),
    ("msghdr", "struct msghdr"),
    ("msghdr_in", "struct msghdr"),
    ("mmsghdr", "struct mmsghdr"),
    ("in_addr", "struct in_addr"),
    ("in6_addr", "struct in6_addr"),
    ("ether_addr", "struct ether_addr"),
    ("addrinfo", "struct addrinfo"),
    ("hostent", "struct hostent"),
    ("servent", "struct servent"),
    ("protoent", "struct protoent"),
    ("netent", "struct netent"),
    ("if_nameindex", "struct if_nameindex"),
    ("passwd", "struct passwd"),
    ("group", "struct group"),
    ("spwd", "struct spwd"),
    ("sembuf", "struct sembuf"),
    ("mq_attr", "struct mq_attr"),
    ("termios", "struct termios"),
    ("winsize", "struct winsize"),
    ("regmatch", "regmatch_t"),
    ("wordexp_t", "wordexp_t"),
    ("entry", "ENTRY"),
    ("div_t", "div_t"),
    ("ldiv_t", "ldiv_t"),
    ("dl_info", "Dl_info"),
];

#[test]
fn structs_have_the_sizes_of_those_in_the_headers() {
    let (read, _) = read();
    let lines = STRUCTS
        .iter()
        .map(|(ours, theirs)| {
            let (bytes, align) = read["types"].typed(ours).unwrap_or_else(|| panic!("{ours}")).layout();
            // The kernel packs this one.
            let align = if *ours == "epoll_event" { 1 } else { align };
            let name = theirs.rsplit(' ').next().unwrap();
            (name, format!("ASK({theirs}, {bytes}, {align});"))
        })
        .collect();
    let questions = Questions { compiler: "cc", options: &[], before: HEADERS, lines };
    let Some(answers) = questions.ask() else { return skipped("cc") };
    assert_eq!(answers.written, "", "sizes in bytes that differ");
    let unknown: Vec<_> = STRUCTS.iter().zip(answers.understood).filter(|(_, known)| !known).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
