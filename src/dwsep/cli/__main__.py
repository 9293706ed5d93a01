"""Lets ``python -m dwsep.cli`` stand in for the installed script."""

import sys

from dwsep.cli import main

sys.exit(main())
