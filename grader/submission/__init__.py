"""A file -> pieces -> an answer for each question, with how sure the match is.

`find` lists the files meant, `read` makes a `Submission` of one, `align` finds its answers to an
assignment's questions, `recognise` finds the assignment itself.
"""

from grader.submission.align import align
from grader.submission.find import Found, find
from grader.submission.model import UNSURE, Alignment, Answer, Submission
from grader.submission.read import read
from grader.submission.recognise import recognise

__all__ = ["UNSURE", "Alignment", "Answer", "Found", "Submission", "align", "find", "read", "recognise"]
