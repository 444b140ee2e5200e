"""What Keras 2 allowed and Keras 3 refuses, where only the writing differs.

Much of what is taught, and most saved notebooks, were written for Keras 2. A network that is right must not be lost to
a default that has gone; what is read so changes no result.
"""

from __future__ import annotations

import functools
from typing import Any

from . import record, serve_hooks


def install() -> None:
    """Acts when Keras's modules are imported; imports nothing itself."""
    for n in (1, 2, 3):
        serve_hooks.when_imported(f"keras.src.layers.pooling.average_pooling{n}d", _pooling)
    serve_hooks.when_imported("keras.src.optimizers.base_optimizer", _learning_rate)


def _pooling(module: Any) -> None:
    """``AveragePooling2D()`` pools by 2. Only the default is set: Keras reads the signatures of its layers."""
    for name in [n for n in vars(module) if n.startswith("AveragePooling")]:
        start = getattr(module, name).__init__
        names = start.__code__.co_varnames[1 : start.__code__.co_argcount]
        if names[:1] == ("pool_size",) and len(start.__defaults__ or ()) == len(names) - 1:
            start.__defaults__ = (2, *(start.__defaults__ or ()))


def _learning_rate(module: Any) -> None:
    """``Adam(lr=0.001)``."""
    original = module.BaseOptimizer.__init__

    @functools.wraps(original)
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        if "lr" in options:
            rate = options.pop("lr")
            record.emit(
                "substitution",
                asked=f"{type(self).__name__}(lr={rate})",
                given=f"learning_rate={rate}, as in Keras 2",
                stand_in=False,
            )
            arguments = (rate, *arguments[1:]) if arguments else ()
            options |= {} if arguments else {"learning_rate": rate}
        original(self, *arguments, **options)

    module.BaseOptimizer.__init__ = __init__
