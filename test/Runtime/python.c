/* The Python binding on a device.
   RUN: %cc -shared -fPIC -g %S/Inputs/fake_cuda.c -lm -o %t.cuda.so
   RUN: %cc -shared -fPIC %s %cuda_sources %runtime -o %t.so
   RUN: env PYTHONPATH=%source/python TORCHLITE_LIBCUDA=%t.cuda.so %python %S/Inputs/device.py %t.so \
   RUN:   | FileCheck %s
   CHECK: there is no cuda:7 here, only cuda:0 to cuda:1
   CHECK: fake: compiled for cpu, cuda, not for emulated
   CHECK: 'gpu' is not cpu, cuda, cuda:N or emulated
*/
#include "FakeDeviceModel.h"

TL_API const tl_model *tl_library_model(void) { return &device_model; }
