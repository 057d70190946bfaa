; RUN: tl-emulate %s --kernel=shift --grid=3 --block=64 --shared=256 'f32[192]=iota' \
; RUN:   | FileCheck %s --check-prefix=SHIFT
; RUN: env TORCHLITE_EMULATOR_ORDER=reverse tl-emulate %s --kernel=shift --block=64 --shared=256 \
; RUN:   'f32[64]=iota' | FileCheck %s --check-prefix=SHIFT
; RUN: env TORCHLITE_EMULATOR_ORDER=random tl-emulate %s --kernel=shift --block=64 --shared=256 \
; RUN:   'f32[64]=iota' | FileCheck %s --check-prefix=SHIFT
; RUN: env TORCHLITE_EMULATOR_MUTATION=5 not tl-emulate %s --kernel=shift 2>&1 | FileCheck %s --check-prefix=LIST
; RUN: env TORCHLITE_EMULATOR_MUTATION=0 not tl-emulate %s --kernel=shift --block=64 --shared=256 'f32[64]=iota' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=UNWRITTEN
; RUN: not tl-emulate %s --kernel=broadcast --block=64 --shared=4 'f32[64]=iota' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=RACE-READ
; RUN: not tl-emulate %s --kernel=overwrite --block=64 --shared=256 'f32[64]=iota' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=RACE-WRITE
; RUN: not tl-emulate %s --kernel=same --block=2 --shared=4 2>&1 \
; RUN:   | FileCheck %s --check-prefix=RACE-SAME
; RUN: env TORCHLITE_EMULATOR_CHECKS=0 tl-emulate %s --kernel=same --block=2 --shared=4
; RUN: not tl-emulate %s --kernel=shift --block=64 --shared=252 'f32[64]=iota' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=BOUNDS
; RUN: tl-emulate %s --kernel=count --block=64 --shared=4 'i32[1]=0' \
; RUN:   | FileCheck %s --check-prefix=COUNT
; RUN: not tl-emulate %s --kernel=mixed --block=64 --shared=4 2>&1 \
; RUN:   | FileCheck %s --check-prefix=MIXED
; RUN: tl-emulate %s --kernel=halves --block=64 --shared=128 'f16[64]=iota' \
; RUN:   | FileCheck %s --check-prefix=HALVES
; RUN: tl-emulate %s --kernel=warp --block=64 --shared=256 'f32[64]=iota' \
; RUN:   | FileCheck %s --check-prefix=WARP
; RUN: env TORCHLITE_EMULATOR_MUTATION=4 not tl-emulate %s --kernel=warp --block=64 --shared=256 'f32[64]=iota' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=WARP-RACE
; RUN: not tl-emulate %s --kernel=generic --block=1 --shared=4 'i64[1]=0' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=GENERIC
; What threads do to shared memory between barriers.
target triple = "nvptx64-nvidia-cuda"
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare void @llvm.nvvm.bar.warp.sync(i32)
@shared = external addrspace(3) global [0 x i8], align 16

; LIST: TORCHLITE_EMULATOR_MUTATION is '5': expected a number below 5, a line of
; LIST-NEXT: shift bar.sync
; LIST-NEXT: overwrite bar.sync
; LIST-NEXT: count bar.sync
; LIST-NEXT: count bar.sync
; LIST-NEXT: warp bar.warp.sync

; SHIFT: 0: 1 2 3 {{.*}} 62 63 0
; UNWRITTEN: kernel 'shift', block (0, 0, 0), thread (0, 0, 0): reads 4 bytes of shared memory at byte 4, which nobody has written
; BOUNDS: thread (63, 0, 0): writes 4 bytes of shared memory at byte 252, of which the block has 252
define ptx_kernel void @shift(ptr %a) {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %x = uitofp i32 %i to float
  %to = getelementptr float, ptr addrspace(3) @shared, i32 %i
  store float %x, ptr addrspace(3) %to
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %next = add i32 %i, 1
  %j = and i32 %next, 63
  %from = getelementptr float, ptr addrspace(3) @shared, i32 %j
  %y = load float, ptr addrspace(3) %from
  %block = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %begin = shl i32 %block, 6
  %at = or i32 %begin, %i
  %pa = getelementptr float, ptr %a, i32 %at
  store float %y, ptr %pa
  ret void
}

; RACE-READ: thread (1, 0, 0): race: reads 4 bytes of shared memory at byte 0, which thread (0, 0, 0) wrote without a barrier between
define ptx_kernel void @broadcast(ptr %a) {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %first = icmp eq i32 %i, 0
  br i1 %first, label %write, label %read
write:
  store float 1.0, ptr addrspace(3) @shared
  br label %read
read:
  %x = load float, ptr addrspace(3) @shared
  %pa = getelementptr float, ptr %a, i32 %i
  store float %x, ptr %pa
  ret void
}

; RACE-WRITE: thread (1, 0, 0): race: writes 4 bytes of shared memory at byte 4, which thread (0, 0, 0) read without a barrier between
define ptx_kernel void @overwrite(ptr %a) {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %own = getelementptr float, ptr addrspace(3) @shared, i32 %i
  store float 1.0, ptr addrspace(3) %own
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %first = icmp eq i32 %i, 0
  br i1 %first, label %read, label %write
read:
  %second = getelementptr float, ptr addrspace(3) @shared, i32 1
  %x = load float, ptr addrspace(3) %second
  store float %x, ptr %a
  br label %end
write:
  store float 2.0, ptr addrspace(3) %own
  br label %end
end:
  ret void
}

; RACE-SAME: thread (1, 0, 0): race: writes 4 bytes of shared memory at byte 0, which thread (0, 0, 0) wrote
define ptx_kernel void @same() {
  store float 1.0, ptr addrspace(3) @shared
  ret void
}

; Atomic operations of several threads do not race with each other.
; COUNT: 0: 64
define ptx_kernel void @count(ptr %a) {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %first = icmp eq i32 %i, 0
  br i1 %first, label %clear, label %add
clear:
  store i32 0, ptr addrspace(3) @shared
  br label %add
add:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %old = atomicrmw add ptr addrspace(3) @shared, i32 1 monotonic
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br i1 %first, label %store, label %end
store:
  %sum = load i32, ptr addrspace(3) @shared
  store i32 %sum, ptr %a
  br label %end
end:
  ret void
}

; MIXED: race: changes atomically 4 bytes of shared memory at byte 0, which thread (0, 0, 0) wrote
define ptx_kernel void @mixed() {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %first = icmp eq i32 %i, 0
  br i1 %first, label %clear, label %add
clear:
  store i32 0, ptr addrspace(3) @shared
  br label %add
add:
  %old = atomicrmw add ptr addrspace(3) @shared, i32 1 monotonic
  ret void
}

; Neighbours in one word of four bytes.
; HALVES: 0: 0 2 4 6
define ptx_kernel void @halves(ptr %a) {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %pa = getelementptr half, ptr %a, i32 %i
  %x = load half, ptr %pa
  %to = getelementptr half, ptr addrspace(3) @shared, i32 %i
  store half %x, ptr addrspace(3) %to
  %y = load half, ptr addrspace(3) %to
  %z = fadd half %x, %y
  store half %z, ptr %pa
  ret void
}

; A barrier of a warp orders its own threads.
; WARP: 0: 1 0 3 2 {{.*}} 63 62
; WARP-RACE: reads 4 bytes of shared memory at byte 4, which nobody has written
define ptx_kernel void @warp(ptr %a) {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %x = uitofp i32 %i to float
  %to = getelementptr float, ptr addrspace(3) @shared, i32 %i
  store float %x, ptr addrspace(3) %to
  call void @llvm.nvvm.bar.warp.sync(i32 -1)
  %j = xor i32 %i, 1
  %from = getelementptr float, ptr addrspace(3) @shared, i32 %j
  %y = load float, ptr addrspace(3) %from
  %pa = getelementptr float, ptr %a, i32 %i
  store float %y, ptr %pa
  ret void
}

; A generic pointer that is not seen to be one to shared memory.
; GENERIC: reads 4 bytes of shared memory at byte 0, which nobody has written
define ptx_kernel void @generic(ptr %a) {
  %generic = addrspacecast ptr addrspace(3) @shared to ptr
  store ptr %generic, ptr %a
  %again = load ptr, ptr %a
  %x = load i32, ptr %again
  store i32 %x, ptr %a
  ret void
}
