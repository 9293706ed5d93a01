"""Errors that the user can fix: one line that names the argument, and exit status 2."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["CommandError", "about"]


class CommandError(Exception):
    """Something that the command was given is not as it should be."""


@contextmanager
def about(argument: str) -> Iterator[None]:
    """Turn what files, networks and optional packages raise into an error about an argument."""
    try:
        yield
    except MemoryError:
        raise CommandError(f"{argument}: there is not enough memory for it") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise CommandError(f"{argument}: {reason}: {error.filename or ''}".rstrip(": ")) from None
    except (ValueError, TypeError, ImportError) as error:
        raise CommandError(f"{argument}: {error}") from None
