"""``python -m dwsep``: the ``dwsep`` command."""

import sys

from .cli import main

sys.exit(main())
