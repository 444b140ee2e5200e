"""The base of everything that is kept: evidence, rubrics, results, settings."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """Frozen data that can be written as JSON; an unknown key is an error."""

    # Most programs use a few of these records: a validator is built when its record is first used.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)
