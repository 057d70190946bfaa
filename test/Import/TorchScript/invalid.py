# Files that are no whole TorchScript archive: one message, status 1, no output file, no crash.
# RUN: %python %s | FileCheck %s
import os
import pickle
import random
import sys
import tempfile
import zipfile

import torch
from torch import nn

from importing import show_failure, tl_translate

random.seed(0)
folder = tempfile.mkdtemp()


def file(name, data=None):
    path = os.path.join(folder, name)
    if data is not None:
        with open(path, "wb") as stream:
            stream.write(data)
    return path


def rewrite(name, change):
    """The archive with `change(record name, data)` for each record; None leaves the record out."""
    path = file(name)
    with zipfile.ZipFile(model) as source, zipfile.ZipFile(path, "w") as target:
        for record in source.namelist():
            data = change(record, source.read(record))
            if data is not None:
                target.writestr(record, data)
    return path


model = file("model.pt")
torch.jit.save(torch.jit.script(nn.Sequential(nn.Linear(64, 64), nn.ReLU())), model)
whole = open(model, "rb").read()

# CHECK-LABEL: === missing
# CHECK-NEXT: cannot open input file 'missing.pt': No such file or directory
result = tl_translate(file("missing.pt"), "-o", file("out"))
assert result.returncode == 1 and not os.path.exists(file("out"))
print("=== missing\n" + result.stderr.replace(folder + "/", ""))

# CHECK-LABEL: === directory
# CHECK-NEXT: Is a directory
result = tl_translate(folder, "-o", file("out"))
assert result.returncode == 1 and not os.path.exists(file("out"))
print("=== directory\n" + result.stderr.split(": ")[-1])

# CHECK-LABEL: === empty
# CHECK-NEXT: error: empty.pt: the file is empty
show_failure("empty", file("empty.pt", b""))

# CHECK-LABEL: === random bytes
# CHECK-NEXT: error: random.pt: not a TorchScript archive: it does not begin like a zip file
show_failure("random bytes", file("random.pt", b"\x01" + random.randbytes(5000)))

# CHECK-LABEL: === text
# CHECK-NEXT: error: text.pt: not a TorchScript archive: it does not begin like a zip file
show_failure("text", file("text.pt", b"hello"))

# CHECK-LABEL: === pickle
# CHECK-NEXT: error: pickle.pt: not a TorchScript archive but a pickle file{{.*}}; save the model with torch.jit.save
show_failure("pickle", file("pickle.pt", pickle.dumps({"a": 1}, protocol=2)))

# CHECK-LABEL: === state_dict
# CHECK-NEXT: error: state_dict.pt: not a TorchScript archive: it has data but no code, {{.*}}; save the model with torch.jit.save
torch.save(nn.Linear(2, 2).state_dict(), file("state_dict.pt"))
show_failure("state_dict", file("state_dict.pt"))

# CHECK-LABEL: === other zip
# CHECK-NEXT: error: other.zip: not a TorchScript archive but another zip file: it has no 'data.pkl'
with zipfile.ZipFile(file("other.zip"), "w") as archive:
    archive.writestr("a/readme.txt", "hello")
show_failure("other zip", file("other.zip"))

# CHECK-LABEL: === truncated
# CHECK-COUNT-6: error: truncated.pt: the archive is truncated
for size in (4, 100, len(whole) // 4, len(whole) // 2, len(whole) - 100, len(whole) - 1):
    show_failure("truncated", file("truncated.pt", whole[:size]))

# A hole in the middle, the directory in place.
# CHECK-LABEL: === hole
# CHECK-NEXT: error: hole.pt: the archive is corrupt
show_failure("hole", file("hole.pt", whole[:5000] + whole[9000:]))

# CHECK-LABEL: === flipped bit
# CHECK-NEXT: error: flipped.pt: the archive is corrupt: the record 'model/data/{{[01]}}' has the checksum 0x{{[0-9a-f]+}} instead of 0x{{[0-9a-f]+}}
with zipfile.ZipFile(model) as archive:
    weight = max(archive.infolist(), key=lambda info: info.file_size if "/data/" in info.filename else 0)
middle = weight.header_offset + 1000
show_failure("flipped bit", file("flipped.pt", whole[:middle] + bytes([whole[middle] ^ 1])
                                 + whole[middle + 1:]))

# CHECK-LABEL: === no such record
# CHECK-NEXT: error: lacking.pt: '0.weight': there is no record of the storage '0'
show_failure("no such record", rewrite("lacking.pt", lambda name, data: None if name.endswith("data/0") else data))

# CHECK-LABEL: === bad pickle
# CHECK-NEXT: error: unpicklable.pt: the archive is corrupt: 'data.pkl' cannot be read at byte {{[0-9]+}}
show_failure("bad pickle", rewrite("unpicklable.pt", lambda name, data: data[:20] if name.endswith("/data.pkl") else data))

# CHECK-LABEL: === bad code
# CHECK-NEXT: error: unparsable.pt: LibTorch cannot load it: {{.+}}
show_failure("bad code", rewrite("unparsable.pt", lambda name, data: data.replace(b"return", b"retrun") if name.endswith(".py") else data))

# CHECK-LABEL: === unknown operator
# CHECK-NEXT: error: unknown.pt: LibTorch cannot load it: {{.*}}Unknown builtin op: aten::rulu
show_failure("unknown operator", rewrite("unknown.pt", lambda name, data: data.replace(b"torch.relu", b"torch.rulu") if name.endswith(".py") else data))

# Random damage of every kind: whatever the importer says, it says it once and ends in order.
# CHECK-LABEL: === damage
# CHECK: done
for seed in range(6):
    random.seed(seed)
    data = bytearray(whole)
    for _ in range(random.choice([1, 10, 1000])):
        data[random.randrange(len(data))] = random.randrange(256)
    result = tl_translate(file("damaged.pt", bytes(data)), "-o", file("out"))
    errors = result.stderr.count("error: ")
    assert (result.returncode, errors) in ((0, 0), (1, 1)), f"{seed}: {result}"
print("=== damage\ndone")
