"""Mutants of src/dwsep/graph, made of syntax trees and judged in forked children.

The parent imports the package and all tests once. A child gets the mutant by an exchange of code
objects, so that it need not import anything again, and runs pytest in itself; what is not in a
function (tables, defaults) it imports anew. Before that, the sources as they are have to survive
in both ways: tests that fail anyhow would kill every mutant.
"""

from __future__ import annotations

import argparse
import ast
import gc
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from mutants_ast import changes
from mutate import ROOT, Mutant

SOURCE = ROOT / "src" / "dwsep"
TESTS = ROOT / "tests"

_PASSES = (
    "passes_constants",
    "passes_algebra",
    "passes_folding",
    "passes_recognition",
    "passes_fusing",
)
_MORE_PASSES = (
    "passes_layout",
    "passes_input_layout",
    "passes_reshapes",
    "passes_blocks",
    "passes_channel_shuffle",
)
_IMPORT = ("importing", "onnx_import", "onnx_attributes", "onnx_operators", "onnx_hostile")
_ONNX = ("onnx_tensors", "onnx_refusals", "onnx_external_data", "resize_ties", "batches")
_TFLITE = ("tflite_import", "tflite_operators", "sessions")
_INT8 = ("int8_networks", "int8_models", "int8_tensors", "network_types")
# Of the longest prefix that fits a file: its tests, those that know most about it first.
_TESTS = {
    "graph/": (
        "graph_shapes",
        "graph_folding",
        *_PASSES,
        *_MORE_PASSES,
        "passes_random",
        *_IMPORT,
    ),
    "graph/passes/": (*_PASSES, *_MORE_PASSES, "passes_random"),
    "graph/passes/layout": (*_MORE_PASSES, *_PASSES, "passes_random"),
    "graph/permutation": (*_MORE_PASSES, "passes_random"),
    "graph/passes/__init__": ("passes_running",),
    "graph/passes/channel_shuffle": ("passes_channel_shuffle", "passes_random"),
    "graph/passes/blocks": ("passes_blocks", "passes_random"),
    "graph/importing/": (*_IMPORT, *_ONNX, "onnx_networks"),
    "graph/ops/": (
        "op_schemas",
        "graph_shapes",
        "graph_folding",
        "passes_constants",
        "onnx_operators",
        *_MORE_PASSES,
    ),
    "graph/onnx/": (*_IMPORT[1:], *_ONNX, "onnx_sequences", "onnx_networks"),
    "graph/onnx/quantized": ("onnx_quantized", *_INT8, *_IMPORT[1:]),
    "graph/tflite/": (*_TFLITE, "importing"),
    "graph/tflite/variables": ("sessions", *_TFLITE),
    "graph/tflite/quantized": (*_TFLITE, *_INT8),
}

_VERDICTS = {0: "survived", 1: "killed"}  # exit codes of children, those of pytest; others: "error"
_OPTIONS = ("-q", "-x", "-p", "no:cacheprovider")


class _Anew(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from other code."""

    def __init__(self, name: str, code: CodeType) -> None:
        self.name, self.code = name, code

    def find_spec(
        self, name: str, path: object, target: object = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)


def _functions(code: CodeType) -> list[CodeType]:
    """Return the code of what a module defines: functions and, through classes, methods."""
    found = []
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            is_class = "__qualname__" in constant.co_names and not constant.co_flags & 2
            found += _functions(constant) if is_class else [constant]
    return found


def _same(code: CodeType, other: CodeType, file: str) -> bool:
    """Return whether a function that was imported is the one of a file."""
    return (
        code.co_firstlineno == other.co_firstlineno
        and code.co_qualname == other.co_qualname
        and code.co_code == other.co_code
        and code.co_filename.endswith(f"dwsep/{file}")
    )


def _files(tests: Iterable[str]) -> list[str]:
    return [str(TESTS / f"test_{name}.py") for name in tests]


def _tests_of(mutant: Mutant) -> tuple[str, ...]:
    return _TESTS[max((p for p in _TESTS if mutant.file.startswith(p)), key=len)]


class Mutants:
    """The mutants of src/dwsep/graph."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.timeout = options.timeout
        self._session: Any = None
        self._ran = False

    def mutants(self) -> list[Mutant]:
        result: list[Mutant] = []
        for path in sorted((SOURCE / "graph").rglob("*.py")):
            result += self._of(path)
        return result

    def _of(self, path: Path) -> Iterator[Mutant]:
        return self._changes(path, ast.parse(path.read_text()))

    def _changes(self, path: Path, tree: ast.Module) -> Iterator[Mutant]:
        """Yield each mutant of a file while its tree is that of the mutant."""
        name = str(path.relative_to(SOURCE))
        numbers: Counter[int] = Counter()
        for line, before, after in changes(tree):
            numbers[line] += 1
            yield Mutant(name, line, numbers[line], before, after)

    def _compiled(self, mutant: Mutant) -> tuple[CodeType, CodeType]:
        """Return the code of a file as it is and as the mutant."""
        path = SOURCE / mutant.file
        tree = ast.parse(path.read_text())
        whole = compile(tree, str(path), "exec")
        if mutant.number == 0:  # none: the file as it is
            return whole, whole
        for found in self._changes(path, tree):
            if found == mutant:
                ast.fix_missing_locations(tree)
                return whole, compile(tree, str(path), "exec")
        raise LookupError(mutant.name)

    def run(self, mutants: Sequence[Mutant], body: Callable[[], None]) -> None:
        """Collect the tests of some mutants, see that they pass as it is, and call `body`."""
        import pytest

        import dwsep

        installed = Path(dwsep.__file__).parent
        for path in sorted((SOURCE / "graph").rglob("*.py")):
            other = installed / path.relative_to(SOURCE)
            if not other.exists() or other.read_bytes() != path.read_bytes():
                sys.exit(f"{other} is not {path}: install the tree first")
        plugin = self

        class Loop:
            @pytest.hookimpl
            def pytest_runtestloop(self, session: Any) -> bool:
                plugin._session = session
                if plugin._survives_unchanged(mutants):
                    gc.freeze()
                    body()
                    plugin._ran = True
                return True

        sys.path.insert(0, str(TESTS))
        os.chdir(ROOT)
        tests = dict.fromkeys(name for mutant in mutants for name in _tests_of(mutant))
        pytest.main([*_OPTIONS, *_files(tests)], plugins=[Loop()])
        if not self._ran:
            sys.exit("the tests fail without any mutant")

    def _survives_unchanged(self, mutants: Sequence[Mutant]) -> bool:
        """Run the tests here, and for each set of tests in a child that imports a file anew."""
        if not self._passes(self._session.items):
            return False
        one_each = {_tests_of(mutant): mutant for mutant in mutants}
        for mutant in one_each.values():
            unchanged = replace(mutant, number=0, after=mutant.before)
            if (verdict := self.judge(unchanged)) != "survived":
                print(f"{verdict}: {mutant.file} as it is, with {', '.join(_tests_of(mutant))}")
                return False
        return True

    def _passes(self, items: Sequence[Any]) -> bool:
        """Run tests up to the first that fails."""
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self._session.testsfailed:
                return False
        return True

    def judge(self, mutant: Mutant) -> str:
        child = os.fork()
        if child == 0:
            self._in_child(mutant)
        return self._verdict(child)

    def _in_child(self, mutant: Mutant) -> None:
        os.setpgid(0, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (int(self.timeout), int(self.timeout) + 1))
        resource.setrlimit(resource.RLIMIT_AS, (1 << 33, 1 << 33))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        code = 3
        try:
            code = self._exit_code(mutant)
        finally:  # whatever it raises is no test's verdict
            os._exit(code)

    def _exit_code(self, mutant: Mutant) -> int:
        """Run the tests on a mutant; return what pytest would: 1 if a test fails."""
        tests = _tests_of(mutant)
        if not self._exchange(mutant):
            self._import_anew(mutant)
            import pytest

            return int(pytest.main([*_OPTIONS, *_files(tests)]))
        by_file: dict[str, list[Any]] = {}
        for item in self._session.items:
            by_file.setdefault(item.path.stem, []).append(item)
        return int(not self._passes([i for name in tests for i in by_file[f"test_{name}"]]))

    def _exchange(self, mutant: Mutant) -> bool:
        """Give a function the mutant's code, if the change is within one that is there."""
        whole, code = self._compiled(mutant)
        before, after = _functions(whole), _functions(code)
        changed = [(a, b) for a, b in zip(before, after, strict=False) if a != b]
        if len(changed) == 1 and len(before) == len(after):
            old, new = changed[0]
            functions = [f for f in gc.get_objects() if isinstance(f, FunctionType)]
            users = [f for f in functions if _same(f.__code__, old, mutant.file)]
            for function in users:
                function.__code__ = new
            return bool(users)
        return False

    def _import_anew(self, mutant: Mutant) -> None:
        _, code = self._compiled(mutant)
        for module, at in [(m, getattr(o, "__file__", None)) for m, o in sys.modules.items()]:
            ours = module.partition(".")[0] == "dwsep" or str(at).startswith(str(TESTS))
            if ours and str(at).endswith(".py"):  # what is compiled cannot be loaded twice
                del sys.modules[module]
        parts = ("dwsep", *Path(mutant.file).with_suffix("").parts)
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        sys.meta_path.insert(0, _Anew(name, code))

    def _verdict(self, child: int) -> str:
        limit = time.monotonic() + 30 * self.timeout  # for what sleeps; work is limited by the CPU
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > limit:
                os.killpg(child, signal.SIGKILL)
                os.waitpid(child, 0)
                return "timeout"
            time.sleep(0.01)
        if os.WIFSIGNALED(status):
            return "timeout" if os.WTERMSIG(status) in (9, signal.SIGXCPU) else "killed"  # a crash
        return _VERDICTS.get(os.WEXITSTATUS(status), "error")
