"""What the cells say, for people: lines, and a document."""
import platform
import re
import shutil
import subprocess
import sys
from collections import Counter

VERSIONS = (("gcc", "--version"), ("g++", "--version"), ("clang", "--version"), ("rustc", "--version"), ("ld.bfd", "--version"),
            ("ld.gold", "--version"), ("ld.lld", "--version"), ("ldd", "--version"))


def command():
    """How this was started, but for where calltap is."""
    words = sys.argv[1:]
    if "--calltap" in words:
        at = words.index("--calltap")
        del words[at:at + 2]
    return " ".join(["scripts/torture", *words])


def counted(results, mode):
    """`passed/total` of some results under a mode; what is excluded or skipped is told as such."""
    verdicts = Counter(result.verdict for result in results if result.mode == mode)
    total = verdicts["passed"] + verdicts["failed"]
    if total:
        return f"{verdicts['passed']}/{total}"
    return "excluded" if verdicts["excluded"] else "skipped" if verdicts["skipped"] else ""


def rows(programs, modes, results):
    """A row for each program: name, what it does, one count for each mode, seconds."""
    for program in programs:
        own = [result for result in results if result.program == program.name]
        if own:
            yield [program.name, program.what, *(counted(own, mode.name) for mode in modes),
                   f"{sum(result.seconds for result in own):.1f}"]


def failures(results):
    """Lines on what failed: what differed, and how to see it again."""
    for result in results:
        if result.verdict == "failed":
            yield f"FAILED {result.program} {result.build} {result.mode}: {result.why}"
            if result.repeat:
                yield f"       {result.repeat}"


def reasons(results):
    """Why cells were skipped, with how many each."""
    return Counter(result.why for result in results if result.verdict == "skipped")


def exclusions(programs, modes):
    """(program, mode, text, reason) of each exclusion that calltap itself tells of."""
    for program in programs:
        for mode in modes:
            if exclusion := program.exception(mode.name):
                yield program.name, mode.name, *exclusion


def summary(results):
    """The last line of all."""
    verdicts = Counter(result.verdict for result in results)
    excluded = f", {verdicts['excluded']} excluded by calltap itself" if verdicts["excluded"] else ""
    return f"torture: {verdicts['passed']} cells passed, {verdicts['failed']} failed{excluded}, " \
           f"{verdicts['skipped']} skipped (reasons above)"


def versions():
    """(program, version) of what built and ran the programs."""
    told = [("kernel", platform.release().split("-")[0])]
    for program, option in VERSIONS:
        if shutil.which(program):
            first = subprocess.run([program, option], capture_output=True, text=True, check=False).stdout.splitlines()[0]
            told.append(("glibc" if program == "ldd" else program, first))
    with open("/proc/cpuinfo") as processors:
        model = re.search(r"model name\s*:\s*(.*)", processors.read())
    return told + [("processor", model.group(1) if model else platform.machine())]


def markdown(path, programs, modes, results, notes):
    """Writes the document; notes are (heading, lines) that come before the failures."""
    with open(path, "w") as document:
        def write(*lines):
            document.write("".join(f"{line}\n" for line in lines))

        write("# The torture matrix", "",
              f"Made by `{command()}`; do not edit. Every cell is a program in a build",
              "under a mode, compared with the same program without calltap: output, ending, descriptor numbers, and the",
              "program's own count of its calls. Cells are passed/run; seconds are those under calltap.", "",
              f"**{summary(results).removeprefix('torture: ').replace(' (reasons above)', '')}.**", "",
              "| with | version |", "|---|---|", *(f"| {program} | {version} |" for program, version in versions()), "",
              "| mode | what it is |", "|---|---|", *(f"| {mode.name} | {mode.what} |" for mode in modes), "",
              f"| program | what it does | {' | '.join(mode.name for mode in modes)} | s |",
              "|---" * (len(modes) + 3) + "|")
        for row in rows(programs, modes, results):
            write(f"| {' | '.join(word.replace('|', chr(92) + '|') for word in row)} |")
        for heading, lines in [*notes, ("Failures", list(failures(results)))]:
            if lines:
                write("", f"## {heading}", "", *(f"* {line.strip()}" for line in lines))
