"""Lists whose length only the run tells, of integers, floats, booleans and tensors: `A`, `B`, `Z`, `S`; as state, too.
`i`, `f`, `b` are numbers, `v` a vector of 4."""
import re

from .tried import Tried

TYPES = {"A": "int", "B": "float", "Z": "bool", "S": "Tensor"}
ELEMENTS = {"A": ["{i}", "{i} * 2", "int({v}[0])", "len({A})", "3", "-{i}"], "B": ["{f}", "{f} * 2.", "float({v}[1])", "1.5", "float({i})", "-0."],
            "Z": ["{b}", "{i} > 1", "not {b}", "bool({v}[0] > 0)"],
            "S": ["{v}", "{v} * 2.", "{v}[:]", "x", "{v} + {i}", "torch.relu({v})", "{v}.view(2, 2).t().reshape(4)"]}
ANY = [  # L is the list, E an element, M another list of the kind
    "L.append(E)", "L.append(E)", "L.append(E)", "for j in range(n):\n    L.append(E)", "for j in range({i}):\n    L.append(E)",
    "while len(L) < n:\n    L.append(E)", "while True:\n    L.append(E)\n    if len(L) > n:\n        break", "L.extend([E, E])", "L.extend(M)",
    "L += [E]", "L.insert(n, E)", "L.extend(M)", "L.pop()", "if len(L) > 1:\n    L.pop()",
    "if len(L) > 2:\n    L.pop(0)", "if len(L) > 0:\n    L.pop(-1)", "while len(L) > n:\n    L.pop()", "L[0] = E", "L[-1] = E", "L[{i}] = E",
    "L[len(L) - 1] = E", "L.reverse()", "if {b}:\n    L.append(E)", "if {b}:\n    L.clear()", "del L[0]", "L[0], L[-1] = L[-1], L[0]",
    "for j in range(n):\n    if j % 2 == 0:\n        L.append(E)\n    else:\n        L[-1] = E", "for j in range(len(L)):\n    L[j] = E"]
LISTS = ["L[1:]", "L[:-1]", "L[:n]", "L[n:]", "L[-n:]", "L[::2]", "L[1:3]", "L[-2:]", "L[-3:-1]", "L + M", "L + [E]", "L.copy()", "[e for e in L]", "list(L)", "M",
          "[E for j in range(n)]", "[E]", "[E, E]"]
READS = {
    "A": [("i", "sum(L)"), ("i", "len(L)"), ("i", "L[-1]"), ("i", "L[0]"), ("i", "L[{i}]"), ("i", "max(L)"), ("i", "min(L)"), ("i", "L.pop()"),
          ("i", "L.pop(0)"), ("i", "L[len(L) - 1]"), ("i", "L[-n]"), ("w", "torch.tensor(L)"), ("b", "{i} in L"), ("b", "L == M"), ("i", "L.index({i})"),
          ("i", "L.count({i})"), ("A", "[e + 1 for e in L]"), ("w", "torch.zeros(L[:2])"), ("A", "sorted(L)")],
    "B": [("f", "sum(L)"), ("f", "L[-1]"), ("f", "L[0]"), ("f", "L[{i}]"), ("f", "max(L)"), ("f", "min(L)"), ("w", "torch.tensor(L)"), ("f", "L.pop()"),
          ("B", "[e * 2. for e in L]"), ("b", "L == M"), ("f", "L[-n]")],
    "Z": [("b", "L[-1]"), ("b", "L[0]"), ("w", "torch.tensor(L)"), ("b", "any(L)"), ("b", "all(L)"), ("b", "L.pop()"), ("i", "len(L)")],
    "S": [("v", "L[-1]"), ("v", "L[0]"), ("v", "L[{i}]"), ("v", "L.pop()"), ("w", "torch.stack(L)"), ("w", "torch.cat(L)"), ("v", "torch.stack(L).sum(0)"),
          ("S", "[e * 2. for e in L]"), ("i", "len(L)"), ("v", "L[-n]"), ("w", "torch.stack(L, 1)"), ("v", "torch.stack(L)[-1]"), ("v", "torch.cat(L)[:4]"),
          ("v", "L.pop(0)"), ("v", "L[len(L) - 1] + 1.")],
}
WALKS = {"A": ["for e in L:\n    {i} += e", "for j, e in enumerate(L):\n    L[j] = e * 2", "for e in L:\n    if e > 2:\n        break\n    {i} += 1",
               "for e, h in zip(L, M):\n    {i} += e * h", "L.sort()", "for e in L:\n    M.append(e)\n    if len(M) > 9:\n        break"],
         "B": ["for e in L:\n    {f} += e", "for j, e in enumerate(L):\n    L[j] = e + 0.5", "for e in L:\n    {f} = max({f}, e)"],
         "Z": ["for e in L:\n    if e:\n        {i} += 1", "for j, e in enumerate(L):\n    L[j] = not e"],
         "S": ["for e in L:\n    e.add_(1.)", "for e in L:\n    {v} = {v} + e", "for j, e in enumerate(L):\n    L[j] = e * 2.", "L[0].add_(1.)", "L[-1].mul_(2.)",
               "L[{i}].zero_()", "for e in L:\n    {v} = e", "for e, h in zip(L, M):\n    e.copy_(h)", "{v}.add_(1.)", "{v}[1:] = 7."]}


class Grown(Tried):
    parameters = {"x": ("Tensor", "v"), "c": ("bool", "b"), "d": ("bool", "b"), "n": ("int", "i"), "z": ("float", "f")}

    def __init__(self, rng):
        super().__init__(rng)
        self.kinds = rng.sample("ABZSS", 2)
        if rng.random() < 0.3:
            self.state, self.types = {}, {}
            for kind in set(self.kinds):
                self.state[kind] = {"A": "[1]", "B": "[0.5]", "Z": "[True]", "S": "[T(1, 4)]"}[kind]
                self.types[kind] = f"List[{TYPES[kind]}]"

    def start(self):
        lines = []
        for kind in self.kinds:
            self.count += 1
            name = f"{kind}{self.count}"
            value = f"self.{kind}" if kind in self.state else "[]" if self.chance(0.6) else "[" + self.filled(self.pick(ELEMENTS[kind]).replace("len({A})", "4")) + "]"
            self.env[name] = kind
            lines += [f"{name}: List[{TYPES[kind]}] = {value}"]
            if self.chance(0.8):
                lines += self.with_list(kind, ANY[3:8], name).split("\n")
        self.env |= {"i0": "i", "f0": "f", "v0": "v"}
        return [*lines, "i0 = n + 0", "f0 = z + 0.", "v0 = x.clone()"]

    def with_list(self, kind, texts, name=None):
        text = self.pick(texts)
        name, other = name or self.of(kind), self.of(kind)
        if not name:
            return None
        parts = {"L": lambda: name, "M": lambda: other, "E": lambda: self.pick(ELEMENTS[kind])}
        text = re.sub(r"\b[LME]\b", lambda match: parts[match[0]](), text)
        return self.filled(text)

    def grow(self):
        text = self.with_list(self.pick(self.kinds), ANY)
        return text.split("\n") if text else None

    def read(self):
        kind = self.pick(self.kinds)
        target, text = self.pick(READS[kind])
        text = self.with_list(kind, [text])
        return self.assign(target, text) if text else None

    def derive(self):
        kind = self.pick(self.kinds)
        text = self.with_list(kind, LISTS)
        return self.assign(kind, text) if text else None

    def walk(self):
        text = self.with_list(kind := self.pick(self.kinds), WALKS[kind])
        return text.split("\n") if text else None

    def keep(self):
        kind = self.pick(self.kinds)
        name = self.of(kind)
        return [f"self.{kind} = {name}"] if kind in self.state and self.depth == 0 and name else None

    def statements(self):
        return {self.grow: 5, self.read: 4, self.derive: 2, self.walk: 2, self.keep: 2, lambda: self.choice(self.kinds): 1, lambda: self.rename(self.kinds): 0.7}

    def calls(self, methods):
        numbers = self.pick([[2, 0, 1, 3, 5, 4], [1, 3, 0, 2, 6, 2], [3, 1, 2, 4, 1, 3]])
        return [f"forward(T({k}, 4), {bool(k & 1)}, {bool(k & 2)}, {n}, {0.5 + k})" for k, n in enumerate(numbers)]

    def dynamic(self):
        return self.chance(0.3)

    def results(self):
        names = [n for n, k in self.env.items() if k in "vwif" and n not in ("n", "z")]
        names = self.rng.sample(names, min(len(names), 5))
        lists = [n for n, k in self.env.items() if k in "ABZS"]
        lists = self.rng.sample(lists, min(len(lists), 3))
        return names + [n if self.chance(0.6) else f"len({n})" for n in lists] + [f"len(self.{k})" for k in self.state]
