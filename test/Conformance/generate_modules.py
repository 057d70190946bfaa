#!/usr/bin/env python3
"""Writes conformance cases of PyTorch's module database: every `torch.nn` module, scripted and traced.

Walks `torch.testing._internal.common_modules.module_db`. Each module is made with the arguments of its
samples, in evaluation and in training mode, and becomes up to four cases:

  script, script-train   the module itself, by `torch.jit.script`; where all it is called with are tensors
  trace, trace-train     the module and the sample's other arguments, by `torch.jit.trace`

Folder, manifest and reasons for no case are those of generate.py; the operator's name is the module's.
"""
import argparse
import hashlib
import pathlib
import random
import re
import signal
import sys
import warnings

import torch

import generate


class Call:
    """A module's sample in the form of an operator's."""

    def __init__(self, forward):
        self.input, *self.args = forward.args if forward.args else (None,)
        self.kwargs = forward.kwargs


class ModuleSample(generate.Sample):
    def only_tensors(self):
        """Whether the call has nothing but tensors, none of them by name."""
        return len(self.positions) == len(self.leaves) and self.spec.child(2).num_leaves == 0


def scripted(module, sample):
    if not sample.only_tensors():
        raise generate.Skip("not scriptable: arguments that are no tensors")
    try:
        return torch.jit.script(module)
    except Exception as error:
        raise generate.Skip(f"not scriptable: {generate.first_line(error)}") from None


def traced(module, sample):
    wrapper = generate.Wrapper(module, sample)
    wrapper.training = module.training  # the module's own mode stays
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(wrapper, sample.fresh(), check_trace=False, strict=False)


def write_module(generator, info, dtype_name, wanted):
    for training in (False, True):
        seed = int(hashlib.sha256(f"{info.name} {dtype_name}".encode()).hexdigest()[:8], 16)
        torch.manual_seed(seed)
        random.seed(seed)
        inputs = list(info.module_inputs_func(info, "cpu", generate.DTYPES[dtype_name], requires_grad=False,
                                              training=training))
        for index in generate.spread(len(inputs), wanted):
            raw = inputs[index]
            if raw.forward_input is None:
                continue
            try:
                sample = ModuleSample(Call(raw.forward_input))
            except generate.Skip as skip:
                generator.line({"op": info.name, "dtype": dtype_name, "sample": index, "skipped": str(skip)})
                continue
            arguments = raw.constructor_input
            module = info.module_cls(*arguments.args, **arguments.kwargs).to(generate.DTYPES[dtype_name])
            module.train(training)
            if any(isinstance(p, torch.nn.UninitializedParameter) for p in module.parameters()):
                with torch.no_grad():
                    first, args, kwargs = sample.rebuild(sample.fresh())
                    module(first, *args, **kwargs)
            suffix = "-train" if training else ""
            generator.attempt(info.name, "script" + suffix, dtype_name, index,
                              lambda m=module, s=sample: scripted(m, s), sample, module)
            generator.attempt(info.name, "trace" + suffix, dtype_name, index,
                              lambda m=module, s=sample: traced(m, s), sample, module)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=pathlib.Path, required=True, help="folder to write")
    parser.add_argument("--samples", type=int, default=2, help="samples per module and mode; 0 takes all of them")
    parser.add_argument("--only", default="", help="regular expression of module names")
    parser.add_argument("--dtypes", default="f32", help="element types")
    parser.add_argument("--shard", default="0/1", help="i/n: every n-th module, from the i-th")
    options = parser.parse_args()
    signal.signal(signal.SIGALRM, generate.on_alarm)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    from torch.testing._internal.common_modules import module_db

    shard, shards = (int(n) for n in options.shard.split("/"))
    generator = generate.Generator(options)
    with torch.no_grad():
        for position, info in enumerate(module_db):
            if position % shards == shard and re.search(options.only, info.name):
                for dtype_name in options.dtypes.split(","):
                    write_module(generator, info, dtype_name, options.samples)
    generator.data.file.close()
    generator.manifest.close()
    print(f"{generator.count} cases in {options.output}", file=sys.stderr)


if __name__ == "__main__":
    main()
