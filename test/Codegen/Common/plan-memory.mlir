// RUN: tl-opt %s --tl-plan-memory -split-input-file | FileCheck %s

func.func private @use(memref<16xf32>)
func.func private @use_large(memref<64xf32>)

// @a and @c do not live at the same time; @b lives with both.
// CHECK-LABEL: func.func @share()
// CHECK-SAME: tl.arena_bytes = 320 : i64
// CHECK-DAG: %[[ARENA:.*]] = tlrt.arena : memref<320xi8>
// CHECK-DAG: %[[A_AT:.*]] = arith.constant 256 : index
// CHECK: %[[A:.*]] = memref.view %[[ARENA]][%[[A_AT]]][] : memref<320xi8> to memref<16xf32>
// CHECK: memref.view %{{.*}} : memref<320xi8> to memref<64xf32>
// CHECK: %[[C_AT:.*]] = arith.constant 256 : index
// CHECK: memref.view %[[ARENA]][%[[C_AT]]]
func.func @share() attributes {tl.method = "share"} {
  %a = memref.alloc() : memref<16xf32>
  call @use(%a) : (memref<16xf32>) -> ()
  %b = memref.alloc() : memref<64xf32>
  call @use(%a) : (memref<16xf32>) -> ()
  %c = memref.alloc() : memref<16xf32>
  call @use(%c) : (memref<16xf32>) -> ()
  call @use_large(%b) : (memref<64xf32>) -> ()
  return
}

// -----

func.func private @use(memref<16xf32>)

// A buffer from outside of a loop lives through all of it, so the one inside is apart from it,
// although it is made after the last use in program order.
// CHECK-LABEL: func.func @loop()
// CHECK-SAME: tl.arena_bytes = 128 : i64
func.func @loop() attributes {tl.method = "loop"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %a = memref.alloc() : memref<16xf32>
  scf.for %i = %c0 to %c9 step %c1 {
    func.call @use(%a) : (memref<16xf32>) -> ()
    %b = memref.alloc() : memref<16xf32>
    func.call @use(%b) : (memref<16xf32>) -> ()
  }
  return
}

// -----

func.func private @use(memref<16xf32>)

// What an iteration hands to the next one has no fixed place.
// CHECK-LABEL: func.func @carried()
// CHECK-SAME: tl.arena_bytes = 64 : i64
// CHECK: scf.for
// CHECK: memref.alloc() : memref<16xf32>
func.func @carried() attributes {tl.method = "carried"} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %a = memref.alloc() : memref<16xf32>
  %r = scf.for %i = %c0 to %c9 step %c1 iter_args(%h = %a) -> memref<16xf32> {
    %b = memref.alloc() : memref<16xf32>
    func.call @use(%h) : (memref<16xf32>) -> ()
    scf.yield %b : memref<16xf32>
  }
  call @use(%r) : (memref<16xf32>) -> ()
  return
}

// -----

func.func private @use(memref<16xf32>)

// A branch's buffer lives until the result of the branch is last used.
// CHECK-LABEL: func.func @branch(
// CHECK-SAME: tl.arena_bytes = 192 : i64
func.func @branch(%p: i1) attributes {tl.method = "branch"} {
  %r = scf.if %p -> memref<16xf32> {
    %a = memref.alloc() : memref<16xf32>
    scf.yield %a : memref<16xf32>
  } else {
    %b = memref.alloc() : memref<16xf32>
    scf.yield %b : memref<16xf32>
  }
  %c = memref.alloc() : memref<16xf32>
  call @use(%c) : (memref<16xf32>) -> ()
  call @use(%r) : (memref<16xf32>) -> ()
  return
}

// -----

func.func private @use(memref<16xf32>)

// What a called function needs is part of the caller's arena.
// CHECK-LABEL: func.func private @callee(
// CHECK-SAME: %[[SCRATCH:[a-z0-9]+]]: memref<64xi8>)
// CHECK: memref.view %[[SCRATCH]]
func.func private @callee(%x: memref<16xf32>) {
  %a = memref.alloc() : memref<16xf32>
  call @use(%a) : (memref<16xf32>) -> ()
  return
}
// CHECK-LABEL: func.func @caller()
// CHECK-SAME: tl.arena_bytes = 128 : i64
// CHECK: call @callee({{.*}}) : (memref<16xf32>, memref<64xi8>) -> ()
func.func @caller() attributes {tl.method = "caller"} {
  %x = memref.alloc() : memref<16xf32>
  call @callee(%x) : (memref<16xf32>) -> ()
  return
}

// -----

func.func private @use(memref<16xf32>)

// In a parallel region each iteration has a buffer of its own.
// CHECK-LABEL: func.func @parallel()
// CHECK-SAME: tl.arena_bytes = 512 : i64
// CHECK: %[[ALL:.*]] = memref.view {{.*}} to memref<512xi8>
// CHECK: scf.forall
// CHECK: memref.view %[[ALL]][%{{.*}}][] : memref<512xi8> to memref<16xf32>
func.func @parallel() attributes {tl.method = "parallel"} {
  scf.forall (%i) in (8) {
    %a = memref.alloc() : memref<16xf32>
    func.call @use(%a) : (memref<16xf32>) -> ()
  }
  return
}
