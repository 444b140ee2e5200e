"""A file -> a `Submission`: checked, decoded, taken apart into cells, and split into pieces."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from grader.errors import SubmissionError
from grader.submission import notebook, script
from grader.submission.cells import Source
from grader.submission.model import Submission
from grader.submission.split import pieces

LARGEST_FILE = 100 * 2**20
"""Bytes. A larger file is refused by its size alone, unread."""

LARGEST_TEXT = 5 * 2**20
"""Characters of cells, once pictures and outputs are out; no coursework is a hundredth of it."""

READERS = {".ipynb": notebook.read, ".py": script.read_percent, ".md": script.read_markdown}


def read(path: Path) -> Submission:
    """Read a notebook (nbformat 2 to 4), a percent-format ``.py`` or a Markdown file.

    What can be repaired is repaired and written down in ``notes``. Raises SubmissionError, with the
    reason in words a teacher can pass on, for whatever cannot be read.
    """
    data = _bytes(path)
    text, notes = _decode(data, path)
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise SubmissionError(
            f"a {path.suffix or 'nameless'} file is not a notebook",
            where=str(path),
            todo="hand in .ipynb, .py or .md",
        )
    source: Source = reader(text, str(path))
    if not any(c.source.strip() for c in source.cells):
        raise SubmissionError(
            "it has no cell with anything in it", where=str(path), todo="hand in the notebook again"
        )
    if sum(len(c.source) for c in source.cells) > LARGEST_TEXT:
        raise SubmissionError(
            f"its cells hold more than {LARGEST_TEXT // 2**20} million characters",
            where=str(path),
            todo="take data out of the cells and into a file",
        )
    split, more = pieces(source.cells)
    return Submission(
        file=path,
        digest=hashlib.sha256(data).hexdigest(),
        pieces=split,
        language=source.language,
        notes=tuple(dict.fromkeys((*notes, *source.notes, *more))),
    )


def _bytes(path: Path) -> bytes:
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise SubmissionError(
                "it is a folder, not a file", where=str(path), todo="name the notebook in it"
            )
        if not stat.S_ISREG(status.st_mode):  # reading a pipe or a device might never end
            raise SubmissionError("it is not an ordinary file", where=str(path), todo="hand in a notebook")
        if status.st_size > LARGEST_FILE:
            raise SubmissionError(
                f"{status.st_size / 2**20:,.0f} MiB are too much (at most {LARGEST_FILE // 2**20} are read)",
                where=str(path),
                todo="clear the outputs and save it again",
            )
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise SubmissionError(
            f"cannot be opened: {reason}", where=str(path), todo="check the file"
        ) from error
    if not data.strip():
        raise SubmissionError("the file is empty", where=str(path), todo="hand in the notebook again")
    return data


def _decode(data: bytes, path: Path) -> tuple[str, list[str]]:
    """Text of the file. Notebooks are UTF-8 by definition; editors on Windows write others."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), ["the file is UTF-16, not UTF-8"]
        except UnicodeDecodeError as error:
            raise SubmissionError(
                f"broken UTF-16: {error.reason}", where=str(path), todo="save it again"
            ) from error
    if b"\0" in data:
        raise SubmissionError("it is a binary file, not text", where=str(path), todo="hand in a notebook")
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        note = ["the file is not UTF-8; it was read as Windows-1252, so some letters may be wrong"]
        try:
            return data.decode("cp1252"), note
        except UnicodeDecodeError:  # one of its five gaps
            return data.decode("latin-1"), note
