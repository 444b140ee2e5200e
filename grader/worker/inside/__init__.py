"""The only code of ours that runs in a student's kernel.

Loaded alone, as the package ``grade_inside``; imports nothing of ``grader``. What it writes is the
word of an untrusted peer: the worker checks every line against a schema.
"""
