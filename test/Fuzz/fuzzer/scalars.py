"""Integers, floats and sizes, at their edges: arguments, numbers of the text (which are folded), and what is
read from tensors."""
from .stories import Story

INTS = ["0", "1", "-1", "2", "-3", "7", "63", "64", "4294967296", "4611686018427387904", "9223372036854775807",
        "-9223372036854775808", "9223372036854775806"]
FLOATS = ["0.", "-0.", "1.", "-1.5", "2.5", "-2.", "3.", "1e-310", "-1e-310", "5e-324", "1e308", "inf", "-inf", "nan"]
# Not -1, by which the smallest number kills LibTorch, as does the rest of a division by 0.
DIVISORS = ["1", "2", "-3", "5", "-2"]
SIZES = ["-2", "-1", "0", "1", "2", "4", "8", "3", "4611686018427387904", "2305843009213693953", "-9223372036854775808"]
# Of sizes `n` and `k`, and a vector `x` of 4.
SHAPED = ["torch.zeros([{n}])", "torch.zeros([{n}, 4])", "torch.ones([{n}, {k}])", "x[:{n}]", "x[{n}:]", "x[{n}:{k}]", "x.view({n}, -1)",
          "x.view(-1, {n})", "x.reshape({n}, {k})", "x.view({n}, {k})", "x.expand({n}, 4)", "x.expand({n}, {k})", "torch.arange({s})",
          "torch.arange({s}, {t})", "x.narrow(0, {s}, {t})", "x.repeat({s})", "torch.full([{n}, 2], 3.)", "x.unsqueeze(0).expand({n}, -1)",
          "torch.zeros([{n} * {k}])", "torch.zeros([{n} // w])", "torch.zeros([{n} // (w - 5)])", "torch.zeros([{n} % w])", "x.view([{n}, {k}, -1])",
          "torch.stack([x] * {s})", "torch.cat([x[:{n}], x[{k}:]])", "x[:{n}] + x[:{k}]", "x.roll(max({s}, -9))", "torch.zeros([{n}]) + x"]


class Scalars:
    """A part of the Writer."""

    def integer(self):
        return self.pick(INTS) if self.chance(0.35) else self.of("i") or "n"

    def ints(self):
        a, b, d = self.integer(), self.integer(), self.pick([*DIVISORS, "w", "w", "w"])
        quotient = self.pick([d, d, "0", "(w - 5)"])
        forms = [f"{a} + {b}", f"{a} - {b}", f"{a} * {b}", f"{a} // {quotient}", f"{a} % {d}", f"min({a}, {b})", f"max({a}, {b})",
                 f"abs({a})", f"-({a})", f"{a} & {b}", f"{a} | {b}", f"{a} ^ {b}", f"{a} << {self.pick(['1', '3', '63', '32'])}",
                 f"{a} >> {self.pick(['1', '3', '63'])}", f"{a} if {a} + 1 > {a} else 5", f"{a} if {a} * 2 >= {a} else {b}",
                 f"{a} if {a} - {b} < 0 else {b}", f"{a} if {a} + {b} == {b} + {a} else 0", "int(x.sum())", f"int({a} == {b})",
                 f"{a} if not -({a}) < 0 else 3", f"int(x.size(0) * {self.pick([6364136223846793005, 4611686018427387904])} < 0)",
                 f"int(abs({a}) < 0)", f"int((x.size(0) + {b}) - 1 < 0)"]
        if self.chance(0.1):
            self.count += 1
            i = f"t{self.count}"
            return [f"i{self.count} = 0", f"for {i} in range(5):", f"    if {i} * {self.pick([6364136223846793005, 1 << 62])} < 0:",
                    f"        i{self.count} += {i}", *self.assign("i", f"i{self.count} + 1")]
        if self.chance(0.15):
            return self.assign("f", self.pick([f"{self.pick('nkw')} ** {self.pick(['2', '3', '0', '-1', 'w'])}",
                                               f"{a} / {d}", f"float({a})", f"0 ** {self.pick(['-1', 'w', '0'])}"]))
        return self.assign("i", self.pick(forms))

    def floats(self):
        a, b = (self.pick(FLOATS[:11]) if self.chance(0.3) else self.of("f") for _ in range(2))
        forms = [f"{a} + {b}", f"{a} - {b}", f"{a} * {b}", f"{a} / {b}", f"{a} % {b}", f"min({a}, {b})", f"max({a}, {b})",
                 f"abs({a})", f"-({a})", f"{a} // {b}", f"{a} ** {self.pick(['2.', '0.5', '-1.', '0.'])}", f"{a} if {a} < {b} else 1.",
                 f"{a} if not {a} >= {b} else 2.", f"{a} if {a} == {a} else 3.", f"float(x.sum()) * {a}", f"min({a}, {b}) if {a} != {b} else 0.",
                 f"float(round({a}))" if a in FLOATS[:7] else f"{a} * 1."]
        return self.assign("f", self.pick(forms))

    def sizes(self):
        if self.chance(0.3):
            return self.assign("i", self.pick(["int(x.sum())", "n * k", "n + k", "n - 1", "int((x > 0).sum())", "-n", "n // w",
                                               "int(x[0])", "n % w", "min(n, 4)", "x.size(0) - n"]))
        n, k = (self.of("i") if self.chance(0.8) else self.pick(["2", "4", "-1"]) for _ in range(2))
        # Where elements would be made for every number, large ones are left out.
        small = [f"min({v}, 9)" for v in (n, k)]
        text = self.pick(SHAPED).format(n=n, k=k, s=small[0], t=small[1])
        self.count += 1
        return [f"u{self.count} = {text}", f"i{self.count} = u{self.count}.numel()", *self.assign("o", f"u{self.count}.sum()")]

    def choose_scalar(self):
        type_ = "f" if self.kind == "floats" else "i"
        return self.assign(type_, f"{self.of(type_)} if {self.of('b')} else {self.of(type_)}")

    def scalar_story(self, name):
        rng, kind = self.rng, self.kind
        self.env = {"x": "v", "c": "b", "n": "i", "k": "i", "w": "i", "z": "f", "y": "f"}
        parameters = "x: Tensor, c: bool, n: int, k: int, w: int, z: float, y: float"
        body = [line for _ in range(rng.randint(1, 5)) for line in self.statement()]
        names = [n for n, t in self.env.items() if t in "if" and n not in "nkwzy"] + [n for n, t in self.env.items() if t in "vo" and n != "x"]
        body.append("return " + ", ".join(names[-8:] or ["n"]) + ", n")
        ints = SIZES if kind == "sizes" else INTS
        calls = [f"forward(T({i}, 4), {bool(i & 1)}, {rng.choice(ints)}, {rng.choice(ints)}, {rng.choice(DIVISORS)}, "
                 f"{rng.choice(FLOATS)}, {rng.choice(FLOATS)})" for i in range(6)]
        return Story(name, {"forward": (parameters, body)}, calls, {}, {}, rng.random() < 0.5)
