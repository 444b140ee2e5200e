"""``import seaborn`` where it is not installed: the cell goes on, and what uses the name fails.

Notebooks import all that they may need in one cell; one missing package would take everything after it
along. So a top-level import of a module that is not there leaves names behind that raise the same
`ModuleNotFoundError` when they are used. Within ``try`` it raises at once, as ever: there the notebook knows what to do.
"""

from __future__ import annotations

import ast
import contextlib
from typing import Any

from . import record

HELPER = "_grade_missing_"


def install(ip: Any) -> None:
    """Cells of the IPython shell ``ip`` from now on."""
    ip.ast_transformers.append(_Imports())
    ip.user_ns[HELPER] = missing
    ip.user_ns_hidden[HELPER] = missing


class _Imports(ast.NodeTransformer):
    """Wraps the cell's own import statements, and none below them."""

    def visit_Module(self, node: ast.Module) -> ast.Module:
        node.body = [
            self._wrapped(s) if isinstance(s, (ast.Import, ast.ImportFrom)) else s for s in node.body
        ]
        return node

    def _wrapped(self, statement: ast.Import | ast.ImportFrom) -> ast.stmt:
        if isinstance(statement, ast.ImportFrom) and (statement.level or statement.module == "__future__"):
            return statement
        names = [(a.asname or a.name).split(".")[0] for a in statement.names if a.name != "*"]
        if len(names) < len(statement.names):
            return statement
        (wrapped,) = ast.parse(
            f"try:\n    pass\nexcept ModuleNotFoundError as error:\n    {HELPER}(globals(), {names!r}, error)"
        ).body
        for each in ast.walk(wrapped):
            ast.copy_location(each, statement)
        assert isinstance(wrapped, ast.Try)
        wrapped.body = [statement]
        wrapped.handlers[0].name = f"{HELPER}error"
        call = wrapped.handlers[0].body[0]
        assert isinstance(call, ast.Expr) and isinstance(call.value, ast.Call)
        call.value.args[2] = ast.copy_location(ast.Name(f"{HELPER}error", ast.Load()), statement)
        return wrapped


def missing(names: dict[str, Any], wanted: list[str], error: ModuleNotFoundError) -> None:
    """Binds those of the wanted names that are not there, and notes it."""
    for name in wanted:
        if name not in names:
            names[name] = Missing(str(error), error.name or "")
    record.emit(
        "substitution",
        asked=f"import {error.name}",
        given=f"nothing: {error}; the cell goes on, and what uses it fails",
        stand_in=False,
    )


class Missing:
    """In place of a module that is not installed, or of a name from it."""

    def __init__(self, message: str, name: str) -> None:
        with contextlib.suppress(AttributeError):
            vars(self).update(message=message, module=name)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise ModuleNotFoundError(vars(self)["message"], name=vars(self)["module"])

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # IPython and pickle ask for these of everything
            raise AttributeError(name)
        self._refuse()

    __call__ = __iter__ = __getitem__ = __enter__ = __mro_entries__ = __len__ = __bool__ = _refuse

    def __repr__(self) -> str:
        return f"<{vars(self)['message']}>"
