"""The documents keep their word: code runs, commands are those of the checks, files exist."""

import re
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def blocks(document, language):
    text = (ROOT / document).read_text(encoding="utf-8")
    found = re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [textwrap.dedent(block) for block in found]


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_python_blocks_run_one_after_the_other(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    sources = blocks(document, "python")
    assert sources
    namespace = {"__name__": "document"}
    for number, source in enumerate(sources, 1):
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
