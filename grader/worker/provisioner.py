"""jupyter_client's own extension point: a kernel that is a fork of the fork server, in a sandbox.

Registered as ``grader-fork``. A kernel manager that has no `launch` of ours gets a sandbox with an
empty work folder, so any Jupyter client can use it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning import KernelProvisionerBase

from grader.worker import view
from grader.worker.forkserver import ForkServer, Process, host_uid


@dataclass
class Launch:
    """How one kernel is started; ``process`` is set once it runs."""

    server: ForkServer
    sandbox: dict[str, Any]
    task: dict[str, Any]
    process: Process | None = field(default=None)


SPEC = KernelSpec(
    argv=["grader-fork"],
    display_name="Python 3 (sandboxed)",
    language="python",
    interrupt_mode="signal",
    metadata={"kernel_provisioner": {"provisioner_name": "grader-fork", "config": {}}},
)


class SandboxKernelManager(AsyncKernelManager):  # type: ignore[misc]
    """An ordinary kernel manager that speaks over unix sockets in ``folder``."""

    def __init__(self, launch: Launch, folder: Path, **options: Any) -> None:
        super().__init__(
            transport="ipc", connection_file=str(folder / "kernel.json"), ip=str(folder / "s"), **options
        )
        self.launch = launch
        self._kernel_spec = SPEC


class ForkProvisioner(KernelProvisionerBase):  # type: ignore[misc]
    """Starts, signals and ends the forked kernel through the fork server."""

    _launch: Launch | None = None
    _status: int | None = None

    @property
    def has_process(self) -> bool:
        return self._launch is not None and self._launch.process is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        manager = self.parent
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        return await super().pre_launch(cmd=[], **kwargs)  # type: ignore[no-any-return]

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        self._launch = getattr(self.parent, "launch", None) or _default_launch(self.parent)
        self._launch.task["connection_file"] = self.parent.connection_file
        loop = asyncio.get_running_loop()
        launch = self._launch
        give(Path(self.parent.connection_file), launch.sandbox["host_uid"])
        launch.process = await loop.run_in_executor(
            None, lambda: launch.server.spawn("kernel", launch.sandbox, launch.task)
        )
        return self.connection_info

    async def poll(self) -> int | None:
        if self._launch is None or self._launch.process is None:
            return self._status if self._status is not None else 0
        return self._launch.server.poll(self._launch.process)

    async def wait(self) -> int | None:
        while (status := await self.poll()) is None:
            await asyncio.sleep(0.02)
        self._status, self._launch = status, None
        return status

    async def send_signal(self, signum: int) -> None:
        if self._launch is None or self._launch.process is None:
            return
        if signum == signal.SIGINT:
            self._launch.server.interrupt(self._launch.process)
        elif signum:
            self._launch.server.kill(self._launch.process)

    async def kill(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)  # a kernel holds nothing that it would have to put in order

    async def cleanup(self, restart: bool = False) -> None:
        return None


_shared: ForkServer | None = None


def _default_launch(manager: Any) -> Launch:
    """For clients that know nothing of us: one server for the process, one empty work folder a kernel."""
    global _shared
    if _shared is None:
        _shared = ForkServer()
    folder = Path(tempfile.mkdtemp(prefix="grade-work-"))
    for name in ("work", "notes"):
        (folder / name).mkdir()
    launch = Launch(
        _shared,
        kernel_sandbox(folder / "work", folder / "notes"),
        kernel_task(folder / "work", folder / "notes"),
    )
    show_sockets(launch, Path(manager.connection_file).parent)
    return launch


def show_sockets(launch: Launch, folder: Path) -> None:
    """Makes the folder of the connection file and sockets writable for the kernel, at the same path."""
    launch.sandbox["binds"].append({"source": str(folder), "target": str(folder), "writable": True})
    give(folder, launch.sandbox["host_uid"])


WORK, NOTES, DATA = "/content", "/grade/notes", "/grade/data"


def kernel_sandbox(work: Path, notes: Path, bundle: Path | None = None) -> dict[str, Any]:
    """The sandbox of a kernel: the system, its work folder, its notes, and data read-only.

    The folder of its sockets is added when it starts. What it may write to is given to the user that
    the student becomes.
    """
    base = view.system()
    user = host_uid()
    binds = [
        *base["binds"],
        {"source": str(work), "target": WORK, "writable": True},
        {"source": str(notes), "target": NOTES, "writable": True},
    ]
    if bundle is not None:
        binds.append({"source": str(bundle), "target": DATA})
    for folder in (work, notes):
        give(folder, user)
    return {**base, "binds": binds, "work": WORK, "host_uid": user}


def give(path: Path, user: int) -> None:
    """Makes ``user`` the owner of a path and of what is in it, which only root can and needs to; closed to others.

    To the user's group it is open: without namespaces a kernel may have to stay root, without root's powers.
    """
    if os.geteuid() == 0:
        for each in (path, *path.rglob("*")) if path.is_dir() else (path,):
            os.chown(each, user, user, follow_symlinks=False)
    path.chmod(0o770 if path.is_dir() else 0o660)


def kernel_task(work: Path, notes: Path, bundle: Path | None = None) -> dict[str, Any]:
    """A kernel's task; ``plain`` holds the real paths, for a system that refuses namespaces."""
    plain = {"work": str(work), "notes": str(notes), "bundle": str(bundle or ""), "home": str(work)}
    return {
        "work": WORK,
        "notes": NOTES,
        "bundle": DATA if bundle is not None else "",
        "seed": 0,
        "threads": 1,
        "plain": plain,
    }
