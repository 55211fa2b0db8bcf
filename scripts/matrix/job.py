"""One program in one build: built, run bare, then run under every mode."""
import os
import shlex
import shutil
import time
from dataclasses import dataclass

import builds
import cell
import modes
import oracle


@dataclass
class Result:
    """One cell of the matrix. verdict: `passed`, `failed`, `excluded` (calltap says itself that it cannot), `skipped`."""
    program: str
    build: str
    mode: str
    verdict: str
    why: str = ""
    seconds: float = 0.0
    repeat: str = ""


class Cells:
    """What has a program, a build and modes, and runs as `cells` in a directory of its own."""

    def results(self):
        """Its cells, one for each mode."""
        try:
            return self.cells()
        finally:
            shutil.rmtree(self.directory, ignore_errors=True)

    def every(self, verdict, why):
        """The same result for all modes."""
        return [Result(self.program.name, str(self.build), mode.name, verdict, why) for mode in self.modes]


@dataclass
class Job(Cells):
    """A program in a build, and the modes it is run under."""
    program: object
    build: object
    modes: list
    calltap: str
    directory: str
    limit: float
    runs: int = 1
    keep: str = ""

    def words(self):
        """The program's command line."""
        return [os.path.join(self.directory, "build", self.program.name)] \
            + ([os.path.join(self.directory, "build")] if self.program.plugins else [])

    def cells(self):
        """The bare run, and the others compared with it."""
        built = os.path.join(self.directory, "build")
        os.makedirs(built)
        if message := builds.make(self.program, self.build, built):
            return self.every("failed", f"cannot be built: {message}")
        bare = cell.run(self.words(), self.directory, self.limit, patient=True)
        if reason := oracle.unable(bare):
            return self.every("skipped", f"{self.program.name} cannot run here: {reason}")
        if wrong := oracle.sound(self.program, bare):
            return self.every("failed", wrong)
        return [self.under(mode, bare) for mode in self.modes]

    def under(self, mode, bare):
        """The program under one mode, as often as it wants; the first failure ends it."""
        report, began = os.path.join(self.directory, "report"), time.monotonic()
        command = modes.command(self.calltap, mode, report, self.words())
        why = None
        for _ in range(self.runs):
            if os.path.exists(report):
                os.unlink(report)
            outcome = cell.run(command, self.directory, self.limit, patient=False)
            if why := oracle.harm(self.program, mode, bare, outcome, report):
                self.keep_what_failed(mode)
                break
        verdict = "failed" if why else "excluded" if self.program.exception(mode.name) else "passed"
        return Result(self.program.name, str(self.build), mode.name, verdict, why or "", time.monotonic() - began,
                      self.repetition(mode) if why else "")

    def repetition(self, mode):
        """How to run a failed cell again by hand."""
        build = [shlex.join(command) for command in builds.commands(self.program, self.build)]
        words = [os.path.join(".", self.program.name)] + (["."] if self.program.plugins else [])
        return " && ".join(["cd $(mktemp -d)", *build, shlex.join(modes.command(self.calltap, mode, "report", words))])

    def keep_what_failed(self, mode):
        """Copies program, output and report of a failed cell to where the user wants them."""
        if self.keep:
            place = os.path.join(self.keep, f"{self.program.name}.{self.build}.{mode.name}")
            shutil.copytree(self.directory, place, dirs_exist_ok=True)
