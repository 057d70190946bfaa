#!/usr/bin/env python3
"""The smallest model: torch.jit.trace of foo(x, y) = 2 * x + y."""
import torch

from common import output_folder, save


def foo(x, y):
    return 2 * x + y


def main():
    folder, _ = output_folder(__doc__)
    save(torch.jit.trace(foo, (torch.rand(3), torch.rand(3))), folder / "two_x_plus_y.pt")


if __name__ == "__main__":
    main()
