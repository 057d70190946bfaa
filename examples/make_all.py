#!/usr/bin/env python3
"""Writes the archives of all examples.  usage: make_all.py OUTDIR [--small]"""
import pathlib
import sys

import torch

import bert_base
import conv_view
import loop_foo
import lstm_language_model
import mean_resnet18
import mixed
import mlp
import mobilenet_v2
import my_cell
import streaming_recogniser
import two_x_plus_y

SIZED = [mean_resnet18, mobilenet_v2, bert_base, lstm_language_model]
PLAIN = [two_x_plus_y, my_cell, loop_foo, conv_view, mixed, streaming_recogniser, mlp]


def main():
    torch.set_num_threads(2)
    arguments = sys.argv[1:]
    for module in PLAIN + SIZED:
        sys.argv = [module.__file__] + [a for a in arguments if a != "--small" or module in SIZED]
        module.main()


if __name__ == "__main__":
    main()
