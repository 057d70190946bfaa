"""Checks what run.c has written."""
import json
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])


def read(call):
    return json.loads((folder / f"call{call}.json").read_text())


def tensor(reference):
    assert reference.startswith("@"), reference
    return np.load(folder / reference[1:])


first = read(0)
assert first["result"] is None and list(first["inputs_after"]) == ["0"], first
np.testing.assert_array_equal(tensor(first["inputs_after"]["0"]), np.float32([1, 2, 3]))
second = read(1)
assert second == {"result": "@call1.out0.npy", "inputs_after": {}}, second
value = tensor(second["result"])
assert value.dtype == np.float32 and value.shape == (2, 2)
np.testing.assert_array_equal(value, [[2, 4], [6, 8]])
third = read(2)
assert np.isnan(tensor(third["result"][0])).all() and isinstance(third["result"][1], float), third
assert 0 < third["result"][1] < 6
assert sorted(p.name for p in folder.iterdir()) == [
    "call0.in0.npy", "call0.json", "call1.json", "call1.out0.npy", "call2.json", "call2.out0.npy"]
