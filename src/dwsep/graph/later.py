"""Tables whose entries lie in modules that are imported when one of their entries is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from _collections_abc import dict_items, dict_values
    from collections.abc import Callable, Iterator, Mapping

Entry = TypeVar("Entry")


class Later(dict[str, Entry]):
    """A table of all that the modules of a package hold.

    A file needs a few families of operators; each module takes 0.1 to 0.3 ms to import. What is
    only looked for (`in`, iteration) imports nothing.

    Parameters
    ----------
    package : str
    modules : mapping of str to str
        Of each module the names of its entries, between spaces.
    """

    def __init__(self, package: str, modules: Mapping[str, str]) -> None:
        self.modules = {name: module for module in modules for name in modules[module].split()}
        self._package = package

    def enter(self, name: str, entry: Entry) -> None:
        """Enter what a module holds, as it is imported: again, if that was broken off before."""
        assert name in self.modules, name
        self[name] = entry

    def entry(self, *names: str) -> Callable[[Entry], Entry]:
        """Return a decorator that enters a function by some names."""

        def entered(function: Entry) -> Entry:
            for name in names:
                self.enter(name, function)
            return function

        return entered

    def __missing__(self, name: str) -> Entry:
        import_module(f"{self._package}.{self.modules[name]}")
        return self[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return an entry, or the default where there is none."""
        return self[name] if name in self.modules else default

    def __contains__(self, name: object) -> bool:
        return name in self.modules

    def __iter__(self) -> Iterator[str]:
        return iter(self.modules)

    def __len__(self) -> int:
        return len(self.modules)

    def whole(self) -> dict[str, Entry]:
        """Return all entries, for which all modules are imported."""
        return {name: self[name] for name in self}

    # A dictionary's own know only what was imported.

    def keys(self) -> Any:
        return self.modules.keys()

    def items(self) -> dict_items[str, Entry]:
        return self.whole().items()

    def values(self) -> dict_values[str, Entry]:
        return self.whole().values()
