"""Bundles: all that one assignment's notebooks are given, as one read-only folder.

A bundle is made once for each content and found again by what it is made from. ``manifest.json``
tells the code inside the kernel what answers which URL and path, and what is real; it holds no label
of a held-out set. Bundles lie in the user's cache folder, not in ``GRADE_DATA``, which may be read-only.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import platformdirs

from grader.errors import ResourceError
from grader.evidence.model import Profile
from grader.record import Record
from grader.resources import cache as data
from grader.resources import draw, formats, registry
from grader.resources.base import Bytes, HeldOut, Link, Made, Making, Part, Resource, State

MANIFEST = "manifest.json"


class Bundle(Record):
    """``digest`` changes with anything that a notebook could be given, and with nothing else."""

    folder: Path
    digest: str
    profile: Profile
    made: dict[str, Made]
    links: tuple[Link, ...]

    @property
    def stand_ins(self) -> tuple[str, ...]:
        """In words, what is not real."""
        return tuple(m.words for m in self.made.values() if m.state is State.STAND_IN)


def bundle_folder() -> Path:
    """Where bundles and held-out images are kept."""
    return platformdirs.user_cache_path("grader", appauthor=False) / "bundles"


def bundle(profile: Profile, resources: Sequence[str], folder: Path | None = None) -> Bundle:
    """The bundle of the named resources, and of those that every notebook gets (`registry.ALWAYS`);
    made if it is not there yet. Safe to call concurrently.

    ``folder`` is where bundles are kept, by default `bundle_folder`.

    :raises ResourceError: a name is unknown, a cached file cannot be read, or there is no space.
    """
    chosen = registry.resolve([*registry.ALWAYS, *resources])
    cached = {r.id: data.find(r) for r in chosen}
    recipe = hashlib.sha256(f"{profile} {_own_code()} {_versions()}".encode())
    for r in chosen:
        path = cached[r.id]
        recipe.update(f"\n{r.id}: {data.fingerprint(path) if path else ''}".encode())
    home = folder if folder is not None else bundle_folder()
    target = home / f"{profile}-{recipe.hexdigest()[:24]}"
    if not (target / MANIFEST).is_file():
        _build(profile, chosen, cached, target)
    return _read(target)


def _build(
    profile: Profile, chosen: Sequence[Resource], cached: dict[str, Path | None], target: Path
) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=".part-", dir=target.parent))
    except OSError as e:
        raise ResourceError(
            f"cannot be written: {e.strerror}",
            where=str(target.parent),
            todo="set XDG_CACHE_HOME to another folder",
        ) from e
    try:
        made: dict[str, Made] = {}
        for r in chosen:
            try:
                made[r.id] = r.make(Making(profile, cached[r.id], part, r.id))
            except (ValueError, KeyError, EOFError) as e:
                raise ResourceError(
                    f"{r.title} cannot be read: {e}",
                    where=str(cached[r.id]),
                    todo=f"`grade data verify {r.id}`",
                ) from e
        _write_manifest(part, profile, made)
        _publish(part, target)
    except OSError as e:
        raise ResourceError(
            f"the bundle cannot be made: {e.strerror or e}",
            where=str(target.parent),
            todo="is there space left?",
        ) from e
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _publish(part: Path, target: Path) -> None:
    """One rename: the bundle is there whole or not at all, and the first of concurrent makers wins."""
    part.chmod(0o755)
    try:
        part.rename(target)
    except OSError:
        if not (target / MANIFEST).is_file():
            raise


def _write_manifest(part: Path, profile: Profile, made: dict[str, Made]) -> None:
    files: dict[str, str] = {}
    for path in sorted(p for p in part.rglob("*") if p.is_file()):
        files[path.relative_to(part).as_posix()] = formats.sha256(path)
        if path.stat().st_nlink == 1:  # a hard link shares its mode with the data cache
            path.chmod(0o444)
    links: dict[str, Link] = {}
    for m in made.values():
        for link in m.links:
            links.setdefault(link.path, link)
    body = {
        "profile": profile.value,
        "resources": {id: m.model_dump(mode="json", exclude={"links"}) for id, m in made.items()},
        "links": [link.model_dump() for link in links.values()],
        "files": files,
    }
    body["digest"] = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    (part / MANIFEST).write_text(json.dumps(body, indent=1), encoding="utf-8")
    (part / MANIFEST).chmod(0o444)


def _read(target: Path) -> Bundle:
    body = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    return Bundle(
        folder=target,
        digest=body["digest"],
        profile=Profile(body["profile"]),
        made={id: Made.model_validate(m) for id, m in body["resources"].items()},
        links=tuple(Link.model_validate(link) for link in body["links"]),
    )


@cache
def _own_code() -> str:
    """A hash of this room's code and of what it ships: an old bundle is not taken for a new one."""
    own = Path(__file__).parent
    found = sorted(p for p in own.rglob("*") if p.suffix in {".py", ".npz"})
    return hashlib.sha256(
        b"".join(p.relative_to(own).as_posix().encode() + p.read_bytes() for p in found)
    ).hexdigest()


def _versions() -> str:
    """Libraries that write a bundle's files."""
    from importlib.metadata import version

    return " ".join(
        f"{name}-{version(name)}" for name in ("numpy", "pillow", "scipy", "torch", "torchvision")
    )


# ---------------------------------------------------------------- held-out sets


def held_out(dataset: str, profile: Profile, folder: Path | None = None) -> HeldOut | None:
    """Images that no notebook is given, to measure models on; None where there are no real ones.

    ``dataset`` is a registry id, as `DatasetUse.dataset` has it; an unknown one gives None, since
    a notebook may bring data of its own. In ``full`` it is half of the official test set.
    """
    return measured_on(dataset, profile, "held-out", folder)


MOST_SEEN = 100
"""Images of each class that are taken of a part that notebooks have: enough to tell what was learned by heart."""


def measured_on(dataset: str, profile: Profile, part: Part, folder: Path | None = None) -> HeldOut | None:
    """As `held_out`, also for ``part`` "test" or "train" of what notebooks of this profile are given.

    A model that is right more often on these than on the held-out ones has seen them in training.
    """
    found = _images_and_labels(dataset, profile, part)
    if found is None:
        return None
    images, labels_ = found
    digest = hashlib.sha256(images.tobytes() + labels_.tobytes()).hexdigest()[:16]
    home = (folder if folder is not None else bundle_folder()) / "held-out"
    path = home / f"{dataset}-{profile}-{digest}.npz"
    if not path.is_file():
        try:
            home.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=".part-", dir=home)
            os.close(handle)
            formats.write_npz(Path(name), x=images)
            Path(name).replace(path)
        except OSError as e:
            raise ResourceError(
                f"held-out images cannot be written: {e.strerror}",
                where=str(home),
                todo="is there space left?",
            ) from e
    suffix = "" if part == "held-out" else f"/{part}"
    return HeldOut(id=f"{dataset}/{profile}/{digest}{suffix}", inputs=path, count=len(images))


def labels(id: str) -> tuple[int, ...]:
    """The labels of a held-out set, for the scorer alone.

    :raises ResourceError: the set was drawn from other data than is there now.
    """
    dataset, _, rest = id.partition("/")
    profile, _, digest = rest.partition("/")
    digest, _, named = digest.partition("/")
    part: Part = "test" if named == "test" else "train" if named == "train" else "held-out"
    found = _images_and_labels(dataset, Profile(profile), part) if profile in set(Profile) else None
    if found is not None:
        images, labels_ = found
        if hashlib.sha256(images.tobytes() + labels_.tobytes()).hexdigest()[:16] == digest:
            return tuple(int(v) for v in labels_)
    raise ResourceError(
        f"the held-out set {id} is not the one that is there now",
        where=str(data.folder()),
        todo="the data cache has changed since that run: run again, or restore it",
    )


def _images_and_labels(dataset: str, profile: Profile, part: Part) -> tuple[Bytes, Bytes] | None:
    resource = registry.RESOURCES.get(dataset)
    if resource is None or resource.held_out is None:
        return None
    if part == "held-out":
        return resource.held_out(profile, data.find(resource))
    arrays = resource.seen(profile, data.find(resource)) if resource.seen is not None else None
    if arrays is None:
        return None
    images, labels_ = arrays[:2] if part == "train" else arrays[2:]
    chosen = draw.by_class(labels_, MOST_SEEN)
    return images[chosen], labels_[chosen]
