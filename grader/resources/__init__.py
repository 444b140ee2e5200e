"""Data sets, weights, files and URLs that notebooks ask for: registry, cache, stand-ins, held-out labels.

`bundle` makes what a kernel may read; `held_out` and `labels` are for measuring and scoring, and never
go into a bundle; `list_all`, `pull`, `add` and `verify` are behind `grade data`.
"""

from grader.resources.base import HeldOut, Kind, Link, Made, Part, State
from grader.resources.bundle import Bundle, bundle, bundle_folder, held_out, labels, measured_on
from grader.resources.cache import Checked, Status, add, folder, list_all, pull, verify

__all__ = [
    "Bundle",
    "Checked",
    "HeldOut",
    "Kind",
    "Link",
    "Made",
    "Part",
    "State",
    "Status",
    "add",
    "bundle",
    "bundle_folder",
    "folder",
    "held_out",
    "labels",
    "list_all",
    "measured_on",
    "pull",
    "verify",
]
