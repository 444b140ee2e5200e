"""What a notebook asks for and the sandbox has not: data sets, weights, URLs, paths, its surroundings.

Everything is answered from the bundle, a read-only folder with a ``manifest.json``, by small patches
of the loaders that notebooks use; what was answered is noted. A patch that a library's newer version
refuses is left out: the kernel must come up whatever happens here.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from . import (
    record,
    serve_catalog,
    serve_hooks,
    serve_keras,
    serve_keras2,
    serve_modules,
    serve_network,
    serve_no_gpu,
    serve_old_torch,
    serve_shell,
    serve_torch,
)


def install(bundle: str, work: str) -> None:
    """Before the kernel starts, in its process: reads the bundle, lays its links into the work folder
    and patches the loaders. The sandbox has made the links with absolute paths."""
    _try(lambda: serve_catalog.load(bundle, work))
    for part in (serve_catalog.link, serve_catalog.watch, serve_hooks.install, serve_network.install):
        _try(part)
    for part in (serve_torch.install, serve_old_torch.install, serve_no_gpu.install, serve_keras.install,
                 serve_keras2.install, serve_modules.install):  # fmt: skip
        _try(part)


def install_shell(ip: Any) -> None:
    """Once the IPython shell ``ip`` exists: commands, input, exit."""
    _try(lambda: serve_shell.install(ip))


def _try(part: Callable[[], None]) -> None:
    try:
        part()
    except Exception as e:
        if os.environ.get("GRADE_DEBUG"):
            raise
        name = getattr(part, "__module__", "") or "serve"
        record.emit("problem", where=name, what=f"{type(e).__name__}: {e}")
