"""The conductor: submissions -> executions -> results.

`grade` is the main job, `check` a student's own, `verify` holds the references to their rubrics, and
`calibrate` measures the references' spread on this worker.
"""

from grader.engine.batch import check, grade
from grader.engine.calibrate import calibrate
from grader.engine.options import Options
from grader.engine.progress import Event, Stage, Watcher
from grader.engine.verify import verify

__all__ = ["Event", "Options", "Stage", "Watcher", "calibrate", "check", "grade", "verify"]
