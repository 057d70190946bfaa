; RUN: not tl-emulate %s --kernel=race --grid=100 --block=64 --shared=4 2>&1 | FileCheck %s
; RUN: env TORCHLITE_EMULATOR_ORDER=reverse not tl-emulate %s --kernel=race --grid=100 --block=64 \
; RUN:   --shared=4 2>&1 | FileCheck %s
; RUN: not tl-emulate %s --kernel=bounds --grid=100 --block=64 --shared=4 2>&1 \
; RUN:   | FileCheck %s --check-prefix=BOUNDS
; Races are looked for in some blocks of large grids, those at the edges among them; bounds in all.
target triple = "nvptx64-nvidia-cuda"
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
@shared = external addrspace(3) global [0 x i8], align 16

; CHECK: kernel 'race', block ({{[0-9]+}}, 0, 0), thread ({{1|62}}, 0, 0): race: writes 4 bytes
define ptx_kernel void @race() {
  store float 1.0, ptr addrspace(3) @shared
  ret void
}

; Block 50 only.
; BOUNDS: kernel 'bounds', block (50, 0, 0), thread (0, 0, 0): writes 4 bytes of shared memory at byte 4, of which the block has 4
define ptx_kernel void @bounds() {
  %block = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %is = icmp eq i32 %block, 50
  br i1 %is, label %write, label %end
write:
  %p = getelementptr float, ptr addrspace(3) @shared, i32 1
  store float 1.0, ptr addrspace(3) %p
  br label %end
end:
  ret void
}
