"""The matrix's own test: a calltap that does harm must be caught, and one that does none must pass.

Each false calltap is a script around the real one. What it does wrong is one thing that the oracle looks for.
"""
import os
import stat
import tempfile

import cell
from builds import covering
from job import Job
from modes import MODES
from programs import Program

# A program that shows all that is compared.
SOURCE = """
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(void)
{
    void *volatile block = malloc(10);
    free(block);
    int fd = open("/dev/null", O_RDONLY);
    printf("descriptor %d\\ncall.malloc=1\\ncall.open=1\\n", fd);
    fprintf(stderr, "to stderr\\n");
    return 3;
}
"""

# Beginnings of `"$@"`, which is the real calltap's whole command line; what follows on `harm` is the word that must be
# found in the verdict.
HARMS = (
    ("stdout is changed", '"$@"; status=$?; echo more; exit $status', "stdout"),
    ("stdout is dropped", '"$@" >/dev/null', "stdout"),
    ("stderr is changed", '"$@"; status=$?; echo noise >&2; exit $status', "stderr"),
    ("the status is eaten", '"$@"; exit 0', "status 0, not status 3"),
    ("it ends by a signal", '"$@"; kill -ABRT $$', "SIGABRT"),
    ("a descriptor is passed on", 'exec 3</dev/null; "$@"', "descriptor 4"),
    ("a process is left", '"$@"; status=$?; sleep 100 & exit $status', "left: process"),
    ("a temporary file is left", '"$@"; status=$?; touch "$TMPDIR/forgotten"; exit $status', "file forgotten in TMPDIR"),
    ("a file is left where the program is", '"$@"; status=$?; touch core; exit $status', "file core in the working directory"),
    ("shared memory is left", '"$@"; status=$?; touch "/dev/shm/$FORGOTTEN.$$"; exit $status', "/dev/shm/"),
    ("it hangs", '"$@"; sleep 100', "hangs"),
    ("there is no report", '"$@"; status=$?; rm -f "$report"; exit $status', "no JSON|counted 0"),
    ("calls are counted twice", '"$@"; status=$?; sed -i "s/\\(.*->malloc(.*\\)/\\1\\n\\1/" "$report"; exit $status', "calls of malloc"),
    ("calls are not counted", '"$@"; status=$?; sed -i "s/malloc/mallot/" "$report"; exit $status', "calls of malloc"),
    ("calls are lost", '"$@"; status=$?; echo "calltap: 1 records were lost because, 2 were never finished" >&2; exit $status',
     "lost 3 records"),
    ("records are lost", '"$@"; status=$?; sed -i "s/\\"lost_records\\": 0/\\"lost_records\\": 1/" "$report"; exit $status',
     "lost_records is 1"),
)
# Under which modes a harm can be seen, where not under both.
ONLY = {"calls are lost": "trace", "calls are counted twice": "trace", "records are lost": "run"}


def script(path, calltap, harm):
    """Writes an executable that calls calltap, and does harm."""
    with open(path, "w") as file:
        # The report is the word after -o.
        file.write(f'#!/bin/bash\nfor ((i = 1; i < $#; i++)); do\n    [ "${{!i}}" = -o ] && at=$((i + 1)) && report=${{!at}}\n'
                   f'done\nset -- "{calltap}" "$@"\n{harm}\n')
    os.chmod(path, stat.S_IRWXU)


def verdicts(program, calltap, directory, limit):
    """(mode, result) of the program under a mode of each verb."""
    modes = [mode for mode in MODES if mode.name in ("run", "trace")]
    job = Job(program, covering("c")[0], modes, calltap, os.path.join(directory, "job"), limit)
    return zip(modes, job.results())


def failures(calltap):
    """What the matrix did not notice, or noticed without cause; one line each. Nothing, if all is right."""
    found = []
    with tempfile.TemporaryDirectory(prefix="torture-") as directory:
        source, fake = os.path.join(directory, "known.c"), os.path.join(directory, "fake")
        with open(source, "w") as file:
            file.write(SOURCE)
        program = Program("known", source, "c", "shows all that is compared", status=3)
        os.environ["FORGOTTEN"] = os.path.basename(directory)
        for mode, result in verdicts(program, calltap, directory, 60):
            if result.verdict != "passed":
                found.append(f"{mode.name} without harm: {result.verdict}: {result.why}")
        for what, harm, word in HARMS:
            script(fake, calltap, harm)
            for mode, result in verdicts(program, fake, directory, 2 if what == "it hangs" else 60):
                if ONLY.get(what, mode.name) != mode.name:
                    continue
                if result.verdict != "failed" or not any(part in result.why for part in word.split("|")):
                    found.append(f"{mode.name}: {what}: {result.verdict}: {result.why}")
        for name in cell.shared_memory():
            if name.startswith(os.environ["FORGOTTEN"]):
                os.unlink(os.path.join(cell.SHARED_MEMORY, name))
        found += wrong_programs(program, source, calltap, directory)
    return found


def wrong_programs(program, source, calltap, directory):
    """Programs that are wrong themselves, and must fail whatever calltap does."""
    found = []
    for what, change, word in (("does not compile", lambda text: text + "}", "cannot be built"),
                               ("ends otherwise", lambda text: text.replace("return 3", "return 4"), "status 4 without calltap"),
                               ("leaves a file", lambda text: text.replace("return 3", 'creat("left", 0600); return 3'),
                                "leaves without calltap")):
        with open(source, "w") as file:
            file.write(change(SOURCE))
        for mode, result in verdicts(program, calltap, directory, 60):
            if result.verdict != "failed" or word not in result.why:
                found.append(f"{mode.name}: a program that {what}: {result.verdict}: {result.why}")
    with open(source, "w") as file:
        file.write(SOURCE)
    program.exceptions = [("trace", "words that nobody says", "")]
    for mode, result in verdicts(program, calltap, directory, 60):
        expected = "failed" if mode.name == "trace" else "passed"
        if result.verdict != expected:
            found.append(f"{mode.name}: an exclusion that calltap does not tell of: {result.verdict}: {result.why}")
    return found
