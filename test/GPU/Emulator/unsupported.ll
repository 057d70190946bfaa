; RUN: split-file %s %t
; RUN: not tl-emulate %t/intrinsic.ll --print 2>&1 | FileCheck %s --check-prefix=INTRINSIC
; RUN: not tl-emulate %t/assembly.ll --print 2>&1 | FileCheck %s --check-prefix=ASSEMBLY
; RUN: not tl-emulate %t/external.ll --print 2>&1 | FileCheck %s --check-prefix=EXTERNAL
; RUN: not tl-emulate %t/static.ll --print 2>&1 | FileCheck %s --check-prefix=STATIC
; RUN: not tl-emulate %t/value.ll --print 2>&1 | FileCheck %s --check-prefix=VALUE
; What cannot be emulated is an error of the compiler, not of the linker.

;--- intrinsic.ll
; INTRINSIC: the emulator cannot run 'kernel': intrinsic llvm.nvvm.read.ptx.sreg.smid is not known
target triple = "nvptx64-nvidia-cuda"
declare i32 @llvm.nvvm.read.ptx.sreg.smid()
define ptx_kernel void @kernel(ptr %a) {
  %x = call i32 @llvm.nvvm.read.ptx.sreg.smid()
  store i32 %x, ptr %a
  ret void
}
;--- assembly.ll
; ASSEMBLY: the emulator cannot run 'kernel': inline PTX "bfind.u32 $0, $1;" is not known
target triple = "nvptx64-nvidia-cuda"
define ptx_kernel void @kernel(ptr %a) {
  %x = call i32 asm "bfind.u32 $0, $1;", "=r,r"(i32 3)
  store i32 %x, ptr %a
  ret void
}
;--- external.ll
; EXTERNAL: the emulator cannot run 'kernel': it calls '__nv_expf', which is defined nowhere
target triple = "nvptx64-nvidia-cuda"
declare float @__nv_expf(float)
define ptx_kernel void @kernel(ptr %a) {
  %x = call float @__nv_expf(float 1.0)
  store float %x, ptr %a
  ret void
}
;--- static.ll
; STATIC: the emulator cannot run 'kernel': 'fixed' is static shared memory; dynamic shared memory is expected
target triple = "nvptx64-nvidia-cuda"
@fixed = internal addrspace(3) global [64 x i8] poison, align 16
define ptx_kernel void @kernel() {
  store i32 1, ptr addrspace(3) @fixed
  ret void
}
;--- value.ll
; VALUE: the emulator cannot run 'kernel': parameter 0 is passed by value
target triple = "nvptx64-nvidia-cuda"
define ptx_kernel void @kernel(ptr byval([4 x i32]) %a) {
  ret void
}
