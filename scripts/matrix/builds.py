"""Ways to build a program: compiler, optimisation, binding, position, linker.

Binding is how the program's calls of libraries are bound: `lazy` (through the procedure linkage table, at the first
call), `now` (the same, at start-up), `noplt` (-fno-plt: through the slot, without a table), `ibt` (-fcf-protection
with a linkage table for indirect branch tracking).
"""
import itertools
import os
import shutil
import subprocess
from collections import namedtuple
from functools import lru_cache

DIMENSIONS = {
    "compiler": ("gcc", "clang"),
    "optimisation": ("O2", "O0", "O3"),
    "binding": ("lazy", "now", "noplt", "ibt"),
    "position": ("pie", "nopie"),
    "linker": ("bfd", "gold", "lld"),
}
RUST = {
    "compiler": ("rustc",),
    "optimisation": ("O2", "O0", "O3"),
    "binding": ("now", "lazy"),
    "position": ("pie", "nopie"),
    "linker": ("bfd", "gold", "lld"),
}
LINKERS = {"bfd": "ld.bfd", "gold": "ld.gold", "lld": "ld.lld"}


class Build(namedtuple("Build", tuple(DIMENSIONS))):
    """One way to build."""
    __slots__ = ()

    def __str__(self):
        return "-".join(self)

    def impossible(self):
        """Why there is no such build, or None."""
        if self.binding == "ibt" and self.linker == "gold":
            return "gold makes no procedure linkage table for indirect branch tracking"
        return None

    def missing(self):
        """What this build wants and this machine lacks, or None."""
        for program in (self.compiler, LINKERS[self.linker]):
            if not shutil.which(program):
                return f"{program} is not installed"
        return None


def product(language):
    """Every possible build of a language, the default one first."""
    dimensions = RUST if language == "rust" else DIMENSIONS
    return [build for build in map(Build._make, itertools.product(*dimensions.values())) if not build.impossible()]


def impossible():
    """What combinations there are not, with the reason."""
    told = {}
    for build in map(Build._make, itertools.product(*DIMENSIONS.values())):
        if reason := build.impossible():
            told.setdefault((build.binding, build.linker), reason)
    return [f"{binding} with {linker}: {reason}" for (binding, linker), reason in told.items()]


def pairs(build):
    """All pairs of two dimensions' values in a build."""
    return set(itertools.combinations(enumerate(build), 2))


@lru_cache(maxsize=None)
def covering(language, compiler=None):
    """Builds, the default one first, in which every two values of different dimensions that can meet do meet.

    Greedy: always the first of the builds that show most pairs that were not shown yet.
    """
    candidates = [build for build in product(language) if compiler in (None, build.compiler)]
    wanted = set().union(*map(pairs, candidates))
    chosen = []
    while wanted:
        best = candidates[0] if not chosen else max(candidates, key=lambda build: len(pairs(build) & wanted))
        chosen.append(best)
        wanted -= pairs(best)
    return tuple(chosen)


def builds_of(program, quick):
    """The builds of a program; with quick one, by turns through those of gcc."""
    language = program.language
    if program.builds == "one":
        return covering(language)[:1]
    if quick:
        rotation = [build for build in covering(language, "rustc" if language == "rust" else "gcc") if not build.missing()]
        return (rotation or covering(language))[program.turn % max(len(rotation), 1)],
    return product(language) if program.builds == "product" else covering(language)


def commands(program, build):
    """The compiler's command lines, run in the directory: shared objects first, then the program itself."""
    made = [compiler(build, source) + flags_of(build, shared=True) + [source, "-o", shared_object(source), *flags]
            for source, flags in program.plugins + program.linked]
    if program.language == "rust":
        return made + [rustc(build) + [program.source, "-o", program.name]]
    linked = [shared_object(source) for source, _ in program.linked]
    # A linked object may call the program's own functions back.
    linked += ["-Wl,-rpath,$ORIGIN", "-rdynamic"] if linked else []
    return made + [compiler(build, program.source) + flags_of(build)
                   + [program.source, "-o", program.name, *linked, *program.libraries]]


def shared_object(source):
    """The file that a shared object is built into."""
    return os.path.splitext(os.path.basename(source))[0] + ".so"


def compiler(build, source):
    """The driver for a source."""
    drivers = {"gcc": ("gcc", "g++"), "clang": ("clang", "clang++"), "rustc": ("gcc", "g++")}[build.compiler]
    return [drivers[1], "-std=gnu++17"] if source.endswith(".cpp") else [drivers[0], "-std=gnu17"]


def flags_of(build, shared=False):
    """Flags of a C or C++ compiler."""
    flags = [f"-{build.optimisation}", "-g0", "-w", f"-fuse-ld={build.linker}"]
    if shared:
        flags += ["-shared", "-fPIC"]
    else:
        flags += ["-fPIE", "-pie"] if build.position == "pie" else ["-fno-pie", "-no-pie"]
    flags += {
        "lazy": ["-Wl,-z,lazy"],
        "now": ["-Wl,-z,now"],
        "noplt": ["-fno-plt", "-Wl,-z,lazy"],
        # bfd calls it ibtplt; lld has it with the demand that all objects are made for it, and warns of those that are not.
        "ibt": ["-fcf-protection=full", "-Wl,-z,ibtplt" if build.linker == "bfd" else "-Wl,-z,force-ibt", "-Wl,-z,lazy"],
    }[build.binding]
    return flags


def rustc(build):
    """Command and flags of the Rust compiler."""
    relro, model = ("full", "partial")[build.binding == "lazy"], ("static", "pie")[build.position == "pie"]
    return ["rustc", "--edition", "2021", "--cap-lints", "allow", "-C", f"opt-level={build.optimisation[1:]}",
            "-C", f"relocation-model={model}", "-C", f"relro-level={relro}", "-C", f"link-arg=-fuse-ld={build.linker}"]


def make(program, build, directory):
    """Builds a program. The compiler's message if it fails, or None."""
    for command in commands(program, build):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              cwd=directory, check=False)
        if done.returncode != 0:
            lines = done.stdout.decode(errors="replace").strip().splitlines() or ["(no message)"]
            message = next((line for line in lines if "error" in line), lines[-1])
            return f"{message} ({' '.join(command)})"
    return None
