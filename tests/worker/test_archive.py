"""Exported programs as a hostile notebook would forge them: nothing in one may run where models are measured."""

from __future__ import annotations

import io
import json
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from grader.worker.inside import archive, layers

Files = dict[str, bytes]
ROOT = "net"


@pytest.fixture(scope="module")
def honest() -> bytes:
    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.out, self.shift = torch.nn.Conv2d(1, 2, 3), torch.nn.Linear(72, 2), torch.ones(2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.out(self.conv(x).reshape(x.size(0) * 2, -1).reshape(x.size(0), -1))
            return result + self.shift

    batch = ({0: torch.export.Dim("batch", min=1, max=65536)},)
    program = torch.export.export(
        Net().eval(), (torch.zeros(2, 1, 8, 8),), dynamic_shapes=batch, strict=False
    )
    out = io.BytesIO()
    torch.export.save(program, out)
    return out.getvalue()


def forged(source: bytes, change: Callable[[Files], None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(source)) as z:
        files = {n.split("/", 1)[1]: z.read(n) for n in z.namelist()}
    change(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as target:
        for name, data in files.items():
            target.writestr(f"{ROOT}/{name}", data)
    return out.getvalue()


def measure(content: bytes) -> dict[str, Any]:
    """Cleans, reads and calls a program, as the measuring process does."""
    program = torch.export.load(io.BytesIO(archive.rewrite(content)))
    found = layers.read(program)
    program.example_inputs = ((torch.zeros(2, 1, 8, 8),), {})
    program.module()(torch.zeros(5, 1, 8, 8))
    return found


class Touch:
    """Pickles into a call that makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.path}",)


def edit_json(name: str, change: Callable[[Any], Any]) -> Callable[[Files], None]:
    def apply(files: Files) -> None:
        content = json.loads(files[name])
        change(content)
        files[name] = json.dumps(content).encode()

    return apply


WEIGHTS, CONSTANTS = "data/weights/model_weights_config.json", "data/constants/model_constants_config.json"
MODEL, INPUTS = "models/model.json", "data/sample_inputs/model.pt"


def attacks(path: Path) -> dict[str, Callable[[Files], None]]:
    call = f"__import__('os').system('touch {path}')"

    def opaque(files: Files) -> None:
        config = json.loads(files[CONSTANTS])
        entry = next(iter(config["config"].values()))
        config["config"]["evil"] = {**entry, "path_name": "opaque_obj_0"}
        files[CONSTANTS] = json.dumps(config).encode()
        files["data/constants/opaque_obj_0"] = pickle.dumps(Touch(path), protocol=4)

    def pickled_weight(files: Files) -> None:
        config = json.loads(files[WEIGHTS])
        entry = next(iter(config["config"].values()))
        entry["use_pickle"] = True
        files["data/weights/" + entry["path_name"]] = pickle.dumps(Touch(path))
        files[WEIGHTS] = json.dumps(config).encode()

    def legacy(files: Files) -> None:
        files["data/weights/model.pt"] = pickle.dumps(Touch(path), protocol=0)

    def legacy_constants(files: Files) -> None:
        files["data/constants/model.pt"] = pickle.dumps(Touch(path), protocol=2)

    def size(files: Files) -> None:
        old = b"Symbol('s"
        assert old in files[MODEL]
        files[MODEL] = files[MODEL].replace(old, f"[{call}, 1][1] + Symbol('s".encode(), 1)

    def nested_size(files: Files) -> None:
        files[MODEL] = files[MODEL].replace(b"Symbol('s", f'Add(\\"{call}\\", 1) + Symbol(\'s'.encode(), 1)

    def two_programs(files: Files) -> None:
        files["models/other.json"] = files[MODEL]

    def compiled(files: Files) -> None:
        files["data/aotinductor/model/evil.so"] = b"\x7fELF"

    def operator(files: Files) -> None:
        files[MODEL] = files[MODEL].replace(b"torch.ops.aten.add.Tensor", b"torch.os.system")

    def default(files: Files) -> None:
        spec = json.dumps([1, {"type": "collections.defaultdict", "context": "{}", "children_spec": []}])
        program = json.loads(files[MODEL])
        program["graph_module"]["module_call_graph"][0]["signature"]["out_spec"] = spec
        files[MODEL] = json.dumps(program).encode()

    return {
        "opaque constant": opaque,
        "pickled weight": pickled_weight,
        "legacy weights": legacy,
        "legacy constants": legacy_constants,
        "size": size,
        "nested size": nested_size,
        "second program": two_programs,
        "compiled part": compiled,
        "foreign operator": operator,
        "default factory": default,
    }


@pytest.mark.parametrize("name", list(attacks(Path())))
def test_a_forged_program_is_refused_and_nothing_in_it_runs(name: str, honest: bytes, tmp_path: Path) -> None:
    with pytest.raises(archive.Malformed):
        measure(forged(honest, attacks(tmp_path / "touched")[name]))
    assert not (tmp_path / "touched").exists()


def test_inputs_guards_and_notes_of_a_program_are_dropped_unread(honest: bytes, tmp_path: Path) -> None:
    touched = tmp_path / "touched"

    def change(files: Files) -> None:
        files[INPUTS] = pickle.dumps(Touch(touched), protocol=4)
        program = json.loads(files[MODEL])
        program["guards_code"] = [f"__import__('os').system('touch {touched}') == 0"]
        for node in program["graph_module"]["graph"]["nodes"]:
            node["metadata"]["source_fn_stack"] = "a,torch.os.system"
        files[MODEL] = json.dumps(program).encode()

    assert measure(forged(honest, change))["parameters"] == 2 * 9 + 2 + 72 * 2 + 2
    assert not touched.exists()


def test_an_honest_program_is_read_as_it_is(honest: bytes) -> None:
    found = measure(honest)
    assert (
        found["parameters"] == 166
        and found["input_shape"] == [None, 1, 8, 8]
        and found["output_shape"] == [None, 2]
    )
    assert [layer["kind"] for layer in found["layers"]][:1] == ["convolution"]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "Symbol('__import__')",
        'Symbol("x\'")',
        "Symbol('s0').__class__",
        "(lambda: 1)()",
        "[1]",
        "'s0'",
        "Add('s0', 1)",
        "9**9**9**9",
        "Integer(1" + "0" * 100 + ")",
        "eval('1')",
        "s0 if 1 else s1",
        "a" * 6000,
        5,
        "f'{1}'",
    ],
)
def test_a_size_is_a_formula_and_nothing_else(text: Any) -> None:
    with pytest.raises(archive.Malformed):
        archive.check_expression(text)


@pytest.mark.parametrize(
    "text",
    [
        "Symbol('s77', positive=True, integer=True)",
        "Mul(Integer(2), Symbol('s0', positive=True, integer=True))",
        "s0",
        "2*s0 + 1",
        "FloorDiv(s0, 2)",
        "Symbol('u0', integer=True) >= -1",
    ],
)
def test_sizes_as_torch_writes_them_pass(text: str) -> None:
    archive.check_expression(text)


def test_what_is_no_archive_is_refused() -> None:
    for content in (b"", b"PK\x03\x04", b"\x80\x04.", pickle.dumps(1)):
        with pytest.raises(archive.Malformed):
            archive.rewrite(content)
