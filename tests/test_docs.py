"""What the documents say holds: code runs, commands are those of the checks, files exist.

A Python block that cannot run, because it needs a file that only the reader has, begins with
```` ```python notest ````. One that needs a package that is missing is skipped, and so are later
ones of the page that use what it would have defined.
"""

import ast
import doctest
import importlib
import pkgutil
import re
import runpy
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest

import dwsep
from dwsep.graph import tflite
from dwsep.graph.onnx.folding import FOLDED
from dwsep.graph.onnx.registry import IMPORTERS

ROOT = Path(__file__).parent.parent
# What code needs that does not import it by itself.
HIDDEN_NEEDS = {"dwsep.models": "onnx", ".plot(": "matplotlib"}


def blocks(document, language):
    text = (ROOT / document).read_text(encoding="utf-8")
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for block in found]


def pages_with_python():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]
    names = [page.relative_to(ROOT).as_posix() for page in sorted(pages)]
    return [name for name in names if blocks(name, "python")]


def missing_packages(source):
    needs = {package for text, package in HIDDEN_NEEDS.items() if text in source}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            needs |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            needs.add(node.module.partition(".")[0])
    return sorted(name for name in needs if find_spec(name) is None)


def names_used(source, context):
    nodes = ast.walk(ast.parse(source))
    return {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, context)}


def test_the_pages_that_have_code_are_found():
    assert {"README.md", "CONTRIBUTING.md", "docs/networks.md"} <= set(pages_with_python())


@pytest.mark.parametrize("document", pages_with_python())
def test_python_blocks_run_one_after_the_other(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "document"}
    skipped, lacking = [], set()
    for number, source in enumerate(blocks(document, "python"), 1):
        missing = missing_packages(source)
        if missing or (names_used(source, ast.Load) & lacking) - set(namespace):
            skipped.append(f"block {number} needs {' and '.join(missing) or 'one before it'}")
            lacking |= names_used(source, ast.Store)
            continue
        exec(compile(source, f"{document}, Python block {number}", "exec"), namespace)
    if skipped:
        pytest.skip(f"{document}: {'; '.join(skipped)}; the others ran")


def examples():
    """Yield the docstrings of the package that have examples."""
    names = [m.name for m in pkgutil.walk_packages(dwsep.__path__, "dwsep.")]
    for name in ["dwsep", *(n for n in names if not n.endswith("__main__"))]:
        for test in doctest.DocTestFinder().find(importlib.import_module(name), name):
            if test.examples:
                yield pytest.param(test, id=test.name)


@pytest.mark.parametrize("test", list(examples()))
def test_examples_of_docstrings_print_what_they_say(test):
    missing = missing_packages("".join(example.source for example in test.examples))
    if missing:
        pytest.skip(f"{test.name} needs {' and '.join(missing)}")
    said = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(said)


def test_the_examples_are_found():
    found = {param.id for param in examples()}
    for name in ("convolutions.conv2d", "blocks.separable_conv2d", "blocks.inverted_residual"):
        assert f"dwsep.functional.{name}" in found
    layer = "layers.inverted_residual.InvertedResidual"
    for name in (layer, "_layer.Layer.explain", "model.Model"):
        assert f"dwsep.{name}" in found


@pytest.mark.parametrize(
    ("module", "page"),
    [("dwsep", "*"), ("dwsep.models", "models"), ("dwsep.reference", "functions")],
)
def test_the_reference_has_every_public_name(module, page):
    text = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "docs/api").glob(f"{page}.md"))
    described = set(re.findall(r"^\.\. auto(?:function|class):: (\w+)$", text, re.MULTILINE))
    public = set(importlib.import_module(module).__all__)
    assert public - {"__version__"} <= described


def test_commands_are_those_of_the_checks():
    commands = [line for block in blocks("README.md", "sh") for line in block.splitlines()]
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    bench, test = commands[:2]
    assert bench.endswith("/dwsep bench")
    assert f"\nreadme_test='{test}'\n" in script


@pytest.mark.parametrize(
    "document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "docs"]
)
def test_links_lead_somewhere(document):
    path = ROOT / document
    for page in [path] if path.is_file() else sorted(path.rglob("*.md")):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


@pytest.mark.parametrize(
    ("mark", "importers", "folded"),
    [
        ("operators", IMPORTERS, FOLDED),
        ("tflite operators", tflite.call.IMPORTERS, tflite.call.FOLDED),
    ],
)
def test_the_tables_of_operators_are_those_of_the_importers(mark, importers, folded):
    text = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    table = text.partition(f"<!-- {mark}:begin -->")[2].partition(f"<!-- {mark}:end -->")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    *plain, known_in_advance = [re.findall(r"`([\w.]+)`", row[1]) for row in rows]
    assert sorted(name for names in plain for name in names) == sorted(importers)
    assert known_in_advance == sorted(set(folded) - set(importers))


def test_every_figure_of_the_readme_is_one_of_the_document_of_figures():
    readme, figures = (
        (ROOT / page).read_text(encoding="utf-8") for page in ("README.md", "docs/performance.md")
    )
    tables = re.findall(r"(?:^\|.*\n)+", readme, re.MULTILINE)
    of_peers, of_pairs = tables
    assert of_pairs in figures
    # The summary of each number of threads: a row for each kind of layer, its last but one column.
    for many in ("1 thread", "2 threads"):
        summary = figures.partition(f"\n### {many.capitalize()}\n")[2].partition("\n####")[0]
        rows = [[cell.strip() for cell in row.split("|")] for row in summary.splitlines()]
        best = {row[1]: row[-3] for row in rows if len(row) > 3}
        kinds = ("depthwise", "pointwise", "separable", "inverted residual", "network")
        cells = [best[kind] for kind in kinds]
        assert re.search(rf"\| {many} +\| +" + r" \| +".join(map(re.escape, cells)), of_peers)


def test_the_drawing_is_that_of_its_program():
    program = runpy.run_path(str(ROOT / "docs/images/data_flow.py"))
    assert (ROOT / "docs/images/data_flow.svg").read_text(encoding="utf-8") == program["draw"]()
