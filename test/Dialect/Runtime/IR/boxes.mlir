// RUN: tl-opt %s | tl-opt | FileCheck %s

// CHECK-LABEL: func.func @lists
func.func @lists(%x: tensor<?x4xf32>, %n: i64, %f: f64, %flag: i1) -> i64 {
  // CHECK: %[[LIST:.*]] = tlrt.box.create 0
  %list = tlrt.box.create 0
  // CHECK: tlrt.box.append %[[LIST]], %{{.*}} : i64
  tlrt.box.append %list, %n : i64
  // CHECK: tlrt.box.append %[[LIST]], %{{.*}} : f64
  tlrt.box.append %list, %f : f64
  // CHECK: %[[NONE:.*]] = tlrt.box.none
  %none = tlrt.box.none
  // CHECK: tlrt.box.append %[[LIST]], %[[NONE]] : !tlrt.box
  tlrt.box.append %list, %none : !tlrt.box
  // CHECK: %[[NUMBER:.*]] = tlrt.box.number %{{.*}} : i1
  %number = tlrt.box.number %flag : i1
  // CHECK: tlrt.box.set %[[LIST]][%{{.*}}], %[[NUMBER]] : !tlrt.box
  tlrt.box.set %list[%n], %number : !tlrt.box
  // CHECK: tlrt.box.get %[[LIST]][%{{.*}}] : f64
  %got = tlrt.box.get %list[%n] : f64
  // CHECK: tlrt.box.present %[[LIST]][%{{.*}}]
  %some = tlrt.box.present %list[%n]
  // CHECK: %[[SIZE:.*]] = tlrt.box.size %[[LIST]]
  %size = tlrt.box.size %list
  // CHECK: %[[PART:.*]] = tlrt.box.slice %[[LIST]][%{{.*}}, %[[SIZE]], %{{.*}}]
  %part = tlrt.box.slice %list[%n, %size, %n]
  // CHECK: tlrt.box.splice %[[LIST]][%{{.*}}, %[[SIZE]]], %[[PART]]
  tlrt.box.splice %list[%n, %size], %part
  // CHECK: tlrt.box.find %[[LIST]][%{{.*}}], %{{.*}} : i64
  %at = tlrt.box.find %list[%n], %n : i64
  // CHECK: tlrt.box.repeat %[[LIST]], %{{.*}}
  %many = tlrt.box.repeat %list, %n
  // CHECK: tlrt.box.equal %[[LIST]], %[[PART]]
  %same = tlrt.box.equal %list, %part
  // CHECK: tlrt.box.address %[[LIST]]
  %leaf = tlrt.box.address %list
  return %leaf : i64
}

// CHECK-LABEL: func.func @texts
func.func @texts(%n: i64, %f: f64, %x: tensor<?xi64>) {
  // CHECK: %[[TEXT:.*]] = tlrt.box.format ["step ", " of ", ""][%{{.*}}, %{{.*}} : i64, f64]
  %text = tlrt.box.format ["step ", " of ", ""] [%n, %f : i64, f64]
  // CHECK: %[[X:.*]] = tlrt.box.pack %{{.*}} {isUnsigned} : tensor<?xi64>
  %box = tlrt.box.pack %x {isUnsigned} : tensor<?xi64>
  // CHECK: tlrt.box.print ["", " ", "\0A"][%[[TEXT]], %[[X]] : !tlrt.box, !tlrt.box]
  tlrt.box.print ["", " ", "\0A"] [%text, %box : !tlrt.box, !tlrt.box]
  // CHECK: tlrt.box.print ["\0A"]
  tlrt.box.print ["\0A"]
  return
}

// CHECK-LABEL: func.func @tensors
func.func @tensors(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: %[[BOX:.*]] = tlrt.box.pack %{{.*}} : tensor<?x4xf32>
  %box = tlrt.box.pack %x : tensor<?x4xf32>
  // CHECK: %[[ROWS:.*]] = tlrt.box.rows %[[BOX]]
  %rows = tlrt.box.rows %box
  // CHECK: tlrt.box.rows %[[BOX]] number i64
  %numbers = tlrt.box.rows %box number i64
  // CHECK: tlrt.box.together %[[ROWS]] of tensor<4xf32>
  %side = tlrt.box.together %rows of tensor<4xf32>
  // CHECK: %[[ALL:.*]] = tlrt.box.together %[[ROWS]] of tensor<?x4xf32> along 0
  %all = tlrt.box.together %rows of tensor<?x4xf32> along 0
  // CHECK: tlrt.box.unpack %[[ALL]] : tensor<?x4xf32>
  %y = tlrt.box.unpack %all : tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func.func @dicts
func.func @dicts(%key: i64, %value: f64) -> i1 {
  // CHECK: %[[DICT:.*]] = tlrt.box.create 2
  %dict = tlrt.box.create 2
  // CHECK: tlrt.box.insert %[[DICT]][%{{.*}} : i64], %{{.*}} : f64
  tlrt.box.insert %dict[%key : i64], %value : f64
  // CHECK: tlrt.box.update %[[DICT]], %[[DICT]]
  tlrt.box.update %dict, %dict
  // CHECK: tlrt.box.pairs %[[DICT]]
  %pairs = tlrt.box.pairs %dict
  // CHECK: %[[A:.*]] = tlrt.box.text "a"
  %a = tlrt.box.text "a"
  // CHECK: %[[AA:.*]] = tlrt.box.concat %[[A]], %[[A]]
  %aa = tlrt.box.concat %a, %a
  // CHECK: tlrt.box.compare %[[A]], %[[AA]]
  %order = tlrt.box.compare %a, %aa
  %zero = arith.constant 0 : i64
  %less = arith.cmpi slt, %order, %zero : i64
  return %less : i1
}

// CHECK-LABEL: func.func @references
func.func @references(%kept: !tlrt.box) {
  // CHECK: %[[MARK:.*]] = tlrt.box.mark
  %mark = tlrt.box.mark
  // CHECK: tlrt.box.keep %[[MARK]], %{{.*}}
  tlrt.box.keep %mark, %kept
  // CHECK: tlrt.box.keep %[[MARK]]{{$}}
  tlrt.box.keep %mark
  return
}
