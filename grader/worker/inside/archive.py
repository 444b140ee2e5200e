"""Cleans an exported program before torch reads it, so that nothing in it is unpickled or evaluated.

`torch.export.load` trusts its file: it unpickles constants and weights of older forms, loads compiled
libraries, and evaluates guards (as Python) and sizes (through sympy, which evaluates). The file is a
student's, so what is not on the lists below is refused, and what only people read is dropped.
"""

from __future__ import annotations

import ast
import io
import json
import re
import zipfile
from typing import Any

MOST_BYTES, MOST_ENTRIES = 1 << 30, 5_000

_CONFIGS = {
    "data/weights/model_weights_config.json": "weight",
    "data/constants/model_constants_config.json": "tensor",
}
_MODEL, _INPUTS = "models/model.json", "data/sample_inputs/model.pt"
_PLAIN = re.compile(r"archive_format|archive_version|byteorder|\.data/(version|serialization_id)")
_RAW = re.compile(r"data/weights/weight_\d+|data/constants/tensor_\d+")

_TARGETS = re.compile(
    r"torch\.ops\.(aten|prim|prims|torchvision)\.\w+(\.\w+)?"
    r"|torch\.ops\.higher_order\.(wrap_with_set_grad_enabled|wrap_with_autocast)"
    r"|torch\.sym_\w+|_operator\.\w+|math\.\w+"
)
_SYMBOL = re.compile(r"[a-z]{1,2}\d{1,6}")
_FUNCTIONS = {
    "Symbol", "Integer", "Float", "Rational", "Add", "Mul", "Pow", "Max", "Min", "Mod", "PythonMod",
    "FloorDiv", "CleanDiv", "CeilDiv", "CeilToInt", "FloorToInt", "TruncToInt", "RoundToInt", "ToFloat",
    "TruncToFloat", "IntTrueDiv", "FloatTrueDiv", "PowByNatural", "ModularIndexing", "Where", "Identity",
    "Equality", "Unequality", "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "LessThan", "GreaterThan",
    "StrictLessThan", "StrictGreaterThan", "And", "Or", "Not",
}  # fmt: skip
_WORDS = frozenset({"oo", "int_oo", "true", "false"})
_SYNTAX = (
    ast.Expression, ast.Call, ast.Name, ast.Load, ast.Constant, ast.keyword, ast.UnaryOp, ast.USub, ast.UAdd, ast.BinOp,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE,
    ast.Gt, ast.GtE,
)  # fmt: skip
_CONTAINERS = (None, "builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict")


class Malformed(Exception):
    """The file is not an exported model as the census writes it."""


def rewrite(archive: bytes) -> bytes:
    """The archive with its pickled example inputs replaced by ours and its code-like parts dropped.

    Raises `Malformed` when it holds anything that torch.export does not write for an ordinary model.
    """
    import torch

    files = _entries(archive)
    for name, prefix in _CONFIGS.items():
        files[name] = _payloads(_json(files, name), prefix)
    files[_MODEL] = json.dumps(_program(_json(files, _MODEL))).encode()
    empty = io.BytesIO()
    torch.save(((), {}), empty)
    files[_INPUTS] = empty.getvalue()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as target:
        for name, data in files.items():
            target.writestr(zipfile.ZipInfo(f"model/{name}"), data)
    return out.getvalue()


def _entries(archive: bytes) -> dict[str, bytes]:
    """The archive's files by their names below its one root folder."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as source:
            found = source.infolist()
            if sum(i.file_size for i in found) > MOST_BYTES or len(found) > MOST_ENTRIES:
                raise Malformed("the archive is too large")
            files: dict[str, bytes] = {}
            for each in found:
                name = each.filename.split("/", 1)[-1]
                if name in files:
                    raise Malformed(f"it holds {name!r} twice")
                if not (
                    name in _CONFIGS
                    or name in (_MODEL, _INPUTS)
                    or _PLAIN.fullmatch(name)
                    or _RAW.fullmatch(name)
                ):
                    raise Malformed(f"it holds {name[:100]!r}, which is never read")
                files[name] = source.read(each)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as e:
        raise Malformed(f"not an archive: {e}") from e
    return files


def _json(files: dict[str, bytes], name: str) -> Any:
    try:
        return json.loads(files[name])
    except (KeyError, ValueError, RecursionError) as e:
        raise Malformed(f"its {name} is missing or no JSON") from e


def _payloads(config: Any, prefix: str) -> bytes:
    """The list of tensors: each a raw block of bytes, never a pickled object."""
    if not isinstance(config, dict) or set(config) != {"config"} or not isinstance(config["config"], dict):
        raise Malformed("its list of tensors is not as torch writes it")
    for entry in config["config"].values():
        if not isinstance(entry, dict) or entry.get("use_pickle") is not False:
            raise Malformed("it holds pickled objects, which are never read")
        if not re.fullmatch(rf"{prefix}_\d+", str(entry.get("path_name"))):
            raise Malformed("it holds objects other than tensors, which are never read")
    return json.dumps(config).encode()


def _program(program: Any) -> Any:
    if not isinstance(program, dict):
        raise Malformed("its program is not as torch writes it")
    try:
        return {**_clean(program), "guards_code": []}  # checks of the inputs; ours fit by their shapes
    except RecursionError as e:
        raise Malformed("its program is nested too deeply") from e


def _clean(value: Any) -> Any:
    """The program's JSON again, each part that torch would resolve or evaluate held to its list."""
    if isinstance(value, list):
        return [_clean(v) for v in value]
    if not isinstance(value, dict):
        return value
    clean = {}
    for key, part in value.items():
        if key == "expr_str":
            check_expression(part)
        elif key in ("target", "as_operator") and isinstance(part, str):
            if not _TARGETS.fullmatch(part) and "inputs" in value:
                raise Malformed(f"it calls {part[:100]!r}, which is never run")
            if key == "as_operator" and not _TARGETS.fullmatch(part):
                raise Malformed(f"it passes {part[:100]!r} on, which is never run")
        elif key == "custom_obj_values" and part:
            raise Malformed("it holds objects other than tensors, which are never read")
        elif key in ("in_spec", "out_spec"):
            _check_containers(part)
        elif key == "metadata":  # of a node or of the graph: only where in the model a layer stands is kept
            part = {k: v for k, v in part.items() if k == "nn_module_stack"} if isinstance(part, dict) else {}
        clean[key] = _clean(part)
    return clean


def check_expression(text: Any) -> None:
    """A size as an expression: numbers, symbols and functions of the lists; else `Malformed`."""
    problem = Malformed("it gives a size by something other than a formula")
    if not isinstance(text, str) or len(text) > 5_000:
        raise problem
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        raise problem from e
    strings: set[int] = set()
    for node in ast.walk(tree):
        if not isinstance(node, _SYNTAX):
            raise problem
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS:
                raise problem
            if node.func.id == "Symbol" and node.args:
                strings.add(id(node.args[0]))
        if (
            isinstance(node, ast.Name)
            and node.id not in _FUNCTIONS | _WORDS
            and not _SYMBOL.fullmatch(node.id)
        ):
            raise problem
        if isinstance(node, ast.Constant) and not _constant(node.value, id(node) in strings):
            raise problem


def _constant(value: Any, symbol: bool) -> bool:
    """A number that a size may have, or the name of a symbol; sympy would evaluate any other string."""
    if isinstance(value, str):
        return symbol and bool(_SYMBOL.fullmatch(value))
    return isinstance(value, (bool, float)) or (isinstance(value, int) and abs(value) <= 2**63)


def _check_containers(spec: Any) -> None:
    """How inputs and outputs are grouped: tuples, lists and dicts; other kinds may import modules."""
    try:
        parts = [json.loads(spec)] if spec else []
        while parts:
            part = parts.pop()
            if isinstance(part, list):
                parts += part
            elif isinstance(part, dict):
                if part.get("type") not in _CONTAINERS:
                    raise Malformed(
                        f"its inputs or outputs are a {str(part.get('type'))[:60]}, which is not read"
                    )
                parts.append(part.get("children_spec", []))
    except (TypeError, ValueError, RecursionError) as e:
        raise Malformed("its inputs and outputs are not described as torch does") from e
