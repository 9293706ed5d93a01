"""Makes the site of `asv publish` open without a network.

    asv publish && python -m benchmarks.offline .asv/html

asv's pages load jQuery, Flot and the like from servers of others. This copies them from where
Debian's packages put them (libjs-jquery libjs-jquery-flot libjs-bootstrap libjs-jquery-stupidtable
node-blueimp-md5) and points the pages at the copies.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path

__all__ = ["main"]

# What a page asks for, by the beginning of its file's name, and what Debian has. Flot's packed file
# holds its plugins too; nothing in asv draws the bars that orderBars orders.
_LOCAL = {
    "jquery-": "jquery/jquery.min.js",
    "jquery.flot.min": "jquery-flot/jquery.flot.pack.js",
    "jquery.flot.time": None,
    "jquery.flot.selection": None,
    "jquery.flot.categories": None,
    "jquery.flot.orderBars": None,
    "stupidtable": "jquery-stupidtable/stupidtable.js",
    "md5": "blueimp-md5/md5.min.js",
    "bootstrap.min.js": "bootstrap/js/bootstrap.min.js",
    "bootstrap.min.css": "bootstrap/css/bootstrap.min.css",
}
_LEGEND = "<style>.legendLayer .background { fill: white; fill-opacity: 0.8 }</style>\n"
_TAG = re.compile(r'<(script|link)\b[^>]*?(?:src|href)="https://([^"]+)"[^>]*>(?:</script>)?')


def main(argv: list[str] | None = None) -> int:
    """Rewrite the pages of a site."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.offline", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("site", type=Path, help="html_dir of asv.conf.json")
    parser.add_argument("--javascript", type=Path, default=Path("/usr/share/javascript"))
    args = parser.parse_args(argv)

    def local(tag: re.Match[str]) -> str:
        asked = tag[2].rpartition("/")[2]
        fits = [name for name in _LOCAL if asked.startswith(name)]
        if not fits:
            raise SystemExit(f"{tag[2]}: not known here, this asv is another one")
        if (source := _LOCAL[fits[0]]) is None:
            return ""
        name = source.rpartition("/")[2]
        shutil.copyfile(args.javascript / source, args.site / name)
        if tag[1] == "link":
            return f'<link rel="stylesheet" href="{name}">'
        return f'<script src="{name}"></script>'

    page = args.site / "index.html"
    text = _TAG.sub(local, page.read_text(encoding="utf-8"))
    # This Flot labels axes itself, and leaves it to the page how a legend looks.
    text = re.sub(r'<script[^>]*src="jquery.flot.axislabels.js"[^>]*></script>', "", text)
    text = text.replace("</head>", f"{_LEGEND}</head>")
    page.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
