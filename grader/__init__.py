"""Grades deep-learning coursework: runs notebooks in isolation, measures what they built, and
gives every mark its evidence.

The public face is small: :mod:`grader.engine` grades, :mod:`grader.rubric` reads rubrics,
:mod:`grader.report` writes reports; ``grade`` on the command line calls the same functions.
"""

__version__ = "0.1.0"
