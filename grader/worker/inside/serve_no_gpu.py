"""A notebook that insists on a GPU, where there is none: its tensors and models stay on the CPU.

``model.cuda()``, ``x.to("cuda:0")`` and ``torch.zeros(3, device="cuda")`` say where to compute, not what: on the CPU
the answer is the same, and to fail would cost the student marks for our machine. ``torch.cuda.is_available()``
still tells the truth.
"""

from __future__ import annotations

import contextlib
import functools
import time
from typing import Any

from . import record, serve_hooks

FACTORIES = (
    "tensor", "as_tensor", "zeros", "ones", "empty", "full", "rand", "randn", "randint", "randperm", "arange",
    "linspace", "eye", "zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like",
    "randint_like", "empty_strided", "from_file", "sparse_coo_tensor", "scalar_tensor",
)  # fmt: skip
_noted: set[tuple[Any, str]] = set()


def install() -> None:
    serve_hooks.when_imported("torch", _torch)


def _torch(torch: Any) -> None:
    kinds = {
        k for k, there in (("cuda", torch.cuda), ("mps", torch.backends.mps)) if not there.is_available()
    }
    if "cuda" in kinds:
        for part in (_methods, _factories, _loading, _cuda, _old_types):
            with contextlib.suppress(Exception):
                part(torch, kinds)
        with contextlib.suppress(Exception):
            _mps(torch)


def note(asked: str) -> None:
    """Once for each piece and way of asking: a training loop asks for each batch."""
    if (key := (record.piece(), asked)) not in _noted:
        _noted.add(key)
        record.emit(
            "substitution", asked=asked, given="the CPU: there is no GPU on this worker", stand_in=False
        )


def _there(torch: Any, device: Any, kinds: set[str]) -> Any:
    """The device, or the CPU for one of a kind that is not there."""
    if isinstance(device, str):
        kind = device.split(":")[0]
    elif isinstance(device, torch.device):
        kind = device.type
    elif isinstance(device, int) and not isinstance(device, bool):
        kind = "cuda"
    else:
        return device
    if kind not in kinds:
        return device
    note(f"the device {str(device)!r}")
    return torch.device("cpu")


# ---------------------------------------------------------------- tensors and modules


def _methods(torch: Any, kinds: set[str]) -> None:
    for cls in (torch.Tensor, torch.nn.Module):
        cls.to = _moving(torch, cls.to, kinds)
        for name in ("cuda", *(("mps",) if hasattr(cls, "mps") else ())):
            setattr(cls, name, _staying(getattr(cls, name), name))
    torch.Tensor.pin_memory = _staying(torch.Tensor.pin_memory, "pin_memory")
    torch.nn.Module.to_empty = _moving(torch, torch.nn.Module.to_empty, kinds)
    for name in ("new_zeros", "new_ones", "new_empty", "new_full", "new_tensor"):
        setattr(torch.Tensor, name, _made(torch, getattr(torch.Tensor, name), kinds))


def _moving(torch: Any, original: Any, kinds: set[str]) -> Any:
    @functools.wraps(original)
    def to(self: Any, *args: Any, **kwargs: Any) -> Any:
        if args:
            args = (_there(torch, args[0], kinds), *args[1:])
        if "device" in kwargs:
            kwargs["device"] = _there(torch, kwargs["device"], kinds)
        return original(self, *args, **kwargs)

    return to


def _staying(original: Any, name: str) -> Any:
    @functools.wraps(original)
    def stay(self: Any, *_: Any, **__: Any) -> Any:
        note(f".{name}()")
        return self

    return stay


def _made(torch: Any, original: Any, kinds: set[str]) -> Any:
    @functools.wraps(original)
    def make(*args: Any, **kwargs: Any) -> Any:
        if kwargs.get("device") is not None:
            kwargs["device"] = _there(torch, kwargs["device"], kinds)
        if kwargs.get("pin_memory"):
            kwargs["pin_memory"] = False
        return original(*args, **kwargs)

    return make


def _factories(torch: Any, kinds: set[str]) -> None:
    from torch.jit import _builtins

    for name in FACTORIES:
        if (original := getattr(torch, name, None)) is not None:
            made = _made(torch, original, kinds)
            setattr(torch, name, made)
            if operation := _builtins._find_builtin(original):  # so that TorchScript knows it yet
                _builtins._register_builtin(made, operation)
    default = torch.set_default_device

    def set_default_device(device: Any) -> None:
        default(_there(torch, device, kinds))

    torch.set_default_device = set_default_device


def _loading(torch: Any, kinds: set[str]) -> None:
    """A checkpoint saved on a GPU, or to be loaded to one."""
    original = torch.load

    @functools.wraps(original)
    def load(f: Any, map_location: Any = None, *args: Any, **kwargs: Any) -> Any:
        place = "cpu" if map_location is None else _there(torch, map_location, kinds)
        return original(f, place, *args, **kwargs)

    torch.load = load


# ---------------------------------------------------------------- torch.cuda and torch.mps


class _Event:
    """A mark in time: there is no queue to wait for."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.at = 0.0

    def record(self, *_: Any) -> None:
        self.at = time.perf_counter()

    def elapsed_time(self, end: _Event) -> float:
        return (end.at - self.at) * 1000

    def synchronize(self) -> None:
        return None

    wait = synchronize

    def query(self) -> bool:
        return True


def _cuda(torch: Any, kinds: set[str]) -> None:
    cuda = torch.cuda

    def answers(name: str, value: Any) -> None:
        def answer(*_: Any, **__: Any) -> Any:
            note(f"torch.cuda.{name}()")
            return value

        if hasattr(cuda, name):
            setattr(cuda, name, answer)

    for name in ("synchronize", "set_device", "reset_peak_memory_stats", "reset_max_memory_allocated",
                 "reset_max_memory_cached", "ipc_collect", "init"):  # fmt: skip
        answers(name, None)
    answers("get_device_name", "CPU (there is no GPU on this worker)")
    answers("current_device", 0)
    answers("get_device_capability", (0, 0))
    answers("memory_summary", "no GPU on this worker")
    answers("mem_get_info", (0, 0))

    def properties(*_: Any) -> Any:
        import types

        note("torch.cuda.get_device_properties()")
        return types.SimpleNamespace(
            name="CPU (there is no GPU on this worker)",
            total_memory=0,
            major=0,
            minor=0,
            multi_processor_count=0,
        )

    cuda.get_device_properties = properties
    cuda.Event = _Event
    cuda.device = lambda *_: contextlib.nullcontext()


def _old_types(torch: Any, kinds: set[str]) -> None:
    """``x.type(torch.cuda.FloatTensor)``, ``dtype = torch.cuda.FloatTensor``."""
    for name in [n for n in vars(torch.cuda) if n.endswith("Tensor") and hasattr(torch, n)]:
        setattr(torch.cuda, name, getattr(torch, name))
    default = torch.set_default_tensor_type

    def set_default_tensor_type(kind: Any) -> None:
        if isinstance(kind, str) and kind.startswith("torch.cuda."):
            note(kind)
            kind = kind.replace("torch.cuda.", "torch.")
        default(kind)

    torch.set_default_tensor_type = set_default_tensor_type


def _mps(torch: Any) -> None:
    if torch.backends.mps.is_available():
        return
    for name in ("synchronize", "empty_cache"):
        setattr(torch.mps, name, lambda: note("torch.mps"))
    torch.mps.current_allocated_memory = torch.mps.driver_allocated_memory = lambda: 0
