"""The large programs: jobs of programs from packages, each a script of scripts/matrix/large/, run whole under each mode.

A script works in an empty directory of its own and says on stdout what came out of it, the same each time. The comment at
its head says what it does, and has directives:

  torture: needs PROGRAM...             programs that it starts; one that is not installed skips it
  torture: check COMMAND -- REASON      a command that must succeed, or the script is skipped for this reason
  torture: version COMMAND              tells the version in the first line of its output
  torture: user NAME                    started by root, it is run, with calltap, as this user
  torture: except MODE "TEXT" REASON    as for the small programs
"""
import glob
import os
import pwd
import re
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import cell
import modes
import oracle
from job import Cells, Result
from programs import Malformed

SCRIPTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "large")
# In what stands for a build: they are as their packages have them.
PACKAGE = "package"
# A trace of each call of a compiler is gigabytes: counted, the calls go the same way.
MODES = ("run", "run-all", "run-no-syscalls", "run-got", "trace-count")
# Seconds that a job may take under a mode.
LIMIT = 600


@dataclass
class Script:
    """One script and what its directives say; in the tables it stands for a program."""
    name: str
    path: str
    what: str
    needs: list = field(default_factory=list)
    checks: list = field(default_factory=list)
    version: str = ""
    user: str = ""
    exceptions: list = field(default_factory=list)
    builds: str = PACKAGE
    # Records that may be lost: none.
    loses: int = 0
    status: int = 0

    def exception(self, mode):
        """(text, reason) of the exclusion under a mode, or None."""
        return next(((text, reason) for pattern, text, reason in self.exceptions if fnmatchcase(mode, pattern)), None)

    def cannot_run(self):
        """Why this script cannot be run here, or None."""
        if absent := [program for program in self.needs if not shutil.which(program, path=search_path())]:
            return f"not installed: {' '.join(absent)}"
        for command, reason in self.checks:
            if said(command).returncode != 0:
                return reason
        return None


def search_path():
    """Where the packages' programs are: before anything that is installed beside them."""
    postgres = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    return ":".join(["/usr/bin", "/bin", "/usr/sbin", "/sbin", *postgres, os.environ.get("PATH", "")])


def said(command):
    """What a command of a directive says and how it ends."""
    return subprocess.run(["bash", "-c", command], env=dict(os.environ, PATH=search_path()), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def script(path):
    """One file as a script.

    Raises Malformed if a directive is unknown.
    """
    with open(path) as file:
        comment = [re.sub(r"^# ?", "", line).strip() for line in file if line.startswith("#")]
    made = Script(os.path.basename(path).removesuffix(".sh"), path, comment[0].rstrip("."))
    for line in comment:
        word, _, rest = line.removeprefix("torture:").strip().partition(" ")
        if not line.startswith("torture:"):
            continue
        if word == "needs":
            made.needs += rest.split()
        elif word == "check" and " -- " in rest:
            made.checks.append(rest.rsplit(" -- ", 1))
        elif word == "version":
            made.version = rest
        elif word == "user":
            made.user = rest
        elif word == "except" and (parts := re.fullmatch(r'(\S+)\s+"([^"]+)"\s*(.*)', rest)):
            made.exceptions.append(parts.groups())
        else:
            raise Malformed(f"{path}: no such directive: {line}")
    return made


def scripts():
    """All of them by name."""
    return [script(path) for path in sorted(glob.glob(os.path.join(SCRIPTS, "*.sh")))]


def versions(chosen):
    """(program, version) of those scripts' programs that are installed."""
    return [(one.name, said(one.version).stdout.splitlines()[0]) for one in chosen if one.version and not one.cannot_run()]


@dataclass
class LargeJob(Cells):
    """A script and the modes it is run under."""
    program: Script
    modes: list
    calltap: str
    directory: str
    build: str = PACKAGE
    keep: str = ""

    def cells(self):
        """The bare run, and the others compared with it."""
        for folder in ("tmp", "run", "home"):
            os.makedirs(os.path.join(self.directory, folder))
        calltap = shutil.copy2(self.calltap, os.path.join(self.directory, "calltap"))
        before = ["env", f"PATH={search_path()}"]
        if self.program.user and os.geteuid() == 0:
            before = self.as_user() + before
            if cell.run([*before, "test", "-x", calltap], self.directory, 10, patient=True).status != 0:
                return self.every("skipped", f"temporary directories are out of reach of user {self.program.user}")
        # Read before: the script's user may not be able to. It works in a folder that it may leave full of files.
        with open(self.program.path) as source:
            words = ["bash", "-c", 'mkdir work && cd work && bash -c "$0"; status=$?; cd .. && rm -rf work; exit $status',
                     source.read()]
        bare = cell.run([*before, *words], self.directory, LIMIT, patient=True)
        if wrong := oracle.sound(self.program, bare):
            return self.every("failed", wrong)
        return [self.under(mode, bare, before, calltap, words) for mode in self.modes]

    def as_user(self):
        """The words before a command that is to run as the script's user, to whom the directory is given."""
        user = pwd.getpwnam(self.program.user)
        for folder, _, _ in os.walk(self.directory):
            os.chown(folder, user.pw_uid, user.pw_gid)
        os.chmod(os.path.dirname(self.directory), 0o711)
        return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "env",
                f"HOME={os.path.join(self.directory, 'home')}"]

    def under(self, mode, bare, before, calltap, words):
        """The script under one mode."""
        report, began = os.path.join(self.directory, "report"), time.monotonic()
        if os.path.exists(report):
            os.unlink(report)
        outcome = cell.run([*before, *modes.command(calltap, mode, report, words)], self.directory, LIMIT, patient=False)
        why = oracle.harm(self.program, mode, bare, outcome, report)
        if why and self.keep:
            shutil.copytree(self.directory, os.path.join(self.keep, f"{self.program.name}.{mode.name}"), dirs_exist_ok=True)
        verdict = "failed" if why else "excluded" if self.program.exception(mode.name) else "passed"
        again = shlex.join(modes.command(self.calltap, mode, "/tmp/report", ["bash", self.program.path]))
        return Result(self.program.name, PACKAGE, mode.name, verdict, why or "", time.monotonic() - began, again if why else "")


def jobs(chosen, chosen_modes, calltap, directory, keep):
    """(jobs, results of scripts that cannot be run here)."""
    made, skipped = [], []
    for one in chosen:
        job = LargeJob(one, [mode for mode in chosen_modes if mode.name in MODES], calltap,
                       os.path.join(directory, f"large.{one.name}"), keep=keep)
        if reason := one.cannot_run():
            skipped += job.every("skipped", f"{one.name}: {reason}")
        else:
            made.append(job)
    return made, skipped
