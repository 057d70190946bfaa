"""Writes to one of several names that loops and conditionals choose, with arguments that are transposed, strided, parts
of others, or overlap. `q` is a matrix, `g` a vector, `o` a number."""
from .shapes import NUMBERS
from .tried import Tried

MATRICES = ["{q}", "{q}", "{q}.t().t()", "{q}[:]", "{q}.view_as({q})", "{q} * 2.", "{q}.clone()", "{q}.contiguous()", "{q}.t().contiguous().t()", "{q}.reshape(2, 3)",
            "{q}.t().reshape(2, 3)", "{q}.flip(0)", "{g}[:6].view(2, 3)", "{g}[:6].reshape(3, 2).t()", "{q} + {q}", "{g}[:3].expand(2, -1)", "torch.stack([{q}[0], {q}[1]])",
            "{q}.as_strided([2, 3], [3, 1])", "{q}.unsqueeze(0)[0]", "torch.cat([{q}[1:], {q}[:1]])", "{q}.transpose(0, 1).flip(0).t()"]
VECTORS = ["{q}[0]", "{q}[:, 1]", "{q}.t()[2]", "{q}.flatten()", "{q}.t().reshape(6)", "{q}.diagonal()", "{q}.sum(0)", "{g}[::2]", "{g}[1:]", "{g}", "{g} + 1.", "{g}.flip(0)",
           "{q}[:, ::2].reshape(-1)"]
WRITES = ["{q}.add_(1.)", "{q}[0] = 5.", "{q}[:, 1:] = 3.", "{q}.t()[0] = 2.", "{q}.copy_({q})", "{q} += {q}", "{q}[0].copy_({q}[1])", "{q}.t().mul_(2.)", "{q}[1] = {q}[0]",
          "{q}.mul_({q}[:, :1])", "{q}.zero_()", "{q}[:, 0], {q}[:, 1] = {q}[:, 1].clone(), {q}[:, 0].clone()", "{g}.add_(1.)", "{g}[0] = 4.", "{g}[1:] += {g}[:-1].clone()",
          "{q}.diagonal().neg_()", "{q}[:, ::2] += 1.", "{q}.unsqueeze(0).sub_(1.)", "{q}[-1, -1] = {o}", "{q}.fill_({o})"]
# x and y for a call; t is something that both may be parts of.
ARGUMENTS = [("T({}, 2, 3)", "T({}, 2, 3)"), ("T({}, 3, 2).t()", "T({}, 2, 3)"), ("T({}, 2, 6)[:, ::2]", "T({}, 3, 2).t()"), ("T({}, 4, 3)[1:3]", "T({}, 4, 3)[::2]"),
             ("t[:2]", "t[1:3]"), ("t[:2]", "t[2:4]"), ("t[:2]", "t[:2]"), ("t[::2]", "t[1::2]"), ("t.t()[:2, :3]", "t[:2]"), ("T({}, 1, 3).expand(2, 3)", "T({}, 2, 3)"),
             ("T({}, 2, 1).expand(2, 3)", "T({}, 2, 5)[:, 1:4]"), ("t[:2].clone()", "t[:2].t().contiguous().t()")]


class Layouts(Tried):
    parameters = {"x": ("Tensor", "q"), "y": ("Tensor", "q"), "v": ("Tensor", "g"), "c": ("bool", "b"), "d": ("bool", "b"), "n": ("int", "i")}

    def statements(self):
        return {lambda: self.expression("q", MATRICES): 4, lambda: self.expression("g", VECTORS): 2, lambda: self.expression("o", NUMBERS): 1,
                lambda: self.line(WRITES): 6, lambda: self.choice("qqqg"): 5, lambda: self.rename("qg"): 2}

    def calls(self, methods):
        calls, first = [], self.rng.randrange(len(ARGUMENTS))
        for number in range(6):
            x, y = ARGUMENTS[first] if number < 2 else self.pick(ARGUMENTS)
            v = self.pick([f"T({number + 9}, 6)", f"T({number + 9}, 12)[::2]", "t.view(-1)[:6]"])
            calls += [f"t = T({number}, 4, 3)",
                      f"forward({x.format(number)}, {y.format(number + 50)}, {v}, {bool(number & 1)}, {bool(number & 2)}, {[2, 1, 0, 3][number % 4]})"]
        return calls

    def dynamic(self):
        return self.chance(0.3)

    def start(self):
        self.env["q0"] = "q"
        return [self.pick(["q0 = x", "q0 = x if c else y", "q0 = x.clone()", "q0 = x.t() if x.size(0) == 3 else x"])]

    def results(self):
        names = [n for n, k in self.env.items() if k in "qgo" and n not in "xyv"]
        return self.rng.sample(names, min(len(names), 5)) + ["x.sum()", "q0"]
