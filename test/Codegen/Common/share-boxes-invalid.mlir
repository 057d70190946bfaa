// RUN: not tl-opt %s --tl-share-boxes=refuse=true 2>&1 | FileCheck %s

func.func @list() -> i64 {
  // CHECK: :[[@LINE+1]]:{{[0-9]+}}: error: a value whose structure is known only at run time is not supported on GPUs
  %list = tlrt.box.create 0
  %n = tlrt.box.size %list
  return %n : i64
}
