"""Conditions that a call decides: ``if train:`` in a function that was called with ``train=False``."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from grader.checks.mistakes.values import UNKNOWN, Value


def decided(test: ast.expr, parameters: Mapping[str, Value]) -> bool | None:
    """What a condition surely is, by the constants that a call gave; None where it is not certain.

    ``parameters`` are those that the function never sets: any other name may be another value the next time
    round a loop.
    """
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = decided(test.operand, parameters)
        return None if inner is None else not inner
    if isinstance(test, ast.Name):
        value = parameters.get(test.id, UNKNOWN)
        return bool(value.constant) if value.op == "constant" else None
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.left, ast.Name):
        value, other = parameters.get(test.left.id, UNKNOWN), test.comparators[0]
        if not isinstance(other, ast.Constant):
            return None
        same = isinstance(test.ops[0], (ast.Eq, ast.Is))
        if not same and not isinstance(test.ops[0], (ast.NotEq, ast.IsNot)):
            return None
        return bool(value.constant == other.value) is same if value.op == "constant" else None
    return None
