"""Values whose structure the run tells: lists of lists `P`, of tuples `Q`, of tensors of several sizes `R`, dicts `D` of
lists and `E` of numbers, with keys from data. `A` is a list of integers, `i`, `f`, `b` are numbers, `v` a vector of 4."""
import re

from .tried import Tried

TYPES = {"P": "List[List[int]]", "Q": "List[Tuple[int, List[int], Tensor]]", "R": "List[Tensor]", "D": "Dict[int, List[int]]", "E": "Dict[int, float]",
         "A": "List[int]", "U": "List[str]"}
NEW = {"A": ["[{i}, 2]", "[j for j in range(n)]", "[{i}]", "{A} + [{i}]", "{A}[1:]", "{A}.copy()", "{P}[-1]", "{P}[{i}]", "{P}[n - 1]", "{D}[{i}]", "{Q}[-1][1]"],
       "P": ["[[{i}]]", "[[j] for j in range(n)]", "[[0] * 2 for j in range({i} % 5)]", "{P}[1:]", "{P}[:n]", "{P} + [{A}]", "{P}.copy()", "[e + [1] for e in {P}]",
             "{P}[::2]", "{P} + {P}", "[{A}]", "[{A}, {A}]"],
       "Q": ["[(n, {A}, {v})]", "[(j, [j], {v} * float(j)) for j in range(n)]", "{Q}[1:]", "{Q} + [({i}, {A}, {v})]"],
       "R": ["[{v}]", "[{v}[:j % 5] for j in range(n)]", "{R}[1:]", "{R} + [{v}[1:]]", "[e * 2. for e in {R}]"],
       "D": ["{D}.copy()"], "E": ["{E}.copy()"], "U": ["['a', 'b']", "[u + 'x' for u in {U}]"],
       "v": ["{v} * 0.5", "{Q}[-1][2]", "{v} + 1.", "{Q}[{i}][2]"],
       "w": ["torch.cat({R})", "{R}[{i}]", "{R}[-1]", "torch.stack([e.sum() for e in {R}])", "torch.tensor({A})", "torch.tensor([len(e) for e in {P}])"],
       "i": ["len({P})", "{P}[-1][0]", "{P}[{i}][-1]", "len({A})", "{A}[-1]", "{A}[{i}]", "sum({A})", "max({A})", "{Q}[0][0]", "len({D})", "len({E})",
             "{R}[-1].size(0)", "{D}[{i}][0]", "len({Q}[-1][1])", "{i} + 1", "{P}.pop()[0]", "{A}.pop()", "len({D}[{i}])", "n", "2", "len({U}[-1])"],
       "f": ["{E}[{i}]", "{E}.get({i}, 0.5)", "{f} + 1.", "float({i})", "{E}.pop({i})", "{E}.setdefault({i}, 2.5)"],
       "b": ["{i} in {D}", "{i} in {A}", "{P}[0] == {A}", "{A} in {P}", "{i} in {E}", "{P} == {P}", "{i} > 1", "{U}[-1] == 'a'"]}
DO = {"P": ["{P}.append({A})", "{P}.append([{i}])", "for j in range(n):\n    {P}.append([j, {i}])", "{P}[-1].append({i})", "{P}[{i}].append(n)", "{P}.pop()",
            "{P}.pop(0)", "{P}[0] = {A}", "{P}[-1] = [n]", "{P}.reverse()", "{P}.insert(n, {A})", "{P}.extend({P})", "del {P}[0]", "{P} += [{A}]", "{P}.clear()",
            "for e in {P}:\n    e.append({i})", "for e in {P}:\n    {i} += e[-1]", "while len({P}) < n:\n    {P}.append({A})", "{P}[{i}][0] = n",
            "{P}.insert(0, [n])", "for j in range(len({P})):\n    {P}[j] = [j] + {P}[j]", "if len({P}) > n:\n    {P}.pop()"],
      "Q": ["{Q}.append(({i}, {A}, {v}))", "{Q}[-1][1].append(n)", "for e in {Q}:\n    {i} += e[0]", "{Q}.pop()", "{Q}.reverse()",
            "for q, r, s in {Q}:\n    r.append(q)", "for j in range(n):\n    {Q}.append((j, [j], {v} + float(j)))"],
      "R": ["{R}.append({v})", "{R}.append({v}[:{i}])", "for j in range(n):\n    {R}.append({v}[j % 3:])", "{R}.pop()", "{R}.reverse()", "{R}[0] = {v}[1:]",
            "for e in {R}:\n    {i} += e.size(0)"],
      "D": ["{D}[{i}] = {A}", "{D}[n] = [{i}]", "if {i} not in {D}:\n    {D}[{i}] = []\n{D}[{i}].append(n)", "for k in {D}.keys():\n    {D}[k].append({i})",
            "for k, e in {D}.items():\n    {i} += k * len(e)", "for e in {D}.values():\n    e.append({i})", "for j in range(n):\n    {D}[j % 3] = [j]", "del {D}[{i}]",
            "{D}.clear()", "{D}.update({D})", "{D}[{i}].append(1)"],
      "E": ["{E}[{i}] = {f}", "for j in range(n):\n    {E}[j * j % 5] = float(j)", "for k, e in {E}.items():\n    {f} += e * float(k)", "del {E}[{i}]",
            "{E}.update({E})", "for k in {E}.keys():\n    {i} += k"],
      "U": ["{U}.append('c')", "{U}.append({U}[{i}] + 'd')", "for u in {U}:\n    if u == 'a':\n        {i} += 1", "{U}[0] = 'b' if {b} else 'e'", "{U}.pop()"],
      "A": ["{A}.append({i})", "{A}[0] = n", "{A}.extend({A})", "{A}.reverse()", "{A}.insert({i}, n)", "{A}.sort()", "{A}.clear()"]}


class Nested(Tried):
    parameters = {"x": ("Tensor", "v"), "c": ("bool", "b"), "d": ("bool", "b"), "n": ("int", "i"), "z": ("float", "f")}

    def start(self):
        self.kinds = self.rng.sample("PPQRDEU", 2)
        lines = ["i0 = n + 0", "f0 = z + 0.", "v0 = x.clone()", "A0 = [n]"]
        self.env |= {"i0": "i", "f0": "f", "v0": "v", "A0": "A"}
        for kind in dict.fromkeys(self.kinds):
            self.count += 1
            name = f"{kind}{self.count}"
            self.env[name] = kind
            lines += [f"{name}: {TYPES[kind]} = " + ("{}" if kind in "DE" else "[]"), *self.filled(DO[kind][self.rng.randrange(3)]).split("\n")]
        return lines

    def do(self):
        return self.line(DO[self.pick(self.kinds + ["A"])])

    def make(self):
        kind = self.pick(self.kinds + ["A", "A", "i", "f", "b", "v", "w"])
        texts = [t for t in NEW[kind] if all(self.of(k) for k in re.findall(r"{(.)}", t))]
        if not texts:
            return None
        text = self.filled(self.pick(texts))
        if kind in TYPES and text == "[]":
            return None
        return self.assign(kind, text)

    def statements(self):
        return {self.do: 6, self.make: 5, lambda: self.choice(self.kinds + ["A"]): 1, lambda: self.rename(self.kinds + ["A"]): 0.7}

    def calls(self, methods):
        numbers = self.pick([[2, 0, 1, 3, 5, 4], [1, 3, 0, 2, 6, 2], [3, 1, 2, 4, 1, 3]])
        return [f"forward(T({k}, 4), {bool(k & 1)}, {bool(k & 2)}, {n}, {0.5 + k})" for k, n in enumerate(numbers)]

    def dynamic(self):
        return self.chance(0.3)

    def results(self):
        names = [n for n, k in self.env.items() if k in "vwif" and n not in ("n", "z")]
        names = self.rng.sample(names, min(len(names), 5))
        boxes = [n for n, k in self.env.items() if k in TYPES]
        boxes = self.rng.sample(boxes, min(len(boxes), 3))
        results = names + [n if self.chance(0.7) else f"len({n})" for n in boxes]
        return [self.perhaps(result) for result in results]

    def perhaps(self, result):
        """A result, or it or None, a tuple of it or None, or its text."""
        flag = self.pick([n for n, k in self.env.items() if k == "b"])
        kind = self.env.get(result, "-")
        if self.chance(0.2):
            return f"({result} if {flag} else None)"
        if self.chance(0.1):
            return f"(({result}, n) if {flag} else None)"
        if kind in "if" or (kind in TYPES and kind not in "QR"):
            return result if self.chance(0.8) else self.pick([f"str({result})", f"'{{}}: {{}}'.format({result}, {flag})"])
        return result
