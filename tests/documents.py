"""The files that a page of the documents shows, to be copied out and used as its reader would."""

import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]


def files(page: str) -> dict[str, str]:
    """Return the blocks that begin with a comment that is the name of a file, by that name."""
    found = {}
    text = (ROOT / page).read_text(encoding="utf-8")
    for block in re.findall(r"^```[a-z]+[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        first = block.partition("\n")[0]
        name = re.fullmatch(r"(?:#|//|/\*) ([\w.]+\.\w+)(?: \*/)?", first)
        if name:
            assert name[1] not in found, name[1]
            found[name[1]] = textwrap.dedent(block)
    return found
