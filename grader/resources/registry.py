"""All resources, by id; and the groups that a rubric may name instead."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from grader.errors import ResourceError
from grader.resources.base import Resource
from grader.resources.sources import (
    cifar10,
    flowers102,
    folders,
    idx,
    keras_weights,
    sample_image,
    torchvision_weights,
)

RESOURCES: dict[str, Resource] = {
    r.id: r
    for module in (idx, cifar10, flowers102, folders, sample_image, torchvision_weights, keras_weights)
    for r in module.RESOURCES
}

GROUPS: dict[str, tuple[str, ...]] = {
    "flowers": ("flowers102", "photos"),
    "torchvision-weights": tuple(r.id for r in torchvision_weights.RESOURCES),
    "keras-weights": tuple(r.id for r in keras_weights.RESOURCES),
}
"""What one word in a rubric stands for: the small flower data set may be Flowers102 or a local folder."""


ALWAYS = ("mnist", "fashion-mnist", "cifar10", "sample-image")
"""What notebooks ask for whatever their assignment promises; every bundle has them."""


def find(name: str) -> tuple[Resource, ...]:
    """The resource, or the group of resources, that a rubric or a command names.

    :raises ResourceError: there is none of that name.
    """
    if name in RESOURCES:
        return (RESOURCES[name],)
    if name in GROUPS:
        return tuple(RESOURCES[id] for id in GROUPS[name])
    known = [r for r in RESOURCES.values() if name in r.also and name != "weights"]
    if known:
        return (known[0],)
    near = get_close_matches(name, [*RESOURCES, *GROUPS], n=1)
    raise ResourceError(
        f"there is no resource '{name}'" + (f"; did you mean '{near[0]}'?" if near else ""),
        where="resources",
        todo="`grade data list` shows all of them",
    )


def resolve(names: Iterable[str]) -> tuple[Resource, ...]:
    """All resources that the names stand for, each once, in the order of their ids.

    :raises ResourceError: a name is unknown.
    """
    found = {r.id: r for name in names for r in find(name)}
    return tuple(found[id] for id in sorted(found))
