"""The conductor: submissions -> executions -> results.

`grade` is the main job, `check` a student's own, `verify` holds the references to their rubrics,
`calibrate` measures the references' spread on this worker, and `confirm` takes a person's marks.
"""

from grader.engine.batch import check, grade
from grader.engine.calibrate import calibrate
from grader.engine.confirm import Confirmed, confirm
from grader.engine.options import Options
from grader.engine.progress import Event, Stage, Watcher
from grader.engine.verify import verify
from grader.evidence.marks import Trust

__all__ = [
    "Confirmed",
    "Event",
    "Options",
    "Stage",
    "Trust",
    "Watcher",
    "calibrate",
    "check",
    "confirm",
    "grade",
    "verify",
]
