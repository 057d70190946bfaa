# RUN: env TORCHLITE_BUILD=%build TORCHLITE_CC=%cc %python %s
"""What every entry function has to get right: results, arguments, constants, errors, memory."""
import os
import sys

import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "Inputs"))
from harness import Module, Raised, close  # noqa: E402

f32 = np.float32
rng = np.random.default_rng(0)

PROGRAM = r'''
#id1 = affine_map<(i) -> (i)>
#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

func.func @add(%x: tensor<?x3xf32>, %y: tensor<?x3xf32>) -> tensor<?x3xf32>
    attributes {tl.method = "add"} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x3xf32>
  %e = tensor.empty(%n) : tensor<?x3xf32>
  %r = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<?x3xf32>, tensor<?x3xf32>) outs(%e : tensor<?x3xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x3xf32>
  return %r : tensor<?x3xf32>
}

// An argument returned twice, a constant, scalars.
func.func @pass_through(%x: tensor<2x2xf32>, %n: i64, %f: f64, %b: i1)
    -> (tensor<2x2xf32>, tensor<2x2xf32>, tensor<3xi64>, i64, f64, i1)
    attributes {tl.method = "pass_through"} {
  %c = arith.constant dense<[1, 2, 3]> : tensor<3xi64>
  %m = arith.addi %n, %n : i64
  %true = arith.constant true
  %nb = arith.xori %b, %true : i1
  return %x, %x, %c, %m, %f, %nb
      : tensor<2x2xf32>, tensor<2x2xf32>, tensor<3xi64>, i64, f64, i1
}

// The computed value twice, and the argument that a careless compiler overwrites.
func.func @twice(%x: tensor<5xf32>) -> (tensor<5xf32>, tensor<5xf32>, tensor<5xf32>)
    attributes {tl.method = "twice"} {
  %r = linalg.generic {indexing_maps = [#id1], iterator_types = ["parallel"]}
      outs(%x : tensor<5xf32>) {
  ^bb0(%a: f32):
    %s = arith.mulf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<5xf32>
  return %r, %r, %x : tensor<5xf32>, tensor<5xf32>, tensor<5xf32>
}

func.func @repeat(%x: tensor<4xf32>, %n: i64) -> tensor<4xf32> attributes {tl.method = "repeat"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %two = arith.constant 2.0 : f32
  %trips = arith.index_cast %n : i64 to index
  %r = scf.for %i = %c0 to %trips step %c1 iter_args(%h = %x) -> tensor<4xf32> {
    %e = tensor.empty() : tensor<4xf32>
    %d = linalg.generic {indexing_maps = [#id1, #id1], iterator_types = ["parallel"]}
        ins(%h : tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.mulf %a, %two : f32
      linalg.yield %s : f32
    } -> tensor<4xf32>
    scf.yield %d : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}

// Two carried values that change places in every iteration.
func.func @swap(%x: tensor<4xf32>, %y: tensor<4xf32>, %n: i64) -> (tensor<4xf32>, tensor<4xf32>)
    attributes {tl.method = "swap"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %trips = arith.index_cast %n : i64 to index
  %r:2 = scf.for %i = %c0 to %trips step %c1 iter_args(%a = %x, %b = %y)
      -> (tensor<4xf32>, tensor<4xf32>) {
    scf.yield %b, %a : tensor<4xf32>, tensor<4xf32>
  }
  return %r#0, %r#1 : tensor<4xf32>, tensor<4xf32>
}

// Grows by one row in each iteration: dynamic buffers that a loop carries must not leak.
func.func @grow(%x: tensor<?xf32>, %n: i64) -> tensor<?xf32> attributes {tl.method = "grow"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %seven = arith.constant 7.0 : f32
  %trips = arith.index_cast %n : i64 to index
  %r = scf.for %i = %c0 to %trips step %c1 iter_args(%h = %x) -> tensor<?xf32> {
    %size = tensor.dim %h, %c0 : tensor<?xf32>
    %more = arith.addi %size, %c1 : index
    %e = tensor.empty(%more) : tensor<?xf32>
    %f = linalg.fill ins(%seven : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    %g = tensor.insert_slice %h into %f[0] [%size] [1] : tensor<?xf32> into tensor<?xf32>
    scf.yield %g : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// Doubles until the first element is at least 100; the count is a scalar result.
func.func @until(%x: tensor<2xf32>) -> (tensor<2xf32>, i64) attributes {tl.method = "until"} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  %two = arith.constant 2.0 : f32
  %limit = arith.constant 100.0 : f32
  %r:2 = scf.while (%h = %x, %k = %zero) : (tensor<2xf32>, i64) -> (tensor<2xf32>, i64) {
    %v = tensor.extract %h[%c0] : tensor<2xf32>
    %c = arith.cmpf olt, %v, %limit : f32
    scf.condition(%c) %h, %k : tensor<2xf32>, i64
  } do {
  ^bb0(%h: tensor<2xf32>, %k: i64):
    %e = tensor.empty() : tensor<2xf32>
    %d = linalg.generic {indexing_maps = [#id1, #id1], iterator_types = ["parallel"]}
        ins(%h : tensor<2xf32>) outs(%e : tensor<2xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.mulf %a, %two : f32
      linalg.yield %s : f32
    } -> tensor<2xf32>
    %k1 = arith.addi %k, %one : i64
    scf.yield %d, %k1 : tensor<2xf32>, i64
  }
  return %r#0, %r#1 : tensor<2xf32>, i64
}

// A branch that allocates on one side only; the other side is an argument.
func.func @choose(%x: tensor<?xf32>, %b: i1) -> tensor<?xf32> attributes {tl.method = "choose"} {
  %c0 = arith.constant 0 : index
  %two = arith.constant 2.0 : f32
  %r = scf.if %b -> tensor<?xf32> {
    %n = tensor.dim %x, %c0 : tensor<?xf32>
    %e = tensor.empty(%n) : tensor<?xf32>
    %d = linalg.generic {indexing_maps = [#id1, #id1], iterator_types = ["parallel"]}
        ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = arith.mulf %a, %two : f32
      linalg.yield %s : f32
    } -> tensor<?xf32>
    scf.yield %d : tensor<?xf32>
  } else {
    scf.yield %x : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// Checks in a loop within a branch.
func.func @checked(%x: tensor<?xf32>, %limit: i64) -> f64 attributes {tl.method = "checked"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f64
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %some = arith.cmpi ne, %n, %c0 : index
  %r = scf.if %some -> f64 {
    %s = scf.for %i = %c0 to %n step %c1 iter_args(%sum = %zero) -> f64 {
      %k = arith.index_cast %i : index to i64
      %ok = arith.cmpi slt, %k, %limit : i64
      tl.check %ok, "row {} is not below {}" [%k, %limit : i64, i64] loc("model.py":12:4)
      %v = tensor.extract %x[%i] : tensor<?xf32>
      %w = arith.extf %v : f32 to f64
      %t = arith.addf %sum, %w : f64
      scf.yield %t : f64
    }
    scf.yield %s : f64
  } else {
    scf.yield %zero : f64
  }
  return %r : f64
}

// Weights above and below the size of the blob's constants, one of them used twice.
func.func @weights(%x: tensor<8x16xf32>) -> tensor<8x16xf32> attributes {tl.method = "weights"} {
  %w = arith.constant dense<WEIGHT> : tensor<16x16xf32>
  %v = arith.constant dense<WEIGHT> : tensor<16x16xf32>
  %small = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %c1 = arith.constant 1 : index
  %init = tensor.extract %small[%c1] : tensor<2xf32>
  %e = tensor.empty() : tensor<8x16xf32>
  %f = linalg.fill ins(%init : f32) outs(%e : tensor<8x16xf32>) -> tensor<8x16xf32>
  %m = linalg.matmul ins(%x, %w : tensor<8x16xf32>, tensor<16x16xf32>)
      outs(%f : tensor<8x16xf32>) -> tensor<8x16xf32>
  %n = linalg.matmul ins(%m, %v : tensor<8x16xf32>, tensor<16x16xf32>)
      outs(%f : tensor<8x16xf32>) -> tensor<8x16xf32>
  return %n : tensor<8x16xf32>
}

func.func @row_sums(%x: tensor<?x?xf32>) -> tensor<?xf32> attributes {tl.method = "row_sums"} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?x?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %r = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<?xf32>
  return %r : tensor<?xf32>
}

func.func @predicate(%x: tensor<?xf32>) -> tensor<?xi1> attributes {tl.method = "predicate"} {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xi1>
  %r = linalg.generic {indexing_maps = [#id1, #id1], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?xi1>) {
  ^bb0(%a: f32, %o: i1):
    %s = arith.cmpf ogt, %a, %zero : f32
    linalg.yield %s : i1
  } -> tensor<?xi1>
  return %r : tensor<?xi1>
}
'''


def main():
    weight = rng.standard_normal((16, 16), dtype=f32)
    rows = ", ".join("[" + ", ".join(f"{v:.9e}" for v in row) + "]" for row in weight)
    for cpu in ("native", "x86-64"):
        m = Module(PROGRAM.replace("WEIGHT", f"[{rows}]"), cpu=cpu)
        for n in (0, 1, 5, 1000):
            x, y = rng.standard_normal((2, n, 3), dtype=f32)
            close(m.call("add", x, y, results=[(f32, 2)])[0], x + y)
            assert m.total == 0

        x = rng.standard_normal((2, 2), dtype=f32)
        a, b, c, i, f, p = m.call("pass_through", x, -3, 1.5, True, results=[
            (f32, 2), (f32, 2), (np.int64, 1), int, float, bool])
        close(a, x, 0, 0), close(b, x, 0, 0), close(c, [1, 2, 3])
        assert (i, f, p) == (-6, 1.5, False)

        x = rng.standard_normal(5, dtype=f32)
        a, b, c = m.call("twice", x, results=[(f32, 1)] * 3)
        close(a, x * x), close(b, x * x), close(c, x, 0, 0)

        x, y = rng.standard_normal((2, 4), dtype=f32)
        for n in (0, 1, 2, 7):
            close(m.call("repeat", x, n, results=[(f32, 1)])[0], x * 2**n)
            assert m.total == 0, "a loop over a fixed size needs no dynamic memory"
            a, b = m.call("swap", x, y, n, results=[(f32, 1)] * 2)
            close(a, (x, y)[n % 2], 0, 0), close(b, (y, x)[n % 2], 0, 0)
            assert m.total == 0

        for n in (0, 1, 50):
            for size in (0, 3):
                x = rng.standard_normal(size, dtype=f32)
                close(m.call("grow", x, n, results=[(f32, 1)])[0],
                      np.concatenate([x, np.full(n, 7, f32)]))
                assert m.live == 0 and m.peak <= 3, (m.live, m.peak, m.total)

        x = np.array([1, 3], f32)
        a, k = m.call("until", x, results=[(f32, 1), int])
        close(a, x * 128), close(k, 7)
        assert m.total == 0

        for n in (0, 9):
            x = rng.standard_normal(n, dtype=f32)
            close(m.call("choose", x, True, results=[(f32, 1)])[0], 2 * x)
            assert m.live == 0
            close(m.call("choose", x, False, results=[(f32, 1)])[0], x, 0, 0)
            assert m.live == 0

        x = np.arange(6, dtype=f32)
        assert m.call("checked", x, 6, results=[float]) == [15.0]
        assert m.call("checked", x[:0], 0, results=[float]) == [0.0]
        try:
            m.call("checked", x, 4, results=[float])
            raise AssertionError("expected an error")
        except Raised as error:
            assert str(error) == "row 4 is not below 4 (model.py:12)", error

        x = rng.standard_normal((8, 16), dtype=f32)
        close(m.call("weights", x, results=[(f32, 2)])[0],
              (x @ weight + 2) @ weight + 2, rtol=1e-3, atol=1e-4)
        # Stored in panels of as many columns as the target's register tile has.
        stored = [m.object.count(weight.reshape(16, -1, width).transpose(1, 0, 2).tobytes())
                  for width in (4, 8, 16)]
        assert sum(stored) == 1, "equal weights are stored once"

        for shape in ((0, 5), (5, 0), (3, 1), (7, 1000)):
            x = rng.standard_normal(shape, dtype=f32)
            close(m.call("row_sums", x, results=[(f32, 1)])[0], x.sum(1), atol=1e-4)

        x = np.array([-1, 0, 1, np.nan, np.inf], f32)
        got = m.call("predicate", x, results=[(np.uint8, 1)])[0]
        assert got.tolist() == [0, 0, 1, 0, 1]


main()
