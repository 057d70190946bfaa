; RUN: tl-emulate %s --kernel=copy --block=32 --shared=512 'f32[128]=iota' 'f32[128]=0' i32=16 \
; RUN:   | FileCheck %s --check-prefix=FULL
; RUN: env TORCHLITE_EMULATOR_COPIES=eager tl-emulate %s --kernel=copy --block=32 --shared=512 \
; RUN:   'f32[128]=iota' 'f32[128]=0' i32=8 | FileCheck %s --check-prefix=ZEROS
; RUN: env TORCHLITE_EMULATOR_MUTATION=0 not tl-emulate %s --kernel=copy --block=32 --shared=512 \
; RUN:   'f32[128]=iota' 'f32[128]=0' i32=16 2>&1 | FileCheck %s --check-prefix=NO-WAIT
; RUN: env TORCHLITE_EMULATOR_MUTATION=0 TORCHLITE_EMULATOR_COPIES=eager not tl-emulate %s --kernel=copy --block=32 \
; RUN:   --shared=512 'f32[128]=iota' 'f32[128]=0' i32=16 2>&1 | FileCheck %s --check-prefix=NO-WAIT
; RUN: env TORCHLITE_EMULATOR_MUTATION=0 TORCHLITE_EMULATOR_CHECKS=0 tl-emulate %s --kernel=copy --block=32 \
; RUN:   --shared=512 'f32[128]=iota' 'f32[128]=0' i32=16 | FileCheck %s --check-prefix=LATE
; RUN: env TORCHLITE_EMULATOR_MUTATION=1 not tl-emulate %s --kernel=copy --block=32 --shared=512 \
; RUN:   'f32[128]=iota' 'f32[128]=0' i32=16 2>&1 | FileCheck %s --check-prefix=NO-BARRIER
; RUN: not tl-emulate %s --kernel=copy --block=32 --shared=512 'f32[127]=iota' 'f32[128]=0' i32=16 \
; RUN:   2>&1 | FileCheck %s --check-prefix=SOURCE
; RUN: not tl-emulate %s --kernel=copy --block=32 --shared=508 'f32[128]=iota' 'f32[128]=0' i32=16 \
; RUN:   2>&1 | FileCheck %s --check-prefix=TARGET
; RUN: not tl-emulate %s --kernel=copy --block=32 --shared=512 'f32[128]=iota' 'f32[128]=0' i32=17 \
; RUN:   2>&1 | FileCheck %s --check-prefix=SIZE
; RUN: tl-emulate %s --kernel=again --block=32 --shared=128 'f32[64]=iota' 'f32[64]=0' \
; RUN:   | FileCheck %s --check-prefix=AGAIN
; RUN: env TORCHLITE_EMULATOR_MUTATION=4 TORCHLITE_EMULATOR_COPIES=eager not tl-emulate %s --kernel=again --block=32 \
; RUN:   --shared=128 'f32[64]=iota' 'f32[64]=0' 2>&1 | FileCheck %s --check-prefix=REFILL
; RUN: env TORCHLITE_EMULATOR_MUTATION=4 not tl-emulate %s --kernel=again --block=32 --shared=128 'f32[64]=iota' \
; RUN:   'f32[64]=0' 2>&1 | FileCheck %s --check-prefix=REFILL
; Copies that go on while threads compute.
target triple = "nvptx64-nvidia-cuda"
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare void @llvm.nvvm.cp.async.cg.shared.global.16.s(ptr addrspace(3), ptr addrspace(1), i32)
declare void @llvm.nvvm.cp.async.ca.shared.global.4(ptr addrspace(3), ptr addrspace(1))
declare void @llvm.nvvm.cp.async.commit.group()
declare void @llvm.nvvm.cp.async.wait.group(i32)
declare void @llvm.nvvm.cp.async.wait.all()
@shared = external addrspace(3) global [0 x i8], align 16

; Each thread copies four floats and reads those of its neighbour.
; FULL: 1: 4 5 6 7 8 {{.*}} 127 0 1 2 3
; ZEROS: 1: 4 5 0 0 8 9 0 0 {{.*}} 125 0 0 0 1 0 0
; LATE: 1: nan nan nan
; NO-WAIT: thread ({{[0-9]+}}, 0, 0): reads 16 bytes of shared memory at byte {{[0-9]+}}, where a cp.async has not been waited for
; NO-BARRIER: thread (0, 0, 0): reads 16 bytes of shared memory at byte 16, which nobody has written
; SOURCE: thread (31, 0, 0): reads 16 bytes at 0x{{[0-9a-f]+}}, of which 4 are past the end of parameter 0 of 508 bytes
; TARGET: thread (31, 0, 0): writes 16 bytes of shared memory at byte 496, of which the block has 508
; SIZE: cp.async of 16 bytes takes 17 bytes
define ptx_kernel void @copy(ptr addrspace(1) %a, ptr addrspace(1) %b, i32 %bytes) {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %from = getelementptr <4 x float>, ptr addrspace(1) %a, i32 %i
  %to = getelementptr <4 x float>, ptr addrspace(3) @shared, i32 %i
  call void @llvm.nvvm.cp.async.cg.shared.global.16.s(ptr addrspace(3) %to, ptr addrspace(1) %from, i32 %bytes)
  call void @llvm.nvvm.cp.async.commit.group()
  call void @llvm.nvvm.cp.async.wait.group(i32 0)
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %next = add i32 %i, 1
  %j = and i32 %next, 31
  %other = getelementptr <4 x float>, ptr addrspace(3) @shared, i32 %j
  %x = load <4 x float>, ptr addrspace(3) %other, align 16
  %result = getelementptr <4 x float>, ptr addrspace(1) %b, i32 %i
  store <4 x float> %x, ptr addrspace(1) %result, align 16
  ret void
}

; A buffer is filled twice.
; AGAIN: 1: 1 2 3 {{.*}} 31 0 33 34 {{.*}} 63 32
; REFILL: race: writes 4 bytes of shared memory at byte {{[0-9]+}}, which thread ({{[0-9]+}}, 0, 0) read without a barrier between
define ptx_kernel void @again(ptr addrspace(1) %a, ptr addrspace(1) %b) {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %next = add i32 %i, 1
  %j = and i32 %next, 31
  %to = getelementptr float, ptr addrspace(3) @shared, i32 %i
  %other = getelementptr float, ptr addrspace(3) @shared, i32 %j
  %from = getelementptr float, ptr addrspace(1) %a, i32 %i
  call void @llvm.nvvm.cp.async.ca.shared.global.4(ptr addrspace(3) %to, ptr addrspace(1) %from)
  call void @llvm.nvvm.cp.async.wait.all()
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %x = load float, ptr addrspace(3) %other
  %result = getelementptr float, ptr addrspace(1) %b, i32 %i
  store float %x, ptr addrspace(1) %result
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %second = getelementptr i8, ptr addrspace(1) %from, i32 128
  call void @llvm.nvvm.cp.async.ca.shared.global.4(ptr addrspace(3) %to, ptr addrspace(1) %second)
  call void @llvm.nvvm.cp.async.wait.all()
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  %y = load float, ptr addrspace(3) %other
  %second_result = getelementptr i8, ptr addrspace(1) %result, i32 128
  store float %y, ptr addrspace(1) %second_result
  ret void
}
