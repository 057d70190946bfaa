"""Statements of the kinds `flow`, `values`, `calls` and `lengths`: early ends, values of other structure, methods
that call methods, and tensors whose length depends on numbers.

`O` is a tensor or None, `U` a tuple of a vector and an integer, `N` a list of lists of vectors, `g` a vector of any
length.
"""

LENGTHS = ["{}[:n]", "{}[n:]", "{}[-1:]", "{}[n:n + 2]", "{}[{}>0.]", "{}[::2]", "{}[-n:]", "{}.narrow(0, 0, min(n, 4))"]
OF_LENGTHS = ["{} * 2.", "{}[1:]", "{}.flip(0)", "{}.cumsum(0)", "{}.clone()", "{}[:2]", "{}.repeat(2)", "{}.view(-1)",
              "{}.unsqueeze(0).expand(2, -1).reshape(-1)", "{}.unsqueeze(1).sum(1)", "{} + x[:1]", "{}.reshape(-1, 1).flatten()",
              "torch.relu({})", "{}[torch.arange({}.size(0))]", "{}.view(1, -1).t().reshape(-1)", "{} + {}.sum()"]


class Flow:
    """A part of the Writer."""

    def of_kind(self):
        """More statements, with their weights."""
        options = {}
        if self.kind in ("flow", "values", "lengths") and self.depth < 2:
            options |= {self.branch: 1, self.loop: 1}
        if self.kind == "flow":
            options |= {self.end: 3, self.while_loop: 2, self.rename: 2, self.count_up: 2, self.optional: 1}
        if self.kind == "values":
            options |= {self.optional: 3, self.tuples: 3, self.nested: 3, self.list_work: 5, self.dict_work: 3, self.container: 3}
        if self.kind == "calls" and self.helpers:
            options |= {self.call: 8, self.container: 2}
        if self.kind == "lengths":
            options |= {self.length: 4, self.of_length: 6, self.join_lengths: 3}
        return options

    def end(self):
        """Leaves a loop or the method, or raises."""
        condition = self.condition()
        if self.looping and self.chance(0.7):
            return [f"if {condition}:", *self.some_lines(), f"    {self.pick(['break', 'continue'])}"]
        if self.chance(0.2):
            return [f"if {condition}:", '    raise RuntimeError("no")']
        return [f"if {condition}:", *self.some_lines(), "    " + self.fixed_results()] if self.kind == "flow" else None

    def some_lines(self):
        return ["    " + line for line in self.write() or []] if self.chance(0.5) else []

    def fixed_results(self):
        """The same types wherever the method ends."""
        one, two = self.of("v"), self.tensor("v")[0]
        return f"return {one}, {two}.sum(), {self.of('i')} + 0, [{self.of('v')}, {two}]"

    def while_loop(self):
        self.count += 1
        name = f"i{self.count}"
        condition = self.pick([f"{name} < n", f"{name} < 3 and {self.condition()}", f"{name} < n and bool({self.of('v')}.sum() < 20.)"])
        # No name for others to assign to: the loop must end.
        return [f"{name} = 0", f"while {condition}:", f"    {name} += 1", *self.block(loop=True)]

    def count_up(self):
        name = self.pick([n for n, t in self.env.items() if t == "i" and n not in ("n", "k", "w")] or [""])
        if not name:
            return self.assign("i", self.pick(["0", "n", "n * 2", "int(x.sum())"]))
        return [self.pick([f"{name} += 1", f"{name} = {name} * 2 - n", f"{name} = {name} if {self.condition()} else n"])]

    def optional(self):
        name, v = self.of("O"), self.of("v")
        if not name or self.chance(0.3):
            self.count += 1
            name = f"O{self.count}"
            self.env[name] = "O"
            return [f"{name}: Optional[Tensor] = {self.pick(['None', v])}"]
        return self.pick([[f"if {self.condition()}:", f"    {name} = {v}"], [f"if {self.condition()}:", f"    {name} = None"],
                          [f"if {name} is not None:", f"    {name}.add_(1.)"], [f"if {name} is not None:", f"    {v} = {name}"],
                          [f"if {name} is None:", f"    {name} = {v} * 2.", "else:", f"    {name} = {name} + {v}"],
                          [f"if {name} is not None:", f"    {v} = {v} + {name}", "else:", f"    {name} = {v}"]])

    def tuples(self):
        name, v, i = self.of("U"), self.tensor("v")[0], self.of("i")
        if not name or self.chance(0.3):
            return self.assign("U", f"({v}, {i})")
        new_v = self.fresh("v")
        return self.pick([[f"{new_v} = {name}[0]"], [f"{name} = ({v}, {name}[1] + 1)"], [f"{name}[0].add_(1.)", f"{new_v} = {name}[0]"],
                          [f"{name} = {name} if {self.condition()} else ({v}, {i})", f"{new_v} = {name}[0]"],
                          [f"{new_v}, i_ = {name}", f"{name} = ({v}, i_ * 2)"]])

    def nested(self):
        name, inner = self.of("N"), self.of("L")
        if not inner:
            return None
        if not name or self.chance(0.3):
            return self.assign("N", self.pick([f"[{inner}, {self.of('L')}]", f"[{inner}, [{self.of('v')}]]"]))
        v = self.tensor("v")[0]
        return self.pick([[f"{name}[0] = {inner}"], [f"{name}[0].append({v})"], [f"{name}[1][0] = {v}"], [f"{name}[0][0].add_(1.)"],
                          self.assign("L", f"{name}[{self.pick('01')}]"), self.assign("v", f"{name}[0][0]"),
                          [f"{name} = [{inner}, {name}[0]]"]])

    def list_work(self):
        name, other, v = self.of("L"), self.of("L"), self.of("v")
        if not name:
            return self.assign("L", f"[{v}, {self.of('v')} * 2.]")
        forms = [self.assign("v", f"{name}.pop()"), self.assign("v", f"{name}.pop(0)"), self.assign("L", f"{name}[1:]"),
                 self.assign("L", f"{name} + {other}"), self.assign("L", f"{name}[1:] + [{name}[0] * 2.]"), self.assign("i", f"len({name})"),
                 self.assign("v", f"torch.stack({name}).sum(0)"), [f"for e in {name}:", "    e.add_(1.)"],
                 self.assign("L", f"[e * 2. for e in {name}]"), self.assign("L", f"[e for e in {name}]"), self.assign("L", f"list({name})"),
                 [f"for j, e in enumerate({name}):", f"    {name}[j] = e + 1."], [f"for e, h in zip({name}, {other}):", "    e.copy_(h)"],
                 [f"{name}.extend({other})"], [f"{name} += [{v}]"], [f"for e in {name}:", f"    {v} = e"], [f"{name}.clear()", f"{name}.append({v})"],
                 [f"{name}[0], {name}[-1] = {name}[-1], {name}[0]"], self.assign("v", f"{name}[n - 1]"), [f"{name}[min(n, 1)].mul_(2.)"],
                 [f"{name}[min(n, 1)] = {v}"], [f"del {name}[0]"], self.assign("L", f"{name}[::-1]"), self.assign("L", f"{name} * 2")]
        return self.pick(forms)

    def dict_work(self):
        name, v = self.of("D"), self.of("v")
        if not name:
            return self.assign("D", '{"p": ' + f'{v}, "q": {self.of("v")} + 1.' + "}")
        forms = [self.assign("v", f'{name}.pop("q")'), [f'if "r" in {name}:', f'    {v} = {name}["r"]'], self.assign("i", f"len({name})"),
                 [f"for e in {name}.values():", "    e.mul_(2.)"], [f"for s, e in {name}.items():", f"    {name}[s] = e + 1."],
                 [f'del {name}["p"]'], self.assign("L", f"list({name}.values())"), [f'if {self.condition()}:', f'    {name}["r"] = {v}'],
                 self.assign("D", f"{name}.copy()"), [f'{name}["p"], {name}["q"] = {name}["q"], {name}["p"]'], [f'{name}.update({{"q": {v}}})'],
                 self.assign("v", f'{name}.setdefault("r", {v})')]
        return self.pick(forms)

    def helper(self, number):
        """A method for others to call: (parameters, lines of the body). It may write and return what it is given."""
        outer, self.env = self.env, {"p1": "v", "p2": "v"}
        form = self.pick(["v", "v", "L"])
        parameters = "p1: Tensor, p2: Tensor"
        if form == "L":
            self.env["p3"], parameters = "L", "p1: Tensor, p2: Tensor, p3: List[Tensor]"
        lines = []
        for _ in range(self.rng.randint(1, 3)):
            lines += self.pick([self.write, self.write, self.make, self.view, self.container if form == "L" else self.write, self.attribute])() or []
        lines.append(f"return {self.of('v')}" if self.chance(0.7) else f"return {self.of('v')}.clone()")
        self.env = outer
        self.helpers[f"h{number}"] = form
        return parameters, lines

    def call(self):
        name = self.pick(self.helpers)
        arguments = f"{self.of('v')}, {self.tensor('v')[0]}"
        if self.helpers[name] == "L":
            if not self.of("L"):
                return self.assign("L", f"[{arguments}]")
            arguments += f", {self.of('L')}"
        text = f"self.{name}({arguments})"
        return [text] if self.chance(0.2) else self.assign("v", text)

    def length(self):
        text = self.pick(LENGTHS + ["torch.zeros(n)", "torch.arange(n).float()", "torch.ones(max(n, 1))"])
        return self.assign("g", text.replace("{}", self.of("v")))

    def of_length(self):
        name = self.of("g")
        if not name:
            return None
        forms = [self.assign("g", self.pick(OF_LENGTHS).replace("{}", name))] * 4
        forms += [self.assign("i", f"{name}.size(0)"), self.assign("o", f"{name}.sum()"), [f"{name}.add_(1.)"], [f"{name}[0] = 3."],
                  [f"{name}[1:] += 2."], self.assign("o", f"{name}.max()"), self.assign("g", f"torch.cat([{name}, {self.of('v', 'g')}])"),
                  self.assign("v", f"{self.of('v')} + {name}[:1]"), [f"for j in range({name}.size(0)):", f"    {self.of('v')}[j % 4] += {name}[j]"],
                  ["for j in range(n):", f"    {name} = torch.cat([{name}, {self.of('v')}[:1] * 2.])"],
                  ["for j in range(n):", f"    {name} = {name}[1:]"], self.assign("g", f"{name} + {self.of('g')}"),
                  self.assign("g", f"torch.where({name} > 0., {name}, {self.of('g')})"), [f"{name}.copy_({self.of('g')})"],
                  self.assign("g", f"torch.stack([{name}, {self.of('g')}]).sum(0)"), [f"{self.of('v')}[:n].mul_(2.)"]]
        return self.pick(forms)

    def join_lengths(self):
        one, two = self.of("g"), self.of("g", "v")
        if not one:
            return None
        target = self.fresh("g")
        return self.pick([[f"{target} = {one} if {self.condition()} else {two}"],
                          [f"if {self.condition()}:", f"    {target} = {one}", "else:", f"    {target} = {two} * 2."]])
