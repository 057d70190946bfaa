// What the pipeline cannot be built for is an error of the command line.
// RUN: not tl-opt %s --tl-cpu-pipeline=target-cpu=z80 2>&1 | FileCheck %s --check-prefix=CPU
// RUN: not tl-opt %s --tl-cpu-pipeline=target-triple=riscv64-linux-gnu 2>&1 | FileCheck %s --check-prefix=TRIPLE
// CPU: error: tl-cpu-pipeline: unknown processor 'z80' for the target x86_64
// TRIPLE: error: tl-cpu-pipeline: unknown target triple 'riscv64-unknown-linux-gnu': expected x86-64 or AArch64
func.func @f() { return }
