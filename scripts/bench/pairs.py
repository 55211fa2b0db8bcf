"""Runs of the bare program and of one tool in turn, and what is read from them: shared by the bench scripts."""
import os
import re
import statistics
import subprocess
import sys
import time
from collections import namedtuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = os.path.join(ROOT, "scripts", "bench")

# Loop nanoseconds per event, CPU and wall seconds of the whole command, largest resident MiB, the workload's own words.
Run = namedtuple("Run", "ns cpu wall rss fields")


def once(command, directory, preload=None):
    """One run of a command that is, or runs, a workload."""
    out = os.path.join(directory, "out")
    if os.path.exists(out):
        os.unlink(out)
    env = dict(os.environ, WL_OUT=out)
    if preload:
        env["LD_PRELOAD"] = preload
    began = time.monotonic()
    process = subprocess.Popen(command, env=env, cwd=directory, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = status
    if status != 0:
        sys.exit(f"{os.path.basename(sys.argv[0])}: {' '.join(command)} ended with wait status {status}")
    fields = words(out)
    return Run(int(fields["loop_ns"]) / int(fields["events"]), usage.ru_utime + usage.ru_stime,
               wall, usage.ru_maxrss / 1024, fields)


def words(path):
    """What a workload reported: `name=value ...`."""
    with open(path) as report:
        return dict(word.split("=", 1) for word in report.read().split() if "=" in word)


class Pairs:
    """Runs of the bare program and of one tool, in turn."""

    def __init__(self, name, bare, tool, directory, preload=None, event="event"):
        self.name, self.bare, self.tool, self.directory, self.preload = name, bare, tool, directory, preload
        self.event, self.fields = event, None
        self.added, self.cpu, self.wall, self.base, self.rss = [], [], [], [], []

    def run(self):
        """One more pair."""
        base = once(self.bare, self.directory)
        tool = once(self.tool, self.directory, self.preload)
        self.added.append(tool.ns - base.ns)
        self.base.append(base.ns)
        self.cpu.append(tool.cpu)
        self.wall.append(tool.wall)
        self.rss.append(tool.rss)
        self.fields = tool.fields

    def show(self):
        print(f"{self.name:34} bare {statistics.median(self.base):7.1f}  added {self.ns:8.1f} ns/{self.event} "
              f"[{min(self.added):.1f}..{max(self.added):.1f}]  cpu {self.seconds:6.2f} s  "
              f"largest {statistics.median(self.rss):6.0f} MiB", flush=True)

    @property
    def ns(self):
        return statistics.median(self.added)

    @property
    def seconds(self):
        return statistics.median(self.cpu)


def peaks(command, depth):
    """Peak resident KiB of the command, and peak anonymous KiB of its descendant `depth` levels down."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    resident = anonymous = 0
    while process.poll() is None:
        try:
            resident = max(resident, status_kib(process.pid, "VmHWM"))
            pid = process.pid
            for _ in range(depth):
                with open(f"/proc/{pid}/task/{pid}/children") as children:
                    pid = int(children.read().split()[0])
            anonymous = max(anonymous, status_kib(pid, "RssAnon"))
        except (OSError, IndexError, TypeError):
            pass  # not there yet, or there no more
        time.sleep(0.002)
    return resident, anonymous


def status_kib(pid, field):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(rf"^{field}:\s+(\d+)", status.read(), re.MULTILINE)[1])


def calltap_path(given):
    if given:
        return os.path.abspath(given)
    subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    return os.path.join(target, "release", "calltap")
