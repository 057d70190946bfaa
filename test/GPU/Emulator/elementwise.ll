; RUN: tl-emulate %s --print | FileCheck %s --check-prefix=IR
; RUN: tl-emulate %s --kernel=add --grid=2 --block=4 'f32[8]=iota' 'f32[8]=0.5' i64=8 | FileCheck %s
; RUN: env TORCHLITE_EMULATOR_ORDER=random tl-emulate %s --kernel=add --grid=3 --block=4 \
; RUN:   'f32[8]=iota' 'f32[8]=0.5' i64=8 | FileCheck %s
; RUN: not tl-emulate %s --kernel=add --grid=3 --block=4 'f32[8]=iota' 'f32[8]=0.5' i64=9 2>&1 \
; RUN:   | FileCheck %s --check-prefix=PAST
; RUN: not tl-emulate %s --kernel=add --grid=3 --block=4 'f32[9]=iota' 'f32[8]=0.5' i64=9 2>&1 \
; RUN:   | FileCheck %s --check-prefix=PAST-SECOND
; RUN: not tl-emulate %s --kernel=before --block=4 'f32[8]=iota' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=BEFORE
; RUN: not tl-emulate %s --kernel=misaligned --block=4 'f32[8]=iota' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=MISALIGNED
; RUN: env TORCHLITE_EMULATOR_CHECKS=0 tl-emulate %s --kernel=add --grid=2 --block=4 \
; RUN:   'f32[8]=iota' 'f32[8]=0.5' i64=8 | FileCheck %s
; RUN: not tl-emulate %s --kernel=part --block=4 'f32[8]=iota' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=PART
; RUN: not tl-emulate %s --kernel=part --block=2 'f32[2]=iota' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=TOO-SMALL
; RUN: not tl-emulate %s --kernel=rows --block=4 'f32[8]=iota' i64=3 'f32[8]=iota' i64=1 2>&1 \
; RUN:   | FileCheck %s --check-prefix=ROWS
; RUN: not tl-emulate %s --kernel=rows --block=4 'f32[8]=iota' i64=0 'f32[8]=iota' i64=1 2>&1 \
; RUN:   | FileCheck %s --check-prefix=EMPTY
; RUN: tl-emulate %s --kernel=fill --block=1 'f32[16]=unset' i64=5 | FileCheck %s --check-prefix=FILL
; RUN: not tl-emulate %s --kernel=fill --block=8 'f32[4]=unset' i64=5 2>&1 \
; RUN:   | FileCheck %s --check-prefix=FILL-PAST
; A kernel without barriers: every access lies in the allocation of its argument.
target triple = "nvptx64-nvidia-cuda"
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
declare i32 @llvm.nvvm.read.ptx.sreg.ntid.x()

; IR: { ptr @{{.*}}, i32 0, i32 4, i64 0, ptr @{{.*}}, ptr @{{.*}}, ptr @{{.*}}, i32 2, i32 0, ptr @{{.*}}, ptr @{{.*}}, i32 3 }
; IR-LABEL: define internal void @add(
; IR: call ptr @tl_emu_current()
; IR: call void @tl_emu_check_global(ptr %{{.*}}, ptr %{{.*}}, i64 %{{.*}}, i64 4, i32 0, i32 4, i32 0)
; IR: load float
; IR: call void @tl_emu_check_global(ptr %{{.*}}, ptr %{{.*}}, i64 %{{.*}}, i64 4, i32 1, i32 4, i32 1)
; IR: store float
; IR-LABEL: define hidden void @add_emulated(ptr %0)
; IR: icmp eq ptr %0, null
; IR: call void @tl_emu_describe(
; IR: call void @add(

; CHECK: 1: 0.5 1.5 2.5 3.5 4.5 5.5 6.5 7.5
; PAST: kernel 'add', block (2, 0, 0), thread (0, 0, 0): reads 4 bytes at 0x{{[0-9a-f]+}}, 0 bytes past the end of parameter 0 of 32 bytes
; PAST-SECOND: kernel 'add', block (2, 0, 0), thread (0, 0, 0): reads 4 bytes at 0x{{[0-9a-f]+}}, 0 bytes past the end of parameter 1 of 32 bytes
define ptx_kernel void @add(ptr %a, ptr %b, i64 %n) {
  %thread = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %block = call i32 @llvm.nvvm.read.ptx.sreg.ctaid.x()
  %threads = call i32 @llvm.nvvm.read.ptx.sreg.ntid.x()
  %first = mul i32 %block, %threads
  %i32 = add i32 %first, %thread
  %i = zext i32 %i32 to i64
  %inside = icmp ult i64 %i, %n
  br i1 %inside, label %body, label %end
body:
  %pa = getelementptr float, ptr %a, i64 %i
  %pb = getelementptr float, ptr %b, i64 %i
  %x = load float, ptr %pa
  %y = load float, ptr %pb
  %z = fadd float %x, %y
  store float %z, ptr %pb
  br label %end
end:
  ret void
}

; BEFORE: thread (0, 0, 0): writes 4 bytes at 0x{{[0-9a-f]+}}, 4 bytes before the begin of parameter 0
define ptx_kernel void @before(ptr addrspace(1) %a) {
  %thread = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %i = sub i32 %thread, 1
  %p = getelementptr float, ptr addrspace(1) %a, i32 %i
  store float 1.0, ptr addrspace(1) %p
  ret void
}

; MISALIGNED: thread (1, 0, 0): reads 16 bytes at 0x{{[0-9a-f]+}}, which is not a multiple of 16
define ptx_kernel void @misaligned(ptr %a) {
  %thread = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr float, ptr %a, i32 %thread
  %v = load <4 x float>, ptr %p, align 16
  store <4 x float> %v, ptr %a, align 16
  ret void
}

; What the compiler knows of an argument's size: less than the allocation that it lies in.
; PART: thread (3, 0, 0): writes 4 bytes at 0x{{[0-9a-f]+}}, 0 bytes past the end of parameter 0 of 12 bytes
; TOO-SMALL: kernel 'part': parameter 0 stands for 12 bytes at 0x{{[0-9a-f]+}}, but device memory has 8 there
define ptx_kernel void @part(ptr %a) "tl-extents"="0:12" {
  %thread = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr float, ptr %a, i32 %thread
  store float 1.0, ptr %p
  ret void
}

; ROWS: thread (3, 0, 0): writes 4 bytes at 0x{{[0-9a-f]+}}, 0 bytes past the end of parameter 2 of 12 bytes
; EMPTY: thread (0, 0, 0): writes 4 bytes through parameter 2, which stands for no memory
define ptx_kernel void @rows(ptr %a, i64 %n, ptr %b, i64 %m) "tl-extents"="2:4*1*3" {
  %thread = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %p = getelementptr float, ptr %a, i32 %thread
  store float 1.0, ptr %p
  %q = getelementptr float, ptr %b, i32 %thread
  store float 1.0, ptr %q
  ret void
}

; Memory that nobody has written is NaN.
; FILL: 0: 0 0 0 0 0 nan nan
; FILL-PAST: writes 20 bytes at 0x{{[0-9a-f]+}}, of which 4 are past the end
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)
define ptx_kernel void @fill(ptr %a, i64 %n) {
  %bytes = mul i64 %n, 4
  call void @llvm.memset.p0.i64(ptr %a, i8 0, i64 %bytes, i1 false)
  ret void
}
