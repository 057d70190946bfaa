"""Tensors of one type and of different sizes, which only the call or the data tell: a matrix beside its transposed,
reshaped, repeated or cut one; in-place writes and choices afterwards. `q` is a matrix, `g` a vector, `o` a number, `i` an integer."""
from .tried import Tried

SAME_TYPE = [
    "{q}.t()", "{q}.t().reshape({q}.size(0), -1)", "{q}.view({q}.size(1), {q}.size(0))", "{q}.reshape(-1, {q}.size(0))",
    "{q}.t().contiguous()", "{q}.flip(0)", "{q}.flip([0, 1])", "{q}.roll(1, 0)", "{q}.roll(n, 1)", "torch.cat([{q}, {q}], 0)",
    "torch.cat([{q}, {q}], 1)", "{q}[:n]", "{q}[:, n:]", "{q}[-n:]", "{q} * 2.", "{q} + 1.", "{q}.clone()", "{q} + {q}", "{q} - {q}.t()",
    "{q}.expand(-1, -1)", "{q}[:1].expand({q}.size(0), -1)", "{q}[:1].expand(n, -1)", "{q}.sum(0, keepdim=True)", "{q}.amax(1, keepdim=True)",
    "{q}.repeat(2, 1)", "torch.zeros_like({q})", "torch.zeros({q}.size(1), {q}.size(0))", "torch.ones(n, {q}.size(1))", "torch.mm({q}, {q}.t())",
    "torch.mm({q}.t(), {q})", "torch.mm({q}, {q})", "{q}.view(-1, 1)", "{q}.reshape(1, -1)", "{q}.permute(1, 0)", "{q}.cumsum(0)", "{q}.tril()",
    "{q}.unsqueeze(0).expand(2, -1, -1).reshape(-1, {q}.size(1))", "torch.where({q} > 0., {q}, {q})", "{q}[{q}.sum(1) > 0.]",
    "{q}.index_select(0, torch.arange(min(n, {q}.size(0))))", "torch.relu({q})", "torch.stack([{q}, {q}], 1).flatten(1)", "{q}.view(n, -1)",
    "{q}.view(-1, n)", "torch.zeros(int({g}[0].abs()), {q}.size(1))", "torch.full([int({o}) % 4, n], 2.)", "{g}.unsqueeze(0)", "{g}.unsqueeze(1)",
    "{g}.unsqueeze(1) * {g}", "{g}.expand({q}.size(0), -1)", "{g}.view({i}, -1)", "{q}[::2]", "{q}.chunk(2, 1)[0]", "torch.nn.functional.pad({q}, [0, n])",
    "{q}.transpose(0, 1) + {q}", "{q}.narrow(0, 0, n)", "{q}.t()[:n].t()", "{q}.t()[1:]", "{q} * {g}", "{q}.unfold(0, 1, 1).squeeze(2)"]
VECTORS = ["{q}[0]", "{q}[:, 0]", "{q}[-1]", "{q}.sum(0)", "{q}.sum(1)", "{q}.flatten()", "{q}.t().reshape(-1)", "{q}.t().flatten()",
           "{q}.diagonal()", "torch.zeros({q}.size(0))", "torch.zeros(int({q}.abs().max()))", "torch.arange(n).float()", "torch.mv({q}, {g})",
           "{g} * 2.", "{g}.flip(0)", "{g}[1:]", "{g}.cumsum(0)", "torch.cat([{g}, {g}])", "{g}.roll(n)", "{g}[{g} > 0.]", "{q}[{q} > 1.]",
           "{g}[:1].expand({q}.size(0))", "{g}.repeat(2)", "{g} + {q}[0]", "{q}.amax(0)", "{g}[:n]", "torch.arange({q}.size(1)).float()"]
NUMBERS = ["{q}.sum()", "{g}.sum()", "{q}.max()", "({q} * {q}).sum()", "{q}[0, -1]", "{g}[-1]", "torch.dot({g}, {g})"]
INTEGERS = ["{q}.size(0)", "{q}.size(1)", "{g}.size(0)", "{q}.numel()", "int({o}) % 3", "int(({g} > 0.).sum())", "min({i}, {i})", "int({q}[0, 0])"]
WRITES = ["{q}.add_(1.)", "{q}[0] = 5.", "{q}[:, 0] = 3.", "{q}.t().mul_(2.)", "{q}.copy_({q})", "{q} += {q}", "{q}.fill_(4.)", "{q}[n:] = 6.",
          "{q}[:, :1] += 2.", "{q}.t()[0] = 1.", "{q}.view(-1)[0] = 8.", "{q}.flatten().add_(1.)", "{q}[0, 0] = {o}", "{q}[-1] = {q}[0]",
          "{q}.t().copy_({q})", "{q}[:, -1].neg_()", "{q}.sub_({g})", "{q}.zero_()", "{g}.add_(1.)", "{g}[0] = 3.", "{g}[1:] += 2.", "{g}.copy_({g})",
          "{g}.add_({q}[0])", "{q}.diagonal().add_(1.)", "{q}.mul_({q}[:1])", "{q}[1:].add_({q}[:1])", "{q}.view({q}.size(1), -1)[0] += 9.",
          "{q}.reshape({q}.size(1), -1)[0] += 9.", "{q}.masked_fill_({q} > 1., -1.)", "x.mul_(2.)"]
SIZES = [(2, 3), (3, 2), (1, 4), (4, 1), (0, 3), (2, 2), (3, 0), (1, 1), (4, 3), (2, 4)]


class Shapes(Tried):
    parameters = {"x": ("Tensor", "q"), "y": ("Tensor", "q"), "v": ("Tensor", "g"), "c": ("bool", "b"), "d": ("bool", "b"), "n": ("int", "i")}

    def statements(self):
        return {lambda: self.expression("q", SAME_TYPE): 8, lambda: self.expression("g", VECTORS): 2, lambda: self.expression("o", NUMBERS): 1,
                lambda: self.expression("i", INTEGERS): 1, lambda: self.line(WRITES): 5, lambda: self.choice("qqg"): 2, lambda: self.rename("qg"): 1}

    def calls(self, methods):
        relation = self.rng.randrange(3)  # of the sizes of y to those of x
        calls = []
        for number in range(6):
            a, b = SIZES[self.rng.randrange(2)] if not number else self.pick(SIZES)
            other = [(a, b), (b, a), (a, b) if number % 2 else (1, b)][relation]
            calls.append(f"forward(T({number}, {a}, {b}), T({number + 50}, {other[0]}, {other[1]}), T({number + 90}, {b}), {bool(number & 1)}, "
                         f"{bool(number & 2)}, {[2, 1, 0, 3][number % 4]})")
        return calls

    def results(self):
        names = [n for n, k in self.env.items() if k in "qgoi" and n not in ("n", "v")]
        names = self.rng.sample(names, min(len(names), 7))
        if self.chance(0.2):
            matrices = [n for n in names if self.env[n] == "q"] or ["x"]
            return [f"[{', '.join(matrices)}]", *(f"{n}.sum()" for n in matrices)]
        return names or ["x"]
