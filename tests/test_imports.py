"""The modules of the package: no import cycles, and layers in one direction.

The sources are read, not imported, so that imports inside functions and for types count as well.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tflite_writer import model, tensor

import dwsep
from dwsep.graph.onnx import registry as onnx
from dwsep.graph.ops import OPS
from dwsep.graph.ops.layout_rules import RULES
from dwsep.graph.tflite import call as tflite

SOURCE = Path(dwsep.__file__).parent


def _modules():
    """Return each module's name and file."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        parts = ("dwsep", *path.relative_to(SOURCE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = _modules()


def _imported(module):
    """Yield the modules of the package that one imports; those it lies in do not count."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            targets = [(alias.name, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            up = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(up if node.level else []), *filter(None, [node.module])])
            targets = [(base, [alias.name for alias in node.names])]
        else:
            continue
        for base, names in targets:
            yield from (f"{base}.{n}" for n in names if f"{base}.{n}" in MODULES)
            others = [n for n in names if f"{base}.{n}" not in MODULES and not _extension(base, n)]
            if base in MODULES and (others or not names):
                yield base


def _extension(package, name):
    """Return whether a module is compiled, and thus imports nothing of ours."""
    return any(MODULES[package].parent.glob(f"{name}.*.so")) if package in MODULES else False


GRAPH = {module: {i for i in _imported(module) if i != module} for module in MODULES}


def _circle(arrows):
    """Return modules that import one another in a circle, if there are any."""
    done, path = set(), []

    def visit(module):
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return None
        path.append(module)
        found = next(filter(None, map(visit, sorted(arrows[module]))), None)
        path.pop()
        done.add(module)
        return found

    return next(filter(None, map(visit, sorted(arrows))), None)


def test_the_sources_are_read():
    assert "dwsep.graph.importing.builder" in GRAPH["dwsep.graph.importing"]
    assert "dwsep.graph.onnx" in GRAPH["dwsep._load"]  # inside a function
    assert "dwsep.graph.ir" in GRAPH["dwsep._load"]  # for types
    assert "dwsep.graph.passes" in GRAPH["dwsep.quantizer.api"]


def test_nothing_imports_itself_by_way_of_others():
    assert _circle(GRAPH) is None


def test_a_circle_would_be_found():
    arrows = {"a": {"b", "d"}, "b": {"c"}, "c": {"b"}, "d": set()}
    assert _circle(arrows) == ["b", "c", "b"]


def _in(module, package):
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize(
    ("package", "never"),
    [
        ("dwsep.graph", ["functional", "layers", "model", "_load", "_profiling", "_summary"]),
        ("dwsep.graph.importing", ["graph.onnx", "graph.passes"]),
        ("dwsep.graph.onnx", ["graph.passes", "graph.lowering"]),
        ("dwsep.graph.passes", ["graph.importing", "graph.onnx"]),
        ("dwsep.models", ["graph", "model", "_load", "functional", "layers"]),
        ("dwsep", ["cli"]),
    ],
)
def test_arrows_point_one_way(package, never):
    targets = [f"dwsep.{name}" for name in never]
    assert all(target in MODULES for target in targets)
    wrong = {
        (module, imported)
        for module, imports in GRAPH.items()
        if _in(module, package) and module != "dwsep.__main__"  # which is the command
        if not any(_in(module, target) for target in targets)
        for imported in imports
        if any(_in(imported, target) for target in targets)
    }
    assert not wrong


LATER = """
import sys, dwsep
later = ("dwsep.functional", "dwsep.layers", "dwsep.sequences", "dwsep.models", "dwsep.graph")
assert not [name for name in sys.modules if name.startswith(later)]
assert {*dwsep.__all__, "layers", "models"} <= {*dir(dwsep)}
assert all(getattr(dwsep, name) is not None for name in dwsep.__all__)
assert dwsep.layers.Conv2D is dwsep.Conv2D
"""


def test_running_networks_imports_nothing_else():
    subprocess.run([sys.executable, "-c", LATER], check=True)


PLAIN = """
import sys, numpy, dwsep
model = dwsep.load(sys.argv[1])
model(numpy.ones((1, 8, 8, 4), "float32"))
print(*(name.removeprefix("dwsep.") for name in sys.modules if name.startswith("dwsep.")))
"""


def test_a_plain_network_imports_what_it_needs(tmp_path):
    """Two convolutions with an activation and a sum: no other operators, no pass without work."""
    rng = np.random.default_rng(1)
    tensors = [tensor("x", (1, 8, 8, 4)), tensor("y", (1, 8, 8, 4)), tensor("z", (1, 8, 8, 4))]
    shapes = {"d": (1, 3, 3, 4), "w": (4, 1, 1, 4), "a": (4,), "b": (4,)}
    tensors += [
        tensor(name, shape, data=rng.standard_normal(shape).astype(np.float32))
        for name, shape in shapes.items()
    ]
    options = {"stride_w": 1, "stride_h": 1, "activation": 1}
    nodes = [
        ("DEPTHWISE_CONV_2D", ["x", "d", "a"], ["y"], {**options, "depth_multiplier": 1}),
        ("CONV_2D", ["y", "w", "b"], ["z"], options),
    ]
    path = tmp_path / "plain.tflite"
    path.write_bytes(model(tensors, nodes, ["x"], ["z"]))
    command = [sys.executable, "-c", PLAIN, str(path)]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    found = set(run.stdout.split())
    assert {"graph.tflite.convolution", "graph.ops.convolution", "graph.passes.blocks"} <= found
    passes = {"_edit", "constants", "fusing", "depthwise", "blocks"}
    assert {n for n in found if _in(n, "graph.passes")} <= {
        "graph.passes",
        *(f"graph.passes.{name}" for name in passes),
    }
    families = {"convolution", "elementwise", "attributes", "spec"}
    assert {n for n in found if _in(n, "graph.ops")} <= {
        "graph.ops",
        *(f"graph.ops.{name}" for name in families),
    }
    never = ("tflite.elementwise", "tflite.moves", "tflite.folding", "tflite.spectrum", "onnx")
    never += ("tflite.slices", "tflite.reductions", "tflite.comparing", "tflite.enlarging")
    never += ("tflite.densify", "tflite.variables", "tflite.branches", "open_sizes", "open_program")
    assert not {f"graph.{name}" for name in never} & found
    assert not {"cpu", "quantization", "session", "layers", "functional", "cli"} & found


TABLES = {
    "operators": OPS,
    "tflite": tflite.IMPORTERS,
    "tflite folding": tflite.FOLDED,
    "onnx": onnx.IMPORTERS,
    "onnx of other domains": onnx.FOREIGN,
}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_tables_of_what_is_imported_later_are_whole(table):
    """All that they name is in its module; `enter` refuses what they do not."""
    assert set(table.whole()) == set(table)
    assert dict(table) == dict(table.items()) == {**table} == table.whole()
    for name, entry in table.whole().items():
        assert table[name] is entry
    assert "none" not in table
    with pytest.raises(KeyError):
        table["none"]
    with pytest.raises(AssertionError, match="none"):
        table.enter("none", next(iter(table.whole().values())))


def test_nothing_but_loading_knows_a_format():
    formats = ("dwsep.graph.onnx",)
    users = {
        module
        for module, imports in GRAPH.items()
        if any(_in(i, f) for i in imports for f in formats)
        and not any(_in(module, f) for f in formats)
    }
    assert users == {"dwsep._load", "dwsep.cli.run"}  # the latter to read sizes of images


def test_kinds_name_rules_of_layouts_that_there_are():
    assert {spec.layout for spec in OPS.whole().values()} == set(RULES)
