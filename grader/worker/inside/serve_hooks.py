"""Acts when a module is imported: patches it, or provides one that is not installed."""

from __future__ import annotations

import contextlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

_after: dict[str, list[Callable[[Any], None]]] = {}
_provided: dict[str, Callable[[], ModuleType]] = {}


def when_imported(name: str, act: Callable[[Any], None]) -> None:
    """Calls ``act(module)`` now if the module is imported, else right after it will be."""
    module = sys.modules.get(name)
    if module is None:
        _after.setdefault(name, []).append(act)
        return
    with contextlib.suppress(Exception):
        act(module)


def provide(name: str, make: Callable[[], ModuleType], *, instead: bool = False) -> None:
    """``import name`` gives ``make()``: always with ``instead``, else only where it is not installed."""
    if not instead:
        with contextlib.suppress(ImportError, ValueError):
            if importlib.util.find_spec(name) is not None:
                return
    _provided[name] = make


def replace_everywhere(old: Any, new: Any, *prefixes: str) -> None:
    """Rebinds a function in every imported module of the packages that has a name for it."""
    for name, module in list(sys.modules.items()):
        if module is None or not name.startswith(prefixes):
            continue
        for key, value in list(vars(module).items()):
            if value is old:
                with contextlib.suppress(Exception):
                    setattr(module, key, new)


def install() -> None:
    if not any(isinstance(f, _Finder) for f in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self) -> None:
        self.busy: set[str] = set()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name in _provided:
            return importlib.machinery.ModuleSpec(name, _Made(_provided[name]), is_package=True)
        if name not in _after or name in self.busy:
            return None
        self.busy.add(name)
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError, AttributeError):
            return None
        finally:
            self.busy.discard(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Then(spec.loader, name)
        return spec


class _Made(importlib.abc.Loader):
    def __init__(self, make: Callable[[], ModuleType]) -> None:
        self.make = make

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        module = self.make()
        module.__path__ = []
        return module

    def exec_module(self, module: ModuleType) -> None:
        return None


class _Then(importlib.abc.Loader):
    """The module's own loader, and after it what is to be done."""

    def __init__(self, own: Any, name: str) -> None:
        self.own, self.name = own, name

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self.own.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self.own.exec_module(module)
        for act in _after.pop(self.name, []):
            with contextlib.suppress(Exception):
                act(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own, name)
