"""The file formats that loaders expect, written so that equal content gives equal bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from grader.resources.base import Bytes

LEVEL = 1
"""Of compression: bundles are made more often than they are moved."""


def md5(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def sha256(path: Path) -> str:
    with path.open("rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


# ---------------------------------------------------------------- IDX (MNIST and its kin)


def read_idx(path: Path) -> Bytes:
    """An IDX file of unsigned bytes, gzipped or not.

    :raises ValueError: the file is not IDX, or is cut short.
    """
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    if len(raw) < 8 or raw[:3] != b"\0\0\x08":
        raise ValueError(f"{path.name} is not an IDX file of bytes")
    shape = struct.unpack(f">{raw[3]}I", raw[4 : 4 + 4 * raw[3]])
    body = np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3])
    if body.size != int(np.prod(shape)):
        raise ValueError(f"{path.name} is cut short: {body.size} of {int(np.prod(shape))} bytes")
    return body.reshape(shape)


def write_idx(path: Path, array: Bytes) -> None:
    """The array as gzipped IDX."""
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes(), LEVEL, mtime=0))


# ---------------------------------------------------------------- archives


def write_tar_gz(path: Path, files: Mapping[str, bytes]) -> None:
    """A gzipped tar file of ``files``, in their order, without times or owners."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, body in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(body), 0o644
            tar.addfile(info, io.BytesIO(body))
    path.write_bytes(gzip.compress(plain.getvalue(), LEVEL, mtime=0))


def write_zip(path: Path, files: Mapping[str, bytes]) -> None:
    """A zip file of ``files``, in their order, without times."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name), body)


def write_npz(path: Path, level: int = LEVEL, **arrays: Bytes) -> None:
    """Arrays as a compressed npz file, without times."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as archive:
        for name, array in arrays.items():
            body = io.BytesIO()
            np.lib.format.write_array(body, np.ascontiguousarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy")
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, body.getvalue())


# ---------------------------------------------------------------- CIFAR's batches


def _text(value: bytes) -> bytes:
    return b"T" + struct.pack("<i", len(value)) + value


def _ints(values: Sequence[int]) -> bytes:
    return b"](" + b"".join(b"K" + bytes([v]) for v in values) + b"e"


def _strings(values: Sequence[bytes]) -> bytes:
    return b"](" + b"".join(_text(v) for v in values) + b"e"


def _array(rows: Bytes) -> bytes:
    shape = b"".join(b"J" + struct.pack("<i", n) for n in rows.shape)
    kind = b"cnumpy\ndtype\n(" + _text(b"u1") + b"K\0K\x01tR(K\x03" + _text(b"|") + b"NNNJ\xff\xff\xff\xffJ"
    kind += b"\xff\xff\xff\xffK\0tb"
    empty = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0t" + _text(b"b") + b"tR"
    return empty + b"(K\x01(" + shape + b"t" + kind + b"I00\n" + _text(rows.tobytes()) + b"tb"


def cifar_batch(rows: Bytes, labels: Sequence[int], label: str) -> bytes:
    """A batch as the official archive holds it: ``rows`` of 3,072 bytes, channel by channel.

    The official files are pickles of Python 2, whose strings come out as text or as bytes as the
    reader asks (torchvision asks for text, Keras for bytes); the pickle module of Python 3 cannot
    write such strings, so the few opcodes are written here.
    """
    names = [f"{label.replace(' ', '_')}_{i:05d}.png".encode() for i in range(len(labels))]
    items = {
        b"batch_label": _text(label.encode()),
        b"labels": _ints(labels),
        b"data": _array(np.ascontiguousarray(rows)),
        b"filenames": _strings(names),
    }
    return b"\x80\x02}(" + b"".join(_text(k) + v for k, v in items.items()) + b"u."


def cifar_meta(names: Sequence[str], per_batch: int) -> bytes:
    """``batches.meta`` of the official archive."""
    items = {
        b"num_cases_per_batch": b"J" + struct.pack("<i", per_batch),
        b"label_names": _strings([n.encode() for n in names]),
        b"num_vis": b"J" + struct.pack("<i", 3072),
    }
    return b"\x80\x02}(" + b"".join(_text(k) + v for k, v in items.items()) + b"u."
