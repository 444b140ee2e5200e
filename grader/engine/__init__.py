"""The conductor: submissions -> executions -> results.

`grade` is the main job, `check` a student's own, `verify` holds the references to their rubrics.
"""

from grader.engine.batch import check, grade
from grader.engine.options import Options
from grader.engine.progress import Event, Stage, Watcher
from grader.engine.verify import verify

__all__ = ["Event", "Options", "Stage", "Watcher", "check", "grade", "verify"]
