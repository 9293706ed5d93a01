"""The ``dwsep`` command: one module for each sub-command, cheap to import, and what they share."""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

from ._errors import CommandError

__all__ = ["main"]

# Name of the module (and of the sub-command) and the line that `dwsep --help` prints for it.
_COMMANDS = {
    "bench": "time a network's layers against standard convolution",
    "convert": "turn an ONNX or TFLite file into a .dwsep file, which loads at once",
    "info": "show what the machine can reach, or what a network consists of",
    "profile": "time a network step by step, against what the machine can reach",
    "quantize": "turn a float32 network into one of int8, by pictures that it is to see",
    "run": "run a network on pictures or arrays",
}


class _Command(Protocol):
    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, args: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments without the program's name; by default those of the process.

    Returns
    -------
    int
        0 on success, 2 if an argument is not as it should be. Wrong usage raises SystemExit with
        status 2, as argparse does.

    Examples
    --------
    >>> from dwsep.cli import main
    >>> main(["info", "--help"])  # doctest: +SKIP
    """
    from dwsep import __version__

    _write_anything()
    parser = argparse.ArgumentParser(
        prog="dwsep", description="Fast depthwise-separable convolution on CPUs."
    )
    parser.add_argument("--version", action="version", version=f"dwsep {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name, line in _COMMANDS.items():
        command = cast(_Command, import_module(f".{name}", __package__))
        subparser = commands.add_parser(
            name, help=line, description=f"{line[0].upper()}{line[1:]}."
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    args = parser.parse_args(argv)
    try:
        _check_environment()
        return int(args.run(args))
    except BrokenPipeError:  # the reader (`| head`) has left: nothing is wrong
        sys.stderr.close()
        return 0
    except CommandError as error:
        print(f"dwsep {args.command}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"dwsep: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _write_anything() -> None:
    """Let the streams escape what their encoding lacks: names of files and labels hold anything."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _check_environment() -> None:
    """Refuse variables of the environment that calls would refuse, before there is work to lose."""
    from dwsep import _core

    try:
        _core.isa()
        _core.get_num_threads()
    except ValueError as error:  # names the variable
        raise CommandError(str(error)) from None
