"""Mutants of cpp/runtime, made line by line, compiled into the C++ tests and judged by those.

The library is built in a folder of its own from a copy of the sources, for the plainest instruction
set only and hardly optimised, which is fast: what is mutated is the runtime, not the kernels. After
a mutant one file is compiled and the test programs are linked again.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from mutate import ROOT, Mutant

# Of the longest prefix that fits a file: programs of cpp/tests, those that know most first.
_TESTS = {
    "runtime/": ("test_operators 1 150", "test_packed_layers", "test_network_ops"),
    "runtime/cpu": ("test_cpu", "test_selection"),
    "runtime/dispatch": ("test_selection", "test_cpu", "test_operators 1 150", "test_network_ops"),
    "runtime/features": ("test_selection",),
    "runtime/probe": ("test_cpu",),
    "runtime/selection": ("test_selection",),
    "runtime/utf8": ("test_file_names", "test_network_files"),
    "runtime/threads/": ("test_thread_count", "test_thread_pool", "test_thread_limits"),
    "runtime/memory/": (
        "test_memory",
        "test_packed_layers",
        "test_network_files",
        "test_operators 1 50",
    ),
    "runtime/layers/": (
        "test_operators 1 150",
        "test_packed_layers",
        "test_squeeze_excite",
        "test_separable_squeeze_excite",
        "test_misuse",
    ),
    "runtime/layers/squeeze": (
        "test_squeeze_excite",
        "test_separable_squeeze_excite",
        "test_operators 1 150",
    ),
    "runtime/layers/block": (
        "test_packed_layers",
        "test_separable_squeeze_excite",
        "test_squeeze_excite",
        "test_operators 1 150",
    ),
    "runtime/layers/int8": ("test_int8", "test_int8_gemm", "test_int8_depthwise", "test_misuse"),
    "runtime/network/": (
        "test_networks",
        "test_network_ops",
        "test_network_files",
        "test_c_network",
        "test_misuse",
    ),
}

# Between spaces, as clang-format sets operators, but not pointers and templates.
_OPERATORS = {
    "<": ("<=",),
    "<=": ("<",),
    ">": (">=",),
    ">=": (">",),
    "==": ("!=",),
    "!=": ("==",),
    "&&": ("||",),
    "||": ("&&",),
    "+": ("-",),
    "-": ("+",),
    "*": ("/",),
    "/": ("*",),
    "%": ("/",),
    "+=": ("-=",),
}
_OPERATOR = re.compile(r"(?<= )([<>=!]=|[<>+*/%-]|&&|\|\||\+=)(?= )")
_CONDITION = re.compile(r"(?<=\bif \()([^;{}]*)(?=\) (?:return|throw|continue|break|\{)|\)$)")
_TEXT = re.compile(r'" \+|\+ "|to_string\(|std::string\(')  # lines that do not compile with a minus
_DECLARATION = re.compile(r"(const )?auto\b[^=]*= ")
_WORDS = re.compile(r"\b(std::min|std::max|true|false|continue|break)\b(?!:)")
_SWAPPED = {
    "std::min": "std::max",
    "std::max": "std::min",
    "true": "false",
    "false": "true",
    "continue": "break",
    "break": "continue",
}
_ONE = re.compile(r" [+-] 1\b(?!\.)")
_STATEMENT = re.compile(
    r"^(?!return|using|throw|case|break|continue|const|auto|\w+ \w+;)"
    r"[\w.>()\[\]:-]+ ?(=|\+=|\().*;$"
)
_NO_CODE = re.compile(
    r"^\s*(//|#|namespace|using|template|static_assert|public:|private:|struct|class)"
)


def _changes(line: str) -> Iterator[str]:
    """Yield what one line becomes."""
    if _NO_CODE.match(line):
        return
    code = line.split("//", 1)[0]

    def replaced(match: re.Match[str], text: str) -> str:
        return line[: match.start()] + text + line[match.end() :]

    def outside_text(match: re.Match[str]) -> bool:
        return code[: match.start()].count('"') % 2 == 0

    def joins_text(match: re.Match[str]) -> bool:
        return match[1] == "+" and _TEXT.search(code) is not None

    for match in filter(outside_text, _OPERATOR.finditer(code)):
        if not joins_text(match):
            yield from (replaced(match, text) for text in _OPERATORS[match[1]])
    for match in filter(outside_text, _CONDITION.finditer(code)):
        if not _DECLARATION.match(match[1]):
            yield replaced(match, f"!({match[1]})")
            yield replaced(match, f"false && ({match[1]})")
    for match in filter(outside_text, _WORDS.finditer(code)):
        yield replaced(match, _SWAPPED[match[1]])
    for match in filter(outside_text, _ONE.finditer(code)):
        yield replaced(match, "")
    if _STATEMENT.match(code.strip()) and code.count("(") == code.count(")"):
        yield ""


class Mutants:
    """The mutants of cpp/runtime."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.timeout = options.timeout
        self.build = options.build.absolute()
        self.sources = self.build / "cpp"

    def mutants(self) -> list[Mutant]:
        result = []
        for path in sorted((ROOT / "cpp" / "runtime").rglob("*.cc")):
            name = str(path.relative_to(ROOT / "cpp"))
            for number, line in enumerate(path.read_text().splitlines(), 1):
                for variant, after in enumerate(_changes(line), 1):
                    result.append(Mutant(name, number, variant, line.strip(), after.strip()))
        return result

    def run(self, mutants: Sequence[Mutant], body: Callable[[], None]) -> None:
        """Build the library as it is, see that the tests pass, and call `body`."""
        shutil.rmtree(self.sources, ignore_errors=True)
        shutil.copytree(ROOT / "cpp", self.sources)
        version = Path("src", "dwsep", "_version.py")  # CMake reads it
        (self.build / version).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / version, self.build / version)
        ccache = ["-DCMAKE_CXX_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        flags = [
            "-DDWSEP_BUILD_TESTS=ON",
            "-DDWSEP_ISAS=baseline",
            "-DCMAKE_BUILD_TYPE=Debug",
            "-DCMAKE_CXX_FLAGS_DEBUG=-O1",
        ]
        ninja = ["-GNinja"] if shutil.which("ninja") else []
        command = ["cmake", "-S", self.sources, "-B", self.build / "built", *flags, *ccache, *ninja]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        programs = {test for mutant in mutants for test in self._tests(mutant)}
        if not self._built({p.split()[0] for p in programs}):
            sys.exit("the library does not compile without any mutant")
        for program in sorted(programs):
            if self._outcome(program) != "survived":
                sys.exit(f"{program} fails without any mutant")
        body()

    @staticmethod
    def _tests(mutant: Mutant) -> tuple[str, ...]:
        return _TESTS[max((p for p in _TESTS if mutant.file.startswith(p)), key=len)]

    def judge(self, mutant: Mutant) -> str:
        path, tests = self.sources / mutant.file, self._tests(mutant)
        whole = path.read_text()
        lines = whole.split("\n")
        lines[mutant.line - 1] = list(_changes(lines[mutant.line - 1]))[mutant.number - 1]
        try:
            path.write_text("\n".join(lines))
            for test in tests:
                if not self._built({test.split()[0]}):
                    return "error"  # it does not compile
                outcome = self._outcome(test)
                if outcome != "survived":
                    return outcome
            return "survived"
        finally:
            path.write_text(whole)

    def _built(self, programs: set[str]) -> bool:
        command = ["cmake", "--build", self.build / "built", "--target", *sorted(programs)]
        return subprocess.run([*command, "-j1"], capture_output=True, check=False).returncode == 0

    def _outcome(self, test: str) -> str:
        name, *arguments = test.split()
        child = subprocess.Popen(
            [self.build / "built" / "tests" / name, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=self._limit,
            env={**os.environ, "DWSEP_ISA": "baseline"},
        )
        try:
            code = child.wait(10 * self.timeout)  # for what sleeps; work is limited by the CPU
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return "timeout"
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            return "timeout"
        if code < 0:  # a crash: the program has failed
            return "killed"
        return {0: "survived", 1: "killed"}.get(code, "error")

    def _limit(self) -> None:
        limit = int(self.timeout)
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
