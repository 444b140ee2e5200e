"""What a kernel printed, as text."""

from __future__ import annotations

from grader.worker.outputs import line_of, plain, read


def test_colours_go_and_carriage_returns_are_played_out() -> None:
    assert plain("\x1b[31mred\x1b[0m") == "red"
    assert plain("0%\r50%\r100%\nnext") == "100%\nnext"
    assert plain("a\r\nb\r\n") == "a\nb\n"
    assert plain("done\r") == "done"
    assert plain(["a", "b"]) == "ab" and plain("\ud800") == "?"


def test_a_line_of_a_million_characters_is_no_trouble() -> None:
    """It took the square of its length: a megabyte without a line's end held the worker for an hour."""
    assert len(plain("x" * 1_000_000)) == 1_000_000
    assert plain("y" * 500_000 + "\r" + "x" * 500_000) == "x" * 500_000


def test_a_progress_bar_that_comes_in_parts_is_oneline_of() -> None:
    parts = [
        {"output_type": "stream", "name": "stderr", "text": t} for t in ("\r10%", "\r50%", "\r100%\n", "ok")
    ]
    texts, failure = read(parts, False)
    assert [(t.stream, t.text) for t in texts] == [("stderr", "100%\nok")] and failure is None


def test_the_line_of_an_error_is_the_pieces_own() -> None:
    trace = "NameError  Traceback\nCell In[3], line 7\n      6 def f():\n----> 7     g()\n\nCell In[3], line 2, in g()\n"
    assert line_of(trace) == 2
    assert line_of("File /usr/lib/python3/x.py:5, in f\n") is None
    _, failure = read([{"output_type": "error", "ename": "E", "evalue": "v", "traceback": [trace]}], False)
    assert failure is not None and failure.line == 2
