# Sorting, scans, searches and loops of scalar code to machine code: nothing that spills.
# RUN: %python %s %build sm_80
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "Inputs"))
from machine_code import compile_kernels  # noqa: E402

SORT = """
func.func @forward(%x: tensor<SHAPExTYPE>) -> tensor<SHAPExi64> ENTRY {
  %n = tensor.dim %x, %c1 : tensor<SHAPExTYPE>
  %empty = tensor.empty(SIZES) : tensor<SHAPExi64>
  %y = tlrt.argsort dim 1 descending ins(%x : tensor<SHAPExTYPE>) outs(%empty : tensor<SHAPExi64>)
  return %y : tensor<SHAPExi64>
}
"""
SCAN = """
func.func @forward(%x: tensor<SHAPExTYPE>) -> tensor<SHAPExTYPE> ENTRY {
  %n = tensor.dim %x, %c1 : tensor<SHAPExTYPE>
  %empty = tensor.empty(SIZES) : tensor<SHAPExTYPE>
  %y = tlrt.scan KIND dim DIM in COMPUTED ins(%x : tensor<SHAPExTYPE>) outs(%empty : tensor<SHAPExTYPE>)
  return %y : tensor<SHAPExTYPE>
}
"""
NONZERO = """
func.func @forward(%x: tensor<SHAPExTYPE>, %count: i64) -> tensor<?x2xi64> ENTRY {
  %n = arith.index_cast %count : i64 to index
  %empty = tensor.empty(%n) : tensor<?x2xi64>
  %y = tlrt.nonzero ins(%x : tensor<SHAPExTYPE>) outs(%empty : tensor<?x2xi64>)
  return %y : tensor<?x2xi64>
}
"""
SCATTER = """
func.func @forward(%x: tensor<SHAPExTYPE>, %i: tensor<SHAPExi64>) -> tensor<SHAPExTYPE> ENTRY {
  %n = tensor.dim %x, %c1 : tensor<SHAPExTYPE>
  %c64 = arith.constant 64 : index
  %y = scf.for %a = %c0 to %c64 step %c1 iter_args(%t = %x) -> (tensor<SHAPExTYPE>) {
    %z = scf.for %b = %c0 to %n step %c1 iter_args(%u = %t) -> (tensor<SHAPExTYPE>) {
      %position = tensor.extract %i[%a, %b] : tensor<SHAPExi64>
      %column = arith.index_cast %position : i64 to index
      %old = tensor.extract %u[ROW, COLUMN] : tensor<SHAPExTYPE>
      %sum = arith.addf %old, %old : TYPE
      %w = tensor.insert %sum into %u[ROW, COLUMN] : tensor<SHAPExTYPE>
      scf.yield %w : tensor<SHAPExTYPE>
    }
    scf.yield %z : tensor<SHAPExTYPE>
  }
  return %y : tensor<SHAPExTYPE>
}
"""
CONSTANTS = """ attributes {tl.method = "forward", tl.variant = 0 : i64} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
"""


def cases():
    """Name, text, and what the code must have, as regular expressions of PTX."""
    for kind, computed in (("f32", "f64"), ("f64", "f64"), ("f16", "f32"), ("i64", "i64"), ("i8", "i8")):
        # How rows are divided does not depend on the type.
        for length in (20, 256, 2048, 100000, "?") if kind == "f32" else (2048, "?"):
            def fill(text, **values):
                text = text.replace(" ENTRY {\n", CONSTANTS)
                for word, value in {"SIZES": "%n" if length == "?" else "", **values,
                                    "SHAPE": f"64x{length}", "TYPE": kind}.items():
                    text = text.replace(word, value)
                return text
            where = f"64x{length} of {kind}"
            isShared = length != "?" and length <= 2048
            yield (f"sort {where}", fill(SORT), [r"bar\.sync", r"st\.shared"] if isShared else [r"st\.global\S*64"])
            isFloat = kind.startswith("f")
            sums = "addf" if isFloat else "addi"
            yield (f"scan {where}", fill(SCAN, KIND=sums, DIM="1", COMPUTED=computed), [r"shfl\.sync\.up"])
            yield f"columns {where}", fill(SCAN, KIND=sums, DIM="0", COMPUTED=computed), [r"st\.global"]
            yield (f"products {where}", fill(SCAN, KIND="mulf" if isFloat else "muli", DIM="1", COMPUTED=computed),
                   [r"st\.global"])
            yield f"nonzero {where}", fill(NONZERO), [r"shfl\.sync\.up", r"bar\.sync"]
            if isFloat:
                yield f"rows {where}", fill(SCATTER, ROW="%a", COLUMN="%column"), [r"\.reqntid 128"]
                yield f"elements {where}", fill(SCATTER, ROW="%column", COLUMN="%c0"), [r"\.reqntid 1,"]


def main():
    build, arch = sys.argv[1:]
    for name, text, wanted in cases():
        ptx, remarks = compile_kernels(build, name, text, arch)
        print(f"{name}: {remarks}")
        for pattern in wanted:
            if not re.search(pattern, ptx):
                sys.exit(f"{name}: expected {pattern} in:\n{ptx}")


if __name__ == "__main__":
    main()
