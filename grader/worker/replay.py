"""Which earlier pieces a piece depends on, read from the names they bind and use.

After a kernel's death the rest of a notebook goes on in a fresh one; only what is needed is run again.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Sequence
from dataclasses import dataclass

from IPython.core.inputtransformer2 import TransformerManager

from grader.evidence.model import Piece

_BUILTIN = frozenset(dir(builtins)) | {"get_ipython", "display", "In", "Out"}


@dataclass(frozen=True)
class Names:
    """Of one piece: names it ``binds`` anew, objects it may ``change``, names it ``uses`` from before, and
    names that its functions look up ``later``, when they are called."""

    binds: frozenset[str] = frozenset()
    changes: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()


def names(source: str) -> Names:
    """The names of a piece, statement by statement; none when it does not parse.

    A method call and an assignment to an attribute or an item count as a change of the object
    (``model.fit``, ``d["k"] = 1``). A name bound by an earlier statement of the piece is not used from before.
    """
    try:
        tree = ast.parse(TransformerManager().transform_cell(source))
    except (SyntaxError, ValueError, RecursionError):
        return Names()
    binds: set[str] = set()
    changes: set[str] = set()
    uses: set[str] = set()
    later: set[str] = set()
    for statement in tree.body:
        stores: set[str] = set()
        loads: set[str] = set()
        again: set[str] = set()
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                (stores if isinstance(node.ctx, (ast.Store, ast.Del)) else loads).add(node.id)
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                stores.add(node.name)
                later |= {
                    n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
                }
            elif isinstance(node, ast.AugAssign):
                again |= _root(node.target)  # `x += 1` uses the x from before
            elif isinstance(node, ast.arg):
                stores.add(node.arg)  # a parameter is not a name from before
            elif isinstance(node, (ast.Import, ast.ImportFrom)):
                stores |= {(a.asname or a.name).split(".")[0] for a in node.names}
            elif isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, ast.Store):
                changes |= _root(node)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                changes |= _root(node.func)
                for argument in node.args:
                    changes |= _root(argument)
        simple = isinstance(statement, (ast.Assign, ast.AnnAssign, ast.For, ast.With))
        # `x = x + 1` and `for x in x` use what was there; a loop variable or parameter does not
        own = stores if not simple else stores - _right_hand(statement)
        uses |= ((loads - own) | again) - binds
        binds |= stores
    return Names(
        frozenset(binds), frozenset(changes), frozenset(uses - _BUILTIN), frozenset(later - binds - _BUILTIN)
    )


def _right_hand(statement: ast.stmt) -> set[str]:
    value = getattr(statement, "value", None) or getattr(statement, "iter", None)
    return {n.id for n in ast.walk(value) if isinstance(n, ast.Name)} if value is not None else set()


def _root(node: ast.expr) -> set[str]:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        node = node.func if isinstance(node, ast.Call) else node.value
    return {node.id} if isinstance(node, ast.Name) else set()


def needed(pieces: Sequence[Piece], target: int, without: set[int], done: set[int]) -> list[int]:
    """Positions in ``pieces`` to run before ``target``, in order: those that make or change what it uses.

    ``without`` are pieces never run again (they ended a kernel); ``done`` those that the present
    kernel has run already.
    """
    described = [names(p.source) if p.kind == "code" else Names() for p in pieces[: target + 1]]
    wanted, known = set(described[target].uses), set[str]()
    chosen: list[int] = []
    while wanted != known:  # a function may look up what was bound after it, so again with what it looks up
        known = set(wanted)
        chosen = _backwards(described, target, without, set(wanted))
        wanted |= {name for i in chosen for name in described[i].later}
    return sorted(i for i in chosen if i not in done)


def _backwards(described: Sequence[Names], target: int, without: set[int], wanted: set[str]) -> list[int]:
    """The pieces that bind or change what is wanted, from the last one back, and what these need in turn."""
    chosen: list[int] = []
    for i in range(target - 1, -1, -1):
        piece = described[i]
        if i in without or not (piece.binds | piece.changes) & wanted:
            continue
        chosen.append(i)
        wanted = (wanted - (piece.binds - piece.uses)) | piece.uses
    return chosen
