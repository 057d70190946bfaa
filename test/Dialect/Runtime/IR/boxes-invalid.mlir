// RUN: tl-opt %s -split-input-file -verify-diagnostics

func.func @narrow(%n: i32) {
  %list = tlrt.box.create 0
  // expected-error @below {{operand #1 must be}}
  tlrt.box.append %list, %n : i32
  return
}

// -----

func.func @tensor(%x: tensor<4xf32>) {
  %list = tlrt.box.create 0
  // expected-error @below {{operand #1 must be}}
  tlrt.box.append %list, %x : tensor<4xf32>
  return
}

// -----

func.func @packed(%n: i64) {
  // expected-error @below {{operand #0 must be}}
  %box = tlrt.box.pack %n : i64
  return
}
