"""Modules that notebooks import and that cannot do here what they do elsewhere: google.colab,
streamlit, tunnels, windows of OpenCV, notebook widgets of tqdm."""

from __future__ import annotations

import functools
import os
import sys
import types
from typing import Any

from . import record
from . import serve_catalog as catalog
from .serve_hooks import provide, when_imported


def install() -> None:
    provide("google.colab", _colab, instead=True)
    if "google" not in sys.modules:
        provide("google", lambda: types.ModuleType("google"))
    provide("streamlit", _streamlit)
    provide("pyngrok", functools.partial(_silent, "pyngrok", "ngrok"))
    provide("localtunnel", functools.partial(_silent, "localtunnel"))
    when_imported("cv2", _cv2)
    when_imported("tqdm.notebook", _tqdm)
    when_imported("tqdm.autonotebook", _tqdm)
    when_imported("tqdm.auto", _tqdm)


def _note(asked: str, given: str) -> None:
    record.emit("substitution", asked=asked, given=given, stand_in=False)


# ---------------------------------------------------------------- google.colab


def _colab() -> types.ModuleType:
    colab = types.ModuleType("google.colab")

    def mount(mountpoint: str = "/content/drive", *_: Any, **__: Any) -> None:
        _note(f"drive.mount({mountpoint!r})", "an empty drive, with the assignment's own files")
        inner = os.path.join("drive", "MyDrive")
        os.makedirs(inner, exist_ok=True)
        print(f"Mounted at {mountpoint}")

    def upload(*_: Any, **__: Any) -> dict[str, bytes]:
        path = "sample.jpg"
        if not os.path.exists(path):
            _note("files.upload()", "no file: nobody is there to choose one")
            return {}
        _note("files.upload()", "the sample image, as sample.jpg")
        with open(path, "rb") as f:
            return {path: f.read()}

    def download(name: Any = "", *_: Any, **__: Any) -> None:
        if not os.path.exists(str(name)):
            raise FileNotFoundError(f"Cannot find file: {name}")
        _note(f"files.download({str(name)!r})", "left where it is")

    class SecretNotFoundError(Exception):
        pass

    def get(key: str) -> str:
        _note(f"userdata.get({key!r})", "an empty secret")
        return ""

    def shown(image: Any) -> None:
        import matplotlib.pyplot as plt

        plt.imshow(image[..., ::-1] if getattr(image, "ndim", 0) == 3 else image)
        plt.axis("off")
        plt.show()

    parts: dict[str, dict[str, Any]] = {
        "drive": {"mount": mount, "flush_and_unmount": _nothing},
        "files": {"upload": upload, "download": download, "view": _nothing},
        "userdata": {"get": get, "SecretNotFoundError": SecretNotFoundError},
        "output": {"clear": _nothing, "enable_custom_widget_manager": _nothing, "eval_js": _nothing,
                   "serve_kernel_port_as_window": _nothing, "serve_kernel_port_as_iframe": _nothing},
        "auth": {"authenticate_user": _nothing},
        "runtime": {"unassign": _nothing},
        "data_table": {"enable_dataframe_formatter": _nothing, "disable_dataframe_formatter": _nothing},
        "patches": {"cv2_imshow": shown},
    }  # fmt: skip
    for name, members in parts.items():
        module = types.ModuleType(f"google.colab.{name}")
        vars(module).update(members)
        setattr(colab, name, module)
        sys.modules[f"google.colab.{name}"] = module
    return colab


def _nothing(*_: Any, **__: Any) -> None:
    return None


# ---------------------------------------------------------------- streamlit and tunnels


class _Recorder:
    """Anything that an app asks of streamlit: it can be called, entered, indexed, iterated, and is false."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _member(f"{self._name}.{name}", name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        if len(arguments) == 1 and not options and callable(arguments[0]):
            return arguments[0]  # a decorator, such as @st.cache_resource
        return self

    def __enter__(self) -> _Recorder:
        return self

    def __exit__(self, *_: Any) -> None:
        return None

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Any:
        return iter(())


def _member(path: str, name: str) -> Any:
    if name in {"file_uploader", "camera_input", "data_editor"}:
        return _nothing
    if name in {"button", "checkbox", "toggle", "form_submit_button", "download_button"}:
        return lambda *a, **k: bool(k.get("value", False))
    if name in {"text_input", "text_area", "chat_input"}:
        return lambda *a, **k: str(k.get("value", ""))
    if name in {"selectbox", "radio", "select_slider"}:
        return _first
    if name in {"slider", "number_input"}:
        return lambda *a, **k: k.get("value", k.get("min_value", a[1] if len(a) > 1 else 0))
    if name in {"columns", "tabs"}:
        return lambda n=1, *a, **k: [_Recorder(path) for _ in range(n if isinstance(n, int) else len(n))]
    if name in {
        "cache",
        "cache_data",
        "cache_resource",
        "experimental_singleton",
        "experimental_memo",
        "fragment",
    }:
        return _decorator
    return _Recorder(path)


def _first(*arguments: Any, **options: Any) -> Any:
    choices = list(options.get("options", arguments[1] if len(arguments) > 1 else ()))
    return choices[min(options.get("index") or 0, len(choices) - 1)] if choices else None


def _decorator(function: Any = None, **_: Any) -> Any:
    return function if callable(function) else lambda f: f


def _streamlit() -> types.ModuleType:
    _note("import streamlit", "a stand-in that shows nothing: streamlit is not installed here")
    module = types.ModuleType("streamlit")
    module.session_state = {}  # type: ignore[attr-defined]
    module.secrets = {}  # type: ignore[attr-defined]
    module.__version__ = "0"  # type: ignore[attr-defined]
    module.__getattr__ = lambda name: _module_member(name)  # type: ignore[method-assign]
    return module


def _module_member(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _member(f"st.{name}", name)


def _silent(name: str, *inner: str) -> types.ModuleType:
    _note(f"import {name}", "a stand-in: no tunnel leads out of here")
    module = types.ModuleType(name)
    for part in inner:
        made = types.ModuleType(f"{name}.{part}")
        made.__getattr__ = _any_member  # type: ignore[method-assign]
        setattr(module, part, made)
        sys.modules[f"{name}.{part}"] = made
    return module


def _any_member(name: str) -> Any:
    if name.startswith("__"):  # who looks through all modules for a `__file__` must find none
        raise AttributeError(name)
    return _Recorder(name)


# ---------------------------------------------------------------- OpenCV and tqdm


def _cv2(cv2: Any) -> None:
    def imshow(window: Any = "", image: Any = None) -> None:
        catalog.refused(f"cv2.imshow({str(window)!r})", "no window: there is no screen here")

    cv2.imshow = imshow
    cv2.waitKey = lambda *_: -1
    for name in ("destroyAllWindows", "destroyWindow", "namedWindow"):
        setattr(cv2, name, _nothing)


def _tqdm(module: Any) -> None:
    """Plain bars on the output, whether or not widgets are installed."""
    import tqdm  # type: ignore[import-untyped]

    module.tqdm = tqdm.tqdm
    module.trange = tqdm.trange
    module.tqdm_notebook = tqdm.tqdm
