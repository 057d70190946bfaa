"""Makes a failing program smaller, as long as it fails in the same way."""
import dataclasses
import re

import torch

from .execute import check
from .generate import archived
from .programs import make_arguments
from .tensors import Spec


def replace_name(text, old, new):
    return re.sub(rf"\b{old}\b", new, text)


def without_statement(program, number, substitute):
    name = program.statements[number].name
    statements = [dataclasses.replace(s, text=replace_name(s.text, name, substitute))
                  for i, s in enumerate(program.statements) if i != number]
    return dataclasses.replace(program, statements=statements,
                               results=[substitute if r == name else r for r in program.results])


def candidates(program):
    """Smaller programs, those that leave out most first."""
    names = [s.name for s in program.statements]
    for number, name in enumerate(names[:-1]):
        yield dataclasses.replace(program, statements=program.statements[:number + 1], results=[name])
    if len(program.results) > 1:
        for result in program.results:
            yield dataclasses.replace(program, results=[result])
    for number in range(len(names)):
        for substitute in [*reversed(names[:number]), "a"]:
            yield without_statement(program, number, substitute)
    for number in range(len(program.calls) - 1, 0, -1):
        yield dataclasses.replace(program, calls=program.calls[:number] + program.calls[number + 1:])
    if any(program.dynamic):
        # All of one size: static; else without one dimension.
        for number, dims in enumerate(program.dynamic):
            for dim in dims:
                dynamic = [list(d) for d in program.dynamic]
                dynamic[number].remove(dim)
                if all(isinstance(c[number], int) or c[number].shape[dim] == program.calls[0][number].shape[dim]
                       for c in program.calls):
                    yield dataclasses.replace(program, dynamic=dynamic)
        yield dataclasses.replace(program, calls=program.calls[-1:])
    for change in ({"layout": "contiguous"}, {"kind": "normal"}):
        calls = [[v if not isinstance(v, Spec) or v.kind == "index" else dataclasses.replace(v, **change) for v in c]
                 for c in program.calls]
        if calls != program.calls:
            yield dataclasses.replace(program, calls=calls)
    if program.scripted:
        yield dataclasses.replace(program, scripted=False)


def runs(program):
    """Whether LibTorch takes it."""
    try:
        with torch.no_grad():
            archived(program)(*make_arguments(program.calls[0]))
        return True
    except Exception:  # pylint: disable=broad-except
        return False


def shrink(program, kind, setting, attempts=60):
    """The smallest program found that fails with `kind`, and how it fails."""
    outcome = None
    while attempts > 0:
        for candidate in candidates(program):
            candidate = candidate.used()
            if not runs(candidate):
                continue
            attempts -= 1
            found = [o for o in check([candidate], setting).outcomes if o.kind == kind]
            if found:
                program, outcome = candidate, found[0]
                break
            if attempts <= 0:
                break
        else:
            break
    return program, outcome
