// RUN: tl-opt %s -tl-share-boxes | FileCheck %s

// What goes into a box is read from its buffer; what comes out is copied.
// CHECK-LABEL: func.func @through
func.func @through(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: %[[IN:.*]] = bufferization.to_buffer %{{.*}} read_only : tensor<?x4xf32> to memref<?x4xf32>
  // CHECK: %[[BOX:.*]] = tlrt.box.pack %[[IN]] : memref<?x4xf32>
  %box = tlrt.box.pack %x : tensor<?x4xf32>
  // CHECK: %[[OUT:.*]] = tlrt.box.unpack %[[BOX]] : memref<?x4xf32>
  // CHECK: %[[OWN:.*]] = bufferization.to_tensor %[[OUT]] restrict
  // CHECK: %[[COPY:.*]] = bufferization.alloc_tensor() copy(%[[OWN]])
  %y = tlrt.box.unpack %box : tensor<?x4xf32>
  // CHECK: return %[[COPY]]
  return %y : tensor<?x4xf32>
}
