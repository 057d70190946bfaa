"""What the example scripts share: their command line."""
import argparse
import pathlib

import torch


def output_folder(description, small=False):
    """Parses `OUTDIR [--small]`, seeds PyTorch, and returns (folder, small)."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("outdir", type=pathlib.Path, help="folder for the .pt files")
    if small:
        parser.add_argument("--small", action="store_true",
                            help="the same architecture at a size for quick tests")
    arguments = parser.parse_args()
    arguments.outdir.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    return arguments.outdir, getattr(arguments, "small", False)


def settle_batch_norm(module, *inputs, passes=3):
    """Runs the module in training mode so that its batch norms have real statistics."""
    module.train()
    with torch.no_grad():
        for _ in range(passes):
            module(*[torch.randn_like(x) if x.is_floating_point() else x for x in inputs])
    return module.eval()


def save(module, path):
    """Saves a script module or function, and says so."""
    torch.jit.save(module, str(path))
    print(f"{path}  {path.stat().st_size / 1e6:.2f} MB")
