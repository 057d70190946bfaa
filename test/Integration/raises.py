# RUN: env TORCHLITE_BUILD=%build %python %s %t
"""What always raises compiles, with a warning, and raises when it is called: operators whose
operands do not fit, methods that raise on every path, loops whose body raises. The same with sizes
that are not known when it is compiled."""
import os
import subprocess
import sys
from typing import Optional

import torch
from torch.nn import functional as F  # noqa: F401

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "python"))
import torchlite  # noqa: E402

# name: an expression that raises, the sizes of x and of y
RAISES = {
    "mm": ("torch.mm(x, y)", (2, 3), (4, 5)),
    "add": ("x + y", (2, 3), (4, 5)),
    "add_in_place": ("x.add_(y)", (3,), (2, 3)),
    "bmm": ("torch.bmm(x, y)", (2, 3, 4), (2, 5, 6)),
    "matmul": ("torch.matmul(x, y)", (2, 3, 4), (2, 5, 6)),
    "linear": ("F.linear(x, y)", (2, 3), (4, 5)),
    "cat": ("torch.cat([x, y])", (2, 3), (4, 5)),
    "stack": ("torch.stack([x, y])", (2, 3), (4, 5)),
    "index": ("x[7]", (2, 3), (4, 5)),
    "index_column": ("x[:, 9] + y[0]", (2, 3), (4, 5)),
    "select": ("x.select(3, 0)", (2, 3), (4, 5)),
    "sum": ("x.sum(4)", (2, 3), (4, 5)),
    "view": ("x.view(4)", (2, 3), (4, 5)),
    "expand": ("x.expand(4, 5)", (2, 3), (4, 5)),
    "permute": ("x.permute(0, 0)", (2, 3), (4, 5)),
    "transpose": ("x.transpose(0, 5)", (2, 3), (4, 5)),
    "conv": ("F.conv2d(x, y)", (1, 3, 8, 8), (4, 5, 3, 3)),
    "conv_kernel": ("F.conv2d(x, y)", (1, 3, 2, 2), (4, 3, 3, 3)),
    "conv_no_results": ("F.conv1d(x, y)", (1, 2, 5), (0, 2, 2)),
    "conv_no_kernel": ("F.conv1d(x, y)", (1, 2, 5), (3, 2, 0)),
    "conv_no_input": ("F.conv1d(x, y, padding=2)", (1, 2, 0), (3, 2, 2)),
    "pool_no_channels": ("F.max_pool1d(x, 2)", (1, 0, 5), (4,)),
    "pool_no_input": ("F.max_pool2d(x, 2, padding=1)", (1, 2, 0, 5), (4,)),
    "reflect_no_channels": ("F.pad(x, [0, 0], 'reflect')", (1, 0, 5), (4,)),
    "resize_no_channels": ("F.interpolate(x, 4)", (1, 0, 5), (4,)),
    "pool": ("F.max_pool2d(x, 3)", (1, 3, 2, 2), (4,)),
    "layer_norm": ("F.layer_norm(x, [7])", (2, 3), (4, 5)),
    "split": ("torch.split(x, [1, 5])[0]", (2, 3), (4, 5)),
    "chunk": ("torch.chunk(x, 0)[0]", (2, 3), (4, 5)),
    "where": ("torch.where(x > 0, x, y)", (2, 3), (4, 5)),
    "gather": ("torch.gather(x, 0, y.long())", (2, 3), (4, 5)),
    "index_select": ("torch.index_select(x, 0, y.long())", (2, 3), (4, 5)),
    "dot": ("torch.dot(x, y)", (3,), (4,)),
    "squeeze": ("x.squeeze(5)", (2, 3), (4,)),
    "unsqueeze": ("x.unsqueeze(5)", (2, 3), (4,)),
    "flatten": ("x.flatten(1, 0)", (2, 3), (4,)),
    "tril": ("x.tril()", (2,), (4,)),
    "narrow": ("x.narrow(0, 1, 4)", (2, 3), (4,)),
    "item": ("x + y.item()", (2, 3), (4,)),
    "to_float": ("x * float(y)", (2, 3), (4,)),
    "to_bool": ("x if bool(y) else -x", (2, 3), (4,)),
    "topk": ("torch.topk(x, 9)[0]", (2, 3), (4,)),
    "pad": ("F.pad(x, [1, 1, 1, 1, 1, 1])", (2, 3), (4,)),
    "pad_negative": ("F.pad(x, [-3, -2])", (2, 3), (4,)),
    "reflect": ("F.pad(x, [5, 5], 'reflect')", (1, 2, 3), (4,)),
    "bitand": ("x & y", (4,), (4,)),
    "divide": ("x.long() // 0", (4,), (4,)),
    "unbind": ("torch.unbind(x, 3)[0]", (4,), (4,)),
    "einsum": ("torch.einsum('ij,jk->ik', x, y)", (2, 3), (4, 5)),
    "outer": ("torch.outer(x, y)", (2, 3), (4, 5)),
    "zeros": ("torch.zeros([-1]) + x", (2, 3), (4, 5)),
    "repeat": ("x.repeat(2)", (2, 3), (4, 5)),
    "argmax": ("torch.zeros([0]).argmax() + x", (2, 3), (4, 5)),
    "max_empty": ("torch.zeros([0, 3]).max() + x", (2, 3), (4, 5)),
    "amax_empty": ("torch.zeros([0, 3]).amax(0) + x", (2, 3), (4, 5)),
    "batch_norm": ("F.batch_norm(x, y, y)", (2, 3), (4,)),
    "softmax": ("torch.softmax(x, 3)", (2, 3), (4,)),
    "cumsum": ("torch.cumsum(x, 3)", (2, 3), (4,)),
    "flip": ("torch.flip(x, [4])", (2, 3), (4,)),
    "roll": ("torch.roll(x, 1, 4)", (2, 3), (4,)),
    "embedding": ("F.embedding(y.long(), x)", (0, 3), (4,)),
    "group_norm": ("F.group_norm(x, 2)", (2, 3), (4,)),
    "list_index": ("x + [1, 2][5]", (2, 3), (4,)),
    "pixel_shuffle": ("F.pixel_shuffle(x, 2)", (1, 3, 2, 2), (4,)),
    "interpolate": ("F.interpolate(x, size=[0, 2])", (1, 3, 2, 2), (4,)),
    "attention": ("F.scaled_dot_product_attention(x, x, y)", (1, 3, 2), (1, 4, 2)),
    "expanded_write": ("x.unsqueeze(0).expand(4, 2, 3).add_(1.0)", (2, 3), (4,)),
    "copy_": ("x.copy_(y)", (2, 3), (4,)),
    "masked_fill": ("x.masked_fill(y > 0, 0.)", (2, 3), (4,)),
    "index_put": ("torch.index_put(x, [y.long()], x)", (2, 3), (4,)),
    "addmm": ("torch.addmm(x, y, y)", (2, 3), (4, 5)),
    "mask": ("x[y > 0]", (2, 3), (4,)),
    "kthvalue": ("torch.kthvalue(x, 9)[0]", (2, 3), (4,)),
    "diagonal": ("torch.diagonal(x, 0, 1, 1)", (2, 3), (4,)),
    "addr_beta": ("torch.addr(x.long(), y.long(), y.long(), beta=2.0)", (2, 2), (2,)),
    "subtract_bools": ("(x > 0) - (x < 0)", (2, 3), (4,)),
}
# Refused where sizes are not known.
KNOWN_SIZES = {"chunk", "interpolate", "expanded_write"}
# name: arguments, types, body, calls with whether they raise
PROGRAMS = {
    "paths": ("x: Tensor, n: int", "3xf32, int", """
        if n > 3:
            raise ValueError("big")
        else:
            assert x.sum() > 1e9, "no"
            raise RuntimeError("small")
        return x""", [((torch.ones(3), 2), True), ((torch.ones(3), 4), True)]),
    "loop": ("x: Tensor, n: int", "3xf32, int", """
        for i in range(n):
            x = x + 1
            raise RuntimeError("in the loop")
        return x * n""", [((torch.ones(3), n), n > 0) for n in (0, 2, -1)]),
    "known_loop": ("x: Tensor", "3xf32", """
        for i in range(3):
            if i == 1:
                raise RuntimeError("second trip")
            x = x + 1
        return x""", [((torch.ones(3),), True)]),
    "unset": ("x: Tensor", "3xf32", """
        count = self.count
        assert count is not None, "call set first"
        return x * count""", [((torch.ones(3),), True)]),
    "set": ("x: Tensor", "3xf32", """
        self.count = x
        return x""", [((torch.full((3,), 2.0),), False)]),
}


class Program(torch.nn.Module):
    count: Optional[torch.Tensor]

    def __init__(self):
        super().__init__()
        self.count = None


def dims(shape, dynamic):
    return "x".join([*("?" if dynamic else str(size) for size in shape), "f32"])


def methods(name):
    return [name] if name in KNOWN_SIZES else [name, f"{name}_dynamic"]


def build(folder):
    """The archive, and a library of all methods, each RAISES twice: sizes known, and not."""
    module = torch.jit.script(Program())
    flags = []
    for name, (expression, x, y) in RAISES.items():
        expression = expression.replace("F.", "torch.nn.functional.")
        for method in methods(name):
            dynamic = method != name
            module.define(f"def {method}(self, x, y):\n    return {expression}\n")
            flags.append(f"--signature={method}({dims(x, dynamic)}, {dims(y, dynamic)})")
    for name, (arguments, types, body, _) in PROGRAMS.items():
        lines = body.replace("\n        ", "\n    ")
        module.define(f"def {name}(self, {arguments}):{lines}\n")
        flags.append(f"--signature={name}({types})")
    os.makedirs(folder, exist_ok=True)
    module.save(f"{folder}/raises.pt")
    tool = os.path.join(os.environ["TORCHLITE_BUILD"], "bin", "tl-compile")
    done = subprocess.run([tool, f"{folder}/raises.pt", "-o", f"{folder}/raises.so", *flags],
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stderr


def raised(call, *arguments):
    try:
        call(*arguments)
        return False
    except (RuntimeError, IndexError, ValueError, AssertionError, torchlite.Error, torch.jit.Error):
        return True


def check(instance, reference, name, arguments):
    """Whether the method raises; None if the two do not agree."""
    ours = raised(lambda *a: instance.call(name, *a), *arguments)
    theirs = raised(getattr(reference, name), *arguments)
    if ours != theirs:
        print(f"{name}: compiled {'raises' if ours else 'returns'}, LibTorch does not do so")
        return None
    return ours


def main(folder):
    warnings = build(folder)
    instance = torchlite.Model(f"{folder}/raises.so").instance(threads=1)
    reference = torch.jit.load(f"{folder}/raises.pt")
    failures = 0
    for name, (_, x, y) in RAISES.items():
        for method in methods(name):
            failures += not check(instance, reference, method, (torch.ones(x), torch.ones(y)))
    for name, (_, _, _, calls) in PROGRAMS.items():
        for arguments, expected in calls:
            failures += check(instance, reference, name, arguments) is not expected
    # It is set by now.
    failures += check(instance, reference, "unset", (torch.ones(3),)) is not False
    if warnings.count("warning: ") < len(RAISES):
        failures += 1
        print(f"only {warnings.count('warning: ')} warnings")
    print(f"{failures} failures")
    return failures > 0


sys.exit(main(sys.argv[1]))
