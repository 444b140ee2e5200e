"""Where evidence is kept: an SQLite file of records, and blobs by content beside it.

A run is kept whole, in one transaction, when it is complete; so a command that is killed and run again
repeats only what was in flight. Blobs are written before the record that names them.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
from pydantic import ValidationError
from sqlalchemy import Float, String, Text, create_engine, delete, event, func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.schema import CreateIndex, CreateTable

from grader.errors import OutputError
from grader.evidence.calibration import Calibration
from grader.evidence.marks import MarkedAnswer, PersonMark
from grader.evidence.model import Execution, Sha256


class _Base(DeclarativeBase):
    pass


class _Run(_Base):
    """One complete execution, as JSON, under its key."""

    __tablename__ = "executions"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    profile: Mapped[str] = mapped_column(String(16), index=True)
    made: Mapped[float] = mapped_column(Float)
    record: Mapped[str] = mapped_column(Text)


class _Calibrated(_Base):
    """One reference question's spread on one worker, as JSON, under its key."""

    __tablename__ = "calibrations"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    made: Mapped[float] = mapped_column(Float)
    record: Mapped[str] = mapped_column(Text)


class _Marked(_Base):
    """A person's mark on one answer for one criterion, as JSON; a later one takes its place."""

    __tablename__ = "marks"

    assignment: Mapped[str] = mapped_column(String(200), primary_key=True)
    question: Mapped[str] = mapped_column(String(200), primary_key=True)
    criterion: Mapped[str] = mapped_column(String(500), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    submission: Mapped[str] = mapped_column(String(1000), primary_key=True)
    made: Mapped[float] = mapped_column(Float)
    record: Mapped[str] = mapped_column(Text)


class _Note(_Base):
    """A record of another room's, as JSON, by its kind and key: see `Store.note`."""

    __tablename__ = "notes"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(200), primary_key=True)
    made: Mapped[float] = mapped_column(Float)
    record: Mapped[str] = mapped_column(Text)


def _keep(session: Session, row: _Base) -> None:
    """Writes a row in place of one with the same key, in one statement: another command may write the same."""
    values = {c.key: getattr(row, c.key) for c in row.__table__.columns}
    session.execute(insert(type(row)).prefix_with("OR REPLACE").values(**values))


def default_path() -> Path:
    """``$GRADE_STORE``, else a folder of this user's."""
    named = os.environ.get("GRADE_STORE")
    return Path(named) if named else platformdirs.user_data_path("grader", appauthor=False) / "evidence"


class Store:
    """Opened on a folder, made if missing. Safe for several processes at once.

    Raises `OutputError` when the folder cannot be written or there is no space.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder if folder is not None else default_path()
        try:
            (self.folder / "blobs").mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(f"sqlite:///{self.folder / 'evidence.sqlite'}")
            event.listen(self._engine, "connect", _pragmas)
            with self._errors(), self._engine.begin() as connection:
                for table in _Base.metadata.sorted_tables:  # another command may be making them just now
                    connection.execute(CreateTable(table, if_not_exists=True))
                    for index in table.indexes:
                        connection.execute(CreateIndex(index, if_not_exists=True))
        except OSError as e:
            raise self._unwritable(e.strerror or str(e)) from e

    def _unwritable(self, why: str) -> OutputError:
        return OutputError(
            f"the evidence store cannot be written: {why}",
            where=str(self.folder),
            todo="name another folder with --store, or make room",
        )

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as e:
            raise self._unwritable(str(getattr(e, "orig", None) or e)) from e

    # -- records

    def get(self, key: str) -> Execution | None:
        """The execution kept under a key; None if there is none, or it is of an older form."""
        with self._errors(), Session(self._engine) as session:
            row = session.get(_Run, key)
            if row is None:
                return None
            try:
                found = Execution.model_validate_json(row.record)
            except ValidationError:
                return None
        return found if all(self._blob_path(b).exists() for b in _blobs(found)) else None

    def put(self, execution: Execution) -> None:
        """Keeps a complete execution, in place of one with the same key."""
        with self._errors(), Session(self._engine) as session, session.begin():
            _keep(
                session,
                _Run(
                    key=execution.key,
                    profile=execution.profile.value,
                    made=time.time(),
                    record=execution.model_dump_json(),
                ),
            )

    def forget(self, key: str) -> None:
        """Drops one execution, so that it is run again."""
        with self._errors(), Session(self._engine) as session, session.begin():
            session.execute(delete(_Run).where(_Run.key == key))

    def calibration(self, key: str) -> Calibration | None:
        """The calibration kept under a key; None if there is none, or it is of an older form."""
        with self._errors(), Session(self._engine) as session:
            row = session.get(_Calibrated, key)
            if row is None:
                return None
            try:
                return Calibration.model_validate_json(row.record)
            except ValidationError:
                return None

    def keep_calibration(self, calibration: Calibration) -> None:
        """Keeps a calibration, in place of one with the same key."""
        with self._errors(), Session(self._engine) as session, session.begin():
            record = calibration.model_dump_json()
            _keep(session, _Calibrated(key=calibration.key, made=calibration.made, record=record))

    def marks(self, assignment: str) -> tuple[PersonMark, ...]:
        """All that persons gave answers to this assignment, in the order in which they were kept."""
        wanted = select(_Marked).where(_Marked.assignment == assignment)
        with self._errors(), Session(self._engine) as session:
            rows = session.scalars(wanted.order_by(_Marked.made, _Marked.question, _Marked.digest)).all()
            return tuple(PersonMark.model_validate_json(r.record) for r in rows)

    def keep_marks(self, marks: Iterable[PersonMark], withdrawn: Iterable[MarkedAnswer] = ()) -> None:
        """Keeps a person's marks, each in place of an earlier one on the same answer, and drops those of the
        ``withdrawn``, whichever file they were given in; all or none."""
        with self._errors(), Session(self._engine) as session, session.begin():
            for w in withdrawn:
                session.execute(
                    delete(_Marked).where(
                        _Marked.assignment == w.assignment,
                        _Marked.question == w.question,
                        _Marked.criterion == w.criterion,
                        _Marked.digest == w.digest,
                    )
                )
            for m in marks:
                _keep(
                    session,
                    _Marked(
                        assignment=m.assignment,
                        question=m.question,
                        criterion=m.criterion,
                        digest=m.digest,
                        submission=m.submission,
                        made=time.time(),
                        record=m.model_dump_json(),
                    ),
                )

    def note(self, kind: str, key: str) -> str | None:
        """The JSON kept under a kind and a key; None if there is none."""
        with self._errors(), Session(self._engine) as session:
            row = session.get(_Note, (kind, key))
            return row.record if row is not None else None

    def keep_note(self, kind: str, key: str, record: str) -> None:
        """Keeps a JSON text, in place of one with the same kind and key."""
        with self._errors(), Session(self._engine) as session, session.begin():
            _keep(session, _Note(kind=kind, key=key, made=time.time(), record=record))

    def __len__(self) -> int:
        with self._errors(), Session(self._engine) as session:
            return session.scalar(select(func.count()).select_from(_Run)) or 0

    # -- blobs

    def _blob_path(self, digest: Sha256) -> Path:
        return self.folder / "blobs" / digest[:2] / digest

    def keep(self, content: bytes) -> Sha256:
        """Stores bytes under their SHA-256, and returns it."""
        digest = hashlib.sha256(content).hexdigest()
        path = self._blob_path(digest)
        if path.exists():
            return digest
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".part-", dir=path.parent)
            with os.fdopen(handle, "wb") as f:
                f.write(content)
            Path(name).replace(path)
        except OSError as e:
            raise self._unwritable(e.strerror or str(e)) from e
        return digest

    def blob(self, digest: Sha256) -> bytes:
        """The bytes of a blob; KeyError if it is gone."""
        try:
            return self._blob_path(digest).read_bytes()
        except OSError as e:
            raise KeyError(digest) from e


def _blobs(execution: Execution) -> set[Sha256]:
    """Pictures that the report will need; exported models are only kept for whoever looks into a mark."""
    return {f.png for r in execution.runs for f in r.figures if f.png}


def _pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA busy_timeout=30000")  # first: the next line waits for other commands, too
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()
