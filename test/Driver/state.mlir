// State slots: their types by state signature and their first values.
// RUN: tl-opt %s --tl-emit-descriptor="name=counter" -o %t.mlir
// RUN: FileCheck %s < %t.mlir
// RUN: mlir-translate --mlir-to-llvmir %t.mlir -o %t.ll
// RUN: %cc -Wno-override-module -x ir %t.ll -x none %build/lib/torchlite/libTorchLiteMain.a %build/lib/torchlite/libTorchLiteRun.a %build/lib/torchlite/libTorchLiteRuntime.a -lm -lpthread -o %t.exe
// RUN: %t.exe --call='next()' --call='next()' --call='next()' | FileCheck %s --check-prefix=OUT

// CHECK-NOT: tl.state
// CHECK: llvm.mlir.global internal constant @tl_descriptor()

// The count starts at 40; the hidden value appears with the second signature.
// OUT: (40, 0)
// OUT-NEXT: (41, 1)
// OUT-NEXT: (42, 1)

tl.state @s0 "count" [i64, i64] initial 40 : i64
tl.state @s1 "hidden" [unit, i64] initial unit

llvm.func @next_0(%frame: !llvm.ptr)
    attributes {tl.method = "next", tl.variant = 0 : i64, tl.state_in = 0 : i64, tl.state_out = 1 : i64,
                tl.arguments = [], tl.result = {tuple = [i64, 0 : i64]},
                tl.operands = [{type = i64, tl.state = "count"}],
                tl.results = [{type = i64}, {type = i64, tl.state = "count"},
                              {type = i64, tl.state = "hidden"}]} {
  %args = llvm.load %frame : !llvm.ptr -> !llvm.ptr
  %n = llvm.load %args : !llvm.ptr -> i64
  %one = llvm.mlir.constant(1 : i64) : i64
  %next = llvm.add %n, %one : i64
  %field = llvm.getelementptr %frame[8] : (!llvm.ptr) -> !llvm.ptr, i8
  %results = llvm.load %field : !llvm.ptr -> !llvm.ptr
  llvm.store %n, %results : i64, !llvm.ptr
  %second = llvm.getelementptr %results[16] : (!llvm.ptr) -> !llvm.ptr, i8
  llvm.store %next, %second : i64, !llvm.ptr
  %third = llvm.getelementptr %results[32] : (!llvm.ptr) -> !llvm.ptr, i8
  llvm.store %one, %third : i64, !llvm.ptr
  llvm.return
}

llvm.func @next_1(%frame: !llvm.ptr)
    attributes {tl.method = "next", tl.variant = 1 : i64, tl.state_in = 1 : i64, tl.state_out = 1 : i64,
                tl.arguments = [], tl.result = {tuple = [i64, i64]},
                tl.operands = [{type = i64, tl.state = "count"}, {type = i64, tl.state = "hidden"}],
                tl.results = [{type = i64}, {type = i64}, {type = i64, tl.state = "count"}]} {
  %args = llvm.load %frame : !llvm.ptr -> !llvm.ptr
  %n = llvm.load %args : !llvm.ptr -> i64
  %at = llvm.getelementptr %args[16] : (!llvm.ptr) -> !llvm.ptr, i8
  %hidden = llvm.load %at : !llvm.ptr -> i64
  %one = llvm.mlir.constant(1 : i64) : i64
  %next = llvm.add %n, %one : i64
  %field = llvm.getelementptr %frame[8] : (!llvm.ptr) -> !llvm.ptr, i8
  %results = llvm.load %field : !llvm.ptr -> !llvm.ptr
  llvm.store %n, %results : i64, !llvm.ptr
  %second = llvm.getelementptr %results[16] : (!llvm.ptr) -> !llvm.ptr, i8
  llvm.store %hidden, %second : i64, !llvm.ptr
  %third = llvm.getelementptr %results[32] : (!llvm.ptr) -> !llvm.ptr, i8
  llvm.store %next, %third : i64, !llvm.ptr
  llvm.return
}
