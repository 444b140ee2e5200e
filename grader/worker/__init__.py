"""Pieces -> `Execution`: fork server, sandboxed kernels, limits, clean measurement.

`ForkServer` is started once; `run` executes one submission's pieces on it.
"""
