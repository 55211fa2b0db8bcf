"""What must be the same with and without calltap, and what calltap must have counted."""
import json
import os
import re
import signal

from programs import CANNOT

# `a|b`: two names that the C library has for one function, which share one entry where slots can be pointers.
CALL = re.compile(rb"^call\.([\w|]+)=(\d+)$", re.MULTILINE)
LOST = re.compile(rb"(\d+) records were lost[^,\n]*, (\d+) were never finished")


def ending(status):
    """An exit status or signal in words."""
    if status < 0:
        return signal.Signals(-status).name
    return f"status {status}"


def shell_status(status):
    """What calltap ends with if its program ends so."""
    return 128 - status if status < 0 else status


def own_words(text):
    """(the program's, calltap's) lines of a stderr."""
    ours = re.compile(rb"^(calltap: |hint: ).*\n?", re.MULTILINE)
    return ours.sub(b"", text), b"\n".join(line.group().rstrip() for line in ours.finditer(text))


def difference(name, bare, under):
    """The first line in which two outputs differ, or None."""
    if bare == under:
        return None
    one, other = bare.splitlines(keepends=True), under.splitlines(keepends=True)
    at = next((at for at, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))

    def line(lines):
        return repr(lines[at].decode(errors="replace"))[:200] if at < len(lines) else "(end)"

    return f"{name}, line {at + 1}: {line(one)} without calltap, {line(other)} with it"


def sound(program, bare):
    """What is wrong with a program's own run, without calltap; None if nothing is."""
    if bare.hung:
        return "hangs without calltap"
    if bare.status != program.status:
        said = bare.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return f"ends with {ending(bare.status)} without calltap, not {ending(program.status)}: {' '.join(said)}"
    if bare.left:
        return f"leaves without calltap: {', '.join(bare.left)}"
    return None


def unable(bare):
    """Why the program says that this machine cannot run it, or None."""
    if bare.status != CANNOT:
        return None
    return (bare.stderr.decode(errors="replace").strip() or "it says no reason").splitlines()[-1]


def harm(program, mode, bare, under, report):
    """The first thing that calltap changed, left behind or miscounted, or None."""
    if under.hung:
        return "hangs"
    if under.left:
        return f"left: {', '.join(under.left)}"
    theirs, ours = own_words(under.stderr)
    if exclusion := program.exception(mode.name):
        said = ours + contents(report)
        return None if exclusion[0].encode() in said else f"calltap does not say {exclusion[0]!r}"
    if under.status != shell_status(bare.status):
        tail = under.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return f"ends with {ending(under.status)}, not {ending(shell_status(bare.status))}: {' '.join(tail)[:200]}"
    if mode.verb == "run" and ours:
        theirs = under.stderr
    counts = LOST.search(ours)
    lost = sum(map(int, counts.groups())) if counts else 0
    if lost > program.loses:
        return f"calltap lost {lost} records"
    return difference("stdout", bare.stdout, under.stdout) or difference("stderr", bare.stderr, theirs) \
        or miscounted(program, mode, bare, report)


def contents(path):
    """A file's bytes; none if it is not there."""
    if not os.path.exists(path):
        return b""
    with open(path, "rb") as file:
        return file.read()


def told(program, mode, report, names):
    """Calls of each name that calltap has counted for the program's own object; for all objects where it tells no more.

    Also the first thing that makes the report worthless, or None.
    """
    text = contents(report)
    counted = dict.fromkeys(names, 0)
    if mode.verb == "run":
        try:
            parsed = json.loads(text)
        except ValueError as error:
            return counted, f"the report is no JSON: {error}"
        if parsed["lost_records"] > program.loses:
            return counted, f"lost_records is {parsed['lost_records']}: {json.dumps(parsed['lost_by_thread'])}"
        for process in parsed["processes"]:
            if os.path.basename(process["command"][0]) == program.name:
                for row in process["latency"] or ():
                    if row["function"] in counted:
                        counted[row["function"]] += row["count"]
        return counted, None
    if "-c" in mode.options:
        rows = re.findall(rb"(\d+) (\S+) from " + re.escape(program.name.encode()) + rb"$", text, re.MULTILINE)
    else:
        calls = re.findall(rb"^\d+ " + re.escape(program.name.encode()) + rb"->(\w+)\(", text, re.MULTILINE)
        rows = [(1, name) for name in calls]
    for count, name in rows:
        if (name := name.decode()) in counted:
            counted[name] += int(count)
    return counted, None


def miscounted(program, mode, bare, report):
    """The first function whose calls calltap counted otherwise than the program, or None.

    What a mode does not tap is not counted: io and lock by `run` alone.
    """
    own = {}
    for name, count in CALL.findall(bare.stdout):
        own[name.decode()] = own.get(name.decode(), 0) + int(count)
    counted, worthless = told(program, mode, report, "|".join(own).split("|"))
    if worthless:
        return worthless
    for name, count in own.items():
        exact = mode.counts == "exact"
        names = name.split("|")
        if mode.verb == "run" and not tapped(mode).issuperset(names):
            continue
        found = sum(counted[one] for one in names)
        if found != count if exact else found < count:
            return f"calls of {name}: the program made {count}, calltap counted {found}"
    return None


_FAMILIES = {}


def tapped(mode):
    """The functions that a mode of `run` taps, by docs/functions.md."""
    if not _FAMILIES:
        root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        family = None
        with open(os.path.join(root, "docs", "functions.md")) as document:
            for line in document:
                if heading := re.match(r"## Family `(\w+)`", line):
                    family = heading.group(1)
                elif row := re.match(r"\| `(\w+)` \|", line):
                    _FAMILIES.setdefault(family, set()).add(row.group(1))
    families = mode.options[mode.options.index("--tap") + 1] if "--tap" in mode.options else "memory,fd,process"
    return set().union(*(_FAMILIES[family] for family in families.split(",")))
