"""One run of a command in surroundings of its own, watched for what it leaves behind.

Whoever runs cells adopts orphans, so that all that comes of a command can be found: a process that is alive after
calltap has ended is one that calltap has left.
"""
import ctypes
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass, field

PR_SET_CHILD_SUBREAPER = 36
SHARED_MEMORY = "/dev/shm"


@dataclass
class Outcome:
    """What a run did: its output, its end, and what is left of it."""
    stdout: bytes = b""
    stderr: bytes = b""
    # As subprocess has it: a negative number is a signal's.
    status: int = 0
    seconds: float = 0.0
    hung: bool = False
    left: list = field(default_factory=list)


def adopt_orphans():
    """Makes this process the parent of all orphans among its descendants (prctl(2)).

    Raises OSError if the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def reset_signals():
    """Has programs begin with no signal ignored, as at a terminal, also if a shell has put us into its background.

    What Python itself ignores, subprocess puts back.
    """
    for number in signal.valid_signals() - {signal.SIGPIPE, signal.SIGXFSZ}:
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)


def descendants():
    """(process, name) of all living descendants of this process; ended ones are reaped, if they are ours to reap."""
    while True:
        try:
            process, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return []
        if process == 0:
            break
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", errors="replace") as stat:
                    before, _, after = stat.read().rpartition(")")
            except OSError:
                continue
            state, parent = after.split()[:2]
            if state not in "ZX":
                parents.setdefault(int(parent), []).append((int(entry), before.partition("(")[2]))
    found, todo = [], [os.getpid()]
    while todo:
        for child in parents.get(todo.pop(), ()):
            found.append(child)
            todo.append(child[0])
    return found


def kill_all():
    """Kills all descendants, also those that are made meanwhile."""
    while living := descendants():
        for process, _ in living:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.01)


def wait(process, seconds):
    """Whether a child ended within so many seconds."""
    pidfd = os.pidfd_open(process.pid)
    try:
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        ended = bool(poll.poll(seconds * 1000))
    finally:
        os.close(pidfd)
    if ended:
        process.wait()
    return ended


def shared_memory():
    """Names in the system's shared memory."""
    try:
        return set(os.listdir(SHARED_MEMORY))
    except OSError:
        return set()


def run(words, directory, limit, patient):
    """Runs a command in directory/run with directory/tmp for temporary files, for so many seconds at most.

    patient: whether processes that outlive the command are waited for (a bare daemon), or are what it has left.
    """
    temporary, where = os.path.join(directory, "tmp"), os.path.join(directory, "run")
    out, err = os.path.join(directory, "stdout"), os.path.join(directory, "stderr")
    for path in (temporary, where):
        os.makedirs(path, exist_ok=True)
    environment = dict(os.environ, TMPDIR=temporary, LC_ALL="C", TZ="UTC")
    for name in ("LD_PRELOAD", "LD_LIBRARY_PATH", "LD_BIND_NOW"):
        environment.pop(name, None)
    outcome, shared = Outcome(), shared_memory()
    began = time.monotonic()
    with open(out, "wb") as stdout, open(err, "wb") as stderr:
        process = subprocess.Popen(words, cwd=where, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
                                   start_new_session=True)
    if wait(process, limit):
        living = descendants()
        while living and patient and time.monotonic() - began < limit:
            time.sleep(0.01)
            living = descendants()
        outcome.left += [f"process {name}" for _, name in living]
    else:
        outcome.hung = True
    outcome.seconds = time.monotonic() - began
    if outcome.hung or outcome.left:
        kill_all()
        process.wait()
    outcome.status = process.returncode
    outcome.left += [f"file {name} in TMPDIR" for name in sorted(os.listdir(temporary))]
    outcome.left += [f"file {name} in the working directory" for name in sorted(os.listdir(where))]
    outcome.left += [f"{SHARED_MEMORY}/{name}" for name in sorted(left_in_memory(shared))]
    with open(out, "rb") as stdout, open(err, "rb") as stderr:
        outcome.stdout, outcome.stderr = stdout.read(), stderr.read()
    return outcome


def left_in_memory(before):
    """Names that are new in shared memory, and stay. What a living process uses is another program's: ours have ended."""
    until = time.monotonic() + 1
    while (new := shared_memory() - before) and (new := new - in_use()) and time.monotonic() < until:
        time.sleep(0.05)
    return new


def in_use():
    """Names in shared memory that a process has mapped."""
    names = set()
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/maps", errors="replace") as maps:
                    names.update(line.rpartition("/")[2].split()[0] for line in maps if SHARED_MEMORY in line)
            except OSError:
                continue
    return names
