// The tables that describe a model, and a program made of them and the runtime.
// RUN: tl-opt %s --tl-emit-descriptor="name=double features=sse3" -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: mlir-translate --mlir-to-llvmir %t.mlir -o %t.ll
// RUN: %cc -Wno-override-module -x ir %t.ll -x none %build/lib/torchlite/libTorchLiteMain.a %build/lib/torchlite/libTorchLiteRun.a %build/lib/torchlite/libTorchLiteRuntime.a -lm -lpthread -o %t.exe
// RUN: %t.exe --help | FileCheck %s --check-prefix=HELP
// RUN: %t.exe --input=21 | FileCheck %s --check-prefix=FORWARD
// RUN: %t.exe --call='pair({"k": 3}, 1.5, none, true, "cpu", [3xf32=1, (7,)])' | FileCheck %s --check-prefix=PAIR
// RUN: not %t.exe --input=2.5 2>&1 | FileCheck %s --check-prefix=ERROR

// CHECK-NOT: tl.
// CHECK: llvm.func internal @forward_0(%{{.*}}: !llvm.ptr)
// CHECK-DAG: llvm.mlir.global internal constant @{{.*}}("forward\00")
// CHECK-DAG: llvm.mlir.global internal constant @tl_descriptor()
// CHECK-DAG: llvm.mlir.global external constant @tl_runtime()
// CHECK: llvm.func @double_model() -> !llvm.ptr
// CHECK: llvm.func weak @tl_library_model() -> !llvm.ptr

// HELP: Runs the compiled model 'double', which offers:
// HELP-NEXT: forward(n: int) -> int
// HELP-NEXT: pair(d: {"k": int}, f: 1.5, o: none, b: true, device: "cpu", l: [3xf32, (int,)]) -> (float, [int, 7], {"a": none})
// HELP-NEXT: many(n: int) -> [2x?xf32, ...]
// FORWARD: {{^}}42{{$}}
// PAIR: (0.5, [3, 7], {"a": none})
// ERROR: forward: argument 0 'n': expected int, got float 2.5

llvm.func @forward_0(%frame: !llvm.ptr)
    attributes {tl.method = "forward", tl.variant = 0 : i64,
                tl.arguments = [{name = "n", type = i64}], tl.result = i64,
                tl.operands = [{type = i64}], tl.results = [{type = i64}]} {
  %args = llvm.load %frame : !llvm.ptr -> !llvm.ptr
  %n = llvm.load %args : !llvm.ptr -> i64
  %twice = llvm.add %n, %n : i64
  %field = llvm.getelementptr %frame[8] : (!llvm.ptr) -> !llvm.ptr, i8
  %results = llvm.load %field : !llvm.ptr -> !llvm.ptr
  llvm.store %twice, %results : i64, !llvm.ptr
  llvm.return
}

llvm.func @pair_1(%frame: !llvm.ptr)
    attributes {tl.method = "pair", tl.variant = 1 : i64, tl.arena_bytes = 128 : i64,
                tl.arguments = [{name = "d", type = {dict = [["k", i64]]}},
                                {name = "f", type = 1.5 : f64}, {name = "o", type = #tl.none},
                                {name = "b", type = true}, {name = "device", type = "cpu"},
                                {name = "l", type = {list = [tensor<3xf32>, {tuple = [i64]}]}}],
                tl.result = {tuple = [f64, {list = [i64, 7 : i64]}, {dict = [["a", #tl.none]]}]},
                tl.operands = [{type = i64}, {type = tensor<3xf32>}, {type = i64}],
                tl.results = [{type = f64}, {type = i64}]} {
  %args = llvm.load %frame : !llvm.ptr -> !llvm.ptr
  %n = llvm.load %args : !llvm.ptr -> i64
  %half = llvm.mlir.constant(0.5 : f64) : f64
  %field = llvm.getelementptr %frame[8] : (!llvm.ptr) -> !llvm.ptr, i8
  %results = llvm.load %field : !llvm.ptr -> !llvm.ptr
  llvm.store %half, %results : f64, !llvm.ptr
  %second = llvm.getelementptr %results[16] : (!llvm.ptr) -> !llvm.ptr, i8
  llvm.store %n, %second : i64, !llvm.ptr
  llvm.return
}

// A list of any length is one leaf.
llvm.func @many_2(%frame: !llvm.ptr)
    attributes {tl.method = "many", tl.variant = 2 : i64,
                tl.arguments = [{name = "n", type = i64}], tl.result = {list_of = [tensor<2x?xf32>]},
                tl.operands = [{type = i64}], tl.results = [{type = tensor<?x2x?xf32>}]} {
  llvm.return
}
