"""Lists, dicts and tensors that attributes share from call to call: one attribute becomes another, elements are views of
attributes, state is swapped and grows. `v` is a vector of 4, `L` and `D` a list and a dict of vectors."""
from .tried import Tried

VECTORS = ["{v}", "{v} * 2.", "x", "self.a", "self.b", "self.l[0]", "self.m[-1]", 'self.d["p"]', 'self.e["q"]', "{v}[:]", "self.a[:]", "{v}.clone()",
           "self.b.view(2, 2).t().reshape(4)", "self.a.view(2, 2).reshape(4)", "self.l[n]", "self.m[0] + 1."]
LISTS = ["self.l", "self.m", "{L}", "[V, V]", "[V, self.l[0]]", "self.l[1:] + [V]", "self.m[:1] + self.l[:1]", "self.l + [V]", "[e for e in self.m]", "[self.a, self.b]",
         "[V]", "list(self.d.values())", "[e * 2. for e in self.l]", "self.l[-2:]", "self.m[::-1]", "self.l.copy()", "[self.a, self.a]"]
DICTS = ["self.d", "self.e", "{D}", '{"p": V, "q": V}', "self.d.copy()", '{"p": self.a, "q": self.l[0]}', '{"q": self.e["p"], "p": self.e["q"]}']
ATTRIBUTES = {"v": ("self.a", "self.b"), "L": ("self.l", "self.m"), "D": ("self.d", "self.e")}
WRITES = ["W.add_(1.)", "W.mul_(2.)", "W[0] = 5.", "W[1:] = 3.", "W.copy_(V)", "W.zero_()", "W += 2.", "W.view(2, 2)[0].neg_()", "W[:2] += W[2:]"]
WRITTEN = ["self.a", "self.b", "self.l[0]", "self.l[-1]", "self.m[0]", "self.m[1]", 'self.d["p"]', 'self.e["p"]', 'self.e["q"]', "{v}", "{L}[0]", '{D}["q"]', "x"]
CHANGES = ["{L}[0] = V", "{L}[-1] = V", "{L}.append(V)", "K.append(V)", "K[0] = V", "K[0] = K[1]", "K[0], K[1] = K[1], K[0]", "K.pop()", "K.insert(0, V)", "K.reverse()",
           "if len(K) > 3:\n    K.pop(0)", "K.extend([V])", 'C["p"] = V', 'C["q"] = C["p"]', 'C["p"], C["q"] = C["q"], C["p"]', 'C["r"] = V',
           "for e in K:\n    e.add_(1.)", "K.clear()\nK.append(V)\nK.append(V)", "for e in C.values():\n    e.mul_(2.)", "K += [V]", '{D}["p"] = V']


class Shared(Tried):
    parameters = {"x": ("Tensor", "v"), "c": ("bool", "b"), "d": ("bool", "b"), "n": ("int", "i")}
    lines = (2, 4)
    blocks = 0.7

    def __init__(self, rng):
        super().__init__(rng)
        views = ["a", "a[:]", "a.view(2, 2).view(4)", "T(2, 4)", "T(2, 4)"]
        lists = ["[a, b]", "[T(3, 4), a]", "[T(4, 4), T(5, 4)]", "[a, a]", "[T(6, 8)[:4], b]"]
        dicts = ['{"p": a, "q": b}', '{"p": T(7, 4), "q": T(8, 4)}', '{"p": b, "q": b}']
        self.state = {"a": "T(1, 4)", "b": self.pick(views), "l": self.pick(lists), "m": self.pick(lists), "d": self.pick(dicts), "e": self.pick(dicts)}
        self.types = {"l": "List[Tensor]", "m": "List[Tensor]", "d": "Dict[str, Tensor]", "e": "Dict[str, Tensor]"}
        self.methods = ["forward", "step"][:rng.randint(1, 2)]
        # Few of the attributes, so that they meet.
        self.used = self.pick(["vL", "vL", "vLD", "L", "vD", "D"])

    def filled(self, text):
        for letter, options in (("W", WRITTEN), ("K", ATTRIBUTES["L"]), ("C", ATTRIBUTES["D"])):
            chosen = self.pick(options)
            text = text.replace(letter, chosen)
        while "V" in text:
            text = text.replace("V", self.pick(VECTORS), 1)
        used = "abLlmDde" if self.used == "vLD" else "ab" + {"vL": "lm", "L": "lm", "vD": "de", "D": "de"}[self.used]
        if any(f"self.{name}" in text and name not in used for name in "lmde"):
            return None
        for kind in "vLD":
            while "{" + kind + "}" in text:
                if not (name := self.of(kind)):
                    return None
                text = text.replace("{" + kind + "}", name, 1)
        return text

    def attribute(self):
        kind = self.pick(self.used)
        first, second = self.rng.sample(ATTRIBUTES[kind], 2)
        value = self.filled(self.pick({"v": VECTORS, "L": LISTS, "D": DICTS}[kind]))
        forms = [[f"{first} = {second}"], [f"{first}, {second} = {second}, {first}"], [f"{first} = {value}"], [f"{first} = {value}"],
                 [f"{first} = {second}"], [f"{first} = {second} if {self.condition()} else {first}"],
                 [f"if {self.condition()}:", f"    {first} = {value}"], [f"t = {first}", f"{first} = {second}", f"{second} = t"]]
        lines = self.pick(forms)
        return None if any("None" in line for line in lines) else lines

    def name(self):
        kind = self.pick("v" + self.used)
        return self.expression(kind, {"v": VECTORS, "L": LISTS, "D": DICTS}[kind])

    def statements(self):
        return {self.attribute: 5, self.name: 2, lambda: self.line(WRITES): 5, lambda: self.line(CHANGES): 4, lambda: self.choice("vLD"): 1}

    def calls(self, methods):
        return [f"{self.pick(methods) if number else methods[-1]}(T({number}, 4), {bool(number & 1)}, {bool(number & 2)}, {[1, 0, 1, 2][number % 4]})"
                for number in range(9)]

    def dynamic(self):
        return self.chance(0.15)

    def results(self):
        results = ["self.a + 0.", "self.b + 0."]
        if "L" in self.used:
            results += ["len(self.l)", "len(self.m)", "[e + 0. for e in self.l]", "[e + 0. for e in self.m]"]
        if "D" in self.used:
            results += ['self.d["p"] + 0.', 'self.d["q"] + 0.', 'self.e["p"] + 0.', 'self.e["q"] + 0.']
        return results + [n for n, k in self.env.items() if k == "v"][:3] + ["x"]
