"""Where data in a trace comes from, and whether two values are the same images."""

from __future__ import annotations

import re
from dataclasses import dataclass

from grader.checks.mistakes.values import Value, made_of

SAMPLERS = {"sampler", "batch_sampler", "validation_split", "subset"}
"""Keywords with which a loader gives a part of its images; which part is not followed."""
RANDOM = frozenset("randn rand randint random uniform normal rand_like randn_like random_sample".split())  # noqa: SIM905
PASSING = frozenset(
    """
    DataLoader TensorDataset ConcatDataset concatenate concat vstack hstack stack array asarray astype reshape
    expand_dims map batch shuffle repeat prefetch cache float double tensor Tensor FloatTensor as_tensor from_numpy
    from_tensor_slices convert_to_tensor cast list iter enumerate zip tqdm permute transpose unsqueeze squeeze
    resize numpy to view copy flow append
    """.split()  # noqa: SIM905
)
"""Calls that hand on all the images that they are given; of any other it is not known what it returns."""
_SPLIT = re.compile(r"(test|train|val|valid)(?:ing|idation)?(?:_?(?:set|images|data|dir|ds))?", re.IGNORECASE)
_ALL = re.compile(r"\(?(?:(?:\.\.\.|:|None|(?:tf|np|numpy|tensorflow)\.newaxis)(?:,\s*)?)+\)?")
"""A subscript that takes all of it, and at most adds an axis."""
_KNOWN = re.compile(r"datasets\.|mnist|cifar")
_FOLDERS = ("ImageFolder", "flow_from_directory", "image_dataset_from_directory", "DatasetFolder")


@dataclass(frozen=True)
class Origin:
    """One data set that a value is made of: ``split`` is train, test, validation or empty; ``whole`` is
    False where only a part of it arrives."""

    value: Value
    split: str
    whole: bool = True


def unloaded(value: Value | None) -> Value | None:
    """The data set behind a loader and what only hands its images on."""
    for _ in range(20):
        if value is None:
            return None
        if value.is_call("DataLoader", "TensorDataset", "iter", "list", "enumerate") and (
            inner := value.given(0, "dataset")
        ):
            if SAMPLERS & value.named.keys():
                return value
            value = inner
        elif value.op == "element" or (
            value.is_call("batch", "shuffle", "repeat", "prefetch", "cache", "with_options") and value.base
        ):
            value = value.base
        else:
            return value
    return value


def origins(value: Value | None) -> list[Origin]:
    """The data sets that a value's images come from, each once."""
    found: dict[tuple[int, bool], Origin] = {}
    todo, seen = [(value, True)], set()
    while todo:
        value, whole = todo.pop()
        if value is None or (id(value), whole) in seen:
            continue
        seen.add((id(value), whole))
        split = split_of(value)
        if split is not None:
            found[id(value), whole] = Origin(value, split, whole)
            continue
        if value.op == "item":
            images = value.base is not None and split_of(value.base) is not None  # of a pair with its labels
            whole = whole and (images or (bool(value.args) and _ALL.fullmatch(value.path) is not None))
        elif value.called:
            whole = whole and value.is_call(*PASSING) and not SAMPLERS & value.named.keys()
        elif value.op not in ("sequence", "element", "operation", "starred"):
            whole = False
        parts = [p for p in value.parts if p.op not in ("constant", "function", "class", "name")]
        todo += [(p, whole) for p in parts]
    return list(found.values())


def split_of(value: Value) -> str | None:
    """Which split a data set is, if this value is one; empty where that is not said."""
    if value.op == "item" and value.base is not None:
        pair, loaded = value, value.base
        if loaded.is_call("load_data") and _KNOWN.search(loaded.path):
            return {"0": "train", "1": "test"}.get(pair.path, "")
        return None
    if not value.called:
        return None
    named = value.named.get("train")
    if named is not None and isinstance(named.constant, bool) and value.last[:1].isupper():
        return "train" if named.constant else "test"
    if ".datasets." in f".{value.path}" and len(value.args) > 1 and isinstance(value.args[1].constant, bool):
        return "train" if value.args[1].constant else "test"
    said = value.named.get("split") or value.named.get("subset")
    if said is not None and isinstance(said.constant, str):
        return _word(said.constant)
    if value.is_call(*_FOLDERS):
        where = value.given(0, "root") or value.named.get("directory")
        return _folder(path_of(where)) if where is not None else ""
    return (
        ""
        if (value.is_call("load_data") and _KNOWN.search(value.path))
        or value.path.startswith("torchvision.datasets.")
        else None
    )


def _word(split: str) -> str:
    low = split.lower()
    return low if low in ("train", "test") else "validation" if low.startswith("val") else "train" if low == "training" else ""  # fmt: skip


def _folder(path: str) -> str:
    """By the last part of a path that names a split."""
    for part in reversed(re.split(r"[/\\]+", path)):
        if m := _SPLIT.fullmatch(part):
            return _word(m[1])
    return ""


def path_of(value: Value) -> str:
    """A path as far as the code tells it: constants joined, the rest left out."""
    return "/".join(v.constant for v in made_of(value) if isinstance(v.constant, str))


def same(a: Value | None, b: Value | None) -> bool:
    """Whether two values are surely the same images: one object, or slices of one object with one text."""
    a, b = unloaded(a), unloaded(b)
    if a is None or b is None:
        return False
    if a is b:
        return a.op not in ("unknown", "either")
    if a.op == b.op == "sequence" and len(a.args) == len(b.args) and a.args:
        return all(same(x, y) for x, y in zip(a.args, b.args, strict=True))
    return a.op == b.op == "item" and a.path == b.path and same(a.base, b.base)


def part_of(part: Value | None, whole: Value | None) -> bool:
    """Whether one is the other, or a slice of the very same object."""
    part, whole = unloaded(part), unloaded(whole)
    if same(part, whole):
        return True
    return bool(part and part.op == "item" and part.args and part.base and whole and same(part.base, whole))


def made_of_noise(value: Value | None, depth: int = 0) -> Value | None:
    """The call for random numbers that a value consists of, and nothing else."""
    value = unloaded(value)
    if value is None or depth > 10:
        return None
    if value.is_call(*RANDOM) and re.match(r"(torch|np|numpy|tf|tensorflow|keras|random)\b", value.path):
        return value
    if value.called and value.base is not None and value.path.startswith("."):
        return made_of_noise(value.base, depth + 1)
    if value.is_call("from_tensor_slices", "tensor", "from_numpy", "array", "asarray", "convert_to_tensor"):
        return made_of_noise(value.args[0], depth + 1) if value.args else None
    if value.op in ("sequence", "comprehension") and value.args:
        return made_of_noise(value.args[0], depth + 1)
    if value.op == "item" and value.base is not None:
        return made_of_noise(value.base, depth + 1)
    if value.op == "operation":
        images = [p for p in value.args if p.op != "constant"]
        return made_of_noise(images[0], depth + 1) if len(images) == 1 else None
    return None
