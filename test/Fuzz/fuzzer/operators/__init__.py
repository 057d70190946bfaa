"""Operators that a program may consist of, a family a file.

An operator is a function `f(g, x)`: `g` draws (see `Builder` in generate.py), `x` is the tensor that it is
given. It returns an expression in which `{x}` stands for the tensor, or None where it does not apply. An
expression that PyTorch refuses is drawn again, so operators need not be careful.
"""
import importlib

FAMILIES = ("pointwise", "layout", "reduce", "contract", "search", "control", "alias")
_operators = {name: [] for name in FAMILIES}


def operator(family, weight=1, scripted=False):
    """Adds a function to a family. `scripted`: it has control flow, which tracing would lose."""
    def add(function):
        _operators[family].append((function, weight, scripted))
        return function
    return add


def load_families():
    for name in FAMILIES:
        importlib.import_module(f"{__name__}.{name}")
    return _operators
