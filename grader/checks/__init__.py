"""One file for each kind of criterion: (case, criterion) -> verdict.

A check is found through the entry point group ``grader.checks``, so other packages can add kinds.
"""
