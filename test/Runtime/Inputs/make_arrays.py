"""Writes the .npy files that run.c reads."""
import pathlib
import sys

import numpy as np

folder = pathlib.Path(sys.argv[1])
np.save(folder / "vector.npy", np.arange(3, dtype=np.float32))
np.save(folder / "fortran.npy", np.asfortranarray(np.array([[1, 2], [3, 4]], np.float32)))
(folder / "short.npy").write_bytes((folder / "vector.npy").read_bytes()[:-1])
