# Row kernels of many lengths to machine code: shuffles, accesses of 128 bits where rows are aligned,
# one load of an element however many reductions read it, and nothing that spills.
# RUN: %python %s %build sm_80
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "Inputs"))
from machine_code import compile_kernels  # noqa: E402

EXPONENTIAL = """
  %m = linalg.generic {indexing_maps = [#element, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : ELEMENTS) outs(%low : ROWS) {
  ^bb0(%in: f32, %acc: f32):
    %r = arith.maximumf %acc, %in : f32
    linalg.yield %r : f32
  } -> ROWS
  %e = linalg.generic {indexing_maps = [#element, #row, #element], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : ELEMENTS, ROWS) outs(%empty : ELEMENTS) {
  ^bb0(%in: f32, %top: f32, %out: f32):
    %d = arith.subf %in, %top : f32
    %r = math.exp %d : f32
    linalg.yield %r : f32
  } -> ELEMENTS
"""
SQUARES = """
  %e = linalg.generic {indexing_maps = [#element, #element], iterator_types = ["parallel", "parallel"]}
      ins(%x : ELEMENTS) outs(%empty : ELEMENTS) {
  ^bb0(%in: f32, %out: f32):
    %r = arith.mulf %in, %in : f32
    linalg.yield %r : f32
  } -> ELEMENTS
"""
# Softmax, or each square's share in the sum of squares.
PROGRAM = """
#element = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>
func.func @forward(%x: ELEMENTS) -> ELEMENTS attributes {tl.method = "forward", tl.variant = 0 : i64} {
  %inf = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : ELEMENTS
  %rows = tensor.empty() : ROWS
  %low = linalg.fill ins(%inf : f32) outs(%rows : ROWS) -> ROWS
  %start = linalg.fill ins(%zero : f32) outs(%rows : ROWS) -> ROWS
  MIDDLE
  %s = linalg.generic {indexing_maps = [#element, #row], iterator_types = ["parallel", "reduction"]}
      ins(%e : ELEMENTS) outs(%start : ROWS) {
  ^bb0(%in: f32, %acc: f32):
    %r = arith.addf %acc, %in : f32
    linalg.yield %r : f32
  } -> ROWS
  %y = linalg.generic {indexing_maps = [#element, #row, #element], iterator_types = ["parallel", "parallel"]}
      ins(%e, %s : ELEMENTS, ROWS) outs(%empty : ELEMENTS) {
  ^bb0(%in: f32, %sum: f32, %out: f32):
    %r = arith.divf %in, %sum : f32
    linalg.yield %r : f32
  } -> ELEMENTS
  return %y : ELEMENTS
}
"""


def main():
    build, arch = sys.argv[1:]
    for name, middle in (("softmax", EXPONENTIAL), ("squares", SQUARES)):
        for length in (32, 100, 127, 768, 1024, 1030, 3072, 4096, 30522, 32768, 65536, "?"):
            text = PROGRAM.replace("MIDDLE", middle)
            text = text.replace("ELEMENTS", f"tensor<1000x{length}xf32>").replace("ROWS", "tensor<1000xf32>")
            if length == "?":
                text = text.replace("%empty = tensor.empty()",
                                    "%c1 = arith.constant 1 : index\n"
                                    f"  %n = tensor.dim %x, %c1 : tensor<1000x?xf32>\n"
                                    "  %empty = tensor.empty(%n)")
            check(build, arch, f"{name} of {length}", text, length)


def check(build, arch, name, text, length):
    ptx, (remark,) = compile_kernels(build, name, text, arch, strategy="rows")
    counts = {what: len(re.findall(pattern, ptx)) for what, pattern in (
        ("shuffles", r"shfl\.sync\.bfly"), ("loads", r"ld\.global"), ("wide loads", r"ld\.global\S*\.v4"),
        ("stores", r"st\.global"), ("wide stores", r"st\.global\S*\.v4"))}
    print(f"{name}: {remark}; {counts}")
    if not counts["shuffles"]:
        sys.exit(f"{name} has no shuffles")
    if length != "?" and length % 4 == 0 and not counts["wide loads"] == counts["loads"]:
        sys.exit(f"{name} has narrow loads")
    if length != "?" and length % 4 == 0 and not counts["wide stores"] == counts["stores"]:
        sys.exit(f"{name} has narrow stores")
    if length != "?" and length <= 32768 and counts["loads"] != counts["stores"]:
        sys.exit(f"{name} loads elements more than once")


if __name__ == "__main__":
    main()
