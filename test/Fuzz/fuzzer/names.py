"""Draws stories: statements on names, most of which may stand for one of several things.

Tensors have few shapes, so that most can stand for each other: a vector `v` of 4, a pair `p` of 2, a matrix
`m` of 2x2, a number `o`. `L` and `D` are a list and a dict of vectors, `K` a list of integers; `i`, `f`, `b` are
integers, floats and booleans.
"""
import random
import re

from .elements import Elements
from .flow import Flow
from .grown import Grown
from .layouts import Layouts
from .nested import Nested
from .scalars import Scalars
from .shapes import Shapes
from .shared import Shared
from .stories import Story, scripts

TRIED = {"shapes": Shapes, "shared": Shared, "grown": Grown, "layouts": Layouts, "elements": Elements, "nested": Nested}
KINDS = ("results", "names", "lists", "state", "overlap", "views", "ints", "floats", "sizes", "grow", "flow", "values", "calls",
         "lengths", *TRIED)
VIEWS = {
    "v": [("v", "{}[:]"), ("v", "{}.reshape(4)"), ("v", "{}.contiguous()"), ("v", "{}.view(2, 2).t().reshape(4)"),
          ("v", "{}.view(2, 2).reshape(4)"), ("m", "{}.view(2, 2)"), ("m", "{}.reshape(2, 2)"), ("p", "{}[1:3]"),
          ("p", "{}[::2]"), ("p", "{}[2:]"), ("p", "{}.view(2, 2)[:, 1]"), ("p", "{}.view(2, 2)[0]"), ("o", "{}[1]"),
          ("v", "{}.detach()"), ("v", "{}.expand(4)"), ("v", "{}.unsqueeze(0).squeeze(0)"), ("p", "{}.chunk(2)[1]"),
          ("v", "{}.view(2, 2).t().contiguous().view(4)")],
    "m": [("m", "{}.t()"), ("m", "{}.t().reshape(2, 2)"), ("v", "{}.reshape(-1)"), ("v", "{}.flatten()"),
          ("v", "{}.t().reshape(4)"), ("m", "{}.contiguous()"), ("m", "{}.t().contiguous()"), ("p", "{}[0]"),
          ("p", "{}[:, 1]"), ("p", "{}.diagonal()"), ("m", "{}[:, :2].reshape(2, 2)"), ("o", "{}[0, 1]"),
          ("v", "{}.t().contiguous().view(4)"), ("p", "{}.unbind(1)[0]"), ("p", "{}.select(1, 0).reshape(2)")],
    "p": [("p", "{}[:]"), ("p", "{}.reshape(2)"), ("p", "{}.contiguous()"), ("o", "{}[0]"), ("p", "{}.reshape(2, 1).reshape(2)"),
          ("v", "{}.repeat(2)"), ("m", "{}.expand(2, 2)")],
    "o": [("o", "{}.reshape([])"), ("p", "{}.repeat(2)")],
}
# A view that PyTorch may refuse.
VIEWS_THAT_RAISE = [("v", "m", "{}.t().view(4)"), ("p", "p", "{}.view(2)"), ("v", "m", "{}.view(4)")]
FRESH = ["{} * 2.", "{} + 1.", "{}.clone()", "torch.zeros_like({})", "torch.relu({})", "-{}", "{}.abs()"]
WRITES = ["{}.add_(1.)", "{}.mul_(2.)", "{}.zero_()", "{}.fill_(7.)", "{} += 3.", "{}.neg_()", "{}.sub_(5.)"]
PART_WRITES = ["{}[0] = 9.", "{}[1:] = 5.", "{}[:1] += 4.", "{}[-1] = {}[0]"]


class Writer(Scalars, Flow):
    def __init__(self, rng, kind):
        self.rng, self.kind, self.count = rng, kind, 0
        self.depth, self.looping, self.helpers = 0, False, {}
        self.env = {}  # name -> type
        self.state = {}  # the same of `self.`

    def chance(self, probability):
        return self.rng.random() < probability

    def pick(self, options):
        return self.rng.choice(list(options))

    def of(self, *types):
        """A name of one of the types, or None."""
        names = [n for n, t in self.env.items() if t in types]
        # Later ones more often.
        return self.rng.choices(names, range(1, len(names) + 1))[0] if names else None

    def tensor(self, *types):
        """A name or an element of a container."""
        if "v" in types or not types:
            if self.chance(0.2) and (name := self.of("L")):
                return f"{name}[{self.pick(['0', '-1', '0', '1'])}]", "v"
            if self.chance(0.2) and (name := self.of("D")):
                return f'{name}["{self.pick("pq")}"]', "v"
        name = self.of(*(types or "vvvmpo"))
        return name, self.env.get(name)

    def fresh(self, type_):
        """A name for a value: a new one, or one that has stood for another."""
        if self.chance(0.2):
            names = [n for n, t in self.env.items() if t == type_ and n not in ("c", "d", "w")]
            if names:
                return self.pick(names)
        self.count += 1
        name = f"{type_}{self.count}"
        self.env[name] = type_
        return name

    def assign(self, type_, text):
        return [f"{self.fresh(type_)} = {text}"]

    # Statements. Each returns lines, or None.

    def make(self):
        name, type_ = self.tensor()
        return self.assign(type_, self.pick(FRESH).format(name)) if name else None

    def view(self):
        name, type_ = self.tensor()
        if not name:
            return None
        if self.kind == "views" and self.chance(0.08):
            result, of, text = self.pick(VIEWS_THAT_RAISE)
            name = self.of(of)
            return self.assign(result, text.format(name)) if name else None
        result, text = self.pick(VIEWS[type_])
        text = text.format(name)
        if self.chance(0.3):
            result, more = self.pick(VIEWS[result])
            text = more.format(text)
        return self.assign(result, text)

    def write(self):
        name, type_ = self.tensor()
        if not name:
            return None
        if type_ != "o" and self.chance(0.3):
            return [self.pick(PART_WRITES).replace("{}", name)]
        other, _ = self.tensor(type_)
        if self.chance(0.3) and other:
            return [self.pick([f"{name}.copy_({other})", f"{name}.add_({other})", f"{name} += {other}"])]
        return [self.pick(WRITES).format(name)]

    def condition(self):
        name = self.of("v", "p", "m")
        forms = [n for n, t in self.env.items() if t == "b"] * 3
        forms += [f"bool({name}.sum() > 0)"] if name else []
        forms += [f"{n} > 1" for n, t in self.env.items() if t == "i" and n in ("n", "k")]
        return self.pick(forms)

    def choice(self):
        type_ = self.pick("vvvmLLDK" if self.kind in ("lists", "values") else "vvvvmpL")
        one, two = self.of(type_), self.of(type_)
        for _ in range(3):
            two = self.of(type_) if one == two else two
        if not one:
            return None
        if self.chance(0.2) and type_ in "vmp":
            two = f"({two} * 3.)"
        target = self.fresh(type_)
        if self.chance(0.5):
            return [f"{target} = {one} if {self.condition()} else {two}"]
        return [f"if {self.condition()}:", f"    {target} = {one}", "else:", f"    {target} = {two}"]

    def branches(self):
        """Both arms give two names a value: one thing or two."""
        type_ = self.pick("vLDK" if self.kind in ("lists", "values") else "vvvmL")
        first, second = self.value(type_), self.value(type_)
        condition = self.condition()
        if not first or not second:
            return None
        self.count += 1
        a, b = f"{type_}{self.count}", f"{type_}{self.count}_"
        one, two = [f"    {a} = {first}", f"    {b} = {a}"], [f"    {a} = {first}", f"    {b} = {second}"]
        if self.chance(0.5):
            one, two = two, one
        self.env[a] = self.env[b] = type_
        return [f"if {condition}:", *one, "else:", *two]

    def value(self, type_):
        """Something new of a type, or something old."""
        if self.chance(0.25) and self.of(type_):
            return self.of(type_)
        v = self.of("v")
        if type_ == "K":
            return self.pick(["[1, 2]", "[3, 4, 5]", "[0, 1]"])
        other = self.tensor("v")[0]
        if type_ == "L":
            return self.pick([f"[{v}, {other}]", f"[{v}, {v}]", f"[{v} * 2., {other}]", f"[{other}, {v} + 1.]"])
        if type_ == "D":
            return '{"p": ' + f'{v}, "q": {self.pick([other, f"{other} + 2."])}' + "}"
        name = self.of(type_)
        return self.pick(FRESH).format(name) if name else None

    def block(self, loop=False):
        """An arm or a body of statements; names of its own stay inside."""
        outer, looping = dict(self.env), self.looping
        self.depth, self.looping = self.depth + 1, loop or looping
        lines = []
        for _ in range(self.rng.randint(1, 3)):
            lines += self.statement(inside=True)
        self.env, self.depth, self.looping = outer, self.depth - 1, looping
        return ["    " + line for line in lines]

    def branch(self):
        condition = self.condition()
        lines = [f"if {condition}:", *self.block()]
        return lines + (["else:", *self.block()] if self.chance(0.6) else [])

    def loop(self):
        self.count += 1
        times = self.pick(["n", "n", "n", "2", "3"] if self.kind not in ("ints", "floats", "sizes") else ["min(n, 3)", "2"])
        return [f"for t{self.count} in range({times}):", *self.block(loop=True)]

    def rename(self):
        """Names that go on to other things from trip to trip."""
        type_ = self.pick("vvvLLD" if self.kind == "lists" else "vvvmpL")
        names = [n for n, t in self.env.items() if t == type_ and n != "x"]
        if len(names) < 2:
            return None
        a, b, c = self.pick(names), self.pick(names), self.pick(names)
        return self.pick([[f"{a} = {b}"], [f"{a} = {b}", f"{b} = {c}"], [f"{a}, {b} = {b}, {c}"]])

    def container(self):
        if self.chance(0.4) and (name := self.of("L")):
            v = self.tensor("v")[0]
            return [self.pick([f"{name}.append({v})", f"{name}[0] = {v}", f"{name}[-1] = {v} * 2.", f"{name}[0].add_(1.)",
                               f"{name}[0] = {name}[1]", f"{name}.append({name}[0])", f"{name}.insert(0, {v})",
                               f"{name}.reverse()", f"{name}.extend([{v}])"])]
        if self.chance(0.3) and (name := self.of("D")):
            v = self.tensor("v")[0]
            return [self.pick([f'{name}["p"] = {v}', f'{name}["q"] = {v} * 2.', f'{name}["p"].mul_(2.)', f'{name}["r"] = {v}',
                               f'{name}["q"] = {name}["p"]'])]
        if self.chance(0.4) and (name := self.of("K")):
            return [self.pick([f"{name}[0] = 50", f"{name}.append(7)", f"{name}[0] += {name}[1]", f"{name}[-1] = 8"])]
        type_ = self.pick("LLDK")
        value = self.value(type_)
        return self.assign(type_, value) if value else None

    def reduce(self):
        name, type_ = self.tensor("v", "m", "p")
        if not name:
            return None
        if type_ == "m" and self.chance(0.5):
            return self.assign(*self.pick([("m", f"torch.mm({name}, {self.of('m')})"), ("p", f"torch.mv({name}, {name}[0])"),
                                           ("p", f"{name}.sum(0)"), ("p", f"{name}.amax(1)")]))
        return self.assign("o", self.pick([f"{name}.sum()", f"{name}.max()", f"{name}.min()", f"({name} * {name}).sum()"]))

    def attribute(self):
        if not self.state:
            return None
        name = self.pick(self.state)
        type_ = self.state[name]
        v = self.tensor("v")[0]
        if type_ == "v":
            other = self.pick([n for n, t in self.state.items() if t == "v"])
            return self.pick([[f"self.{name}.add_({v})"], [f"self.{name} = {v}"], [f"self.{name} = self.{other}"],
                              self.assign("v", f"self.{name}"), [f"self.{name} = {v}.clone()"], [f"self.{name}[1:] = 2."],
                              self.assign("v", f"self.{name} + 0.")])
        if type_ == "L":
            return self.pick([[f"self.{name}.append({v})"], [f"self.{name}[0] = {v}"], self.assign("L", f"self.{name}"),
                              [f"self.{name}[1].add_(1.)"], self.assign("v", f"self.{name}[0]")])
        return self.pick([[f"self.{name} += 1"], self.assign("i", f"self.{name}")])

    def start(self):
        """Things to choose from."""
        lines = []
        if self.kind in ("names", "lists", "flow", "values", "calls", "lengths") or self.chance(0.5):
            self.env |= {"v91": "v", "v92": "v"}
            lines += ["v91 = x.clone()", self.pick(["v92 = x * 2.", "v92 = x + 1.", "v92 = v91"])]
        if self.kind == "lists" or self.kind in ("values", "calls", "flow") and self.chance(0.6):
            self.env |= {"L93": "L", "L94": "L"}
            lines += ["L93 = [v91, v92]", self.pick(["L94 = L93", "L94 = [v92, x]", "L94 = [x * 3., v91]", "L94 = [v91, v92]"])]
        if self.kind in ("lists", "values") and self.chance(0.5):
            self.env |= {"D95": "D"}
            lines += ['D95 = {"p": v91, "q": v92}']
        if self.kind == "lengths":
            self.env |= {"g96": "g", "g97": "g"}
            lines += [f"g96 = {self.pick(['x', 'v91'])}[:n]", f"g97 = {self.pick(['x[n:]', 'v92[-1:]', 'v92[v92 > 0.]', 'g96', 'g96 * 2.', 'v91[:n]'])}"]
        return lines

    def statement(self, inside=False):
        for _ in range(50):
            options = {self.make: 2, self.view: 3, self.write: 4, self.choice: 3, self.reduce: 1}
            if self.kind == "lists":
                options |= {self.container: 6}
            if self.kind in ("names", "lists"):
                options |= {self.rename: 5 if inside else 1, self.branches: 2, self.choice: 5, self.container: 1}
            if self.kind in ("state", "grow"):
                options |= {self.attribute: 6}
            if self.kind == "results":
                options |= {self.reduce: 8, self.write: 1}
            if self.kind in ("ints", "floats", "sizes"):
                options = {getattr(self, self.kind): 6, self.make: 1, self.choose_scalar: 1}
            if not inside:
                options |= {self.branch: 1, self.loop: 2 if self.kind in ("names", "lists") else 1}
            options |= self.of_kind()
            before = dict(self.env), self.count
            if lines := self.rng.choices(list(options), options.values())[0]():
                # Names that were made for a form that was not taken in the end.
                for name in self.env.keys() - before[0].keys():
                    if not any(re.search(rf"\b{name}\b", line) for line in lines):
                        del self.env[name]
                return lines
            self.env, self.count = before
        return ["pass"]

    def results(self):
        """Most names, in some nest, numbers of tensors among them."""
        names = [n for n, t in self.env.items() if t in "vmpoifg" and n not in ("n", "k", "z", "w")]
        names = self.rng.sample(names, min(len(names), 6))
        tensors = [n for n in names if self.env[n] in "vmpo"]
        parts = list(names)
        sums = [f"{n}.sum()" for n in tensors]
        if self.kind == "results" or self.chance(0.2):
            parts = self.pick([sums, sums + names, [f"[{', '.join(sums)}]"] + names] if sums else [names])
            if sums and self.chance(0.3):
                parts = ["{" + ", ".join(f'"{n}": {n}.sum()' for n in tensors) + "}"]
            elif sums and self.chance(0.2):
                parts = [f"({', '.join(sums)},)", f"[{', '.join(tensors)}]"]
        if tensors and self.chance(0.15):
            parts.append(self.pick(tensors))
        for type_ in "LDKUN" + "O" * self.chance(0.2):
            parts += [n for n, t in self.env.items() if t == type_][:2]
        return parts or ["x"]


def returns(parts):
    return "return " + ", ".join(parts)


PARAMETERS = {"v": "Tensor", "b": "bool", "i": "int", "f": "float", "m": "Tensor"}


def draw(name, rng, kind):
    """A story that LibTorch takes."""
    for _ in range(60):
        story = draw_once(name, rng, kind)
        reason = scripts(story)
        if reason is None:
            return story
    raise RuntimeError(f"no story of the kind '{kind}' could be drawn: {reason}")


def draw_once(name, rng, kind):
    if kind in TRIED:
        return TRIED[kind](rng).draw(name)
    writer = Writer(rng, kind)
    if kind in ("ints", "floats", "sizes"):
        return writer.scalar_story(name)
    state, types = {}, {}
    if kind in ("state", "grow"):
        state = {"a": "T(1, 4)", "b": rng.choice(["a", "a[:]", "a.view(4)", "T(2, 4)", "a"]), "n": "0"}
        writer.state = {"a": "v", "b": "v", "n": "i"}
        if rng.random() < 0.4:
            state["l"], types["l"] = rng.choice([("[a, b]", "List[Tensor]"), ("[a, a]", "List[Tensor]")])
            writer.state["l"] = "L"
    methods = {}
    if kind == "calls":
        if rng.random() < 0.4:
            state, writer.state = {"a": "T(1, 4)", "b": "T(2, 4)"}, {"a": "v", "b": "v"}
        methods = {f"h{number}": writer.helper(number) for number in range(rng.randint(1, 2))}
    for method in ["forward", "reset", "step"][:rng.randint(1, 3) if kind == "state" else 1]:
        writer.env = {"x": "v", "c": "b", "d": "b", "n": "i"}
        if kind == "overlap" or rng.random() < 0.3:
            writer.env["y"] = "v"
        parameters = dict(writer.env)
        start = writer.start()
        body = [line for _ in range(rng.randint(4, 10)) for line in writer.statement()]
        if kind == "overlap":
            body.insert(rng.randrange(2), rng.choice(["x.add_(1.)", "y.mul_(2.)", "x[1:] += 3."]) if rng.random() < 0.8 else "pass")
        body = start + body
        body.append(writer.fixed_results() if kind == "flow" else returns(writer.results() + [f"self.{n} + 0" for n in writer.state if writer.state[n] != "L"]))
        methods[method] = (", ".join(f"{n}: {PARAMETERS[t]}" for n, t in parameters.items()), body)
    if kind == "grow":
        methods = {"forward": ("x: Tensor", ["self.h = torch.cat([self.h, x])", rng.choice(["pass", "self.h.add_(1.)",
                   "self.a.add_(x)", "v = self.h[1:]"]), "return self.h, self.h.sum(), self.h.size(0), self.a + 0."])}
        state["h"] = rng.choice(["torch.zeros(0)", "T(5, 2)", "torch.zeros(4)"])
        return Story(name, methods, [f"forward(T({i}, 4))" for i in range(5)], state, types, rng.random() < 0.3)
    return Story(name, methods, calls_of(rng, kind, methods), state, types, rng.random() < 0.2)


def calls_of(rng, kind, methods):
    calls = []
    for number in range(8 if kind == "state" else 4):
        method = rng.choice(list(methods)) if kind == "state" else "forward"
        tensors = [f"T({number}, 4)", f"T({number + 50}, 4)"]
        if kind == "overlap":
            calls.append(f"t = T({number}, 8)")
            tensors = rng.choice([["t[:4]", "t[:4]"], ["t[:4]", "t[1:5]"], ["t[::2]", "t[1::2]"], ["t[:4]", "t[4:]"],
                                  ["t[2:6]", "t[:4]"], ["t[::2]", "t[::2]"], ["t[:4]", "t[:4].clone()"]])
        values = {"x": tensors[0], "y": tensors[1], "c": str(bool(number & 1)), "d": str(bool(number & 2)),
                  "n": str([2, 0, 1, 3][number % 4])}
        parameters = methods[method][0]
        calls.append(f"{method}({', '.join(values[p.split(':')[0]] for p in parameters.split(', '))})")
    return calls


def draw_stories(seed, count, kind=None):
    """The stories of a seed: of all kinds in turn, or of one."""
    rng = random.Random(f"stories {seed} {kind}")
    return [draw(f"s{seed}_{i}", rng, kind or KINDS[(seed + i) % len(KINDS)]) for i in range(count)]
