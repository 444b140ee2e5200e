"""The fork server: imports the heavy libraries once, then forks one process for each request.

It speaks JSON, one message a packet, over a SOCK_SEQPACKET socket with the worker:

    {"do": "spawn", "role": "kernel" | "read", "sandbox": {...}, "task": {...}}
        -> {"pid": waiter, "init": pid, "level": "namespaces", "missing": []}
    {"do": "poll", "pid": N}            -> {"status": null | exit status}
    {"do": "kill" | "interrupt", "pid": N} -> {}

It never runs student code, opens CUDA or starts a thread; when the worker's end of the socket closes
(the worker died, however), it kills its children and ends.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import time
import traceback
from typing import Any

from . import sandbox

LEVELS = ("namespaces", "landlock", "process")


def serve(fd: int, warm: list[str]) -> None:
    """Serves until the other end closes."""
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"  # is_available() without initialising CUDA
    os.environ.setdefault("MPLBACKEND", "module://grade_inside.figures")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Off by default on some processors, where TensorFlow then trains no channels-first model: what a model is worth
    # must not hang on the worker's processor.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    sandbox.die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the worker to handle
    peer = socket.socket(fileno=fd)
    started = time.monotonic()
    imported, problems = _warm(warm)
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, the shared pages
    _send(peer, {"ready": imported, "problems": problems, "seconds": time.monotonic() - started})
    children: dict[int, dict[str, Any]] = {}
    while True:
        try:
            raw = peer.recv(1 << 20)
        except OSError:
            raw = b""
        if not raw:
            break
        _reap(children)
        try:
            answer = _answer(json.loads(raw), children, peer)
        except Exception as e:
            answer = {"error": f"{type(e).__name__}: {e}"}
        _send(peer, answer)
    _reap(children)
    for child in children.values():
        _kill(child)
    os._exit(0)


def _send(peer: socket.socket, message: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        peer.send(json.dumps(message).encode())


def _warm(modules: list[str]) -> tuple[list[str], dict[str, str]]:
    """Imports the modules, and pays once for what first use would cost each fork."""
    imported, problems = [], {}
    for name in modules:
        try:
            importlib.import_module(name)
            imported.append(name)
        except Exception as e:
            problems[name] = f"{type(e).__name__}: {e}"
    for module in pkgutil.iter_modules(sys.modules[__package__].__path__):
        if module.name not in ("__main__", "server"):  # a fork no longer sees these files
            try:
                importlib.import_module(f"{__package__}.{module.name}")
            except Exception as e:
                problems[f"{__package__}.{module.name}"] = f"{type(e).__name__}: {e}"
    if "torch" in imported:
        from . import census

        census.warm_up()
    return imported, problems


def _answer(
    message: dict[str, Any], children: dict[int, dict[str, Any]], peer: socket.socket
) -> dict[str, Any]:
    match message["do"]:
        case "spawn":
            return _spawn(message, children, peer)
        case "poll":
            return {"status": children[message["pid"]]["status"]}
        case "kill":
            _kill(children[message["pid"]])
            return {}
        case "interrupt":
            child = children[message["pid"]]
            if child["status"] is None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child["init"], signal.SIGINT)
            return {}
        case other:
            return {"error": f"unknown request {other!r}"}


def _spawn(
    message: dict[str, Any], children: dict[int, dict[str, Any]], peer: socket.socket
) -> dict[str, Any]:
    """Tries the asked level of isolation, then each weaker one that the request allows."""
    wanted = message["sandbox"].get("level", "namespaces")
    refused: list[str] = []
    for level in LEVELS[LEVELS.index(wanted) :]:
        answer = _fork(message, {**message["sandbox"], "level": level}, peer)
        if "refused" not in answer:
            child = {"init": answer["init"], "waiter": answer["pid"], "level": level, "status": None}
            children[answer["pid"]] = child
            return {**answer, "level": level, "missing": refused}
        refused.append(answer["refused"])
        if not message.get("fallback", True):
            break
    return {"error": "; ".join(refused)}


def _fork(message: dict[str, Any], spec: dict[str, Any], peer: socket.socket) -> dict[str, Any]:
    task = message["task"]
    if spec["level"] != "namespaces":  # no view of its own: the real paths
        task = {**task, **task.get("plain", {})}
        spec = {**spec, "work": task.get("work", "/")}
    said = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(said[0])
            sandbox.close_other_files({said[1]})
            sandbox.enter(sandbox.Spec(**spec), said[1])
            _work(message["role"], task)
        except BaseException as e:
            with contextlib.suppress(BaseException):
                traceback.print_exc()
            sandbox.exit_after_failure(e)
        os._exit(0)
    os.close(said[1])
    raw = b""
    while part := os.read(said[0], 4096):  # one line, but the pipe closes only when all have spoken
        raw += part
        if raw.startswith((b"ok ", b"no ")):
            break
    os.close(said[0])
    words = raw.decode(errors="replace").split(" ", 1)
    if words[0] != "ok":
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
        return {"refused": words[1] if len(words) > 1 else "the process ended at once"}
    return {"pid": pid, "init": int(words[1].split()[-1]), "root": " root " in words[1]}


def _work(role: str, task: dict[str, Any]) -> None:
    """What the forked, sandboxed process does; does not return for a kernel."""
    if role == "kernel":
        from . import kernel

        kernel.run(task)
    elif role == "read":
        from . import reading

        reading.run(task)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _reap(children: dict[int, dict[str, Any]]) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        if pid in children:
            children[pid]["status"] = os.waitstatus_to_exitcode(status)


def _kill(child: dict[str, Any]) -> None:
    """The end of pid 1 ends everything in its namespace; without namespaces the group is killed."""
    if child["status"] is not None:
        return  # by now the numbers may be other processes'
    for target in (child["init"], child["waiter"]):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if child["level"] != "namespaces":
                os.killpg(target, signal.SIGKILL)
            else:
                os.kill(target, signal.SIGKILL)
