"""Ways to watch a program: the words between `calltap` and the program's own."""
from collections import namedtuple

ALL_FAMILIES = ("--tap", "memory,fd,io,lock,process")

# verb, options, whether it is one of --quick, and how exact its counts of one object's calls are: `exact` where it tells
# who called, `least` where calls that libraries make are counted with the program's.
Mode = namedtuple("Mode", "name verb options quick counts what")

MODES = tuple(Mode(*row) for row in (
    ("run", "run", (), True, "least", "stacks and system calls as they are by default"),
    ("run-all", "run", (*ALL_FAMILIES, "--stacks-at", "all", "--syscalls", "all"), True, "least",
     "every tapped function, a stack at every call, every system call"),
    ("run-no-stacks", "run", (*ALL_FAMILIES, "--stack", "none"), True, "least", "every tapped function without stacks"),
    ("run-no-syscalls", "run", (*ALL_FAMILIES, "--syscalls", "none"), True, "least",
     "every tapped function without system calls, so without a filter"),
    ("run-all-stops", "run", ("--syscalls", "all", "--syscalls-mode", "all-stops"), False, "least",
     "every system call at two stops, without a filter"),
    ("run-got", "run", (*ALL_FAMILIES, "--bind", "got"), True, "least", "tapped in the slots of all objects"),
    ("run-got-main", "run", (*ALL_FAMILIES, "--bind", "got", "--objects", "MAIN"), False, "exact",
     "tapped in the program's own slots"),
    ("trace", "trace", ("-f", "-e", "*@*"), True, "exact", "every library call of every object"),
    ("trace-count", "trace", ("-f", "-c", "--by", "object", "-e", "*@*"), True, "exact", "the same, counted"),
    ("trace-syscalls", "trace", ("-f", "-S", "-e", "*@*"), True, "exact", "the same with system calls"),
))


def command(calltap, mode, report, words):
    """The whole command line for a program's words; the report goes to a file."""
    form = ("--format", "json") if mode.verb == "run" else ()
    return [calltap, mode.verb, *mode.options, *form, "-o", report, "--", *words]
