"""Element types beside each other: f64, f16, bf16 and integers, with numbers that only their own type holds, integers at
their ends, NaN, infinities, -0.0, and sizes 0 and 1. A name begins with its type: `d` f64, `f` f32, `h` f16, `k` bf16,
`i` i64, `j` i32, `s` i16, `c` i8, `u` ui8, `z` i1; all are vectors that broadcast."""
import torch

from .stories import TYPES as LONG
from .tried import Tried

TYPES = {"d": "f64", "f": "f32", "h": "f16", "k": "bf16", "i": "i64", "j": "i32", "s": "i16", "c": "i8", "u": "ui8", "z": "i1"}
NAMES = {"d": "float64", "f": "float32", "h": "float16", "k": "bfloat16", "i": "int64", "j": "int32", "s": "int16", "c": "int8", "u": "uint8", "z": "bool"}
FLOATS, INTEGERS = "dfhk", "ijscu"
# Of names of types A and B; the type of the result is asked from PyTorch.
TWO = ["{A} + {B}", "{A} - {B}", "{A} * {B}", "torch.where({A} > {B}, {A}, {B})", "{A} == {B}", "{A} < {B}", "{A} / {B}", "torch.cat([{A}, {B}])", "torch.stack([{A}, {A}]).sum(0)",
       "{A} * 3 + {B}", "{A} + {B}.sum()", "{A} - {B}[:1]", "torch.add({A}, {B}, alpha=2)", "{A} >= {B}", "{A} != {B}", "torch.addcmul({A}, {A}, {A})",
       "torch.outer({A}, {B})[0]", "torch.logical_and({A}, {B})", "torch.logical_xor({A}, {B})"]
ONE = ["{A} + 1", "{A} * 2", "-{A}", "{A}.abs()", "{A} * 0.1", "{A} + 0.5", "{A} / 3", "{A} - 100", "{A}.sum()", "{A}.cumsum(0)", "{A}.sum(0, keepdim=True)",
       "{A}.flip(0)", "{A}.sum(dtype=torch.float64)", "{A} > 0", "{A}.square()", "{A} * {A} * {A}", "{A}.eq(0)", "{A}[1:]", "{A}[:1]", "{A}[:0]", "{A}.clone()", "{A}.prod()",
       "{A}.zero_() + {A}", "{A}.bool()", "{A}.logical_not()", "{A}.unsqueeze(0).expand(2, -1).sum(0)", "{A}.argmax()", "{A}.any()", "torch.zeros_like({A})",
       "{A} * True", "{A} + n", "{A} * e", "{A} // 2", "{A} % 3", "{A}.ne(1)", "torch.full_like({A}, 3)", "{A}.count_nonzero()", "{A}.sign()", "{A}.roll(1)", "{A} ** 2",
       "{A}.clamp(-5, 90)", "torch.ones_like({A}) + {A}", "{A}.diff()", "1 - {A}", "2.5 * {A}", "7 // {A}.abs().clamp(min=1)", "{A}.sort()[0]"]
OF_FLOATS = ["{A}.exp()", "{A}.sqrt()", "1. / {A}", "{A}.reciprocal()", "{A}.floor()", "{A}.round()", "{A}.trunc()", "{A}.isnan()", "{A}.isinf()", "{A}.sigmoid()", "{A}.tanh()",
             "{A}.log()", "{A}.sin()", "{A}.mean()", "torch.copysign(torch.ones_like({A}), {A})", "torch.signbit({A})", "{A}.frac()", "{A}.rsqrt()", "{A}.nan_to_num()",
             "{A}.softmax(0)", "torch.atan2({A}, {A} + 1)", "torch.relu({A})", "{A}.amax()", "{A}.log1p()", "{A}.expm1()", "{A}.erf()", "{A}.var()", "{A}.norm()", "{A}.ceil()"]
OF_INTEGERS = ["{A} & 12", "{A} | 3", "{A} ^ {A}", "~{A}", "{A} << 1", "{A} >> 1", "{A} * 100", "{A} * {A}", "{A} + 127", "{A} * 2147483647", "{A}.max()", "{A}.min()", "{A}.bitwise_not()",
               "{A}.floor_divide(3)", "{A}.remainder(5)", "{A}.fmod(5)", "{A} * -1", "{A}.float() + 7", "{A}.double() / 7", "{A}.half() + 0", "{A}.cumprod(0)"]
# Into integers only what they hold.
CASTS = ["{A}.to(torch.T)", "{A}.to(torch.T) + 1", "({A} * 2).to(torch.T)", "{A}.sum(dtype=torch.T)"]
CLAMPED = "torch.where({A}.abs() < 100, {A}, torch.zeros_like({A})).abs().to(torch.T)"
WRITES = ["{A}.add_(1)", "{A}.mul_(2)", "{A}[:1] = 3", "{A}.copy_({B})", "{A} += {A}", "{A}.fill_(7)", "{A}[0] = {A}[-1]", "{A}.zero_()", "{A}.sub_({A})", "{A}[1:] = 0", "{A}.neg_()"]
SIZES = [5, 5, 1, 0, 4, 33]


class Elements(Tried):
    def __init__(self, rng):
        super().__init__(rng)
        first = self.pick("ddhhkkfsccuui")
        # f64 mostly by itself, so that all of its digits count.
        second = self.pick("zijscu" * 2 + "fhk" if first == "d" else "".join(TYPES).replace(first, "") + "ffff")
        self.letters = [first] if first == second else [first, second]
        # The same type twice, the other one once.
        self.parameters = {f"{t}{n}": ("Tensor", t) for t, n in [(first, 8), (first, 9), (second, 7)]} | {"n": ("int", "n"), "e": ("float", "e"), "b": ("bool", "b")}
        self.special = self.chance(0.4)

    def kind_of(self, text):
        """The type of the result, for tensors of three elements."""
        scope = {"torch": torch, "n": 2, "e": 0.5} | {x: torch.ones(3, dtype=getattr(torch, NAMES[k])) for x, k in self.env.items() if k in NAMES}
        value = eval(text, scope)  # pylint: disable=eval-used
        return next(k for k, t in TYPES.items() if t == LONG[value.dtype])

    def define(self):
        name = self.of("".join(TYPES))
        kind, other = self.env[name], self.of("".join(TYPES))
        if any(self.env[n] in FLOATS and self.env[n] not in self.letters for n in (name, other)) and "d" in self.letters:
            return None  # a quotient of integers, say, which has fewer digits
        texts = self.pick([TWO, ONE, OF_FLOATS if kind in FLOATS else OF_INTEGERS])
        if self.chance(0.25):
            target = self.pick(self.letters + ([] if "d" in self.letters else ["f", "d"]))
            texts = [t.replace("torch.T", f"torch.{NAMES[target]}") for t in (CASTS if target in FLOATS or kind not in FLOATS else [CLAMPED])]
        text = self.pick(texts).replace("{A}", name).replace("{B}", other)
        try:
            return self.assign(self.kind_of(text), text)
        except Exception:  # pylint: disable=broad-except
            return None

    def draw(self, name):
        story = super().draw(name)
        floats = [t for t in "khfd" if t in self.letters]
        story.inexact = TYPES[floats[0]] if floats else "f32"
        return story

    def write(self):
        name = self.of("".join(TYPES))
        same = self.of(self.env[name])
        return [self.pick(WRITES).replace("{A}", name).replace("{B}", same)]

    def statements(self):
        return {self.define: 8, self.write: 2, lambda: self.choice(self.letters): 1}

    def calls(self, methods):
        calls = []
        for number in range(6):
            size = self.pick(SIZES) if number else 5
            make = "S" if self.special and number % 2 else "D"
            arguments = [f'{make}({number * 10 + int(n[1])}, "{TYPES[k]}", {self.pick([size, size, size, 1])})' for n, (_, k) in self.parameters.items() if k in TYPES]
            calls.append(f"forward({', '.join(arguments)}, {[2, 1, 0, 3][number % 4]}, {[0.1, -2.5, 3.][number % 3]}, {bool(number & 1)})")
        return calls

    def condition(self):
        return self.pick(["b", "n > 1"])

    def dynamic(self):
        return True

    def results(self):
        names = [n for n, k in self.env.items() if k in TYPES and n not in self.parameters] or list(self.parameters)[:1]
        return self.rng.sample(names, min(len(names), 7)) + ["n"]
