"""Which PyTorch models a notebook builds, calls and trains, and their way out of the kernel.

A global forward hook sees every outermost call of a module; after each piece the notebook's names are
looked through as well. A model leaves as a `torch.export` program. All that is said here besides is
the kernel's own word: counts, shapes and predictions are read outside, from the program.
"""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import sys
import warnings
import weakref
from dataclasses import dataclass, field
from typing import Any

from . import keras_models, modules, namespace, record

MOST_WEIGHT_BYTES = 64 << 20
"""Programs with larger weights leave with their structure only: VGG16 has 0.5 GB."""
SAMPLE = 256
"""Values of each parameter that are compared to see whether it moved."""
MOST_MODELS = 12
LOOKS_AT_VALUES = ("data-dependent", "DataDependent", ".numpy()", ".item()", "tolist")
"""In what torch.export says of a branch on data, or of leaving torch."""


@dataclass
class Seen:
    """What is known of one module, by identity, over the whole notebook."""

    module: Any
    variable: str = ""
    built: int = 0
    last: int = -1
    calls: int = 0
    called: bool = False
    sample: dict[str, Any] = field(default_factory=dict)
    input_shape: tuple[int, ...] | None = None
    batch: int = 2
    dtype: str = "float32"
    input_range: tuple[float, float] | None = None
    form: tuple[Any, ...] = ()
    file: str = ""
    weights: bool = False
    problem: str = ""
    modules: list[dict[str, Any]] = field(default_factory=list)
    """What it calls, where there is no program."""
    emitted: bool = False
    steps: int = 0
    """Calls with gradients in training mode during this piece, and the inputs in them: training as a rule."""
    samples: int = 0


_seen: dict[int, Seen] = {}
_depth = 0
_busy = False
_piece = 0
_files = itertools.count()  # the worker reads a name once and takes it for the same file ever after


def _torch() -> Any:
    return sys.modules.get("torch")


def warm_up() -> None:
    """Pays for the first export, and all that it imports, once for every later fork."""
    torch = _torch()
    with contextlib.suppress(Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.set_num_threads(1)
        model = torch.nn.Sequential(
            torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(72, 2)
        )
        _program(torch, model.eval(), torch.zeros(2, 1, 8, 8), dynamic=True)
        # No backward pass here: autograd's threads do not survive a fork, and torch refuses to go on.


def install() -> None:
    """Hooks every module call of the process."""
    torch = _torch()
    if torch is None:
        return
    hooks = torch.nn.modules.module
    hooks.register_module_forward_pre_hook(_before)
    hooks.register_module_forward_hook(_after, always_call=True)


def begin(piece: int) -> None:
    global _piece, _depth
    _piece, _depth = piece, 0
    for seen in _seen.values():
        seen.called, seen.steps, seen.samples = False, 0, 0


def _before(module: Any, args: Any) -> None:
    global _depth
    if _busy:
        return
    _depth += 1
    if _depth == 1:
        with contextlib.suppress(Exception):
            _notice(module, args)


def _after(module: Any, args: Any, output: Any) -> None:
    global _depth
    if not _busy:
        _depth = max(0, _depth - 1)


def _notice(module: Any, args: Any) -> None:
    """The outermost module of a call: remembered until the notebook ends, with its first weights."""
    seen = _seen.get(id(module))
    if seen is None or seen.module() is not module:
        if not _is_model(module) or len(_seen) > 10 * MOST_MODELS:
            return
        seen = _remember(module)
    seen.calls += 1
    if module.training and _torch().is_grad_enabled() and args and hasattr(args[0], "shape"):
        seen.steps += 1
        seen.samples += int(args[0].shape[0]) if len(args[0].shape) else 0
    if not seen.called:
        seen.called = True
        torch = _torch()
        if args and isinstance(args[0], torch.Tensor) and args[0].dim() > 1:
            first = args[0]
            seen.input_shape, seen.batch = tuple(first.shape[1:]), int(first.shape[0])
            seen.dtype = str(first.dtype).removeprefix("torch.")
            if first.is_floating_point() and first.numel():
                seen.input_range = (float(first.detach().min()), float(first.detach().max()))


def _is_model(value: Any) -> bool:
    torch = _torch()
    if torch is None or not isinstance(value, torch.nn.Module):
        return False
    if type(value).__module__.startswith(("torch.nn.modules.loss", "torchvision.transforms")):
        return False
    if keras_models.is_layer(value):  # under Keras's torch backend its layers are modules, too
        return False
    return next(value.parameters(), None) is not None


def _remember(module: Any) -> Seen:
    seen = Seen(module=weakref.ref(module), built=_piece, sample=_sample(module))
    _seen[id(module)] = seen
    _kept.append(module)  # a model local to a function would be gone before the piece ends
    return seen


_kept: list[Any] = []


def _sample(module: Any) -> dict[str, Any]:
    torch = _torch()
    sample = {}
    with torch.no_grad():
        for name, p in module.named_parameters():
            if p.device.type == "meta" or isinstance(p, torch.nn.parameter.UninitializedParameter):
                continue
            flat = p.detach().reshape(-1)
            sample[name] = flat[:: max(1, flat.numel() // SAMPLE)][:SAMPLE].to("cpu", copy=True)
    return sample


def collect(names: dict[str, Any], piece: int) -> None:
    """Says which models this piece built, called or trained, and exports those that changed."""
    global _piece, _busy
    if _torch() is None:
        return
    _piece, _busy = piece, True
    try:
        for name, module in namespace.models(names, _is_model):
            seen = _seen.get(id(module))
            if seen is None or seen.module() is not module:
                seen = _remember(module)
            seen.variable = name
        alive = [s for s in _seen.values() if s.module() is not None]
        for seen in sorted(alive, key=lambda s: s.called)[-MOST_MODELS:]:
            with contextlib.suppress(Exception):
                _report(seen, piece)
    finally:
        _kept.clear()
        _busy = False


def _report(seen: Seen, piece: int) -> None:
    module = seen.module()
    now, form = _sample(module), _form(module)
    distance = _distance(module, seen.sample, now)
    moved = [n for n, v in now.items() if n in seen.sample and not _same(v, seen.sample[n])]
    new, changed = seen.built == piece, form != seen.form
    trained = bool(moved) and not changed if seen.form else bool(moved)
    if not (seen.called or moved or new or changed):
        return
    if seen.called and (moved or changed or not seen.file):
        _export(seen, module)
    elif changed:
        seen.file, seen.problem = "", ""
    seen.sample, seen.form, seen.last = now, form, piece
    seen.emitted = True
    _emit(seen, module, piece, trained, moved, distance if trained else None)


def _distance(module: Any, before: dict[str, Any], now: dict[str, Any]) -> float | None:
    """How far the weights are from where they were, by their size then; None where that is no number."""
    moved = size = 0.0
    for name, parameter in module.named_parameters():
        a, b = before.get(name), now.get(name)
        if a is None or b is None or a.shape != b.shape or not a.numel() or not a.is_floating_point():
            continue
        each = parameter.numel() / a.numel()  # a sample stands for the whole of its parameter
        moved += each * float(((b.double() - a.double()) ** 2).sum())
        size += each * float((a.double() ** 2).sum())
    found = (moved / size) ** 0.5 if size > 0 else math.inf
    return found if math.isfinite(found) else None


def _same(a: Any, b: Any) -> bool:
    return bool(a.shape == b.shape and (a == b).all())


def _form(module: Any) -> tuple[Any, ...]:
    """Changes when layers are replaced, added or removed."""
    return tuple((n, tuple(p.shape)) for n, p in module.named_parameters())


def _emit(
    seen: Seen, module: Any, piece: int, trained: bool, moved: list[str], distance: float | None = None
) -> None:
    record.emit(
        "model",
        at=piece,
        variable=seen.variable,
        framework="pytorch",
        class_name=f"{type(module).__module__}.{type(module).__qualname__}",
        called=seen.called,
        trained=trained,
        moved=moved[:2000],
        frozen=[n for n, p in module.named_parameters() if not p.requires_grad][:2000],
        claimed_parameters=sum(p.numel() for p in module.parameters()),
        input_shape=list(seen.input_shape) if seen.input_shape else None,
        input_range=list(seen.input_range) if seen.input_range else None,
        steps=seen.steps if trained else 0,
        samples=seen.samples if trained else 0,
        distance=distance,
        file=seen.file,
        weights=seen.weights,
        problem=seen.problem,
        claimed_layers=seen.modules,
    )


def finish(names: dict[str, Any]) -> None:
    """Models that were never called have shown no input: the sizes that models of their kind take are tried."""
    global _busy
    torch = _torch()
    if torch is None:
        return
    _busy = True
    try:
        uncalled = [s for s in _seen.values() if s.module() is not None and not s.calls and not s.file]
        for seen in uncalled[-MOST_MODELS:]:
            module = seen.module()
            if shape := _guess_input(torch, module):
                seen.input_shape = shape
                with contextlib.suppress(Exception):
                    _export(seen, module)
                if seen.file:
                    _emit(seen, module, seen.last if seen.last >= 0 else seen.built, False, [])
    finally:
        _busy = False


def _guess_input(torch: Any, module: Any) -> tuple[int, ...] | None:
    first = next((m for m in module.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))), None)
    if first is None:
        return None
    if isinstance(first, torch.nn.Linear):
        shapes: list[tuple[int, ...]] = [(first.in_features,)]
    else:
        sizes = (
            (224, 299, 32)
            if type(module).__module__.startswith("torchvision")
            else (28, 32, 224, 64, 96, 128)
        )
        shapes = [(first.in_channels, s, s) for s in sizes]
    modes = [(m, m.training) for m in module.modules()]
    device = next(module.parameters()).device
    try:
        module.eval()
        for shape in shapes:
            with contextlib.suppress(Exception), torch.no_grad():
                module(torch.zeros(1, *shape, device=device))
                return shape
    finally:
        for m, training in modes:
            m.training = training
    return None


def _export(seen: Seen, module: Any) -> None:
    """Writes the module as an exported program, in evaluation mode, without changing it."""
    torch = _torch()
    seen.file, seen.problem, seen.modules = "", "", []
    if seen.input_shape is None:
        seen.problem = "it was never called with a tensor"
        return
    modes = [(m, m.training) for m in module.modules()]
    device = next(module.parameters()).device
    random_state = torch.get_rng_state()
    try:
        module.eval()
        program, problem = None, ""
        for batch, dynamic in ((2, True), (max(seen.batch, 1), False)):
            example = torch.zeros(batch, *seen.input_shape, dtype=getattr(torch, seen.dtype), device=device)
            try:
                with _quiet():
                    program = _program(torch, module, example, dynamic)
                break
            except Exception as e:
                problem = (
                    problem
                    or f"{type(e).__name__}: {str(e).strip().splitlines()[0][:300] if str(e).strip() else ''}"
                )
        if program is None:
            seen.problem = f"torch.export refused it ({problem})"
            if any(sign in problem for sign in LOOKS_AT_VALUES):
                seen.problem = f"its forward looks at the values of its input; {seen.problem}"
            with contextlib.suppress(Exception), _quiet():
                shape = (2, *seen.input_shape)
                example = torch.zeros(shape, dtype=getattr(torch, seen.dtype), device=device)
                seen.modules = modules.listed(torch, module, example)
            return
        size = sum(v.numel() * v.element_size() for v in program.state_dict.values())
        seen.weights = size <= MOST_WEIGHT_BYTES
        target = "cpu" if seen.weights else "meta"
        for key, value in list(program.state_dict.items()):
            if value.device.type != target:
                moved = value.detach().to(target)
                program.state_dict[key] = (
                    torch.nn.Parameter(moved, requires_grad=value.requires_grad)
                    if isinstance(value, torch.nn.Parameter)
                    else moved
                )
        name = f"program-{os.getpid()}-{_piece}-{next(_files)}.pt2"
        with _quiet():
            torch.export.save(program, os.path.join(record.folder(), name))
        seen.file = name
    except Exception as e:
        seen.problem = f"it could not be saved ({type(e).__name__}: {str(e)[:200]})"
    finally:
        for m, training in modes:
            m.training = training
        torch.set_rng_state(random_state)


def _program(torch: Any, module: Any, example: Any, dynamic: bool) -> Any:
    shapes = ({0: torch.export.Dim("batch", min=1, max=65536)},) if dynamic else None
    with torch.no_grad():
        return torch.export.export(module, (example,), dynamic_shapes=shapes, strict=False)


@contextlib.contextmanager
def _quiet() -> Any:
    """A forward that prints would print again while it is exported."""
    with (
        warnings.catch_warnings(),
        open(os.devnull, "w", encoding="utf-8") as null,
        contextlib.redirect_stdout(null),
        contextlib.redirect_stderr(null),
    ):
        warnings.simplefilter("ignore")
        yield
