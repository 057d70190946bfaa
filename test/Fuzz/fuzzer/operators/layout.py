"""Views, and operators that move elements."""
import torch

from . import operator


@operator("layout", 4)
def permute(g, x):
    if x.dim() < 2:
        return None
    order = list(range(x.dim()))
    g.rng.shuffle(order)
    return g.choose([f"{{x}}.permute({order})", f"{{x}}.permute({order}).contiguous()", "{x}.transpose(-1, -2)",
                     "{x}.transpose(0, 1)", "{x}.transpose(0, -1)"])


@operator("layout", 4)
def cut(g, x):
    if not x.dim():
        return None
    dim = g.below(x.dim())
    size = x.shape[dim]
    begin, step = g.below(max(1, min(size, 5))), g.choose([1, 1, 2, 3])
    end = g.choose(["", "-1", str(size), str(size + 5), str(max(begin + 1, size // 2))])
    index = ", ".join([":"] * dim + [f"{begin}:{end}:{step}" if step > 1 else f"{begin}:{end}"])
    forms = ["{x}[%s]" % index]
    if size:
        at = g.choose([0, -1, begin])
        forms += [f"{{x}}.select({dim}, {at})", f"{{x}}.narrow({dim}, {begin}, {max(size - begin - 1, 0)})",
                  f"{{x}}.flip({dim})", f"{{x}}.roll({g.choose([1, -2, 3])}, {dim})", f"torch.chunk({{x}}, 2, {dim})[0]",
                  f"torch.split({{x}}, {max(size // 2, 1)}, {dim})[-1]", f"{{x}}.unfold({dim}, {max(size // 2, 1)}, {step})"]
    return g.choose(forms)


@operator("layout", 3)
def concatenate(g, x):
    if not x.dim():
        return None
    dim, shape = g.below(x.dim()), list(x.shape)
    if g.chance(0.2):
        return g.choose([f"torch.stack([{{x}}, {{x}} * 2], {dim})" if x.dtype != torch.bool else "torch.stack([{x}, ~{x}])",
                         f"torch.cat([{{x}}[1:], {{x}}[:1]], {dim})"])
    shape[dim] = g.size(40)
    other = g.operand(shape, x.dtype)
    return g.choose([f"torch.cat([{{x}}, {other}], {dim})", f"torch.cat([{{x}}, {other}, {{x}}], {dim})",
                     f"torch.cat([{other}, {{x}}.flip({dim})], {dim})"])


@operator("layout", 2)
def pad(g, x):
    if not x.dim() or min(x.shape) < 2 or x.dtype == torch.bool:
        return None
    amounts = []
    for _ in range(min(x.dim(), g.choose([1, 2, 2]))):
        amounts += [g.choose([0, 1, 2, -1]), g.choose([0, 1, 3])]
    forms = [f"F.pad({{x}}, {amounts})", f"F.pad({{x}}, {amounts}, value=3)"]
    if x.is_floating_point() and x.dim() in (3, 4):
        amounts = [abs(a) for a in amounts][:2 * (x.dim() - 2)]
        forms += [f"F.pad({{x}}, {amounts}, mode='{mode}')" for mode in ("reflect", "replicate", "circular")]
    return g.choose(forms)


@operator("layout", 3)
def reshape(g, x):
    dim = g.below(x.dim() + 1)
    forms = [f"{{x}}.unsqueeze({dim})", "{x}.flatten()", "{x}.reshape(-1)", "{x}.squeeze()"]
    if x.dim() >= 2:
        at = g.below(x.dim() - 1)
        forms += [f"{{x}}.flatten({at}, {at + 1})", f"{{x}}.transpose(0, 1).reshape({x.shape[0]}, -1)",
                  "{x}.reshape({x}.size(0), -1)", "{x}.transpose(-1, -2).flatten()"]
        for factor in (2, 3, 4):
            if x.shape[at] and x.shape[at] % factor == 0:
                forms.append(f"{{x}}.unflatten({at}, [{factor}, {x.shape[at] // factor}])")
                forms.append(f"{{x}}.unflatten({at}, [-1, {factor}]).transpose({at}, {at + 1})")
    return g.choose(forms)


@operator("layout", 1)
def repeat(g, x):
    if not x.dim():
        return "{x}.expand(3)"
    times = [g.choose([1, 1, 2, 3]) for _ in x.shape]
    return g.choose([f"{{x}}.repeat({times})", "{x}.unsqueeze(0).expand(3, %s)" % ", ".join(["-1"] * x.dim()),
                     f"{{x}}.repeat_interleave(2, {g.below(x.dim())})"])


@operator("layout", 1)
def triangle(g, x):
    if x.dim() < 2:
        return None
    return g.choose(["torch.tril({x})", "torch.triu({x}, 1)", "torch.tril({x}, -1)", "torch.diagonal({x}, 0, -2, -1)"])


@operator("layout", 1)
def images(g, x):
    if x.dim() != 4 or not x.is_floating_point():
        return None
    forms = ["F.interpolate({x}, scale_factor=2., mode='nearest')", "F.interpolate({x}, size=[5, 7], mode='nearest')",
             "F.interpolate({x}, scale_factor=2., mode='bilinear', align_corners=False)",
             "F.interpolate({x}, size=[9, 4], mode='bilinear', align_corners=True)"]
    if x.shape[1] % 4 == 0:
        forms.append("F.pixel_shuffle({x}, 2)")
    return g.choose(forms)
