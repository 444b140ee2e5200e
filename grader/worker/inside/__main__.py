"""Starts the fork server: ``python -I path/to/inside <socket fd> <module to warm> ...``.

The folder is loaded as the package ``grade_inside``, so that it needs nothing of ``grader`` and
shadows no name that a notebook may import.
"""

import importlib.util
import os
import sys

_here = os.path.dirname(os.path.abspath(__file__))
_spec = importlib.util.spec_from_file_location(
    "grade_inside", os.path.join(_here, "__init__.py"), submodule_search_locations=[_here]
)
assert _spec is not None and _spec.loader is not None
_package = importlib.util.module_from_spec(_spec)
sys.modules["grade_inside"] = _package
_spec.loader.exec_module(_package)
sys.path = [p for p in sys.path if os.path.abspath(p or ".") != _here]

if __name__ == "__main__":
    from grade_inside.server import serve  # type: ignore[import-not-found]

    serve(int(sys.argv[1]), sys.argv[2:])
