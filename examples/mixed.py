#!/usr/bin/env python3
"""Tracing and scripting mixed, both ways.

A scripted function that calls a traced one, and a traced function that calls a scripted one, whose
branch depends on its inputs' values and is decided at every call.
"""
import torch

from common import output_folder, save


def add_twice(x, y):
    return 2 * x + y


traced_add = torch.jit.trace(add_twice, (torch.rand(3), torch.rand(3)))


@torch.jit.script
def scripted_calls_traced(x, y):
    return traced_add(x, y) + y


@torch.jit.script
def choose(x, y):
    if x.max() > y.max():
        r = x
    else:
        r = y
    return r


def call_choose(x, y, z):
    return choose(x, y) + z


def main():
    folder, _ = output_folder(__doc__)
    save(scripted_calls_traced, folder / "scripted_calls_traced.pt")
    inputs = torch.rand(3), torch.rand(3), torch.rand(3)
    save(torch.jit.trace(call_choose, inputs), folder / "traced_calls_scripted.pt")


if __name__ == "__main__":
    main()
