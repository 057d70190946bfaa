"""What the fourth tier runs on a GPU: numerics against saved results, and what is timed.

Modules are plain PyTorch, so that the machine with the GPU can run the same in PyTorch. A case has one
library, with one variant for each of its `inputs`. `small` cases are the same at sizes for the emulator:
they show that everything works, and their times mean nothing.
"""
import pathlib
import sys

import torch
from torch import nn
from torch.nn import functional as F

FLOATS = {"f32": torch.float32, "tf32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
NAMES = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16", torch.int64: "i64"}


class Matmul(nn.Module):
    def forward(self, a: torch.Tensor, b: torch.Tensor):
        return a @ b


class Conv(nn.Module):
    """A convolution whose weights are an argument: the library stays small."""

    def __init__(self, stride: int, padding: int):
        super().__init__()
        self.stride, self.padding = stride, padding

    def forward(self, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor):
        return F.relu(F.conv2d(x, w, b, [self.stride, self.stride], [self.padding, self.padding]))


class Softmax(nn.Module):
    def forward(self, x: torch.Tensor):
        return torch.softmax(x, -1)


class LayerNorm(nn.Module):
    def forward(self, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor):
        return F.layer_norm(x, [x.shape[-1]], w, b)


class Copy(nn.Module):
    def forward(self, x: torch.Tensor):
        return x.clone()


class Transpose(nn.Module):
    def forward(self, x: torch.Tensor):
        return x.t().contiguous()


class Gelu(nn.Module):
    def forward(self, x: torch.Tensor, y: torch.Tensor):
        return F.gelu(x + y)


class Sum(nn.Module):
    def forward(self, x: torch.Tensor):
        return x.sum(0)


class Case:
    """`inputs`: for each variant a list of (shape, dtype); `work`: (operations, bytes) of a variant."""

    def __init__(self, name, module, inputs, work=None, precision="f32", tolerance=(1e-4, 1e-5)):
        self.name, self.module, self.inputs, self.work = name, module, inputs, work
        self.precision, self.tolerance = precision, tolerance

    def signatures(self):
        return ["forward(" + ", ".join("x".join(map(str, (*shape, NAMES[dtype]))) for shape, dtype in variant) + ")"
                for variant in self.inputs]


TOLERANCES = {"f32": (1e-4, 1e-4), "tf32": (2e-2, 2e-2), "f16": (2e-2, 2e-2), "bf16": (5e-2, 1e-1)}
# A ResNet-18's convolutions at 224x224: input channels, output channels, size, kernel, stride.
RESNET_CONVS = [(3, 64, 224, 7, 2), (64, 64, 56, 3, 1), (64, 128, 56, 3, 2), (64, 128, 56, 1, 2),
                (128, 128, 28, 3, 1), (128, 256, 28, 3, 2), (256, 256, 14, 3, 1), (256, 512, 14, 3, 2),
                (512, 512, 7, 3, 1)]


def bytes_of(shapes, dtype):
    return sum(torch.Size(s).numel() for s in shapes) * torch.tensor([], dtype=dtype).element_size()


def numerics():
    """Small cases with saved results: ragged sizes, each precision."""
    for precision, dtype in FLOATS.items():
        sizes = [(64, 64, 64), (197, 65, 130), (1, 100, 33), (128, 256, 512)]
        yield Case(f"matmul_{precision}", Matmul(),
                   [[((m, k), dtype), ((k, n), dtype)] for m, k, n in sizes], precision=precision,
                   tolerance=TOLERANCES[precision])
        kind = "f32" if dtype == torch.float32 else precision
        yield Case(f"conv_{precision}", Conv(2, 1),
                   [[((2, c, s, s), dtype), ((o, c, 3, 3), dtype), ((o,), dtype)]
                    for c, o, s in ((8, 16, 14), (3, 33, 17))], precision=precision,
                   tolerance=TOLERANCES[precision])
        if precision == "tf32":
            continue
        yield Case(f"softmax_{kind}", Softmax(), [[((r, c), dtype)] for r, c in ((7, 33), (16, 1000), (3, 4096))],
                   tolerance=TOLERANCES[kind])
        yield Case(f"layer_norm_{kind}", LayerNorm(),
                   [[((r, c), dtype), ((c,), dtype), ((c,), dtype)] for r, c in ((5, 65), (64, 768))],
                   tolerance=TOLERANCES[kind])
        yield Case(f"gelu_{kind}", Gelu(), [[((n,), dtype), ((n,), dtype)] for n in (1, 1023, 4096)],
                   tolerance=TOLERANCES[kind])
    yield Case("transpose_f32", Transpose(), [[((65, 130), torch.float32)], [((256, 256), torch.float32)]])
    yield Case("sum_f32", Sum(), [[((65, 130), torch.float32)], [((1000, 7), torch.float32)]])


def timed(small=False):
    """Large cases: only times, and results beside PyTorch where that is there."""
    squares = (48, 65) if small else (512, 1024, 2048, 4096, 8192)
    for precision, dtype in FLOATS.items():
        yield Case(f"time_matmul_{precision}", Matmul(),
                   [[((n, n), dtype), ((n, n), dtype)] for n in squares],
                   [(2 * n**3, bytes_of([(n, n)] * 3, dtype)) for n in squares],
                   precision=precision, tolerance=TOLERANCES[precision])
    convolutions = [(3, 8, 17, 7, 2), (8, 8, 9, 3, 1), (8, 16, 9, 1, 2)] if small else RESNET_CONVS
    for precision in ("f32", "tf32", "f16"):
        dtype = FLOATS[precision]
        # One library for each kernel size and stride: each brings the runtime along.
        for k, stride in sorted({(k, stride) for _, _, _, k, stride in convolutions}):
            inputs, work = [], []
            for batch in (1, 2) if small else (1, 32):
                for c, o, s, size, step in convolutions:
                    if (size, step) != (k, stride):
                        continue
                    out = (s + 2 * (k // 2) - k) // stride + 1
                    shapes = [(batch, c, s, s), (o, c, k, k), (o,)]
                    inputs.append([(shape, dtype) for shape in shapes])
                    work.append((2 * batch * o * out * out * c * k * k,
                                 bytes_of([*shapes, (batch, o, out, out)], dtype)))
            yield Case(f"time_conv{k}x{k}_stride{stride}_{precision}", Conv(stride, k // 2), inputs, work,
                       precision=precision, tolerance=TOLERANCES[precision])
    f32 = torch.float32
    rows = [(9, 100), (3, 1030)] if small else [(4096, 1024), (32768, 128), (1024, 32768)]
    yield Case("time_softmax", Softmax(), [[(r, f32)] for r in rows], [(0, bytes_of([r, r], f32)) for r in rows])
    yield Case("time_layer_norm", LayerNorm(), [[(r, f32), (r[1:], f32), (r[1:], f32)] for r in rows],
               [(0, bytes_of([r, r], f32)) for r in rows])
    big = (65, 130) if small else (8192, 8192)
    yield Case("time_copy", Copy(), [[(big, f32)]], [(0, bytes_of([big, big], f32))])
    yield Case("time_transpose", Transpose(), [[(big, f32)]], [(0, bytes_of([big, big], f32))])
    yield Case("time_gelu", Gelu(), [[(big, f32), (big, f32)]], [(0, bytes_of([big] * 3, f32))])
    yield Case("time_column_sum", Sum(), [[(big, f32)]], [(0, bytes_of([big], f32))])


def example(name):
    """A module of the examples, which lie in the repository, or beside this file in the prebuilt folder."""
    here = pathlib.Path(__file__).resolve().parent
    folder = str(here if (here / "common.py").exists() else here.parent.parent / "examples")
    if folder not in sys.path:
        sys.path.append(folder)
    return __import__(name)


def mobilenet_v2(small):
    it = example("mobilenet_v2")
    model = it.MobileNetV2(it.SMALL, 10, 96) if small else it.MobileNetV2(it.FULL)
    size = 64 if small else 224
    return example("common").settle_batch_norm(model, torch.rand(4, 3, size, size)), (3, size, size), torch.float32


def bert_mini(small):
    """BERT-Mini's sizes (https://arxiv.org/abs/1908.08962) with a smaller vocabulary."""
    it = example("bert_base")
    if small:
        return it.Encoder(100, 64, 4, 128, 2), (16,), torch.int64
    return it.Encoder(1000, 256, 4, 1024, 4), (128,), torch.int64


def mlp(small):
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10),
                         nn.Softmax(dim=1)), (784,), torch.float32


# Module, shape and type of one sample. Small models: the weights of a ResNet-18 alone take most of what the
# folder may have.
MODELS = {"mobilenet_v2": mobilenet_v2, "bert_mini": bert_mini, "mlp": mlp}


def batches(small):
    return (1, 2) if small else (1, 32)


class Model:
    """A whole model at two batch sizes, which share the weights of one library. Its own weights are the
    same in every process that has the same PyTorch."""

    def __init__(self, name, small=False):
        torch.manual_seed(0)
        module, self.sample, self.dtype = MODELS[name](small)
        self.module = module.eval()
        self.case = Case(f"model_{name}", self.module,
                         [[((batch, *self.sample), self.dtype)] for batch in batches(small)],
                         tolerance=(1e-3, 1e-4))

    def inputs(self, batch):
        shape = (batch, *self.sample)
        return torch.randn(shape) if self.dtype.is_floating_point else torch.randint(1, 100, shape)

    def traced(self):
        return torch.jit.trace(self.module, self.inputs(1))
