; RUN: env TORCHLITE_EMULATOR_COPIES=late not tl-emulate %s --kernel=kernel 2>&1 \
; RUN:   | FileCheck %s --check-prefix=COPIES
; RUN: env TORCHLITE_EMULATOR_ORDER=backward not tl-emulate %s --kernel=kernel 2>&1 \
; RUN:   | FileCheck %s --check-prefix=ORDER
; RUN: env TORCHLITE_EMULATOR_CHECKS=yes not tl-emulate %s --kernel=kernel 2>&1 \
; RUN:   | FileCheck %s --check-prefix=CHECKS
; RUN: env TORCHLITE_EMULATOR_SEED=one not tl-emulate %s --kernel=kernel 2>&1 \
; RUN:   | FileCheck %s --check-prefix=SEED
; RUN: env TORCHLITE_EMULATOR_MUTATION=0 not tl-emulate %s --kernel=kernel 2>&1 \
; RUN:   | FileCheck %s --check-prefix=MUTATION
; RUN: not tl-emulate %s --kernel=kernel --block=1025 2>&1 | FileCheck %s --check-prefix=BLOCK
; RUN: not tl-emulate %s --kernel=kernel --block=32,64 2>&1 | FileCheck %s --check-prefix=THREADS
; RUN: not tl-emulate %s --kernel=kernel --grid=1,65536 2>&1 | FileCheck %s --check-prefix=GRID
; RUN: not tl-emulate %s --kernel=kernel --shared=166913 2>&1 | FileCheck %s --check-prefix=SHARED
; RUN: tl-emulate %s --kernel=kernel --shared=166912 --grid=0
; RUN: not tl-emulate %s --kernel=kernel --arch=70 --shared=98305 2>&1 | FileCheck %s --check-prefix=VOLTA
; RUN: not tl-emulate %s --kernel=kernel --arch=75 --shared=65537 2>&1 | FileCheck %s --check-prefix=TURING
; RUN: not tl-emulate %s --kernel=kernel --arch=86 --shared=101377 2>&1 | FileCheck %s --check-prefix=AMPERE
; Settings and launches that there are not.

; COPIES: TORCHLITE_EMULATOR_COPIES is 'late': expected 'lazy' or 'eager'
; ORDER: TORCHLITE_EMULATOR_ORDER is 'backward': expected 'forward', 'reverse' or 'random'
; CHECKS: TORCHLITE_EMULATOR_CHECKS is 'yes': expected '1' or '0'
; SEED: TORCHLITE_EMULATOR_SEED is 'one': expected an integer
; MUTATION: TORCHLITE_EMULATOR_MUTATION is '0': expected a number below 0
; BLOCK: kernel 'kernel': block size 1025 in dimension 0: 1 to 1024 is possible
; THREADS: kernel 'kernel': 2048 threads in a block: at most 1024 are possible
; GRID: kernel 'kernel': grid size 65536 in dimension 1: at most 65535 is possible
; SHARED: kernel 'kernel': 166913 bytes of shared memory: at most 166912 are possible on sm_80
; VOLTA: 98305 bytes of shared memory: at most 98304 are possible on sm_70
; TURING: 65537 bytes of shared memory: at most 65536 are possible on sm_75
; AMPERE: 101377 bytes of shared memory: at most 101376 are possible on sm_86
target triple = "nvptx64-nvidia-cuda"
define ptx_kernel void @kernel() {
  ret void
}
