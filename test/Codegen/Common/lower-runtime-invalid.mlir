// RUN: tl-opt %s --tl-lower-runtime -split-input-file -verify-diagnostics

func.func @parallel(%n: index) {
  tlrt.parallel_for @body to %n ()
  return
}
func.func private @body(%begin: index, %end: index) {
  // expected-error @below {{not supported in a parallel region}}
  %a = memref.alloc(%end) : memref<?xf32>
  return
}
