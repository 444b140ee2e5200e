"""Which fork server each notebook gets: Keras decides on its backend when it is imported, and never again.

So a notebook that names a backend is forked from a server where Keras was imported with that one, or was
not imported at all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grader.evidence.model import Piece
from grader.worker.forkserver import WARM, ForkServer

BACKEND = re.compile(r"KERAS_BACKEND\W+(?P<variable>\w*)|[\"']backend[\"']\s*:\s*[\"'](?P<file>\w*)")
"""``os.environ["KERAS_BACKEND"] = "torch"``, ``%env KERAS_BACKEND=torch``, or a ``keras.json`` that is written."""
NOTE = re.compile(r"^\s*#.*$", re.M)

WARMED = {
    "": WARM,
    "tensorflow": (*WARM, "tensorflow", "keras"),
    "torch": (*WARM, "keras"),
}
"""What a server imports, by the backend of its Keras; "" is one without Keras. TensorFlow comes after
torchvision: in the other order two copies of LLVM register one option twice, and the process ends.
JAX starts threads, which no fork survives, so a notebook that wants it imports Keras itself."""


def backend(pieces: Sequence[Piece]) -> str | None:
    """The backend to import Keras with beforehand; "" to leave that to the notebook, None if it uses no Keras."""
    sources = [NOTE.sub("", p.source) for p in pieces if p.kind == "code"]
    if not any("keras" in s.lower() or "tensorflow" in s for s in sources):
        return None
    named = {m[m.lastgroup or 0] for s in sources if "keras" in s.lower() for m in BACKEND.finditer(s)}
    if not named:
        return "tensorflow"
    (first, *others) = named
    return first if not others and first in WARMED else ""


def server_of(backend: str, level: str) -> ForkServer:
    """A server with Keras on this backend; "" is one without Keras."""
    return ForkServer(WARMED[backend], level=level, variables={"KERAS_BACKEND": backend} if backend else {})


def servers(notebooks: Sequence[Sequence[Piece]], level: str) -> list[ForkServer]:
    """A server for each notebook, in order, not started yet; as few as will do.

    Keras costs seconds and memory: it is imported beforehand only when a notebook asks for it.
    """
    wanted = [backend(pieces) for pieces in notebooks]
    plain = "tensorflow" if "tensorflow" in wanted else ""
    made: dict[str, ForkServer] = {}
    found = []
    for want in wanted:
        name = plain if want is None else want
        if name not in made:
            made[name] = server_of(name, level)
        found.append(made[name])
    return found
