"""How Sphinx builds the site; CONTRIBUTING.md has the command.

The source directory is the repository's root, so that links between README, CONTRIBUTING and the
pages of docs/ work in the site as they do in the repository.
"""

import re
from pathlib import Path

import dwsep

ROOT = Path(__file__).resolve().parent.parent

project = "dwsep"
author = "the dwsep authors"
copyright = author
release = version = dwsep.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "numpydoc"]
root_doc = "docs/index"
include_patterns = ["*.md", "benchmarks/*.md", "docs/**.md"]
exclude_patterns = ["docs/README.md", "docs/images", "build", ".*"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_title = f"dwsep {release}"
html_copy_source = html_show_sourcelink = False

myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the sections "Parameters" say them, with shapes
numpydoc_show_class_members = False  # pages list the members that are worth it
add_module_names = False
default_role = "py:obj"


def _links(app, docname, source):
    """Make links to directories, which a site has none of, the names of the directories."""
    folder = (ROOT / docname).parent

    def name(link):
        directory = (folder / link[2]).resolve()
        return f"`{directory.relative_to(ROOT)}`" if directory.is_dir() else link[0]

    source[0] = re.sub(r"\[([^]\n]+)\]\(([\w./-]+)\)", name, source[0])


def _front_page(app, exception):
    """Let the site's first page be found where browsers look for it."""
    if exception is None and app.builder.name == "html":
        page = '<!doctype html><meta http-equiv="refresh" content="0; url=docs/index.html">\n'
        Path(app.outdir, "index.html").write_text(page, encoding="utf-8")


def _cython_source(app, module):
    """Find the source of a Cython module and its functions, of which viewcode knows nothing."""
    path = ROOT / "src" / f"{module.replace('.', '/')}.pyx"
    if not path.is_file():
        return None
    source = path.read_text(encoding="utf-8")
    lines = {
        m[1]: source.count("\n", 0, m.start()) + 1 for m in re.finditer(r"(?m)^def (\w+)", source)
    }
    return source, {name: ("def", line, line) for name, line in lines.items()}


def setup(app):
    app.connect("source-read", _links)
    app.connect("viewcode-find-source", _cython_source)
    app.connect("build-finished", _front_page)
