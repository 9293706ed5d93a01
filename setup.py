"""Builds the C++ core, one object file for each instruction set, and the Cython reference."""

import os
import platform
from pathlib import Path

from Cython.Build import cythonize
from pybind11 import get_include
from pybind11.setup_helpers import ParallelCompile
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# Each file of cpp/isa is compiled for its own instruction set, all else for the plainest processor.
X86 = {
    "baseline.cc": [],
    "avx2.cc": ["-mavx2", "-mfma"],
    # GCC 12 warns about its own AVX-512 header.
    "avx512.cc": [
        *("-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl", "-mfma"),
        "-Wno-maybe-uninitialized",
    ],
}
ARM = {"neon.cc": []}
ISA_FLAGS = ARM if platform.machine() in ("aarch64", "arm64") else X86

# No contraction: where bits must agree, the kernels ask for a fused multiply-add by name.
FLAGS = [
    "-std=c++17",
    "-O3",
    "-fvisibility=hidden",
    "-ffp-contract=off",
    "-fno-math-errno",
    "-pthread",
]
# Python's own flags ask for debugging symbols, which are most of the file.
STRIP = ["-Wl,-s"] if platform.system() == "Linux" else []
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Wshadow"]


class BuildExt(build_ext):
    """Adds the flags of its instruction set to each file of cpp/isa."""

    def build_extensions(self) -> None:
        compile_one = self.compiler._compile

        def with_isa_flags(obj, src, ext, cc_args, extra_postargs, pp_opts):
            flags = ISA_FLAGS.get(Path(src).name, []) if "isa" in Path(src).parts else []
            compile_one(obj, src, ext, cc_args, [*extra_postargs, *flags], pp_opts)

        self.compiler._compile = with_isa_flags
        super().build_extensions()


def core() -> Extension:
    # The slowest files first, so that the last core is not left with one of them.
    isa = [f"cpp/isa/{name}" for name in sorted(ISA_FLAGS, key=lambda n: -len(ISA_FLAGS[n]))]
    sources = isa + sorted(
        str(p) for d in ("bindings", "runtime") for p in Path("cpp", d).rglob("*.cc")
    )
    return Extension(
        "dwsep._core",
        sources=sources,
        depends=[str(p) for p in Path("cpp").rglob("*.hpp")],
        include_dirs=["cpp/include", "cpp", get_include()],
        language="c++",
        extra_compile_args=[*FLAGS, *WARNINGS],
        extra_link_args=["-pthread", *STRIP],
    )


def reference() -> list[Extension]:
    naive = Extension(
        "dwsep.reference.naive",
        ["src/dwsep/reference/naive.pyx"],
        extra_compile_args=["-O3", "-ffp-contract=off"],
        extra_link_args=STRIP,
    )
    return cythonize([naive], language_level=3)


ParallelCompile("DWSEP_BUILD_JOBS", default=os.cpu_count() or 1).install()
setup(ext_modules=[core(), *reference()], cmdclass={"build_ext": BuildExt})
