"""The documents keep their word: code runs, commands are those of the checks, files exist."""

import re
import textwrap
from importlib.util import find_spec
from pathlib import Path

import pytest

from dwsep.graph.onnx_import.folding import FOLDED
from dwsep.graph.onnx_import.operators import IMPORTERS

ROOT = Path(__file__).parent.parent


def blocks(document, language):
    text = (ROOT / document).read_text(encoding="utf-8")
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for block in found]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "docs/networks.md"])
def test_python_blocks_run_one_after_the_other(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sources = blocks(document, "python")
    assert sources
    namespace = {"__name__": "document"}
    for number, source in enumerate(sources, 1):
        if "dwsep.models" in source and find_spec("onnx") is None:
            continue
        exec(compile(source, f"{document}, Python block {number}", "exec"), namespace)


def test_commands_are_those_of_the_checks():
    commands = [line for block in blocks("README.md", "sh") for line in block.splitlines()]
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    bench, test = commands[:2]
    assert bench.endswith("/dwsep bench")
    assert f"\nreadme_test='{test}'\n" in script


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs"])
def test_links_lead_somewhere(document):
    path = ROOT / document
    for page in [path] if path.is_file() else sorted(path.rglob("*.md")):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(ROOT)}: {target}"


def test_the_table_of_operators_is_that_of_the_importer():
    text = (ROOT / "docs" / "networks.md").read_text(encoding="utf-8")
    table = text.partition("<!-- operators:begin -->")[2].partition("<!-- operators:end -->")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    *plain, known_in_advance = [re.findall(r"`(\w+)`", row[1]) for row in rows]
    assert sorted(name for names in plain for name in names) == sorted(IMPORTERS)
    assert known_in_advance == sorted(set(FOLDED) - set(IMPORTERS))
