; RUN: not tl-emulate %s --kernel=half_block --block=64 2>&1 | FileCheck %s --check-prefix=HALF
; RUN: not tl-emulate %s --kernel=after_exit --block=64 2>&1 | FileCheck %s --check-prefix=EXIT
; RUN: not tl-emulate %s --kernel=two_places --block=32 2>&1 | FileCheck %s --check-prefix=TWO
; RUN: not tl-emulate %s --kernel=shuffle_exit --block=32 'i32[32]=0' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=SHUFFLE-EXIT
; RUN: not tl-emulate %s --kernel=shuffle_two --block=32 'i32[32]=0' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=SHUFFLE-TWO
; RUN: not tl-emulate %s --kernel=shuffle_mask --block=32 'i32[32]=0' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=MASK
; RUN: not tl-emulate %s --kernel=deadlock --block=32 'i32[32]=0' 2>&1 \
; RUN:   | FileCheck %s --check-prefix=DEADLOCK
; RUN: not tl-emulate %s --kernel=traps --block=32 2>&1 | FileCheck %s --check-prefix=TRAP
; Threads that should meet and do not.
target triple = "nvptx64-nvidia-cuda"
declare i32 @llvm.nvvm.read.ptx.sreg.tid.x()
declare void @llvm.nvvm.barrier.cta.sync.aligned.all(i32)
declare i32 @llvm.nvvm.shfl.sync.bfly.i32(i32, i32, i32, i32)
declare void @llvm.trap()

; HALF: kernel 'half_block', block (0, 0, 0), thread (32, 0, 0): leaves the kernel, while 32 threads wait at bar.sync 0
define ptx_kernel void @half_block() {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %low = icmp ult i32 %i, 32
  br i1 %low, label %wait, label %end
wait:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %end
end:
  ret void
}

; EXIT: thread (1, 0, 0): bar.sync 0, but 1 threads of the block have left the kernel
define ptx_kernel void @after_exit() {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %first = icmp eq i32 %i, 0
  br i1 %first, label %end, label %wait
wait:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %end
end:
  ret void
}

; TWO: thread (16, 0, 0): diverged: bar.sync 0, while the lanes 0x0000ffff wait at another barrier
define ptx_kernel void @two_places() {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %low = icmp ult i32 %i, 16
  br i1 %low, label %one, label %other
one:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %end
other:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  br label %end
end:
  ret void
}

; SHUFFLE-EXIT: shfl.sync from lane 0, which takes no part in it
define ptx_kernel void @shuffle_exit(ptr %a) {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %first = icmp eq i32 %i, 0
  br i1 %first, label %end, label %shuffle
shuffle:
  %x = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %i, i32 1, i32 31)
  %p = getelementptr i32, ptr %a, i32 %i
  store i32 %x, ptr %p
  br label %end
end:
  ret void
}

; SHUFFLE-TWO: thread (16, 0, 0): diverged: shfl.sync.bfly for the lanes 0xffffffff, while the lanes 0x0000ffff wait at another shfl.sync.bfly for 0xffffffff
define ptx_kernel void @shuffle_two(ptr %a) {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %low = icmp ult i32 %i, 16
  br i1 %low, label %one, label %other
one:
  %x = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %i, i32 1, i32 31)
  store i32 %x, ptr %a
  br label %end
other:
  %y = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %i, i32 1, i32 31)
  store i32 %y, ptr %a
  br label %end
end:
  ret void
}

; MASK: thread (16, 0, 0): shfl.sync.bfly for the lanes 0x0000ffff, of which this thread is none
define ptx_kernel void @shuffle_mask(ptr %a) {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %x = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 65535, i32 %i, i32 1, i32 31)
  %pa = getelementptr i32, ptr %a, i32 %i
  store i32 %x, ptr %pa
  ret void
}

; DEADLOCK: threads wait for each other forever: thread (0, 0, 0) at shfl.sync.bfly, thread (16, 0, 0) at bar.sync 0
define ptx_kernel void @deadlock(ptr %a) {
  %i = call i32 @llvm.nvvm.read.ptx.sreg.tid.x()
  %low = icmp ult i32 %i, 16
  br i1 %low, label %one, label %end
one:
  %x = call i32 @llvm.nvvm.shfl.sync.bfly.i32(i32 -1, i32 %i, i32 1, i32 31)
  store i32 %x, ptr %a
  br label %end
end:
  call void @llvm.nvvm.barrier.cta.sync.aligned.all(i32 0)
  ret void
}

; TRAP: kernel 'traps', block (0, 0, 0), thread (0, 0, 0): trap
define ptx_kernel void @traps() {
  call void @llvm.trap()
  unreachable
}
