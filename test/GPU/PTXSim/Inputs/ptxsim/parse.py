"""The text of a PTX module: its kernels, constants and shared memory."""
import dataclasses
import re

import numpy as np

from .values import UNSIGNED, size_of


@dataclasses.dataclass
class Instruction:
    guard: str  # the predicate's register, or None
    negated: bool
    parts: list  # ["ld", "global", "f32"]
    operands: list
    spaces: tuple = ()

    def __str__(self):
        return ".".join(self.parts) + " " + ", ".join(self.operands)

    def has(self, part):
        return part in self.parts


@dataclasses.dataclass
class Kernel:
    name: str
    params: list  # (name, bytes)
    code: list = dataclasses.field(default_factory=list)
    labels: dict = dataclasses.field(default_factory=dict)
    registers: dict = dataclasses.field(default_factory=dict)  # name, or prefix, to type
    local: dict = dataclasses.field(default_factory=dict)  # name to offset
    local_bytes: int = 0
    shared: dict = dataclasses.field(default_factory=dict)
    static_bytes: int = 0
    constants: dict = dataclasses.field(default_factory=dict)  # name to bytes
    addresses: dict = dataclasses.field(default_factory=dict)  # of constants, when they are loaded
    granule: int = 1  # every access to memory is a multiple of it

    def type_of(self, register):
        kind = self.registers.get(register)
        return kind or self.registers[re.match(r"%[A-Za-z$_]+", register)[0]]


def split_operands(text):
    """At commas outside of brackets."""
    found, depth, start = [], 0, 0
    for at, char in enumerate(text):
        depth += (char in "{[(") - (char in "}])")
        if char == "," and not depth:
            found.append(text[start:at].strip())
            start = at + 1
    last = text[start:].strip()
    return found + [last] if last else found


def names_in(operand):
    """The registers of {%r1, %r2}, or the one."""
    return [name.strip() for name in operand.strip("{}").split(",")]


def parse_constants(text):
    pattern = r"\.(?:global|const)\s+\.align\s+\d+\s+\.b(\d+)\s+([\w$]+)(?:\[(\d+)\])?\s*=\s*(\{[^}]*\}|[^;]+);"
    constants = {}
    for match in re.finditer(pattern, text):
        width = int(match[1]) // 8
        numbers = [int(n, 0) & ((1 << 8 * width) - 1) for n in match[4].strip("{}").replace(" ", "").split(",") if n]
        data = np.array(numbers, UNSIGNED[width]).tobytes()
        constants[match[2]] = data.ljust(width * int(match[3] or 1), b"\0")
    return constants


def parse_shared(text):
    """Offsets of the module's shared variables, and the bytes of those with a size."""
    offsets, size = {}, 0
    for match in re.finditer(r"(\.extern\s+)?\.shared\s+\.align\s+(\d+)\s+\.b8\s+([\w$]+)\[(\d+)\];", text):
        size = -(-size // int(match[2])) * int(match[2])
        offsets[match[3]] = size
        size += int(match[4])
    for match in re.finditer(r"\.extern\s+\.shared\s+\.align\s+(\d+)\s+\.b8\s+([\w$]+)\[\];", text):
        offsets[match[2]] = -(-size // 16) * 16
    return offsets, size


def body_of(text, begin):
    depth, at = 1, begin
    while depth:
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
    return text[begin:at - 1]


def declare_registers(kernel, text):
    match = re.match(r"\.reg\s+\.(\w+)\s+(.*)", text, re.S)
    for name in match[2].split(","):
        many = re.match(r"([%\w$]+)<\d+>", name.strip())
        kernel.registers[many[1] if many else name.strip()] = match[1]


def parse_statement(kernel, text):
    if text.startswith(".reg"):
        declare_registers(kernel, text)
        return
    if not text or text.startswith("."):
        return
    match = re.match(r"(?:@(!?)(%\w+)\s+)?([\w.:]+)\s*(.*)", text, re.S)
    parts = match[3].split(".")
    spaces = tuple(part.split("::")[0] for part in parts)
    kernel.code.append(Instruction(match[2], match[1] == "!", parts, split_operands(match[4]), spaces))


def parse_body(kernel, body):
    for match in re.finditer(r"\.local\s+\.align\s+(\d+)\s+\.b8\s+([\w$]+)\[(\d+)\];", body):
        offset = -(-kernel.local_bytes // int(match[1])) * int(match[1])
        kernel.local[match[2]] = offset
        kernel.local_bytes = offset + int(match[3])
    body = re.sub(r"\.local[^;]*;", "", body)
    # Scopes of registers: their names do not repeat.
    body = re.sub(r"(?m)^\s*\{\s*$|^\s*\}\s*$", "", body)
    body = re.sub(r"\{(\s*\.reg)", r"\1", body)
    for text in re.split(r";|(?<=:)\s*\n", body):
        text = text.strip()
        while label := re.match(r"([\w$]+):", text):
            kernel.labels[label[1]] = len(kernel.code)
            text = text[label.end():].strip()
        parse_statement(kernel, text.strip("{} \n\t") if text.startswith(("{", "}")) else text)


def granule_of(kernel):
    """The bytes that divide every access."""
    sizes = [16]
    for it in kernel.code:
        if it.parts[0] in ("ld", "st", "atom", "red") and "param" not in it.spaces:
            sizes.append(size_of(it.parts[-1]))
        elif it.parts[0] == "cp" and len(it.operands) > 2:
            sizes.append(4)
        elif it.parts[0] == "ldmatrix":
            sizes.append(16)
    return min(sizes)


def parse(text):
    """The kernels of a module, by name."""
    text = re.sub(r"//[^\n]*", "", text)
    constants, (shared, static) = parse_constants(text), parse_shared(text)
    kernels = {}
    for match in re.finditer(r"\.entry\s+([\w$]+)\s*\((.*?)\)(.*?)\{", text, re.S):
        kernel = Kernel(match[1], [], constants=constants, shared=shared, static_bytes=static)
        for param in match[2].split(","):
            found = re.match(r"\s*\.param\s+(?:\.align\s+\d+\s+)?\.(\w+).*?([\w$]+)(?:\[(\d+)\])?\s*$", param, re.S)
            if found:
                kernel.params.append((found[2], size_of(found[1]) * int(found[3] or 1)))
        parse_body(kernel, body_of(text, match.end()))
        kernel.granule = granule_of(kernel)
        kernels[kernel.name] = kernel
    return kernels
