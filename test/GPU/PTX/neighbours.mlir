// RUN: tl-opt %S/../../Codegen/NVGPU/elementwise.mlir --split-input-file --pass-pipeline="builtin.module(tl-nvgpu-pipeline{arch=sm_80},gpu.module(tl-nvgpu-emit-image{arch=sm_80 report}))" -o /dev/null > %t.elementwise 2>&1
// RUN: FileCheck %s --check-prefix=REPORT < %t.elementwise
// RUN: FileCheck %s --check-prefix=ELEMENTWISE < %t.elementwise
// RUN: tl-opt %S/../../Codegen/NVGPU/windows.mlir --split-input-file --pass-pipeline="builtin.module(tl-nvgpu-pipeline{arch=sm_90},gpu.module(tl-nvgpu-emit-image{arch=sm_90 report}))" -o /dev/null 2>&1 | FileCheck %s --check-prefix=WINDOWS

// Kernels of neighbouring elements: 128 bits an access, nothing spilled.

// REPORT: remark: sm_80: kernel 'generic' takes {{.*}} 0 bytes of stack; no spills
// REPORT: remark: sm_80: kernel 'generic' takes {{.*}} 0 bytes of stack; no spills
// REPORT: remark: sm_80: kernel 'pad' takes {{.*}} 0 bytes of stack; no spills

// ELEMENTWISE: .entry generic(
// ELEMENTWISE-COUNT-2: ld.global.v4
// ELEMENTWISE: st.global.v4
// Sixteen booleans.
// ELEMENTWISE: .entry generic(
// ELEMENTWISE-COUNT-2: ld.global.v4
// ELEMENTWISE: st.global.v4
// ELEMENTWISE: .entry pad(
// ELEMENTWISE: ld.global.v4
// ELEMENTWISE: st.global.v4

// WINDOWS: kernel 'depthwise_conv_2d_nhwc_hwc' takes {{.*}} 0 bytes of stack; no spills
// WINDOWS: .entry depthwise_conv_2d_nhwc_hwc(
// WINDOWS-COUNT-21: ld.global.v4
// WINDOWS-COUNT-2: st.global.v4
