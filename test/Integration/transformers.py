"""torch.nn's attention and transformer layers, scripted and traced, on the CPU and on the emulator.

RUN: %python %s %build %t

For inference these modules call operators of their own (`_native_multi_head_attention`,
`_transformer_encoder_layer_fwd`); where a mask or a cross attention rules these out, the general code.
"""
import pathlib
import sys
import warnings
from typing import Optional

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "Inputs"))
from compare import Mismatch, check_calls  # noqa: E402

warnings.filterwarnings("ignore")
torch.manual_seed(0)


class Attention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.a = torch.nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, x):
        return self.a(x, x, x)

    @torch.jit.export
    def by_head(self, x):
        return self.a(x, x, x, average_attn_weights=False)

    @torch.jit.export
    def without_weights(self, x):
        return self.a(x, x, x, need_weights=False)[0]

    @torch.jit.export
    def padded(self, x, padding):
        return self.a(x, x, x, key_padding_mask=padding)

    @torch.jit.export
    def masked(self, x, mask):
        return self.a(x, x, x, attn_mask=mask)

    @torch.jit.export
    def both(self, x, padding, mask):
        return self.a(x, x, x, key_padding_mask=padding, attn_mask=mask)

    @torch.jit.export
    def cross(self, x, y):
        return self.a(x, y, y)


class Encoder(torch.nn.Module):
    def __init__(self, **options):
        super().__init__()
        layer = torch.nn.TransformerEncoderLayer(16, 4, 24, batch_first=True, **options)
        self.encoder = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    def forward(self, x, mask: Optional[torch.Tensor] = None, padding: Optional[torch.Tensor] = None):
        return self.encoder(x, mask, padding)


class Padded(Encoder):
    def forward(self, x, padding):
        return self.encoder(x, src_key_padding_mask=padding)


class Decoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        layer = torch.nn.TransformerDecoderLayer(16, 4, 24, batch_first=True)
        self.decoder = torch.nn.TransformerDecoder(layer, 2)

    def forward(self, x, memory):
        return self.decoder(x, memory)


def cases():
    """(archive's name, module, signatures, calls)"""
    def randn(*sizes):
        return torch.randn(sizes)

    def causal(length):
        return torch.ones(length, length, dtype=torch.bool).triu(1)

    padding = torch.tensor([[False] * 5, [False, False, True, True, True]])
    x, y = randn(2, 5, 16), randn(2, 7, 16)
    t, p, m = "2x5x16xf32", "2x5xi1", "5x5xi1"
    attention = torch.jit.script(Attention().eval())
    yield "attention", attention, [
        f"forward({t})", f"by_head({t})", f"without_weights({t})", f"padded({t}, {p})", f"masked({t}, {m})",
        f"both({t}, {p}, {m})", f"cross({t}, 2x7x16xf32)", "forward(?x?x16xf32)"], [
        ("forward", [x]), ("by_head", [x]), ("without_weights", [x]), ("padded", [x, padding]),
        ("padded", [x, padding | True]), ("masked", [x, causal(5)]), ("both", [x, padding, causal(5)]),
        ("cross", [x, y]), ("forward", [y]), ("forward", [randn(1, 1, 16)])]
    for name, options in (("after_relu", {}), ("before_gelu", {"norm_first": True, "activation": "gelu"})):
        encoder = torch.jit.script(Encoder(**options).eval())
        yield f"encoder_{name}", encoder, [
            f"forward({t}, none, none)", f"forward({t}, {m}, none)", f"forward({t}, none, {p})",
            f"forward({t}, {m}, {p})"], [
            ("forward", [x, None, None]), ("forward", [x, causal(5), None]), ("forward", [x, None, padding]),
            ("forward", [x, causal(5), padding])]
    with torch.no_grad():
        traced = torch.jit.trace(Encoder().eval(), (x,), check_trace=False)
        decoder = torch.jit.trace(Decoder().eval(), (x, y), check_trace=False)
    yield "encoder_traced", traced, [f"forward({t})"], [("forward", [x])]
    # With a mask and a batch that is not known: the mask's -1 is 1 at run time. With gradients the
    # general code is traced, without them the fast one.
    for name, options in (("after", {}), ("before", {"norm_first": True})):
        for gradients in (True, False):
            with torch.set_grad_enabled(gradients):
                padded = torch.jit.trace(Padded(**options).eval(), (x, padding), check_trace=False)
            batches = [[randn(n, 5, 16), padding[:1].expand(n, 5).clone()] for n in (1, 2, 8)]
            batches.append([torch.cat([x] * 4), torch.cat([padding] * 4)])
            yield f"encoder_padded_{name}_{gradients}", padded, ["forward(?x5x16xf32, ?x5xi1)"], [
                ("forward", batch) for batch in [[x, padding]] + batches]
    yield "decoder_traced", decoder, [f"forward({t}, 2x7x16xf32)"], [("forward", [x, y])]
    scripted = torch.jit.script(Decoder().eval())
    yield "decoder_scripted", scripted, [f"forward({t}, 2x7x16xf32)", "forward(?x?x16xf32, ?x?x16xf32)"], [
        ("forward", [x, y]), ("forward", [randn(3, 4, 16), randn(3, 6, 16)])]


def main(build, folder):
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name, module, signatures, calls in cases():
        archive = folder / f"{name}.pt"
        torch.jit.save(module, str(archive))
        # One model is enough to see the kernels at work.
        for device in ("cpu", "emulated") if name == "decoder_traced" else ("cpu",):
            try:
                check_calls(build, archive, signatures, calls, folder, device=device)
            except Mismatch as mismatch:
                failed += 1
                print(f"FAILED {name} on {device}: {mismatch}")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
