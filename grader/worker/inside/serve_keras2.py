"""What Keras 2 allowed and Keras 3 refuses, where only the writing differs.

Much of what is taught, and most saved notebooks, were written for Keras 2. A network that is right must not be lost to
a default that has gone; what is read so changes no result.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from . import record, serve_hooks, serve_keras2_files, serve_keras2_names, serve_keras2_ops

GONE = {"workers", "use_multiprocessing", "max_queue_size", "max_q_size", "pickle_safe"}
"""Options of `fit` and its kind that say how batches are fetched, not what is learned."""
RENAMED = {"acc": "accuracy", "val_acc": "val_accuracy", "accuracy": "acc", "val_accuracy": "val_acc"}


def install() -> None:
    """Acts when Keras's modules are imported; imports nothing itself."""
    serve_keras2_names.install()
    serve_keras2_files.install()
    serve_keras2_ops.install()
    serve_hooks.when_imported("keras.src.models.model", _methods)
    serve_hooks.when_imported("keras.src.layers.layer", _shapes)
    serve_hooks.when_imported("keras.src.callbacks.history", _history)
    serve_hooks.when_imported("keras.src.callbacks.tensorboard", _tensorboard)
    serve_hooks.when_imported("keras.src.utils.model_visualization", _plots)
    serve_hooks.when_imported("keras.src.applications.imagenet_utils", _classes)
    for n in (1, 2, 3):
        serve_hooks.when_imported(f"keras.src.layers.pooling.average_pooling{n}d", _pooling)
    serve_hooks.when_imported("keras.src.optimizers.base_optimizer", _learning_rate)


def _pooling(module: Any) -> None:
    """``AveragePooling2D()`` pools by 2. Only the default is set: Keras reads the signatures of its layers."""
    for name in [n for n in vars(module) if n.startswith("AveragePooling")]:
        start = getattr(module, name).__init__
        names = start.__code__.co_varnames[1 : start.__code__.co_argcount]
        if names[:1] == ("pool_size",) and len(start.__defaults__ or ()) == len(names) - 1:
            start.__defaults__ = (2, *(start.__defaults__ or ()))


def _learning_rate(module: Any) -> None:
    """``Adam(lr=0.001)``."""
    original = module.BaseOptimizer.__init__

    @functools.wraps(original)
    def __init__(self: Any, *arguments: Any, **options: Any) -> None:
        if "lr" in options:
            rate = options.pop("lr")
            record.emit(
                "substitution",
                asked=f"{type(self).__name__}(lr={rate})",
                given=f"learning_rate={rate}, as in Keras 2",
                stand_in=False,
            )
            arguments = (rate, *arguments[1:]) if arguments else ()
            options |= {} if arguments else {"learning_rate": rate}
        original(self, *arguments, **options)

    module.BaseOptimizer.__init__ = __init__

    if not hasattr(module.BaseOptimizer, "lr"):
        module.BaseOptimizer.lr = property(
            lambda self: self.learning_rate, lambda self, rate: setattr(self, "learning_rate", rate)
        )


# ---------------------------------------------------------------- models and layers


def _methods(module: Any) -> None:
    """`fit_generator` and its kind, `predict_classes`, and options that `fit` no longer has."""
    model = module.Model
    for name in ("fit", "evaluate", "predict"):
        setattr(model, name, _fetching(getattr(model, name)))
    for name in ("fit", "evaluate", "predict"):
        if not hasattr(model, f"{name}_generator"):
            setattr(model, f"{name}_generator", _renamed(name))

    def predict_classes(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        answer = self.predict(x, *args, **kwargs)
        return answer.argmax(-1) if answer.shape[-1] > 1 else (answer > 0.5).astype("int32")

    def predict_proba(self: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        return self.predict(x, *args, **kwargs)

    for method in (predict_classes, predict_proba):
        if not hasattr(model, method.__name__):
            setattr(model, method.__name__, method)


def _fetching(original: Any) -> Any:
    @functools.wraps(original)
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if "nb_epoch" in kwargs:
            kwargs["epochs"] = kwargs.pop("nb_epoch")
        return original(self, *args, **{k: v for k, v in kwargs.items() if k not in GONE})

    return method


def _renamed(name: str) -> Any:
    def method(self: Any, generator: Any, *args: Any, **kwargs: Any) -> Any:
        record.emit(
            "substitution",
            asked=f"model.{name}_generator()",
            given=f"model.{name}(), as in Keras 2",
            stand_in=False,
        )
        if args:  # steps come first in all three
            kwargs["steps_per_epoch" if name == "fit" else "steps"] = args[0]
            if len(args) > 1:
                kwargs["epochs" if name == "fit" else "callbacks"] = args[1]
        return getattr(self, name)(generator, **kwargs)

    method.__name__ = f"{name}_generator"
    return method


class _Shape:
    """``layer.output_shape``; one that a layer sets itself comes first."""

    def __init__(self, end: str) -> None:
        self.end = end

    def __get__(self, layer: Any, cls: Any = None) -> Any:
        if layer is None:
            raise AttributeError(f"{self.end}_shape")
        try:
            ends = getattr(layer, self.end)
        except Exception:
            ends = None
        if ends is None:
            raise AttributeError(f"{self.end}_shape: the layer has not been called")
        if isinstance(ends, (list, tuple)):
            return [tuple(e.shape) for e in ends]
        return tuple(ends.shape)


def _shapes(module: Any) -> None:
    for end in ("input", "output"):
        if not hasattr(module.Layer, f"{end}_shape"):
            setattr(module.Layer, f"{end}_shape", _Shape(end))


class _Curves(dict[str, Any]):
    """``history["acc"]`` is ``history["accuracy"]``, whichever was asked of `compile`."""

    def __missing__(self, key: str) -> Any:
        if (other := RENAMED.get(key, "")) in self:
            return self[other]
        raise KeyError(key)


def _history(module: Any) -> None:
    original = module.History.__init__

    @functools.wraps(original)
    def __init__(self: Any) -> None:
        original(self)
        self.history = _Curves(self.history)

    module.History.__init__ = __init__


def _tensorboard(module: Any) -> None:
    original = module.TensorBoard.__init__

    @functools.wraps(original)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        for gone in ("write_grads", "batch_size", "embeddings_layer_names", "embeddings_data"):
            kwargs.pop(gone, None)
        original(self, *args, **kwargs)

    module.TensorBoard.__init__ = __init__


# ---------------------------------------------------------------- what needs files or programs from elsewhere


def _plots(module: Any) -> None:
    """`plot_model` needs Graphviz: without it, the model's summary as a picture."""
    if module.check_graphviz():
        return
    original = module.plot_model

    @functools.wraps(original)
    def plot_model(model: Any, to_file: str = "model.png", *_: Any, **__: Any) -> Any:
        from PIL import Image, ImageDraw

        lines: list[str] = []
        model.summary(print_fn=lambda text, **_: lines.extend(str(text).splitlines()), line_length=90)
        picture = Image.new("RGB", (620, 20 + 15 * len(lines)), "white")
        for n, line in enumerate(lines):
            ImageDraw.Draw(picture).text(
                (10, 10 + 15 * n), line.encode("ascii", "replace").decode().replace("?", "-"), "black"
            )
        if str(to_file).endswith((".png", ".jpg", ".jpeg")):
            picture.save(to_file)
        record.emit(
            "substitution",
            asked="plot_model()",
            given="the summary as a picture: Graphviz is not installed on this worker",
            stand_in=False,
        )
        return picture

    module.plot_model = plot_model
    serve_hooks.replace_everywhere(original, plot_model, "keras", "tensorflow.keras", "__main__")


def _classes(module: Any) -> None:
    """`decode_predictions` fetches a list of the thousand classes' names, which torchvision has."""
    models = sys.modules.get(
        "torchvision.models"
    )  # imported now, after TensorFlow, it would abort the process
    if models is None:
        return
    names = models.ResNet18_Weights.DEFAULT.meta["categories"]
    module.CLASS_INDEX = module.CLASS_INDEX or {
        str(i): [f"class{i}", n.replace(" ", "_")] for i, n in enumerate(names)
    }
