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

// -----

func.func @pieces(%n: i64) {
  // expected-error@+1 {{expected 2 pieces of text, but got 1}}
  %text = tlrt.box.format ["step "] [%n : i64]
  return
}

// -----

func.func @zero(%n: i64) {
  // expected-error@+1 {{expected texts without a character 0}}
  tlrt.box.print ["a\00b"]
  return
}
