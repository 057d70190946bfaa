#!/usr/bin/env python3
"""A scripted function with a loop and a branch whose trip count is an argument."""
import torch

from common import output_folder, save


@torch.jit.script
def foo(len: int):
    rv = torch.zeros(3, 4)
    for i in range(len):
        if i < 10:
            rv = rv - 1.0
        else:
            rv = rv + 1.0
    return rv


def main():
    folder, _ = output_folder(__doc__)
    save(foo, folder / "loop_foo.pt")


if __name__ == "__main__":
    main()
