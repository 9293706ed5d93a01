"""Builds the C++ core, its kernels for each instruction set, and the Cython reference."""

import os
import platform
import re
from pathlib import Path
from subprocess import SubprocessError, run
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile

from Cython.Build import cythonize
from pybind11 import get_include
from pybind11.setup_helpers import ParallelCompile
from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py
from setuptools.errors import CompileError, LinkError

# GCC 12 warns about its own AVX-512 header.
QUIET = {
    isa: ["-Wno-maybe-uninitialized", "-Wno-uninitialized"]
    for isa in ("avx512", "avx512vbmi", "avx512vnni", "avx512amx")
}


def flag_rows() -> list[list[str]]:
    """Return the lines of flags.txt, in words."""
    lines = Path("cpp/isa/flags.txt").read_text(encoding="utf-8").splitlines()
    return [line.split() for line in lines if line and not line.startswith("#")]


def isa_flags(machine: str) -> dict[str, list[str]]:
    """Return the folders of cpp/isa for a processor family, each with its flags."""
    rows = flag_rows()
    known = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine.lower(), machine.lower())
    family = known if known in [row[0] for row in rows] else "other"
    return {isa: [*flags, *QUIET.get(isa, [])] for name, isa, *flags in rows if name == family}


ISA_FLAGS = isa_flags(platform.machine())
# Of folders and units of cpp, for every processor: the later ones count.
FOLDER_FLAGS = [(Path("cpp", place), flags) for name, place, *flags in flag_rows() if name == "all"]


def unit_flags(source: str) -> list[str]:
    """Return the flags that flags.txt has for a unit."""
    unit = Path(source).with_suffix("")
    flags = [f for place, some in FOLDER_FLAGS if unit.is_relative_to(place) for f in some]
    return flags + (ISA_FLAGS.get(unit.parent.name, []) if unit.parent.parent.name == "isa" else [])


def groups_of(sources: list[str]) -> list[list[str]]:
    """Return the units that are compiled as one, together."""
    line_of: dict[str, int] = {}
    for number, (name, *places) in enumerate(flag_rows()):
        patterns = [p for place in places for p in (f"{place}.cc", f"{place}/*.cc")]
        for pattern in patterns if name == "join" else []:
            for path in Path("cpp").glob(pattern):
                line_of.setdefault(str(path), number)
    groups: dict[tuple[object, ...], list[str]] = {}
    for source in sources:
        groups.setdefault((line_of.get(source, source), *unit_flags(source)), []).append(source)
    return list(groups.values())


# No contraction: where bits must agree, the kernels ask for a fused multiply-add by name.
FLAGS = [
    "-std=c++17",
    "-O3",
    "-fvisibility=hidden",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-pthread",
    # Python's own flags ask for signed integers that wrap, which costs the addresses of a matrix
    # product registers: pointwise 112x112 16->96 took 362 us with them, 351 without.
    "-fno-wrapv",
    # They ask for debugging symbols too, which are stripped below, but take time to write.
    "-g0",
]
# What other objects bring of them would be most of the file.
STRIP = ["-Wl,-s", "-Wl,--gc-sections"] if platform.system() == "Linux" else []
# The public headers ask for their symbols to be seen, which is right in a library only: in one
# process there may be this module and a program's own copy of the library.
EXPORTS = ["-Wl,--version-script=cpp/bindings/exports.map"] if platform.system() == "Linux" else []
# With -Os GCC copies objects by "rep movs", which takes 15 ns where a call of memcpy takes 4, and
# is no smaller; a step of a wake word has forty such copies. Only GCC for x86 knows the flag.
COPYING = ["-mstringop-strategy=libcall"]
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow"]


class BuildExt(build_ext):
    """Joins units of cpp, and adds the flags of each, as flags.txt says."""

    def build_extensions(self) -> None:
        for isa, flags in ISA_FLAGS.items():
            if not self.knows(flags):
                self.leave_out(isa)
        copying = COPYING if self.knows(COPYING) else []
        flags_of = {}
        for extension in self.extensions:
            groups = groups_of(extension.sources)
            extension.depends += extension.sources
            extension.sources = [self.joined(group) for group in groups]
            for source, group in zip(extension.sources, groups, strict=True):
                flags = unit_flags(group[0])
                flags_of[source] = flags + (copying if "-Os" in flags else [])
        compile_one = self.compiler._compile

        def with_flags(obj, src, ext, cc_args, extra_postargs, pp_opts):
            compile_one(obj, src, ext, cc_args, [*extra_postargs, *flags_of.get(src, [])], pp_opts)

        self.compiler._compile = with_flags
        link = self.compiler.link_shared_object

        def in_order(objects, *args, extra_postargs, **kwargs):
            order = self.order(objects) if platform.system() == "Linux" else []
            try:
                link(objects, *args, extra_postargs=[*extra_postargs, *order], **kwargs)
            except LinkError:  # of linkers that know no such scripts
                if not order:
                    raise
                link(objects, *args, extra_postargs=extra_postargs, **kwargs)

        self.compiler.link_shared_object = in_order
        super().build_extensions()

    def order(self, objects: list[str]) -> list[str]:
        """Return linker options that put kernels next to those that are most like them.

        Deflate finds what is there twice within 32 KB. What adds dot products to a set has most of
        its int8 code once more; of other kernels the instances of one template for one set are
        most alike, the more so the nearer their sizes: 76 KB less of a wheel.
        """
        try:
            nm = ["nm", "--defined-only", "--print-size", *objects]
            listed = run(nm, capture_output=True, text=True, check=True)
        except (OSError, SubprocessError):
            return []
        isas = re.compile("|".join(f"{len(isa)}{isa}" for isa in ISA_FLAGS))  # as names have them
        rows = [line.split() for line in listed.stdout.splitlines()]
        sizes = {row[3]: row[1] for row in rows if len(row) == 4 and row[3].startswith("_Z")}
        places = []
        for name, size in sizes.items():
            if isa := isas.search(name):
                template = re.sub("L[a-z]n?[0-9]+E", "", isas.sub("", name))  # without constants
                places.append((template, "" if "4int8" in name else isa[0], size, name))
        if not places:  # of the Cython loops
            return []
        sections = "\n".join(f"*(.text.{name})" for *_, name in sorted(places))
        script = f"SECTIONS {{ .text.kernels : {{\n{sections}\n}} }} INSERT AFTER .text;\n"
        path = Path(self.build_temp, "order.ld")
        path.write_text(script, encoding="utf-8")
        return [f"-Wl,-T,{path}"]

    def joined(self, group: list[str]) -> str:
        """Return the only unit, or a file that includes them."""
        if len(group) == 1:
            return group[0]
        path = Path(self.build_temp, "joined", *Path(group[0]).parts[1:])
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = "".join(f'#include "{Path(unit).relative_to("cpp")}"\n' for unit in group)
        # A newer file would have everything compiled once more.
        if not path.exists() or path.read_text(encoding="utf-8") != lines:
            path.write_text(lines, encoding="utf-8")
        return str(path)

    def knows(self, flags: list[str]) -> bool:
        """Say whether the compiler knows these flags: GCC 10 has no AVX-VNNI."""
        with TemporaryDirectory() as folder:
            source = Path(folder, "empty.cc")
            source.touch()
            try:
                self.compiler.compile([str(source)], output_dir=folder, extra_postargs=flags)
            except CompileError:
                return False
        return True

    def leave_out(self, isa: str) -> None:
        for ext in self.extensions:
            left = [s for s in ext.sources if Path(s).parent != Path("cpp/isa", isa)]
            if left != ext.sources:
                ext.sources = [*left, f"cpp/isa/stubs/{isa}.cc"]


class BuildPy(build_py):
    """Puts the C++ headers into the package, where `dwsep.get_include()` finds them.

    An editable installation uses those of the source tree.
    """

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            self.copy_tree("cpp/include/dwsep", str(Path(self.build_lib, "dwsep/include/dwsep")))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        headers = [] if self.editable_mode else Path("cpp/include/dwsep").iterdir()
        folder = Path(self.build_lib, "dwsep/include/dwsep")
        return super().get_outputs(include_bytecode) + [str(folder / h.name) for h in headers]


class BdistWheel(bdist_wheel):
    """Compresses the wheel as far as zlib goes: 8 KB less than by its default."""

    def run(self) -> None:
        super().run()
        for *_, path in (f for f in self.distribution.dist_files if f[0] == "bdist_wheel"):
            with ZipFile(path) as wheel:
                files = [(entry, wheel.read(entry)) for entry in wheel.infolist()]
            with ZipFile(path, "w") as wheel:
                for entry, data in files:
                    wheel.writestr(entry, data, ZIP_DEFLATED, compresslevel=9)


def core() -> Extension:
    # The slowest files first, so that the last core is not left with one of them.
    isa = sorted(
        (p for name in ISA_FLAGS for p in Path("cpp/isa", name).glob("*.cc")),
        key=lambda p: (
            not p.name.startswith(("depthwise", "pointwise")),
            -len(ISA_FLAGS[p.parent.name]),
            p,
        ),
    )
    sources = [str(p) for p in isa] + sorted(
        str(p) for d in ("bindings", "embed", "runtime") for p in Path("cpp", d).rglob("*.cc")
    )
    return Extension(
        "dwsep._core",
        sources=sources,
        depends=[str(p) for p in Path("cpp").rglob("*.h*")],
        include_dirs=["cpp/include", "cpp"],
        language="c++",
        # As headers of the system, about which the compiler does not warn.
        extra_compile_args=[*FLAGS, *WARNINGS, "-isystem", get_include()],
        extra_link_args=["-pthread", *STRIP, *EXPORTS],
    )


def cython_modules() -> list[Extension]:
    """Return the plain loops, and what other Cython modules import."""
    # Nothing unwinds through them: 1.5 KB less of a wheel.
    small = ["-fvisibility=hidden", "-fno-asynchronous-unwind-tables"]
    loops = Extension(
        "dwsep.reference._loops",
        ["src/dwsep/reference/_loops.pyx"],
        # Inlined into what Python calls, GCC keeps in memory what the innermost loops count with:
        # depthwise ones take 1.3 of the time.
        extra_compile_args=["-O2", "-fno-inline", "-ffp-contract=off", *small],
        extra_link_args=STRIP,
    )
    api = Extension(
        "dwsep.cython_api",
        ["src/dwsep/cython_api.pyx"],
        depends=["cpp/include/dwsep/c_api.h"],
        include_dirs=["cpp/include"],
        extra_compile_args=["-Os", *small],
        extra_link_args=STRIP,
    )
    return cythonize([loops, api], language_level=3)


ParallelCompile("DWSEP_BUILD_JOBS", default=os.cpu_count() or 1).install()
setup(
    ext_modules=[core(), *cython_modules()],
    cmdclass={"bdist_wheel": BdistWheel, "build_ext": BuildExt, "build_py": BuildPy},
)
