"""Why a node of a file cannot be imported."""


class Unsupported(Exception):
    """Why one node cannot be imported; collected, and reported for all nodes together."""
