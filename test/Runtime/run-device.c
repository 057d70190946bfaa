/* The command line of an executable that is compiled for the CPU and for CUDA.
   RUN: %cc -shared -fPIC -g -fsanitize=address %S/Inputs/fake_cuda.c -lm -o %t.so
   RUN: %cc -fsanitize=address,undefined -fno-sanitize-recover=all %s %cuda_sources %run_sources %runtime -o %t

   RUN: env TORCHLITE_LIBCUDA=%t.so %t --device=cuda:1 --call='affine(2x3xf32=1 2 3 4 5 6, 3)' \
   RUN:     --call='advance(2xf32=1 2)' --call='advance(2xf32=1 2)' --call='tick()' \
   RUN:   | FileCheck %s --check-prefix=CUDA
   CUDA: (2x3xf32=13 26 39 52 65 78, 4.0)
   CUDA-NEXT: 2xf32=101 202
   CUDA-NEXT: 2xf32=102 204
   CUDA-NEXT: 8
   RUN: env TORCHLITE_LIBCUDA=%t.so %t --device=cuda --benchmark --call='affine(2x3xf32=1, 3)' \
   RUN:   | FileCheck %s --check-prefix=BENCH
   BENCH: affine: minimum {{.*}} us, median
   RUN: env TORCHLITE_LIBCUDA=%t.so %t --call='affine(2x3xf32=1 2 3 4 5 6, 3)' \
   RUN:   | FileCheck %s --check-prefix=DEFAULT
   DEFAULT: (2x3xf32=13 26 39 52 65 78, 4.0)

   RUN: env TORCHLITE_LIBCUDA=%t.so not %t --device=cuda:7 --call='tick()' 2>&1 \
   RUN:   | FileCheck %s --check-prefix=E1
   E1: error: there is no cuda:7 here, only cuda:0 to cuda:1
   RUN: env TORCHLITE_LIBCUDA=/nowhere.so not %t --device=cuda --call='tick()' 2>&1 \
   RUN:   | FileCheck %s --check-prefix=E2
   E2: error: no NVIDIA driver: /nowhere.so: cannot open
   RUN: not %t --device=emulated --call='tick()' 2>&1 | FileCheck %s --check-prefix=E3
   E3: error: fake: compiled for cpu, cuda, not for emulated
*/
#include "FakeDeviceModel.h"
#include "Run.h"

int main(int argc, char **argv) { return tl_run_main(&device_model, argc, argv); }
