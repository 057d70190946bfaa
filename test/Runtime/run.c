/* The command line of compiled executables: values, files, results, bad input.
   RUN: %cc -fsanitize=address,undefined -fno-sanitize-recover=all %s %run_sources %runtime -o %t
   RUN: rm -rf %t.dir && mkdir -p %t.dir

   RUN: %t --help | FileCheck %s --check-prefix=HELP
   HELP: forward(x: ?x3xf32, scale: float) -> (?x3xf32, float)
   HELP: --input=VALUE

   RUN: %t --input='2x3xf32=1 2 3 4 5 -6.5e0' --input=3 | FileCheck %s --check-prefix=FORWARD
   FORWARD: (2x3xf32=3 6 9 12 15 -19.5, 8.5)
   RUN: %t --input=2x3xf32=0.5 --input 2.5 | FileCheck %s --check-prefix=SPLAT
   SPLAT: (2x3xf32=1.25 1.25 1.25 1.25 1.25 1.25, 3.0)
   RUN: %t --input=0x3xf32=1 --input=inf | FileCheck %s --check-prefix=EMPTY
   EMPTY: (0x3xf32=, 0.0)

   RUN: %t --call='twice(2x2xf32=1 2 3 4, "fast", none)' --call='calls()' \
   RUN:    --call='nested({"b": [-40, true], "a": 2xf32= 1 nan })' | FileCheck %s --check-prefix=CALLS
   CALLS: 2x2xf32=2 4 6 8
   CALLS-NEXT: 5
   CALLS-NEXT: {"sum": -39, "list": [2xf32=1 nan, none], "three": 3}

   RUN: %python %S/Inputs/make_arrays.py %t.dir
   RUN: %t --call='increment(@%t.dir/vector.npy)' --call='twice(@%t.dir/fortran.npy)' \
   RUN:    --call='forward(2x3xf32=rand, nan)' --output-dir=%t.dir/out
   RUN: %python %S/Inputs/check_arrays.py %t.dir/out
   RUN: %t --call='twice(@"%t.dir/fortran.npy")' --benchmark | FileCheck %s --check-prefix=BENCH
   BENCH: twice: minimum {{.*}} us, median {{.*}} us, 99th percentile {{.*}} us

   RUN: not %t --input=2x3xf32=1,2 2>&1 | FileCheck %s --check-prefix=E1
   E1: error: cannot read the value '2x3xf32=1,2' at ',2': expected the end of the value
   RUN: not %t --input='2x3xf32=1 2' 2>&1 | FileCheck %s --check-prefix=E2
   E2: error: cannot read the value '2x3xf32=1 2': expected 6 elements (or one for all), got 2
   RUN: not %t --input=2x3xi8=300 2>&1 | FileCheck %s --check-prefix=E3
   E3: an element that the type cannot hold
   RUN: not %t --input=@%t.dir/nothing.npy 2>&1 | FileCheck %s --check-prefix=E4
   E4: nothing.npy: No such file or directory
   RUN: not %t --input=@%s 2>&1 | FileCheck %s --check-prefix=E5
   E5: run.c: not a .npy file
   RUN: not %t --input=@%t.dir/short.npy 2>&1 | FileCheck %s --check-prefix=E6
   E6: short.npy: the file ends before its elements do
   RUN: not %t --input=@%t.dir/vector.npy:bf16 2>&1 | FileCheck %s --check-prefix=E7
   E7: vector.npy: element type '<f4' cannot be read as bf16
   RUN: not %t --call='nothing()' 2>&1 | FileCheck %s --check-prefix=E8
   E8: fake: no method 'nothing'; the model has 'forward'
   RUN: not %t --call='check(-3)' --output-dir=%t.dir/failed 2>&1 | FileCheck %s --check-prefix=E9
   E9: error: n must not be negative, is -3
   RUN: not ls %t.dir/failed
   RUN: not %t --call='check(1)' --output-dir=/proc/nothing 2>&1 | FileCheck %s --check-prefix=E10
   E10: error: /proc/nothing: cannot be made
   RUN: not %t --sideways 2>&1 | FileCheck %s --check-prefix=E11
   E11: error: unknown argument '--sideways'; see --help
   RUN: not %t --threads=many 2>&1 | FileCheck %s --check-prefix=E12
   E12: error: --threads: expected a number from 0 to 1024, got 'many'
   RUN: %t --device=cpu --call='calls()' | FileCheck %s --check-prefix=CPU
   CPU: 5
   RUN: not %t --device=gpu --call='calls()' 2>&1 | FileCheck %s --check-prefix=D1
   D1: error: --device: expected cpu, cuda, cuda:N or emulated, got 'gpu'
   RUN: not %t --device=cuda:x --call='calls()' 2>&1 | FileCheck %s --check-prefix=D2
   D2: error: --device: expected cpu, cuda, cuda:N or emulated, got 'cuda:x'
   RUN: not %t --device=cuda:1 --call='calls()' 2>&1 | FileCheck %s --check-prefix=D3
   D3: error: fake: compiled for cpu, not for cuda; compile it with --target=cpu,cuda, or run it on
   cpu
   RUN: not %t '--call=twice([1, 2' 2>&1 | FileCheck %s --check-prefix=E13
   E13: expected ',' or the closing bracket
   RUN: not %t '--call=twice("x)' 2>&1 | FileCheck %s --check-prefix=E14
   E14: a text that does not end with '"'
   RUN: not %t '--call=twice({"a"})' '--input=3' 2>&1 | FileCheck %s --check-prefix=E15
   E15: error: --input gives the arguments of forward, and --call names a method with its own
   RUN: not %t '--input=bogus' 2>&1 | FileCheck %s --check-prefix=E16
   E16: cannot read the value 'bogus' at 'bogus': expected a value, such as 3, 1.5, true
   RUN: not %t '--input=2x3xf32=1' 2>&1 | FileCheck %s --check-prefix=E17
   E17: forward: no compiled variant takes (tensor 2x3xf32); compiled:
*/
#include "Run.h"
#include "FakeModel.h"

int main(int argc, char **argv) { return tl_run_main(&fake_model, argc, argv); }
