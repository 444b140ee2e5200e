"""torchvision's data sets, torchvision's and torch.hub's checkpoints; which data sets were opened."""

from __future__ import annotations

import functools
import inspect
import os
import re
from typing import Any

from . import record, serve_hooks
from . import serve_catalog as catalog
from .serve_transforms import describe

SHIFT = 17
"""Elements from the beginning of a stood-in matrix's row to that of the next."""


def install() -> None:
    serve_hooks.when_imported("torchvision.datasets.utils", _utils)
    serve_hooks.when_imported("torchvision.datasets", _datasets)
    serve_hooks.when_imported("torch.hub", _hub)
    serve_hooks.when_imported("torch.utils.data.dataloader", _loader)


# ---------------------------------------------------------------- downloads


def _utils(utils: Any) -> None:
    """Every check of torchvision's comes down to ``check_md5``, every download to ``_urlretrieve``."""
    check, retrieve, drive = utils.check_md5, utils._urlretrieve, utils.download_file_from_google_drive

    def check_md5(fpath: Any, md5: str, **options: Any) -> bool:
        return bool(check(fpath, md5, **options)) or catalog.accepts(fpath)

    def _urlretrieve(url: str, filename: Any, *arguments: Any, **options: Any) -> None:
        offer = catalog.find(url)
        if offer is None:
            retrieve(url, filename, *arguments, **options)  # refused, and noted, by urllib
            return
        catalog.given(offer, url)
        catalog.place(offer, os.fspath(filename))

    def download_file_from_google_drive(file_id: str, *arguments: Any, **options: Any) -> Any:
        catalog.refused(f"Google Drive file {file_id}")
        return drive(file_id, *arguments, **options)

    utils.check_md5 = check_md5
    utils._urlretrieve = _urlretrieve
    utils.download_file_from_google_drive = download_file_from_google_drive
    utils._get_redirect_url = lambda url, *a, **k: url


def _hub(hub: Any) -> None:
    download, load = hub.download_url_to_file, hub.load

    @functools.wraps(download)
    def download_url_to_file(url: str, dst: str, *arguments: Any, **options: Any) -> None:
        dst = os.path.expanduser(dst)
        offer = catalog.find(url)
        if offer is not None:
            catalog.given(offer, url)
            catalog.place(offer, dst)
        elif not _random_checkpoint(url, dst):
            download(url, dst, *arguments, **options)

    @functools.wraps(load)
    def hub_load(repo_or_dir: Any, model: str, *arguments: Any, **options: Any) -> Any:
        if not str(repo_or_dir).lower().startswith("pytorch/vision") or options.get("source") == "local":
            return load(repo_or_dir, model, *arguments, **options)
        from torchvision import models

        for name in ("source", "trust_repo", "force_reload", "verbose", "skip_validation"):
            options.pop(name, None)
        record.emit(
            "substitution",
            asked=f"torch.hub.load({str(repo_or_dir)!r}, {model!r})",
            given=f"the installed torchvision.models.{model}",
            stand_in=False,
        )
        return getattr(models, model)(*arguments, **options)

    hub.download_url_to_file = download_url_to_file
    hub.load = hub_load


def _random_checkpoint(url: str, dst: str) -> bool:
    """A checkpoint of torchvision that the bundle has not: the model's own initial weights."""
    if not re.search(r"download\.pytorch\.org/models/[\w.-]+\.pth$", url):
        return False
    import torch
    from torchvision import models

    file = url.rsplit("/", 1)[1]
    for name in models.list_models():
        if not any(str(w.url).endswith("/" + file) for w in models.get_model_weights(name)):
            continue
        takes = inspect.signature(models.get_model_builder(name)).parameters
        options = {"weights_backbone": None} if "weights_backbone" in takes else {}
        with torch.device("meta"):
            form = models.get_model(name, weights=None, **options).state_dict()
        state = {key: _initial(torch, key, tensor, n) for n, (key, tensor) in enumerate(form.items())}
        torch.save(state, dst)
        given = f"{name}: random weights in place of the checkpoint"
        record.emit("substitution", asked=url, given=given, stand_in=True)
        return True
    return False


def _initial(torch: Any, name: str, form: Any, seed: int) -> Any:
    """He et al.'s initial values; of a large matrix, overlapping rows of one short vector, so that the file is small."""
    if form.dim() < 2:
        make = torch.ones if name.endswith(("weight", "running_var")) else torch.zeros
        return make(form.shape, dtype=form.dtype)
    rows, columns = form.shape[0], form.numel() // form.shape[0]
    random = torch.Generator().manual_seed(seed)
    values = torch.randn(SHIFT * rows + columns, generator=random) * (2 / columns) ** 0.5
    shape = form.shape[1:]
    steps = [SHIFT, *(shape[i + 1 :].numel() for i in range(len(shape)))]
    return values.as_strided(form.shape, steps)


# ---------------------------------------------------------------- which data sets were opened


def _datasets(datasets: Any) -> None:
    from torchvision.datasets.vision import VisionDataset

    classes = {c for c in vars(datasets).values() if inspect.isclass(c) and issubclass(c, VisionDataset)}
    for cls in {base for c in classes for base in c.__mro__ if issubclass(base, VisionDataset)}:
        if cls is not VisionDataset and "__init__" in vars(cls):
            setattr(cls, "__init__", _noting(vars(cls)["__init__"]))  # noqa: B010


def _noting(original: Any) -> Any:
    """The outermost constructor of a torchvision class notes the data set once it is complete."""

    @functools.wraps(original)
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        outermost = "_grade_opening" not in self.__dict__
        self.__dict__["_grade_opening"] = True
        try:
            original(self, *arguments, **options)
        finally:
            if outermost:
                self.__dict__.pop("_grade_opening", None)
        if outermost:
            note(self)

    return __init__


def _loader(dataloader: Any) -> None:
    """A transform set or a subset drawn after the data set was made is seen when it is loaded."""
    original = dataloader.DataLoader.__init__

    @functools.wraps(original)
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        original(self, *arguments, **options)
        try:
            from torch.utils.data import Subset, default_collate
            from torchvision.datasets.vision import VisionDataset

            given = base = self.dataset
            while isinstance(base, Subset):
                base = base.dataset
            if isinstance(base, VisionDataset):
                own = "collate_fn" if self.collate_fn not in (None, default_collate) else ""
                note(base, size=len(given), also_unknown=own)
        except Exception:
            return

    dataloader.DataLoader.__init__ = __init__


def note(dataset: Any, size: int | None = None, also_unknown: str = "") -> None:
    """Notes a torchvision data set: which one, how much of it, and how its images are prepared."""
    try:
        own: list[Any] = [c for c in type(dataset).__mro__ if c.__module__.startswith("torchvision.datasets")]
        name = own[0].__name__
        if name in {"ImageFolder", "DatasetFolder"}:
            first = dataset.samples[0][0] if getattr(dataset, "samples", None) else dataset.root
            id = catalog.by_path(dataset.root) or catalog.by_path(first) or "image-folder"
        else:
            id = catalog.by_loader(*(c.__name__ for c in own[:1])) or name.lower()
        made = catalog.made(id)
        labels = getattr(dataset, "classes", None)
        preparation = describe(
            getattr(dataset, "transform", None), getattr(dataset, "target_transform", None)
        )
        if type(dataset).__getitem__ is not own[0].__getitem__:
            also_unknown = also_unknown or f"{type(dataset).__name__}.__getitem__"
        if also_unknown:
            preparation["known"] = False
            preparation["unknown_steps"].append(also_unknown)
        record.emit(
            "dataset",
            dataset=id,
            loader=f"torchvision.datasets.{name}",
            split=_split(dataset),
            size=len(dataset) if size is None else size,
            classes=len(labels) if isinstance(labels, (list, tuple)) else made["classes"] if made else None,
            path=str(dataset.root),
            stand_in=name == "FakeData" or bool(made and not made["judged"]),
            preprocessing=preparation,
        )
    except Exception:
        return


SPLITS = {"train": "train", "training": "train", "val": "validation", "valid": "validation",
          "validation": "validation", "test": "test", "testing": "test"}  # fmt: skip


def _split(dataset: Any) -> str:
    if isinstance(train := getattr(dataset, "train", None), bool):
        return "train" if train else "test"
    for said in (getattr(dataset, "split", None), getattr(dataset, "_split", None)):
        if isinstance(said, str) and said.lower() in SPLITS:
            return SPLITS[said.lower()]
    for part in reversed(os.path.normpath(str(dataset.root)).split(os.sep)):
        if part.lower() in SPLITS:
            return SPLITS[part.lower()]
    return "unknown"
