; RUN: tl-emulate %s --kernel=atomic_sum --grid=3 --block=8 'f32[4]=0' 'i64[24]=iota' | FileCheck %s --check-prefix=SUM
; RUN: not tl-emulate %s --kernel=plain_sum --grid=1 --block=8 'f32[4]=0' 'i64[24]=iota' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=THREADS
; RUN: env TORCHLITE_EMULATOR_ORDER=random not tl-emulate %s --kernel=plain_sum --grid=1 --block=8 'f32[4]=0' \
; RUN:   'i64[24]=iota' 2>&1 | FileCheck %s --check-prefix=THREADS
; RUN: not tl-emulate %s --kernel=plain_sum --grid=3 --block=4 'f32[4]=0' 'i64[24]=iota' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=BLOCKS
; RUN: env TORCHLITE_EMULATOR_RACES=0 tl-emulate %s --kernel=plain_sum --grid=3 --block=4 'f32[4]=0' 'i64[24]=iota'
; RUN: tl-emulate %s --kernel=shift --grid=2 --block=4 'f32[8]=iota' 'f32[8]=0' i64=1 | FileCheck %s --check-prefix=SHIFT
; RUN: not tl-emulate %s --kernel=shift --grid=2 --block=4 'f32[8]=iota' 'f32[8]=0' i64=0 2>&1 \
; RUN:   | FileCheck %s --check-prefix=NEIGHBOUR
; RUN: not tl-emulate %s --kernel=shift --grid=2 --block=4 'f32[8]=iota' 'f32[8]=0' i64=2 2>&1 \
; RUN:   | FileCheck %s --check-prefix=NEIGHBOUR
; RUN: tl-emulate %s --kernel=bytes --grid=2 --block=4 'i8[8]=0'
; Races in global memory: between the threads of a block unless a barrier lies between, and between blocks
; always; atomic operations do not race with each other.
target triple = "nvptx64-nvidia-cuda"
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)

; SUM: 6 6 6 6
; THREADS: race: {{reads|writes}} 4 bytes of global memory at byte {{0|4|8|12}} of 16, which another thread of the block has {{read|written}} without an order between
; BLOCKS: race: {{reads|writes}} 4 bytes of global memory at byte {{0|4|8|12}} of 16, which block ({{[0-2]}}, 0, 0) has {{read|written}} without an order between
; SHIFT: 1 2 3 0 5 6 7 4
; NEIGHBOUR: race: {{reads|writes}} 4 bytes of global memory

define i64 @id() {
  %tid = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %block = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %size = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %base = mul i32 %block, %size
  %i = add i32 %base, %tid
  %wide = zext i32 %i to i64
  ret i64 %wide
}

; sums[indices[i] % 4] += 1, as index_add does it.
define ptx_kernel void @atomic_sum(ptr addrspace(1) %sums, ptr addrspace(1) %indices) {
  %i = call i64 @id()
  %at = getelementptr i64, ptr addrspace(1) %indices, i64 %i
  %index = load i64, ptr addrspace(1) %at, align 8
  %slot = and i64 %index, 3
  %sum = getelementptr float, ptr addrspace(1) %sums, i64 %slot
  %old = atomicrmw fadd ptr addrspace(1) %sum, float 1.0 monotonic, align 4
  ret void
}

; The same where somebody has forgotten that it is atomic.
define ptx_kernel void @plain_sum(ptr addrspace(1) %sums, ptr addrspace(1) %indices) {
  %i = call i64 @id()
  %at = getelementptr i64, ptr addrspace(1) %indices, i64 %i
  %index = load i64, ptr addrspace(1) %at, align 8
  %slot = and i64 %index, 3
  %sum = getelementptr float, ptr addrspace(1) %sums, i64 %slot
  %old = load float, ptr addrspace(1) %sum, align 4
  %new = fadd float %old, 1.0
  store float %new, ptr addrspace(1) %sum, align 4
  ret void
}

; Each thread writes its element and reads its neighbour's. how: 1 the block's neighbour after a barrier, 0
; without one, 2 the next block's after a barrier.
define ptx_kernel void @shift(ptr addrspace(1) %in, ptr addrspace(1) %out, i64 %how) {
  %i = call i64 @id()
  %mine = getelementptr float, ptr addrspace(1) %in, i64 %i
  %value = load float, ptr addrspace(1) %mine, align 4
  store float %value, ptr addrspace(1) %mine, align 4
  %plain = icmp eq i64 %how, 0
  br i1 %plain, label %read, label %wait
wait:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %read
read:
  %far = icmp eq i64 %how, 2
  %flip = select i1 %far, i64 4, i64 0
  %block = and i64 %i, 4
  %next = add i64 %i, 1
  %lane = and i64 %next, 3
  %other = xor i64 %block, %flip
  %at = add i64 %other, %lane
  %theirs = getelementptr float, ptr addrspace(1) %in, i64 %at
  %read_value = load float, ptr addrspace(1) %theirs, align 4
  %to = getelementptr float, ptr addrspace(1) %out, i64 %i
  store float %read_value, ptr addrspace(1) %to, align 4
  ret void
}

; Neighbouring bytes are different places.
define ptx_kernel void @bytes(ptr addrspace(1) %out) {
  %i = call i64 @id()
  %at = getelementptr i8, ptr addrspace(1) %out, i64 %i
  store i8 1, ptr addrspace(1) %at, align 1
  ret void
}
