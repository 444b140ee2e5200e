"""Becomes an IPython kernel, in a process that is already forked and in its sandbox."""

from __future__ import annotations

import contextlib
import os
import random
import sys
from typing import Any

from . import record

_shell: Any = None


def run(task: dict[str, Any]) -> None:
    """Runs until the kernel is shut down.

    ``task``: connection_file, work (folder to start in), notes (folder for evidence), bundle (data,
    may be empty), seed, threads.
    """
    _environment(task)
    record.open_folder(task["notes"])
    _seed(int(task.get("seed", 0)), int(task.get("threads", 1)))
    _limit_gpu(float(task.get("gpu_memory", 1.0)))
    if task.get("bundle"):
        from . import serve

        serve.install(task["bundle"], task["work"])
    from . import census, figures, keras_models

    census.install()
    keras_models.install()
    figures.install()

    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance()
    app.initialize(
        ["-f", task["connection_file"], "--HistoryManager.hist_file=:memory:", "--log-level=CRITICAL"]
    )
    global _shell
    _shell = app.shell
    _prepare_shell(app.shell, task)
    app.start()
    os._exit(0)


def _environment(task: dict[str, Any]) -> None:
    kept = ("LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "MPLBACKEND", "TF_ENABLE_ONEDNN_OPTS")
    keep = {k: v for k, v in os.environ.items() if k in kept}
    home = task.get("home", "/home/student")
    os.environ.clear()
    os.environ.update(
        keep,
        HOME=home,
        USER="student",
        LOGNAME="student",
        PATH=os.path.dirname(sys.executable) + ":/usr/local/bin:/usr/bin:/bin",
        TMPDIR="/tmp",
        TORCH_HOME=f"{home}/.cache/torch",
        TF_CPP_MIN_LOG_LEVEL="3",
        PYTORCH_NVML_BASED_CUDA_CHECK="1",
        **task.get("environment", {}),
    )
    os.chdir(task["work"])
    sys.path[:] = ["", *(p for p in sys.path if p)]
    sys.argv[:] = ["ipykernel_launcher.py"]


def _seed(seed: int, threads: int) -> None:
    """Forks start with one and the same random state: each is seeded on purpose."""
    random.seed(seed)
    if np := sys.modules.get("numpy"):
        np.random.seed(seed % 2**32)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)
        torch.manual_seed(seed)
    if tf := sys.modules.get("tensorflow"):
        with contextlib.suppress(Exception):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
            tf.random.set_seed(seed)


def _limit_gpu(share: float) -> None:
    """Bounds what torch may take of the GPU's memory, from the moment that the notebook first uses CUDA.

    Asking for CUDA now would cost each kernel seconds and half a GB, used or not.
    """
    torch = sys.modules.get("torch")
    if torch is not None and share < 1:
        torch.cuda._lazy_call(lambda: torch.cuda.set_per_process_memory_fraction(share))


def _prepare_shell(shell: Any, task: dict[str, Any]) -> None:
    from . import child_output, figures

    # `exit()` in a cell, or asking the kernel to restart, would end it a tenth of a second later, and with it the
    # cells after it.
    shell.unobserve_all("exit_now")
    with contextlib.suppress(Exception):
        child_output.install(shell)
    with contextlib.suppress(Exception):
        figures.install_shell(shell)
    if task.get("bundle"):
        with contextlib.suppress(Exception):
            from . import serve

            serve.install_shell(shell)


def observe(piece: int) -> None:
    """After a piece: what was drawn, which models were seen. Called by the worker's own request."""
    from . import census, figures, keras_models

    with contextlib.suppress(Exception):
        figures.collect()
    names = _shell.user_ns if _shell is not None else {}
    with contextlib.suppress(Exception):
        keras_models.collect(names, piece)
    census.collect(names, piece)


def begin(piece: int) -> None:
    """Before a piece: what follows belongs to it."""
    from . import census, keras_models

    record.set_piece(piece)
    census.begin(piece)
    keras_models.begin(piece)


def finish() -> None:
    """At the end: models that were built but never called."""
    from . import census, keras_models

    names = _shell.user_ns if _shell is not None else {}
    with contextlib.suppress(Exception):
        keras_models.finish(names)
    census.finish(names)
