"""Which pieces are run again in a fresh kernel, from what they bind, change and use."""

from __future__ import annotations

import pytest
from kernels import code

from grader.worker.replay import needed


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["x = 1", "y = 2", "print(x)"], [0]),
        (["import torch", "x = torch.zeros(2)", "print(x)"], [0, 1]),
        (["import numpy as np", "np.random.seed(1)", "print(np.ones(2))"], [0, 1]),
        (["model = 1", "model.fit(2)", "model.predict()"], [0, 1]),
        (["d = {}", "d['k'] = 1", "print(d['k'])"], [0, 1]),
        (["x = 1", "x = 2", "print(x)"], [1]),
        (["x = 1", "x = x + 1", "print(x)"], [0, 1]),
        (["x = 1", "x += 1", "print(x)"], [0, 1]),
        (["def f(a): return g(a)", "def g(a): return a", "f(1)"], [0, 1]),
        (["class Net: pass", "net = Net()", "print(net)"], [0, 1]),
        (["for i in range(3): pass", "for i in range(2): print(i)"], []),
        (["%matplotlib inline\nimport os", "os.getcwd()"], [0]),
        (["def f(:", "x = 1", "print(x)"], [1]),
        (["a, (b, *c) = 1, (2, 3)", "print(c)"], [0]),
        (["with open('f') as f: s = f.read()", "print(s)"], [0]),
        (["x = 1", "print([x for x in range(3)])"], []),
        (["print('hello')", "'x'"], []),
        (["opt = 1", "loader = 2", "for x in loader: opt.step(x)", "print(opt)"], [0, 1, 2]),
    ],
)
def test_what_a_piece_needs(cells: list[str], expected: list[int]) -> None:
    pieces = code(*cells)
    assert needed(pieces, len(pieces) - 1, set(), set()) == expected


def test_what_ended_a_kernel_is_never_run_again_and_what_ran_is_not_run_twice() -> None:
    pieces = code("x = 1", "y = x", "print(y)")
    assert needed(pieces, 2, {1}, set()) == []
    assert needed(pieces, 2, set(), {0}) == [1]
