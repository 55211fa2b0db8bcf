"""The small programs of tests/torture/: one behaviour each, with directives in the comment at their head.

  torture: libraries -lm -pthread       what is linked after the source
  torture: plugin OTHER.c [FLAGS]       a shared object OTHER.so, built in the same way into the program's directory,
                                        which the program gets as its first argument; may be repeated
  torture: linked OTHER.c [FLAGS]       the same, but linked with the program
  torture: builds one|all|product       the default build only; a covering array of builds (the default); every build
  torture: ends STATUS|SIGNAL           how the program ends when all is right (0 if not said)
  torture: root                         the program needs root
  torture: except MODE "TEXT" REASON    under this mode (a pattern) calltap itself says TEXT; the rest is not compared
  torture: loses N                      so many records at most are lost, which calltap says: of calls that are left by jumps,
                                        or that handlers make without end while one is written
  torture: repeat N                     a race: so many runs of each cell, one with --quick

A program that cannot be run on this machine (a CPU without AVX-512, say) ends with status 77 and says why on stderr.
"""
import os
import re
import shlex
import signal
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

SOURCES = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "tests", "torture")
LANGUAGES = {".c": "c", ".cpp": "c++", ".rs": "rust"}
# Status of a program that this machine cannot run, as with automake's tests.
CANNOT = 77


class Malformed(Exception):
    """A directive that nobody understands."""


@dataclass
class Program:
    """One program and what its directives say."""
    name: str
    source: str
    language: str
    what: str
    libraries: list = field(default_factory=list)
    plugins: list = field(default_factory=list)
    linked: list = field(default_factory=list)
    builds: str = "all"
    status: int = 0
    root: bool = False
    exceptions: list = field(default_factory=list)
    repeat: int = 1
    loses: int = 0
    # Its place among all programs.
    turn: int = 0

    def exception(self, mode):
        """(text, reason) of the exclusion under a mode, or None."""
        return next(((text, reason) for pattern, text, reason in self.exceptions if fnmatchcase(mode, pattern)), None)

    def cannot_run(self):
        """Why this program cannot be run here, or None."""
        return "needs root" if self.root and os.geteuid() != 0 else None


def head(text):
    """The comment at the head of a source, without its marks."""
    lines = []
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped.startswith(("//", "/*", "*")):
            break
        lines.append(re.sub(r"^(//[/!]?|/\*+|\*+/?)\s?|\s*\*/$", "", stripped).strip())
    return lines


def program(path):
    """One source as a program.

    Raises Malformed if there is no sentence at its head, or a directive is unknown.
    """
    name, suffix = os.path.splitext(os.path.basename(path))
    with open(path) as source:
        comment = head(source.read())
    prose = " ".join(line for line in comment if not line.startswith("torture:")).strip()
    if not prose:
        raise Malformed(f"{path}: the comment at its head does not say what the program does")
    sentence = re.match(r".*?[.:;](?=\s|$)", prose)
    made = Program(name, path, LANGUAGES[suffix], (sentence.group() if sentence else prose).rstrip(".:;"))
    for line in comment:
        if line.startswith("torture:"):
            directive(made, line[len("torture:"):].strip(), path)
    return made


def directive(made, line, path):
    """Takes one directive into a program."""
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    if word == "libraries":
        made.libraries += shlex.split(rest)
    elif word in ("plugin", "linked") and rest:
        source, *flags = shlex.split(rest)
        objects = made.plugins if word == "plugin" else made.linked
        objects.append((os.path.join(os.path.dirname(path), source), flags))
    elif word == "builds" and rest in ("one", "all", "product"):
        made.builds = rest
    elif word == "ends" and rest.isdigit():
        made.status = int(rest)
    elif word == "ends" and rest in signal.Signals.__members__:
        made.status = -signal.Signals[rest].value
    elif word == "root" and not rest:
        made.root = True
    elif word in ("repeat", "loses") and rest.isdigit():
        setattr(made, word, int(rest))
    elif word == "except" and (parts := re.fullmatch(r'(\S+)\s+"([^"]+)"\s*(.*)', rest)):
        made.exceptions.append(parts.groups())
    elif word != "languages":
        raise Malformed(f"{path}: no such directive: torture: {line}")


def programs(directory=SOURCES):
    """All programs of a directory by name; what is a plugin of one is no program itself."""
    sources = sorted(entry.path for entry in os.scandir(directory) if os.path.splitext(entry.name)[1] in LANGUAGES)
    plugins = set()
    for path in sources:
        with open(path) as source:
            plugins.update(re.findall(r"torture: (?:plugin|linked) (\S+)", source.read()))
    found = [program(path) for path in sources if os.path.basename(path) not in plugins]
    for turn, made in enumerate(found):
        made.turn = turn
    return found
