"""From float32 networks to int8 ones, by what a network computes for some of its inputs.

`calibrate` runs the float network and keeps ranges, `ranges` makes scales of them, `places` says
which values are stored as integers, `insert` writes that into the graph, `search` chooses between
ways of doing it, `report` says what it cost.
"""

from .api import quantize

__all__ = ["quantize"]
