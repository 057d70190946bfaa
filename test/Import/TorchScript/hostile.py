# Archives that were written to do harm: tensors beyond their storages, nesting, cycles, bombs.
# RUN: %python %s | FileCheck %s
import os
import struct
import tempfile
import zipfile

import torch
from torch import nn

from importing import show_failure, tl_translate

folder = tempfile.mkdtemp()


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("w", torch.arange(100.0, 164.0).reshape(4, 16))

    def forward(self, x):
        return x + self.w


model = os.path.join(folder, "model.pt")
torch.jit.script(Model()).save(model)
with zipfile.ZipFile(model) as archive:
    records = {name: archive.read(name) for name in archive.namelist()}


def write(name, changes, compression=zipfile.ZIP_STORED):
    """The archive with some records, named by their ends, changed by functions."""
    path = os.path.join(folder, name + ".pt")
    with zipfile.ZipFile(path, "w", compression) as target:
        for record, data in records.items():
            for end, change in changes.items():
                if record.endswith(end):
                    data = change(data)
            target.writestr(record, data)
    return path


def integer(value):
    return b"\x8a\x08" + struct.pack("<q", value)


def tensor(count=64, offset=0, sizes=(4, 16), strides=(16, 1), storage=b"Float", record=None):
    """Replaces the only tensor of data.pkl by another description."""

    def change(data):
        start = data.index(b"ctorch._utils\n_rebuild_tensor_v2")
        end = data.index(b"R", data.index(b"R", data.index(b"Q", start)) + 1)
        text = b"ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\n" + storage
        text += b"Storage\nX\1\0\0\x000X\3\0\0\0cpu" + integer(count) + b"tQ" + integer(offset)
        text += b"(" + b"".join(map(integer, sizes)) + b"t(" + b"".join(map(integer, strides))
        return data[:start] + text + b"t\x89ccollections\nOrderedDict\n)Rt" + data[end:]

    return {"/data.pkl": change, "/data/0": record or (lambda data: data)}


def show(name, changes, compression=zipfile.ZIP_STORED):
    show_failure(name, write(name, changes, compression))


def accept(name, changes, compression=zipfile.ZIP_STORED):
    result = tl_translate(write(name, changes, compression), "-o", os.devnull)
    print(f"=== {name}\n{result.returncode} {result.stderr}")


# CHECK: === same
# CHECK-NEXT: 0
accept("same", tensor())
# CHECK: === compressed
# CHECK-NEXT: 0
accept("compressed", tensor(), zipfile.ZIP_DEFLATED)
# CHECK: === expanded
# CHECK-NEXT: 0
accept("expanded", tensor(sizes=(1000, 16), strides=(0, 1)))

# CHECK: === claims-more
# CHECK-NEXT: error: claims-more.pt: 'w': the storage '0' shall have 1048576 elements of 4 bytes, but its record has 256 bytes
show("claims-more", tensor(count=1 << 20))
# CHECK: error: claims-less.pt: 'w': the storage '0' shall have 0 elements of 4 bytes
show("claims-less", tensor(count=0))
# CHECK: error: claims-debt.pt: 'w': the storage '0' shall have -1 elements
show("claims-debt", tensor(count=-1))
# CHECK: error: wraps.pt: 'w': the storage '0' shall have 4611686018427387968 elements
show("wraps", tensor(count=(1 << 62) + 64))
# CHECK: error: wider.pt: 'w': the storage '0' shall have 64 elements of 8 bytes, but its record has 256 bytes
show("wider", tensor(storage=b"Double"))
# CHECK: error: short.pt: 'w': the storage '0' shall have 64 elements of 4 bytes, but its record has 100 bytes
show("short", tensor(record=lambda data: data[:100]))

# CHECK: error: sizes.pt: 'w': the tensor is not a view of its storage: it reaches element 3999 of a storage of 64
show("sizes", tensor(sizes=(4, 1000), strides=(1000, 1)))
# CHECK: error: strides.pt: 'w': the tensor is not a view of its storage: it reaches element 3015 of a storage of 64
show("strides", tensor(strides=(1000, 1)))
# CHECK: error: offset.pt: 'w': the tensor is not a view of its storage: it reaches element 64 of a storage of 64
show("offset", tensor(offset=1))
# CHECK: error: before.pt: 'w': the tensor is not a view of its storage: the offset -1 is negative
show("before", tensor(offset=-1))
# CHECK: error: backwards.pt: 'w': the tensor is not a view of its storage: the stride -16 is negative
show("backwards", tensor(strides=(-16, 1)))
# CHECK: error: product.pt: 'w': the tensor is not a view of its storage: its sizes and strides exceed 64 bits
show("product", tensor(sizes=(1 << 62, 16), strides=(0, 0)))
# CHECK: error: ranks.pt: 'w': the tensor is not a view of its storage: 2 sizes but 1 strides
show("ranks", tensor(strides=(1,)))
# CHECK: error: written-out.pt: 'w': the tensor is not a view of its storage: it repeats the elements of its storage to 17179869184; the limit is 268435456
show("written-out", tensor(sizes=(1 << 30, 16), strides=(0, 1)))

# What LibTorch would not survive.
# CHECK: error: cyclic.pt: '0': a value that holds itself is not supported
show("cyclic", {"/data.pkl": lambda data: b"\x80\x02]q\x00h\x00a."})
# CHECK: error: deep.pt: '0.0.0{{.*}}': values are nested more than 1000 deep
show("deep", {"/data.pkl": lambda data: b"\x80\x02)" + b"\x85" * 100000 + b"."})
# CHECK: error: doubling.pt: {{.*}}: values that are reached in several ways make more than
show("doubling", {"/data.pkl": lambda data: b"\x80\x02)" + b"q\x00h\x00\x86" * 60 + b"."})

BODY = b"return torch.add(x, w)"
def code(text):
    return {"/__torch__.py": lambda data: data.replace(BODY, text)}

# CHECK: error: parens.pt: its code is nested too deeply: code/__torch__.py:{{[0-9]+}} has
show("parens", code(b"return " + b"(" * 50000 + b"x" + b")" * 50000))
# CHECK: error: calls.pt: its code is nested too deeply
show("calls", code(b"return " + b"torch.add(" * 9000 + b"x" + b", 1)" * 9000))
# CHECK: error: minus.pt: its code is nested too deeply
show("minus", code(b"return " + b"-" * 90000 + b"x"))
# CHECK: error: sum.pt: its code is nested too deeply
show("sum", code(b"return " + b"x + " * 90000 + b"x"))
# CHECK: error: blocks.pt: its code is nested too deeply
show("blocks", code(b"\n" + b"".join(b"    " * (i + 1) + b"if bool(x):\n" for i in range(1500))
                    + b"    " * 1501 + b"pass\n    return x"))
# At the limits, LibTorch answers.
# CHECK: === limits
for text in (b"return " + b"(" * 950 + b"x" + b")" * 950,
             b"return " + b"torch.add(" * 230 + b"x" + b", 1)" * 230, b"return " + b"x + " * 480 + b"x",
             b"return " + b"-" * 950 + b"x",
             b"\n" + b"".join(b"    " * (i + 1) + b"if bool(x):\n" for i in range(190))
             + b"    " * 191 + b"pass\n    return x"):
    accept("limits", code(text))
    # CHECK-NEXT: {{^[01] }}

# CHECK: error: bomb.pt: the archive's compressed records inflate to more than 1024 MiB
path = os.path.join(folder, "bomb.pt")
with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
    for record, data in records.items():
        target.writestr(record, data)
data = bytearray(open(path, "rb").read())
entry = data.index(b"PK\1\2")
struct.pack_into("<I", data, entry + 24, 0xF0000000)
open(path, "wb").write(data)
show_failure("bomb", path)

# An extra field whose size is beyond its end.
# CHECK: === extra
# CHECK-NEXT: 0
with zipfile.ZipFile(path, "w") as target:
    for record, data in records.items():
        info = zipfile.ZipInfo(record)
        info.extra = b"\x55\x55\xff\xff"
        target.writestr(info, data)
result = tl_translate(path, "-o", os.devnull)
print(f"=== extra\n{result.returncode}")

# CHECK: error: twice.pt: the archive is corrupt: it has two records '{{.*}}/data/0'
path = write("twice", {})
with zipfile.ZipFile(path, "a") as target:
    target.writestr(next(name for name in records if name.endswith("/data/0")), b"\0" * 256)
show_failure("twice", path)
